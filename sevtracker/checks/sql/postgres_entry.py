"""How a session on PostgreSQL comes to be, and with which SQLSTATE it is refused, whatever language the server speaks.

psycopg's errors of a failed sign-in have no SQLSTATE, and the server's words are in the language of ``lc_messages``.
libpq knows the code, and its messages are made of code alone where ``PQsetErrorVerbosity`` asked for that before the
connection was polled. psycopg does not wrap that function, but gives the pointer to call it with. Sources: PostgreSQL
manual, "Connection Status Functions" and "PQsetErrorVerbosity"; psycopg manual, "pgconn_ptr".
"""

from __future__ import annotations

import ctypes
import re
import selectors
import sys
from functools import lru_cache
from typing import Any

from psycopg.conninfo import make_conninfo
from psycopg.pq import ConnStatus, PGconn, PollingStatus, abc

from sevtracker.clock import Clock

#: PQERRORS_SQLSTATE, since libpq 12: "FATAL:  28P01", the first word in the server's language, and no text of a target.
_SQLSTATE_ONLY = 3
_SQLSTATE = re.compile(rb":  ([0-9A-Z]{5})\n?\Z")
_WAITS_FOR = {
    PollingStatus.READING: selectors.EVENT_READ,
    PollingStatus.WRITING: selectors.EVENT_WRITE,
}


class Refused(Exception):
    """No session came to be. ``sqlstate``: the server's, "" if it said none or none can be learned. ``sent``: a
    password was asked for, and sent. ``late``: there was no time left."""

    def __init__(self, sqlstate: str = "", *, sent: bool = False, late: bool = False) -> None:
        self.sqlstate, self.sent, self.late = sqlstate, sent, late
        super().__init__(sqlstate)


def entered(clock: Clock, ends: float, **told: Any) -> abc.PGconn:
    """A session with these libpq parameters by ``ends`` of ``clock``. Raises Refused, psycopg's Error.

    ``sslmode=prefer`` is libpq's, on one connection where the server has no TLS, but for this: libpq would send a
    password that was refused over TLS once more without, which are two failed sign-ins for one, and lock accounts. So
    it goes on without TLS only if no password was sent with it.
    """
    connection = PGconn.connect_start(make_conninfo("", **told).encode())
    try:
        _say_codes(connection)
        _poll(connection, clock, ends)
    except BaseException:  # also when the thread is told to end: nobody else knows of the connection yet
        connection.finish()
        raise
    connection.nonblocking = 1  # as psycopg expects it
    return connection


def _poll(connection: abc.PGconn, clock: Clock, ends: float) -> None:
    sent = over_tls = False
    turn = PollingStatus.WRITING  # so it begins. Source: PostgreSQL manual, "PQconnectPoll"
    while connection.status != ConnStatus.BAD and turn != PollingStatus.FAILED:
        if over_tls and sent and not connection.ssl_in_use:
            break  # libpq has left that connection and dials a second one; nothing was sent on it yet
        sent, over_tls = sent or connection.used_password, connection.ssl_in_use
        if not _ready(connection.socket, _WAITS_FOR[turn], ends - clock.monotonic()):
            raise Refused(late=True)
        turn = PollingStatus(connection.connect_poll())
        if turn == PollingStatus.OK:
            return
    raise Refused(_sqlstate(connection), sent=sent or connection.used_password, late=clock.monotonic() >= ends)


def _ready(descriptor: int, event: int, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, event)
        return seconds > 0 and bool(selector.select(seconds))


def _sqlstate(connection: abc.PGconn) -> str:
    found = _SQLSTATE.search(connection.error_message) if _verbosity() else None
    return found[1].decode() if found else ""


def _say_codes(connection: abc.PGconn) -> None:
    """Ask for messages of codes alone, for as long as the connection lasts: other text may quote a target's values."""
    pointer: int | None = getattr(connection, "pgconn_ptr", None)
    if (ask := _verbosity()) is not None and pointer:
        ask(pointer, _SQLSTATE_ONLY)


@lru_cache
def _verbosity() -> Any:
    """``PQsetErrorVerbosity`` of the very libpq that psycopg uses, which its module was linked with.

    None where that can't be reached, as under psycopg in pure Python: then no code is known.
    """
    try:
        found = ctypes.CDLL(sys.modules[PGconn.__module__].__file__).PQsetErrorVerbosity
    except (AttributeError, OSError):
        return None
    found.argtypes, found.restype = (ctypes.c_void_p, ctypes.c_int), ctypes.c_int
    return found
