"""The load client: a process of its own that keeps N connections busy by plain sockets and one epoll loop.

Reads one JSON command a line and answers each with one JSON line. It does nothing but send bytes that were made before
and find where an answer ends, so that it drives more requests than any server here can answer. Standard library only.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from time import perf_counter
from typing import Any

#: A connection is closed after so many answers. With ``--reuse-port`` the kernel deals connections to workers by
#: chance: a few long ones could all land on one worker for a whole turn, many short ones spread.
RENEW_AFTER = 40
_HEAD_END = b"\r\n\r\n"


class Link:
    """One connection: what is being received, since when, and how many answers it has had."""

    __slots__ = ("answered", "began", "received", "sock", "wanted")

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, timeout=30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answered = 0
        self.received = b""
        self.wanted = -1
        self.began = 0.0

    def ask(self, request: bytes) -> None:
        self.received, self.wanted = b"", -1
        self.began = perf_counter()
        self.sock.sendall(request)

    def take(self) -> int:
        """Receive what is there. Returns the status once the answer is whole, else 0. Raises ConnectionError."""
        chunk = self.sock.recv(262_144)
        if not chunk:
            raise ConnectionError("the server closed in the middle of an answer")
        self.received = self.received + chunk if self.received else chunk
        if self.wanted < 0:
            end = self.received.find(_HEAD_END)
            if end < 0:
                return 0
            head = self.received[:end].lower()
            at = head.find(b"content-length:")
            if at < 0:
                raise ConnectionError(f"an answer without Content-Length: {self.received[:end]!r}")
            self.wanted = end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(self.received) < self.wanted:
            return 0
        self.answered += 1
        return int(self.received[9:12])


def run(host: str, port: int, requests: list[str], connections: int, seconds: float, most: int) -> dict[str, Any]:
    """Keep ``connections`` busy for ``seconds`` or ``most`` requests. Latencies in ms, from sending to last byte."""
    address = (host, port)
    upcoming: Iterator[bytes] = cycle([text.encode() for text in requests])
    selector = selectors.DefaultSelector()
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    sent = 0
    links = [Link(address) for _ in range(connections)]
    began = perf_counter()
    ends = began + seconds
    for link in links:
        selector.register(link.sock, selectors.EVENT_READ, link)
        link.ask(next(upcoming))
        sent += 1
    busy, sample = connections, b""
    last = began
    while busy:
        for key, _ in selector.select(timeout=30) or [(None, 0)]:
            if key is None:
                raise TimeoutError("no answer within 30 s")
            link: Link = key.data
            status = link.take()
            if not status:
                continue
            last = perf_counter()
            latencies.append((last - link.began) * 1000)
            statuses[status] += 1
            sample = sample if status < 400 else link.received
            if last >= ends or sent >= most:
                selector.unregister(link.sock)
                link.sock.close()
                busy -= 1
                continue
            if link.answered >= RENEW_AFTER:
                selector.unregister(link.sock)
                link.sock.close()
                link = Link(address)
                selector.register(link.sock, selectors.EVENT_READ, link)
            link.ask(next(upcoming))
            sent += 1
    latencies.sort()
    return {
        "count": len(latencies),
        "seconds": last - began,
        "rate": len(latencies) / (last - began),
        "p50": latencies[len(latencies) // 2],
        "p95": latencies[int(len(latencies) * 0.95)],
        "statuses": {str(status): count for status, count in statuses.items()},
        "sample": sample[:2000].decode("utf-8", "replace"),
    }


def main() -> None:
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = run(**command)
        except OSError as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
