"""A session on a target: one validated address, one identity, read-only, short.

``open_session`` connects; ``Session.greet`` is the self-test; ``Session.finds`` asks whether there is a row. Each
statement runs in a read-only transaction of its own (PostgreSQL: limits local to it, so nothing leaks behind a pooler);
questions to PostgreSQL's catalogs share one, so that their answers tell of one moment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, Row, Select, create_engine, text
from sqlalchemy.exc import DBAPIError

from sevtracker.checks.interface import Access
from sevtracker.checks.sql.denials import DENIALS, Denials
from sevtracker.checks.sql.doors import Door
from sevtracker.checks.sql.mysql import MySqlDoor
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.checks.sql.postgres import PostgresDoor

#: Seconds that a statement may run, and wait for a lock, on somebody's production database.
STATEMENT_LIMIT = 5.0
_handed_over = threading.local()


class Session:
    """An open session. Every method may raise SQLAlchemy's DBAPIError; ``denials`` tells what it means."""

    def __init__(self, connection: Connection, door: Door, denials: Denials, limit: float) -> None:
        self.connection = connection
        self.denials = denials
        self._door = door
        self._limit = limit
        self._fresh = False
        self._asking = False

    def greet(self) -> float:
        """The self-test: this identity may sign in and ask something. Answers the server's Unix time, in seconds."""
        self._fresh = True
        return self._door.begin(self.connection, self._limit)

    def finds(self, statement: Select[Any], *, before: str | None = None) -> bool:
        """Whether ``statement`` brings a row, after the statement ``before``. What is in the row is not looked at."""
        if not self._fresh:
            self.connection.exec_driver_sql("ROLLBACK")
            self._door.begin(self.connection, self._limit)
        self._fresh = self._asking = False
        if before:
            self.connection.exec_driver_sql(before)
        return self.connection.execute(statement).first() is not None

    def catalog(self, question: str, **values: Any) -> Sequence[Row[Any]]:
        """What the server's own catalog answers to ``question`` (``:name`` is a value). Never ask a target so.

        Questions that follow one another see one snapshot, where the family has one of its catalog. An error ends it.
        """
        if not (self._fresh or self._asking):
            self.connection.exec_driver_sql("ROLLBACK")
            self._door.begin(self.connection, self._limit)
        self._fresh = self._asking = False
        rows = self.connection.execute(text(question), values).all()
        self._asking = self._door.catalog_has_snapshots
        return rows

    def hides_rows(self, statement: Select[Any]) -> bool | None:
        """Whether a policy on rows stood between this identity and ``statement``'s rows."""
        question = self._door.unfiltered
        if question is None:
            return None
        try:
            self.finds(statement, before=question)
        except DBAPIError as error:
            if error.orig is not None and self.denials.code_of(error.orig) in self.denials.denied:
                return True
            raise
        return False


@contextmanager
def open_session(place: SqlPlace, access: Access) -> Iterator[Session]:
    """Sign in at ``access.pins[0]`` for at most ``access.timeout`` seconds. Raises NotIn."""
    door = _door(place.backend)
    with _connected(door, place, access) as connection:
        yield Session(connection, door, DENIALS[place.backend], min(STATEMENT_LIMIT, access.timeout))


@contextmanager
def _connected(door: Door, place: SqlPlace, access: Access) -> Iterator[Connection]:
    raw = door.connect(place, access)
    try:
        _handed_over.connection = raw
        with _engine(place.backend).connect() as connection:
            yield connection
    finally:
        _handed_over.connection = None
        raw.close()


@lru_cache
def _engine(backend: str) -> Engine:
    """One engine a family: it compiles and quotes. What it "connects" to is the connection that was made before."""
    name = "postgresql+psycopg" if backend == "postgresql" else f"{backend}+pymysql"
    options = {"use_native_hstore": False} if backend == "postgresql" else {}
    return create_engine(
        f"{name}://",
        poolclass=NullPool,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        creator=lambda: _handed_over.connection,
        **options,
    )


def _door(backend: str) -> Door:
    return PostgresDoor() if backend == "postgresql" else MySqlDoor()
