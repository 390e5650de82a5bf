"""Bounds on calls that have none of their own."""

from __future__ import annotations

import contextlib
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
    handle = sock.dup()  # the driver may wrap the socket for TLS, which empties the original object

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
