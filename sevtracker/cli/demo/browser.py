"""The story's data browser: a web page over the same table. It asks the database as whoever the token belongs to."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

HEADER = "employee_email,event,at"
_ROWS = b"SELECT employee_email, event, at FROM tracking.events LIMIT 20"


class DataBrowser:
    """Serves the table as CSV on 127.0.0.1 to those who may read it. ``dsns``: token -> the role's address."""

    def __init__(self, dsns: Mapping[str, str]) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.dsns = dsns
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="data-browser", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    dsns: Mapping[str, str]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        dsn = self.server.dsns.get(token)
        if dsn is None:
            self._answer(401, "Sign in first.\n")
            return
        try:
            with psycopg.connect(dsn, connect_timeout=5) as connection:
                rows = connection.execute(_ROWS).fetchall()
        except psycopg.errors.InsufficientPrivilege:
            self._answer(403, "You may not read this table.\n")
        except psycopg.Error:
            self._answer(502, "The database does not answer.\n")
        else:
            self._answer(200, "\n".join([HEADER, *(",".join(map(str, row)) for row in rows)]))

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/csv; charset=utf-8" if status == 200 else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the story is told elsewhere."""
