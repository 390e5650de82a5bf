"""Measuring several things turn by turn, so that whatever else the machine does meanwhile hits all of them alike."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """What the client asks: full requests as text, sent one after another, from the start when they run out."""

    port: int
    requests: Sequence[str]


@dataclass(slots=True)
class Turns:
    """What one side did in its turns."""

    rates: list[float] = field(default_factory=list)
    p50s: list[float] = field(default_factory=list)
    count: int = 0

    @property
    def rate(self) -> float:
        return median(self.rates)

    @property
    def p50(self) -> float:
        return median(self.p50s)


def ratio(of: Sequence[float], to: Sequence[float]) -> float:
    """The median of the ratios of each round: both turns of a round met the same weather."""
    return median(a / b for a, b in zip(of, to, strict=True))


class Client:
    """The process of ``client.py``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("client.py"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def load(self, target: Target, connections: int, seconds: float, most: int = 1_000_000) -> dict[str, Any]:
        """One turn. Raises RuntimeError if any answer was an error: a fast refusal is no figure."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the client has no pipes")
        command = {
            "host": "127.0.0.1",
            "port": target.port,
            "requests": list(target.requests),
            "connections": connections,
            "seconds": seconds,
            "most": most,
        }
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in found:
            raise RuntimeError(found["error"])
        if bad := {s: n for s, n in found["statuses"].items() if not s.startswith("2")}:
            raise RuntimeError(f"answers that were no 2xx: {bad}\n{found['sample']}")
        return found

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(10)


def turn_by_turn(
    client: Client,
    sides: Mapping[str, Target],
    connections: int,
    *,
    rounds: int,
    seconds: float,
    most: int = 1_000_000,
) -> dict[str, Turns]:
    """A B C, C B A, A B C, ...: every side once a round, after one unmeasured turn to warm up."""
    found = {name: Turns() for name in sides}
    for target in sides.values():
        client.load(target, connections, min(0.3, seconds), most)
    for place in range(rounds):
        names = list(sides) if place % 2 == 0 else list(sides)[::-1]
        for name in names:
            got = client.load(sides[name], connections, seconds, most)
            found[name].rates.append(got["rate"])
            found[name].p50s.append(got["p50"])
            found[name].count += got["count"]
    return found


def repeatedly(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The same for things that are no web server: each call returns its figure."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for place in range(rounds):
        for name in list(sides) if place % 2 == 0 else list(sides)[::-1]:
            found[name].append(sides[name]())
    return found


def get(path: str, *headers: str) -> str:
    """A GET as the client sends it."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""])


def post(path: str, document: object, *headers: str) -> str:
    """A POST of JSON."""
    body = json.dumps(document)
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {len(body.encode())}", *headers, "", body])
