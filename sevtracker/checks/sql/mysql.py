"""MySQL and MariaDB, by PyMySQL."""

from __future__ import annotations

import contextlib
import ssl
from functools import lru_cache
from typing import Any

import pymysql
from sqlalchemy import Connection

from sevtracker.checks.deadline import cut_after, keep_alive
from sevtracker.checks.interface import Access
from sevtracker.checks.sql.denials import MYSQL
from sevtracker.checks.sql.doors import NotIn, dial
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.domain.vocabulary import Phase, Reason

#: Seconds that a session may idle: what every system takes. Source: MariaDB and MySQL manuals, "wait_timeout".
_LONGEST_WAIT = 2_147_483

#: MariaDB, and MySQL from 8.0.19 on: the roles that this account can use, direct and by other roles.
_ROLES = "SELECT ROLE_NAME FROM information_schema.APPLICABLE_ROLES"


class _Bounded(pymysql.Connection):
    """A connection that is cut at its deadline, also under a server that drips."""

    guards: contextlib.ExitStack

    def close(self) -> None:
        self.guards.close()
        self._force_close()  # type: ignore[attr-defined]  # COM_QUIT to a dead peer may block; the server copes without


class MySqlDoor:
    """Connects a socket of our own. Signs in without a default database: to deny that one is the target's business."""

    unfiltered = None
    #: Grant tables know no transactions; to keep one open would only hold up who changes them.
    catalog_has_snapshots = False
    denials = MYSQL
    roles = _ROLES

    def connect(self, place: SqlPlace, access: Access) -> _Bounded:
        ends = access.clock.monotonic() + access.timeout
        pin = access.pins[0]
        sock = dial(pin, access.timeout)
        connection = _Bounded(
            host=place.endpoint.host,  # for TLS only: the socket is connected
            port=pin.port,
            user=access.credentials.username or "",
            password=(access.credentials.password or "").encode(),
            charset="utf8mb4",
            read_timeout=access.timeout,
            write_timeout=access.timeout,
            local_infile=False,
            autocommit=True,
            program_name="sevtracker",
            defer_connect=True,
            ssl_disabled=True,
        )
        if place.sslmode != "disable":
            _allow_tls(connection, place.sslmode)
        connection.guards = contextlib.ExitStack()
        connection.guards.enter_context(cut_after(access.timeout, sock))
        try:
            connection.connect(sock)
        except Exception as error:
            connection.guards.close()
            sock.close()
            raise _not_in(error, late=access.clock.monotonic() >= ends) from None
        return connection

    def wake(self, raw: Any, access: Access) -> None:
        raw._read_timeout = raw._write_timeout = access.timeout
        raw.guards.enter_context(cut_after(access.timeout, raw._sock))

    def rest(self, raw: Any) -> None:
        raw.guards.close()
        with contextlib.closing(raw.cursor()) as cursor:
            cursor.execute(f"SET SESSION wait_timeout = {_LONGEST_WAIT}")
        keep_alive(raw._sock.fileno())

    def begin(self, connection: Connection, limit: float) -> float:
        raw: Any = connection.connection.dbapi_connection
        seconds = max(int(limit), 1)
        if "MariaDB" in raw.get_server_info():
            limits = f"max_statement_time = {limit:.3f}, lock_wait_timeout = {seconds}"
        else:
            limits = f"max_execution_time = {int(limit * 1000)}, lock_wait_timeout = {seconds}"
        with contextlib.closing(raw.cursor()) as cursor:
            cursor.execute(f"SET SESSION {limits}")
            cursor.execute("START TRANSACTION READ ONLY")
            cursor.execute("SELECT UNIX_TIMESTAMP(SYSDATE(6))")
            return float(cursor.fetchone()[0])

    def end(self, connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")


def _allow_tls(connection: Any, sslmode: str) -> None:
    """TLS as libpq's word of the same name. PyMySQL would read all CA certificates again for each connection."""
    connection.ssl = True
    connection._ssl_required = sslmode != "prefer"
    connection.ctx = _tls(sslmode == "verify-full")


@lru_cache
def _tls(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _not_in(error: Exception, *, late: bool) -> NotIn:
    """Before the target no code is a denial: 1045 says "Access denied" as well."""
    code = MYSQL.code_of(error)
    if late:
        return NotIn(Reason.timeout, Phase.connect, "no connection in time")
    if isinstance(error, ssl.SSLError) or code == "2026":
        return NotIn(Reason.tls, Phase.connect, "no TLS session that the check's sslmode accepts")
    if not isinstance(error, pymysql.Error) or code in MYSQL.not_ready or not code:
        return NotIn(Reason.unreachable, Phase.connect, "the server takes no connections from here now")
    return NotIn(Reason.auth_failed, Phase.self_test, f"the server did not let the identity sign in ({code})")
