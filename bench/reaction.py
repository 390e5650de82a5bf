"""From a target's answer that lets somebody in, to the SEV that says so and the notice of it, in ``sevtracker run``.

Each time a patch is claimed through the API, which runs the check; the target serves the content all the same. The
clock starts when the target has sent its answer and stops when the database holds the failed patch, the changed SEV
and the queued notice (one transaction).

What comes before is told as well: from sending the claim to the target being asked.
"""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import psycopg

from bench import data
from bench.databases import Dialect
from bench.results import Figure
from bench.stage import Stage, said
from bench.target import BODY, MARKER
from tests.servers.session import free_port

_PATIENCE_S = 10.0
_WATCHED = data.WATCHED[0]


class Door:
    """The target: it lets everybody in, and notes when it was asked and when it had answered."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.answered: list[float] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        answer = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY
        while True:
            sock, _ = self._listener.accept()
            with sock:
                sock.recv(4096)
                self.asked.append(time.perf_counter())
                sock.sendall(answer)
                self.answered.append(time.perf_counter())


def measure(stage: Stage) -> Iterator[Figure]:
    door = Door()
    for dialect in stage.dialects:
        yield _one(stage, dialect, door)


def _one(stage: Stage, dialect: Dialect, door: Door) -> Figure:
    times = 10 if stage.quick else 40
    database = stage.databases.copy(dialect, "blank", "reaction")
    stage.databases.fill(database, data.surroundings(checks=False))
    environ = stage.environ(database) | {
        "SEVTRACKER_POLICY__SETTLE": "0s",
        "SEVTRACKER_TARGETS__ALLOW": f'["127.0.0.1:{door.port}"]',
        "PORT": str(free_port()),
    }
    with stage.process("-m", "sevtracker", "run", environ=environ) as process, _notices(database) as notices:
        said(process, " is at ")
        api = _Api(int(environ["PORT"]))
        params = {"url": f"http://127.0.0.1:{door.port}/employees", "marker": MARKER}
        api.post("/checks", {"dataset": _WATCHED, "kind": "http", "identity": "anonymous", "params": params})
        number = api.post("/sevs", {"title": "Open", "level": "SEV1", "datasets": [_WATCHED]})["number"]
        time.sleep(1.5)
        waits, starts = [], []
        for _ in range(times):
            before, seen = notices(), len(door.answered)
            sent = time.perf_counter()
            api.post(f"/sevs/{number}/patches", {"summary": "Closed, they say"})
            ends = sent + _PATIENCE_S
            while notices() == before:
                if time.perf_counter() > ends:
                    raise TimeoutError("the notice did not come")
                time.sleep(0.001)
            waits.append(time.perf_counter() - door.answered[seen])
            starts.append(door.asked[seen] - sent)
            time.sleep(0.05)
    return Figure(
        "open answer -> changed SEV and queued notice: p50",
        dialect,
        median(waits),
        0.2,
        "at most",
        "s",
        f"p95 {sorted(waits)[int(times * 0.95)]:.3f} s; claim sent -> target asked p50 {median(starts):.3f} s",
    )


class _Api:
    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {data.TOKEN}"}
        self._connection.request("POST", f"/api/v1{path}", json.dumps(document), headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {body[:500]!r}")
        found: dict[str, Any] = json.loads(body)
        return found


@contextmanager
def _notices(url: str) -> Iterator[Callable[[], int]]:
    """How many notices there are: asked of the database itself, past the tracker."""
    asked = "SELECT count(*) FROM notice"
    connection: Any
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    try:
        yield lambda: int(connection.execute(asked).fetchone()[0])
    finally:
        connection.close()
