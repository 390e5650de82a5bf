"""PostgreSQL, by psycopg."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy import Connection

from sevtracker.checks.deadline import keep_alive
from sevtracker.checks.interface import Access, Pinned
from sevtracker.checks.sql.denials import POSTGRESQL
from sevtracker.checks.sql.doors import NotIn
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.checks.sql.postgres_entry import Refused, entered
from sevtracker.clock import Clock
from sevtracker.domain.vocabulary import Phase, Reason

#: libpq falls back to a file in the home directory when it has no password. There is none by this name.
_NO_FILE = "/nonexistent/sevtracker-reads-no-password-file"
_IDLE_TIMEOUT_SINCE = 140_000
#: What a note may tell of a refused sign-in: password or rule, role, CONNECT on the database. Others may be any text.
_REFUSALS = frozenset({"28P01", "28000", "42501"})
_BEGIN = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
    " SET LOCAL statement_timeout = {ms:d}; SET LOCAL lock_timeout = {ms:d};"
    " SELECT extract(epoch FROM pg_catalog.clock_timestamp())::float8"
)

#: All roles of the one who signed in, direct and by other roles, and the attributes that stand above every grant.
#: Not pg_has_role: to a superuser it says that they are a member of all.
_ROLES = """
WITH RECURSIVE held (oid) AS (
    SELECT m.roleid FROM pg_catalog.pg_auth_members m
      JOIN pg_catalog.pg_roles me ON me.oid = m.member WHERE me.rolname = session_user
    UNION
    SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN held ON held.oid = m.member
)
SELECT CAST(r.rolname AS text) FROM pg_catalog.pg_roles r JOIN held ON held.oid = r.oid
UNION ALL SELECT 'SUPERUSER' FROM pg_catalog.pg_roles WHERE rolname = session_user AND rolsuper
UNION ALL SELECT 'BYPASSRLS' FROM pg_catalog.pg_roles WHERE rolname = session_user AND rolbypassrls
"""


class _Bounded(psycopg.Connection[Any]):
    """A connection whose every wait ends at ``ends``: ``statement_timeout`` is for the server to keep, this is ours."""

    ends: float = 0.0
    clock: Clock | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if self.clock is not None:
            timeout = max(self.ends - self.clock.monotonic(), 0.001)
        return super().wait(gen, interval, timeout)


class PostgresDoor:
    """Connects to ``hostaddr`` with the original host for TLS; no service file, password file or environment."""

    #: A query that a policy would filter then fails with 42501. Source: PostgreSQL manual, "row_security".
    unfiltered = "SET LOCAL row_security = off"
    catalog_has_snapshots = True
    denials = POSTGRESQL
    roles = _ROLES

    def connect(self, place: SqlPlace, access: Access) -> _Bounded:
        ends = access.clock.monotonic() + access.timeout
        try:
            connection = _Bounded(entered(access.clock, ends, **_told(place, access)))
        except Refused as refused:
            raise _not_in(refused, place, access) from None
        except psycopg.Error:
            raise _not_in(Refused(), place, access) from None
        connection.autocommit = True
        connection.clock, connection.ends = access.clock, ends
        return connection

    def wake(self, raw: _Bounded, access: Access) -> None:
        raw.ends = access.clock.monotonic() + access.timeout

    def rest(self, raw: _Bounded) -> None:
        """Source: PostgreSQL manual, "idle_session_timeout"."""
        if raw.info.server_version >= _IDLE_TIMEOUT_SINCE:
            raw.execute("SET idle_session_timeout = 0")
        keep_alive(raw.fileno())

    def begin(self, connection: Connection, limit: float) -> float:
        ms = int(limit * 1000)
        cursor: Any = connection.connection.cursor()
        with contextlib.closing(cursor):  # one round trip
            cursor.execute(_BEGIN.format(ms=ms))
            while cursor.nextset():
                pass
            return float(cursor.fetchone()[0])

    def end(self, connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")


def _told(place: SqlPlace, access: Access) -> dict[str, Any]:
    """What libpq is told, in its own words."""
    pin = access.pins[0]
    return {
        "host": place.endpoint.host,
        "hostaddr": pin.address,
        "port": pin.port,
        "dbname": place.database,
        "user": access.credentials.username or "",
        "password": access.credentials.password or "",
        "passfile": _NO_FILE,
        "sslmode": place.sslmode,
        "sslrootcert": "system" if place.sslmode == "verify-full" else None,
        "gssencmode": "disable",
        "options": "",
        "application_name": "sevtracker",
        "client_encoding": "utf8",
    }


def _not_in(refused: Refused, place: SqlPlace, access: Access) -> NotIn:
    """1. The server's code tells a server that takes nobody now, and a database that is not there, from a refusal.
    2. A password was asked for and sent: it is dead, or what came after it refused: ``auth_failed``.
    3. Else a bare start-up packet, without a password or TLS, tells a server that is not there from one that refuses.
    """
    if refused.late:
        return NotIn(Reason.timeout, Phase.connect, "no connection in time")
    if refused.sqlstate in POSTGRESQL.not_ready:
        return _not_now(refused.sqlstate)
    if refused.sqlstate in POSTGRESQL.misplaced:
        return NotIn(
            Reason.target_changed, Phase.target, f"the server has no database of this name ({refused.sqlstate})"
        )
    if refused.sent:
        return _no_sign_in(refused.sqlstate)
    try:
        code = _start_up_code(access.pins[0], access.credentials.username or "", place.database or "", access.timeout)
    except TimeoutError:
        return NotIn(Reason.timeout, Phase.connect, "no connection in time")
    except (OSError, ValueError, struct.error):
        return NotIn(Reason.unreachable, Phase.connect, "could not connect")
    if code in POSTGRESQL.not_ready:
        return _not_now(code)
    if place.sslmode in {"require", "verify-full"} and not (code and refused.sqlstate):
        return NotIn(Reason.tls, Phase.connect, "no TLS session that the check's sslmode accepts")
    return _no_sign_in(refused.sqlstate or code)


def _not_now(code: str) -> NotIn:
    return NotIn(Reason.unreachable, Phase.connect, f"the server takes no connections now ({code})")


def _no_sign_in(code: str) -> NotIn:
    told = f" ({code})" if code in _REFUSALS else ""
    return NotIn(Reason.auth_failed, Phase.self_test, f"the server did not let the identity sign in{told}")


def _start_up_code(pin: Pinned, user: str, database: str, timeout: float) -> str:
    """The SQLSTATE with which the server refuses a start-up packet, "" when it does not.

    Source: PostgreSQL manual, "Message Formats": StartupMessage 3.0, ErrorResponse. Raises OSError.
    """
    words = b"user\0" + user.encode() + b"\0database\0" + database.encode() + b"\0\0"
    with socket.socket(pin.family) as sock:
        sock.settimeout(min(timeout, 5.0))
        sock.connect((pin.address, pin.port))
        sock.sendall(struct.pack("!II", len(words) + 8, 196_608) + words)
        with sock.makefile("rb") as answer:
            kind, length = struct.unpack("!cI", answer.read(5))
            fields = answer.read(min(length, 4096) - 4) if kind == b"E" else b""
    if kind not in b"ERNSv":
        raise ValueError
    return next((field[1:].decode("ascii") for field in fields.split(b"\0") if field[:1] == b"C"), "")
