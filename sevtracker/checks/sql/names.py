"""Which of a server's sessions is this, and is it still there? Asked of the server's own list, as the same user.

PostgreSQL tells everybody who is there and each role when its own sessions began; MariaDB and MySQL list a user's own
sessions. Source: PostgreSQL manual, "pg_stat_activity"; MariaDB and MySQL manuals, "PROCESSLIST".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sevtracker.checks.sql.sessions import Session

_POSTGRES_NAME = (
    "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::bigint,"
    " extract(epoch FROM pg_catalog.clock_timestamp())::float8,"
    " extract(epoch FROM pg_catalog.pg_postmaster_start_time())::float8"
    " FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()"
)
_POSTGRES_THERE = (
    "SELECT 1 FROM pg_catalog.pg_stat_activity"
    " WHERE pid = :number AND (extract(epoch FROM backend_start) * 1000000)::bigint = :began"
)
_MYSQL_NAME = "SELECT CONNECTION_ID(), 0, UNIX_TIMESTAMP(SYSDATE(6))"
_MYSQL_UPTIME = "SHOW GLOBAL STATUS LIKE 'Uptime'"
_MYSQL_THERE = "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = :number"
#: Seconds by which two answers to "since when does the server run" may differ: clocks are set, and uptime is rounded.
_SAME_START = 120.0


@dataclass(frozen=True, slots=True)
class SessionName:
    """The server's number of a session; when it began (0: not told); the server's time now, and of its start.

    ``began`` is in microseconds, the others are Unix times in seconds by the server's clock.
    """

    number: int
    began: int
    at: float
    server_since: float


def name_of(session: Session) -> SessionName:
    """Which session this is. Raises DBAPIError, or LookupError where the server does not say."""
    if session.backend == "postgresql":
        number, began, at, since = _only(session, _POSTGRES_NAME)
        return SessionName(int(number), int(began), float(at), float(since))
    number, began, at = _only(session, _MYSQL_NAME)
    _, uptime = _only(session, _MYSQL_UPTIME)
    return SessionName(int(number), int(began), float(at), float(at) - float(uptime))


def _only(session: Session, question: str) -> list[Any]:
    """The one row that answers, whole. Raises LookupError when the server does not say."""
    rows = session.catalog(question)
    if len(rows) != 1 or None in tuple(rows[0]):
        raise LookupError
    return list(rows[0])


def is_there(session: Session, name: SessionName) -> bool | None:
    """Whether the session called ``name`` is still on the server that ``session`` is on. None: that is another server.

    A server that started after the session was named has none from before. Raises DBAPIError, LookupError.
    """
    session.start_over()
    here = name_of(session)
    if abs(here.server_since - name.server_since) > _SAME_START:
        return False if here.server_since > name.at else None
    there = _POSTGRES_THERE if session.backend == "postgresql" else _MYSQL_THERE
    values = {"began": name.began} if session.backend == "postgresql" else {}
    return bool(session.catalog(there, number=name.number, **values))
