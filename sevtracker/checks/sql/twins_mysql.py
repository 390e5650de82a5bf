"""Canary twins in MySQL and MariaDB: two tables in a database of their own.

There each statement commits by itself. So what was begun is removed when something fails; and a right outlives the
table that it is a right to, so rights are taken back one by one.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import pymysql

from sevtracker.checks.interface import Access
from sevtracker.checks.sql.denials import MYSQL
from sevtracker.checks.sql.mysql import MySqlDoor
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.checks.sql.twins_family import Tables
from sevtracker.checks.twins.making import NotMade

#: No such right was granted: on the table, at all.
_NO_SUCH_GRANT = frozenset({"1141", "1147"})


class MySqlTwins:
    """Accounts are ``user@host``, as CURRENT_USER() says them."""

    def account(self, place: SqlPlace, access: Access) -> str:
        with _session(place, access) as session:
            return str(session.ask("say who it is", "SELECT CURRENT_USER()")[0][0])

    def make(self, place: SqlPlace, keeper: Access, tables: Tables, reader: str, control: str | None) -> None:
        readers = [name for name in dict.fromkeys((reader, control)) if name]
        with _session(place, keeper) as session:
            session.ask("create the database", f"CREATE DATABASE IF NOT EXISTS {_quoted(tables.schema)}")
            for name in (tables.open, tables.locked):
                _drop_ours(session, tables, name, readers)
            try:
                for name, granted in ((tables.open, readers), (tables.locked, readers[1:])):
                    _make(session, tables, name, granted)
            except NotMade:
                for name in (tables.open, tables.locked):
                    _drop_ours(session, tables, name, readers, may_revoke=False)
                raise

    def drop(self, place: SqlPlace, keeper: Access, tables: Tables, readers: Sequence[str]) -> None:
        """The tables and the rights to them. The database stays: the keeper may not see all that is in it."""
        with _session(place, keeper) as session:
            for name in (tables.open, tables.locked):
                _drop_ours(session, tables, name, readers)


class _Session:
    """Statements as somebody. Each says what it is for: that, and the server's code, is all that an error tells."""

    def __init__(self, connection: pymysql.Connection[Any], who: str) -> None:
        self._connection = connection
        self._who = who

    def ask(self, what: str, statement: str, *values: str) -> Sequence[tuple[Any, ...]]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return list(cursor.fetchall())
        except (pymysql.Error, OSError) as error:
            raise _Refused(self._who, what, MYSQL.code_of(error)) from None


class _Refused(NotMade):
    def __init__(self, who: str, what: str, code: str) -> None:
        self.code = code
        denied = " It lacks the right to." if code in MYSQL.denied or code in ("1227", "1410") else ""
        super().__init__(f"At the target, {who} could not {what} ({code or 'the session broke off'}).{denied}")


@contextlib.contextmanager
def _session(place: SqlPlace, access: Access) -> Iterator[_Session]:
    """Raises NotIn, NotMade."""
    connection = MySqlDoor().connect(place, access)
    try:
        session = _Session(connection, access.identity)
        session.ask("limit its waiting", "SET SESSION lock_wait_timeout = 5")
        yield session
    finally:
        connection.close()


def _make(session: _Session, tables: Tables, name: str, granted: Sequence[str]) -> None:
    table = f"{_quoted(tables.schema)}.{_quoted(name)}"
    columns = ", ".join(f"{_quoted(column)} varchar(64)" for column in tables.columns)
    session.ask("create a table", f"CREATE TABLE {table} ({columns}) COMMENT = %s", tables.mark)
    write = f"INSERT INTO {table} ({_quoted(tables.columns[0])}) VALUES (%s)"  # noqa: S608  # names of ours, quoted
    session.ask("write a row", write, secrets.token_hex(16))
    for account in granted:
        session.ask("grant", f"GRANT SELECT ON {table} TO %s@%s", *_account(account))


def _drop_ours(
    session: _Session, tables: Tables, name: str, readers: Sequence[str], *, may_revoke: bool = True
) -> None:
    """Raises NotMade for a table of that name that is not ours. ``may_revoke`` False: who may not, granted nothing."""
    found = session.ask(
        "look for a table",
        "SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
        *(tables.schema, name),
    )
    if not found:
        return
    if found[0][0] != tables.mark:
        raise NotMade(
            f"There is a table {tables.schema}.{name} that this tracker did not make for this check. It was left alone."
        )
    table = f"{_quoted(tables.schema)}.{_quoted(name)}"
    revoke = f"REVOKE SELECT ON {table} FROM %s@%s"  # noqa: S608  # names of ours, quoted
    for account in readers:
        try:
            session.ask("revoke", revoke, *_account(account))
        except _Refused as refused:
            if may_revoke and refused.code not in _NO_SUCH_GRANT:
                raise
    session.ask("drop a table", f"DROP TABLE {table}")


def _account(text: str) -> tuple[str, str]:
    user, _, host = text.rpartition("@")
    return user, host


def _quoted(name: str) -> str:
    """An identifier. A percent sign would be the driver's."""
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"
