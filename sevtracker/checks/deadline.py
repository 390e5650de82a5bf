"""Bounds on calls that have none of their own; and what keeps a connection that is to have none."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """``call()`` in a daemon thread. Raises TimeoutError after ``seconds``; the thread is left to end by itself."""
    box: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            box.append(call())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="bounded-call", daemon=True)
    thread.start()
    thread.join(max(seconds, 0))
    if box:
        return box[0]
    if raised:
        raise raised[0]
    raise TimeoutError


@contextlib.contextmanager
def cut_after(seconds: float, sock: socket.socket) -> Iterator[None]:
    """Shut ``sock`` down after ``seconds``: a peer that drips beats every read timeout."""
    # Of its own: the driver may wrap the socket for TLS, which empties the original object. (And ``dup`` takes no TLS.)
    handle = socket.socket(fileno=os.dup(sock.fileno()))

    def cut() -> None:
        with contextlib.suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(seconds, 0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        handle.close()


#: Seconds of silence after which a connection is tried, and between tries. Below what firewalls usually forget after.
_SILENCE = 60


def keep_alive(fileno: int) -> None:
    """Let the kernel keep an idle TCP connection from being forgotten on the way."""
    with socket.socket(fileno=os.dup(fileno)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
            if hasattr(socket, name):  # not on every system
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), _SILENCE)
