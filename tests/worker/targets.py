"""Real HTTP targets: a threaded server on 127.0.0.1 and its neighbours, whose answers a test can change."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MARKER = "employee,event,at"


@dataclass
class Target:
    """Serves ``status`` and the marker at every path. ``seen``: path, address asked, requests in flight there.

    ``doors``: addresses that answer only once their event is set. ``statuses``, ``headers``: of one address.
    """

    port: int = 0
    status: int = 200
    delay: float = 0.0
    seen: list[tuple[str, str, int]] = field(default_factory=list)
    doors: dict[str, threading.Event] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    _in_flight: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/", host: int = 1) -> str:
        return f"http://127.0.0.{host}:{self.port}{path}"

    @contextmanager
    def under_way(self, path: str, address: str) -> Iterator[None]:
        with self._lock:
            self._in_flight[address] = self._in_flight.get(address, 0) + 1
            self.seen.append((path, address, self._in_flight[address]))
        try:
            yield
        finally:
            with self._lock:
                self._in_flight[address] -= 1


class _Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True
    target: Target


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        target = self.server.target
        address = str(self.connection.getsockname()[0])
        with target.under_way(self.path, address):
            time.sleep(target.delay)
            if address in target.doors:
                target.doors[address].wait(20)
        status = target.statuses.get(address, target.status)
        if status != 429 and self.headers.get("Authorization") == "Bearer control":
            status = 200
        body = f"{MARKER}\n".encode() if status == 200 else b""
        self.send_response(status)
        for name, value in target.headers.get(address, {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving() -> Iterator[Target]:
    """A target, until the block ends."""
    server = _Server(("0.0.0.0", 0), _Handler)
    server.target = Target(port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.target
    server.shutdown()
    thread.join()
    server.server_close()
