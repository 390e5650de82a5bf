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
from sevtracker.checks.sql.doors import Door, OwnDoor
from sevtracker.checks.sql.mapped import MappedDoor
from sevtracker.checks.sql.mysql import MySqlDoor
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.checks.sql.postgres import PostgresDoor

#: Seconds that a statement may run, and wait for a lock, on somebody's production database.
STATEMENT_LIMIT = 5.0
_handed_over = threading.local()


class Session:
    """An open session. Every method may raise SQLAlchemy's DBAPIError; ``denials`` tells what it means."""

    def __init__(self, connection: Connection, backend: str, door: Door, limit: float) -> None:
        self.connection = connection
        self.backend = backend
        self.denials = door.denials
        self._door = door
        self._limit = limit
        self._fresh = False
        self._asking = False

    def greet(self) -> float | None:
        """The self-test: this identity may sign in and ask something. Answers the server's Unix time, in seconds, if it
        tells it."""
        self._fresh, self._asking = True, False
        return self._begin()

    def start_over(self) -> None:
        """A new transaction now, so that the next answer is of this moment: some lists are frozen while one lasts."""
        self._door.end(self.connection)
        self.greet()

    def finds(self, statement: Select[Any], *, before: str | None = None) -> bool:
        """Whether ``statement`` brings a row, after the statement ``before``. What is in the row is not looked at."""
        self._anew()
        if before:
            self.connection.exec_driver_sql(before)
        return self.connection.execute(statement).first() is not None

    def number(self, statement: Select[Any]) -> Any:
        """The one value that the server computed over a target's rows: a count, a newest time. Never a row's own.

        Over all of them: where a policy would hide some, that is an error of the denied class.
        """
        self._anew()
        self._unfiltered()
        return self.connection.execute(statement).scalar_one()

    def numbers(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """Values that the server computed over a target's rows, as ``number``."""
        self._anew()
        self._unfiltered()
        return self.connection.execute(statement).all()

    def catalog(self, question: str, **values: Any) -> Sequence[Row[Any]]:
        """What the server's own catalog answers to ``question`` (``:name`` is a value). Never ask a target so.

        Questions that follow one another see one snapshot, where the family has one of its catalog. An error ends it.
        """
        if not self._asking:
            self._anew()
        self._asking = False
        rows = self.connection.execute(text(question), values).all()
        self._asking = self._door.catalog_has_snapshots
        return rows

    def roles(self) -> Sequence[Row[Any]]:
        """Every role of who signed in. Raises LookupError where nobody knows how to ask."""
        if self._door.roles is None:
            raise LookupError
        self._anew()
        return self.connection.exec_driver_sql(self._door.roles).all()

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

    def _unfiltered(self) -> None:
        if self._door.unfiltered is not None:
            self.connection.exec_driver_sql(self._door.unfiltered)

    def _anew(self) -> None:
        """A transaction of its own for the next statement."""
        if not self._fresh:
            self._door.end(self.connection)
            self._begin()
        self._fresh = self._asking = False

    def _begin(self) -> float | None:
        with _told_alike(self.connection):
            return self._door.begin(self.connection, self._limit)


@contextmanager
def open_session(place: SqlPlace, access: Access) -> Iterator[Session]:
    """Sign in at ``access.pins[0]`` for at most ``access.timeout`` seconds. Raises NotIn.

    In a dialect of the configuration it takes as long as its driver takes: see ``mapped.py``.
    """
    limit = min(STATEMENT_LIMIT, access.timeout)
    door: Door
    if place.built_in:
        connection, door = connected(place, access), _door(place.backend)
    else:
        door = MappedDoor(access.local.dialects[place.backend])
        connection = door.entered(place, access)
    try:
        yield Session(connection, place.backend, door, limit)
    finally:
        connection.close()


def connected(place: SqlPlace, access: Access) -> Connection:
    """A connection to ``access.pins[0]`` by a door of our own, signed in, for whoever closes it. Raises NotIn."""
    raw = _door(place.backend).connect(place, access)
    try:
        _handed_over.connection = raw
        return _engine(place.backend).connect()
    except BaseException:  # also when the thread is told to end: nobody else knows of the connection yet
        raw.close()
        raise
    finally:
        _handed_over.connection = None


@contextmanager
def resumed(connection: Connection, place: SqlPlace, access: Access) -> Iterator[Session]:
    """A session that was opened before, for one more run of ``access.timeout`` seconds. Raises DBAPIError.

    Its statements may take half of that at most: the server has to end them before we would cut the connection.
    """
    door = _door(place.backend)
    with _told_alike(connection):
        door.wake(connection.connection.dbapi_connection, access)
    yield Session(connection, place.backend, door, min(STATEMENT_LIMIT, access.timeout / 2))
    door.end(connection)
    with _told_alike(connection):
        door.rest(connection.connection.dbapi_connection)


@contextmanager
def _told_alike(connection: Connection) -> Iterator[None]:
    """What the driver itself raises, as SQLAlchemy would have told it."""
    try:
        yield
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(None, None, error) from None


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


def _door(backend: str) -> OwnDoor:
    return PostgresDoor() if backend == "postgresql" else MySqlDoor()
