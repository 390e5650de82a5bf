"""Small real HTTP servers, and a fixed cast of identities that try them."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sevtracker.checks.guard import Guard
from sevtracker.checks.identities import Identities
from sevtracker.checks.interface import Definition, Endpoint, Observation, Window
from sevtracker.checks.keeping import Keeper
from sevtracker.checks.local import NOTHING_LOCAL, LocalRules
from sevtracker.checks.probing import ProbeEnvironment, probe
from sevtracker.checks.registry import load_kinds
from sevtracker.checks.sealing import Sealer
from sevtracker.clock import Clock, SystemClock
from sevtracker.config import Identity

#: Passwords that would stand out wherever they turned up.
STAFF_SECRET = "canary-staff-Zq7'\"%s{x}\\é"
CONTROL_SECRET = "canary-control-Zq8"
ENVIRON = {"STAFF_SECRET": STAFF_SECRET, "CONTROL_SECRET": CONTROL_SECRET, "WRONG_SECRET": "canary-wrong-Zq9"}
STAFF_TOKEN = {"STAFF_TOKEN": "canary-token-Zq1"}


@dataclass(frozen=True)
class Asked:
    """A request as a site saw it."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def is_control(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {CONTROL_SECRET}"


Reply = tuple[int, Mapping[str, str], bytes]
ROWS = b"<html>ssn 078-05-1120 MARKER-41</html>"


def serve(status: int = 200, body: bytes = b"", **headers: str) -> Callable[[Asked], Reply]:
    """Everybody gets this; the control gets the rows."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda asked: (200, {}, ROWS) if asked.is_control else (status, told, body)


def everyone(status: int = 200, body: bytes = b"", **headers: str) -> Callable[[Asked], Reply]:
    """Everybody gets this, the control too."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda asked: (status, told, body)


class Site:
    """A threaded HTTP server on a loopback address. ``answer`` may be changed at any time."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        site = self
        self.host = host
        self.answer: Callable[[Asked], Reply] = everyone(200, ROWS)
        self.asked: list[Asked] = []
        self.connections = 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = Asked(self.command, self.path, dict(self.headers))
                site.asked.append(asked)
                status, headers, body = site.answer(asked)
                self.send_response_only(status)
                if "Date" not in headers:
                    self.send_header("Date", self.date_time_string())
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    with contextlib.suppress(ConnectionError):  # our probe stops reading at its cap
                        self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            request_queue_size = 128

            def get_request(self) -> tuple[socket.socket, Any]:
                site.connections += 1
                return super().get_request()

        self.server = Server((host, port), Handler)
        self.port: int = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def place(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, path: str = "/people", host: str | None = None) -> str:
        return f"http://{host}:{self.port}{path}" if host else f"http://{self.place}{path}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@contextlib.contextmanager
def site(host: str = "127.0.0.1", port: int = 0) -> Iterator[Site]:
    running = Site(host, port)
    try:
        yield running
    finally:
        running.stop()


@dataclass
class ShiftedClock(SystemClock):
    """The machine's clock, ``ahead`` seconds on."""

    ahead: float = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(super().now().timestamp() + self.ahead, UTC)


def person(cls: str, hosts: Sequence[str] = ("127.0.0.1:*", "[::1]:*"), **told: Any) -> Identity:
    return Identity.model_validate({"class": cls, "hosts": hosts, **told})


def cast(hosts: Sequence[str] = ("127.0.0.1:*", "[::1]:*")) -> dict[str, Identity]:
    """The fixed cast. ``any-employee`` must not get in; ``privacy-team`` is the control."""
    return {
        "any-employee": person("staff", hosts, username="any_employee", password="env:STAFF_SECRET"),
        "dead-password": person("staff", hosts, username="any_employee", password="env:WRONG_SECRET"),
        "privacy-team": person("control", hosts, username="privacy_team", password="env:CONTROL_SECRET"),
        "privacy-site": person("service", hosts, token="env:CONTROL_SECRET"),
    }


@dataclass
class World:
    """An environment to probe in, by default with loopback allowed and the fixed cast."""

    allow: Sequence[str] = ("127.0.0.1:*", "[::1]:*")
    identities: dict[str, Identity] = field(default_factory=cast)
    clock: Clock = field(default_factory=SystemClock)
    own: Sequence[Endpoint] = ()
    deadline: float = 60.0
    kinds: Mapping[str, Any] = field(default_factory=load_kinds)
    local: LocalRules = NOTHING_LOCAL
    keeper: Keeper = field(default_factory=Keeper)
    sealer: Sealer = field(default_factory=Sealer)

    @property
    def environment(self) -> ProbeEnvironment:
        return ProbeEnvironment(
            self.kinds,
            Identities(self.identities, {**ENVIRON, **STAFF_TOKEN}),
            Guard(self.allow, self.own),
            self.clock,
            self.deadline,
            self.local,
            keeper=self.keeper,
            sealer=self.sealer,
        )

    def look(
        self,
        kind: str,
        params: dict[str, Any],
        identity: str = "anonymous",
        control: str | None = None,
        memory: Mapping[str, Any] | None = None,
        window: Window | None = None,
    ) -> Observation:
        return probe(Definition(kind, identity, control, params, memory, window), self.environment)


@dataclass
class RememberingWorld(World):
    """A world with a worker in it: what a check wants to be given at its next run, it is given."""

    memories: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keeper.open()

    def look(
        self,
        kind: str,
        params: dict[str, Any],
        identity: str = "anonymous",
        control: str | None = None,
        memory: Mapping[str, Any] | None = None,
        window: Window | None = None,
    ) -> Observation:
        key = json.dumps([kind, params, identity], sort_keys=True, default=str)
        seen = super().look(kind, params, identity, control, memory or self.memories.get(key), window)
        if seen.memory is not None:
            self.memories[key] = json.loads(json.dumps(seen.memory))  # as a database would
        return seen

    def start_anew(self, *, forget: bool = False) -> None:
        """The worker is stopped, and another one started. ``forget``: the checks are edited, too."""
        self.keeper.close()
        self.keeper.open()
        if forget:
            self.memories.clear()


def outcome(seen: Observation) -> tuple[str, str]:
    """Verdict and reason, for one line of an assertion."""
    return seen.verdict.value, seen.reason.value
