"""Canary twins in PostgreSQL: two tables in a schema of their own, made in one transaction."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from sevtracker.checks.interface import Access
from sevtracker.checks.sql.denials import POSTGRESQL
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.checks.sql.postgres import PostgresDoor
from sevtracker.checks.sql.twins_family import Tables
from sevtracker.checks.twins.making import NotMade

_SCHEMA_MARK = "canary twins of sevtracker's checks"
_LIMITS = "SET LOCAL statement_timeout = 5000; SET LOCAL lock_timeout = 5000"


class PostgresTwins:
    """All of it, or nothing."""

    def account(self, place: SqlPlace, access: Access) -> str:
        with _session(place, access) as session:
            return str(session.one("SELECT current_user")[0])

    def make(self, place: SqlPlace, keeper: Access, tables: Tables, reader: str, control: str | None) -> None:
        """1. The schema, if it is missing. 2. Both tables, in place of older ones of ours, with rights for whom they
        are meant, and for nobody else. 3. Is the locked one locked to the reader, whatever else it is a member of?"""
        schema = sql.Identifier(tables.schema)
        with _session(place, keeper) as session:
            if session.one("SELECT to_regnamespace(%s) IS NULL", tables.schema)[0]:
                session.do("create the schema", "CREATE SCHEMA {}", schema)
                session.do("mark the schema", "COMMENT ON SCHEMA {} IS {}", schema, sql.Literal(_SCHEMA_MARK))
            readers = [sql.Identifier(name) for name in dict.fromkeys((reader, control)) if name]
            everybody = sql.SQL(", ").join([sql.SQL("PUBLIC"), *readers])
            for name, granted in ((tables.open, readers), (tables.locked, readers[1:])):
                table = sql.Identifier(tables.schema, name)
                _drop_ours(session, tables, name)
                columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(c)) for c in tables.columns)
                session.do("create a table", "CREATE TABLE {} ({})", table, columns)
                marker = sql.Literal(secrets.token_hex(16))
                session.do(
                    "write a row", "INSERT INTO {} ({}) VALUES ({})", table, sql.Identifier(tables.columns[0]), marker
                )
                session.do("mark a table", "COMMENT ON TABLE {} IS {}", table, sql.Literal(tables.mark))
                session.do("take default rights back", "REVOKE ALL ON {} FROM {}", table, everybody)
                if granted:
                    session.do("grant", "GRANT SELECT ON {} TO {}", table, sql.SQL(", ").join(granted))
            session.do("grant", "GRANT USAGE ON SCHEMA {} TO {}", schema, sql.SQL(", ").join(readers))
            locked = session.one("SELECT has_table_privilege(%s, %s, 'SELECT')", reader, _name(tables, tables.locked))
            if locked[0]:
                raise NotMade(
                    f"The identity reads every new table of {place.database}, by rights of its own or of a role that it"
                    " is a member of. No table can be locked to it, so twins can't be made."
                )

    def drop(self, place: SqlPlace, keeper: Access, tables: Tables, readers: Sequence[str]) -> None:
        """The tables; with the last ones the schema, if it was ours. Rights go with what they were rights to."""
        with _session(place, keeper) as session:
            for name in (tables.open, tables.locked):
                _drop_ours(session, tables, name)
            ours = session.one(
                "SELECT obj_description(to_regnamespace(%s), 'pg_namespace') = %s", tables.schema, _SCHEMA_MARK
            )
            if ours[0]:
                session.drop_if_empty(tables.schema)


class _Session:
    """The keeper's statements. Each says what it is for: that, and the server's code, is all that an error tells."""

    def __init__(self, connection: psycopg.Connection[Any], who: str) -> None:
        self._connection = connection
        self._who = who

    def one(self, question: str, *values: str) -> tuple[Any, ...]:
        with self._told("look at the catalog"):
            row = self._connection.execute(question.encode(), values).fetchone()
            return tuple(row or (None,))

    def do(self, what: str, statement: str, *parts: sql.Composable) -> None:
        with self._told(what):
            self._connection.execute(sql.SQL(statement).format(*parts))

    def drop_if_empty(self, schema: str) -> None:
        with (
            self._told("drop the schema"),
            contextlib.suppress(psycopg.errors.DependentObjectsStillExist),
            self._connection.transaction(),
        ):
            self._connection.execute(sql.SQL("DROP SCHEMA {} RESTRICT").format(sql.Identifier(schema)))

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            code = POSTGRESQL.code_of(error) or "the session broke off"
            denied = " It lacks the right to." if code in POSTGRESQL.denied else ""
            raise NotMade(
                f"At the target, {self._who} could not {what} ({code}).{denied} Nothing was changed."
            ) from None


@contextlib.contextmanager
def _session(place: SqlPlace, access: Access) -> Iterator[_Session]:
    """One transaction. Raises NotIn, NotMade."""
    connection = PostgresDoor().connect(place, access)
    try:
        session = _Session(connection, access.identity)
        with session._told("commit"), connection.transaction():
            connection.execute(_LIMITS)
            yield session
    finally:
        connection.close()


def _name(tables: Tables, name: str) -> str:
    return sql.Identifier(tables.schema, name).as_string()


def _drop_ours(session: _Session, tables: Tables, name: str) -> None:
    """Raises NotMade for a table of that name that is not ours."""
    there, mark = session.one(
        "SELECT to_regclass(%s) IS NOT NULL, obj_description(to_regclass(%s), 'pg_class')",
        *(_name(tables, name), _name(tables, name)),
    )
    if there and mark != tables.mark:
        raise NotMade(
            f"There is a table {tables.schema}.{name} that this tracker did not make for this check. It was left alone."
        )
    if there:
        session.do("drop a table", "DROP TABLE {}", sql.Identifier(tables.schema, name))
