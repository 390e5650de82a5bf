"""The embedded web server: waitress, with a loop of our own so that stopping lets the answers under way out."""

from __future__ import annotations

from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]  # it has no types
from waitress.server import MultiSocketServer, create_server  # type: ignore[import-untyped]  # it has no types

from sevtracker.cli.listening import why_not
from sevtracker.cli.signals import Stopping
from sevtracker.clock import Clock
from sevtracker.config import Server
from sevtracker.errors import ConfigError

#: Connections at once. Each idle browser tab may hold one.
_CONNECTIONS = 500
_LOOK_EVERY_S = 0.5
_FINISH_EVERY_S = 0.02


class Serving:
    """Listens from when it is made. Raises ConfigError when the place is taken or not ours to listen at."""

    def __init__(self, app: Any, settings: Server) -> None:
        try:
            self._server: Any = create_server(
                app,
                host=settings.host,
                port=settings.port,
                threads=settings.threads,
                ident=None,
                connection_limit=_CONNECTIONS,
                # The app refuses what is over its own cap, in its own words; this stops what it should not even read.
                max_request_body_size=max(4 * settings.max_body, 1_000_000),
                # They are believed by the app alone, if at all; that they are there tells it of a proxy.
                clear_untrusted_proxy_headers=False,
            )
        except OSError as error:
            raise ConfigError(why_not(error, settings)) from None
        many = isinstance(self._server, MultiSocketServer)
        self._map: dict[int, Any] = self._server.map if many else self._server._map
        self.port = int(self._server.effective_listen[0][1] if many else self._server.effective_port)

    def run(self, stopping: Stopping) -> None:
        """Serve until asked to stop."""
        stopping.wake = self._wake
        while not stopping.asked:
            wasyncore.loop(timeout=_LOOK_EVERY_S, use_poll=True, map=self._map, count=1)

    def _wake(self) -> None:
        for listener in self._listeners():
            listener.pull_trigger()

    def _listeners(self) -> list[Any]:
        return [d for d in list(self._map.values()) if hasattr(d, "active_channels")]

    def finish(self, clock: Clock, grace: float) -> None:
        """Take no more connections; up to ``grace`` seconds for the requests that are under way and their answers."""
        for listener in self._listeners():
            listener.del_channel()
            listener.socket.close()
        ends = clock.monotonic() + grace
        while self._busy() and clock.monotonic() < ends:
            wasyncore.loop(timeout=_FINISH_EVERY_S, use_poll=True, map=self._map, count=1)
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=max(ends - clock.monotonic(), 0.1))
        wasyncore.close_all(self._map)

    def _busy(self) -> bool:
        channels = [d for d in list(self._map.values()) if hasattr(d, "total_outbufs_len")]
        return any(channel.requests or channel.total_outbufs_len for channel in channels)
