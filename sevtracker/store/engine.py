"""The database: SQLite by default, PostgreSQL when scaled out. The same suite runs on both.

SQLite: WAL, synchronous=FULL, foreign keys on, 5 s busy timeout; writers take BEGIN IMMEDIATE and one in-process lock
(the driver's defaults lose updates), readers a plain BEGIN. PostgreSQL: READ COMMITTED.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DisconnectionError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from sevtracker.config import Database as DatabaseSettings
from sevtracker.errors import ConfigError

_WRITES = "sevtracker_writes"


class Database:
    """One engine and the two ways in: ``reading()`` and ``writing()``. Nobody holds either during network I/O."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self.settings = settings
        url = make_url(settings.url)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._writer = threading.Lock()
        if self.is_sqlite:
            self.engine = _sqlite(url, settings.pool_size)
        else:
            self.engine = _postgresql(url, settings.pool_size)
        self._write_engine = self.engine.execution_options(**{_WRITES: True})
        # PostgreSQL has no snapshot to gain from a transaction that only reads at READ COMMITTED: only two round trips.
        self._read_engine = self.engine if self.is_sqlite else _reading_only(self.engine)
        self._log: str | None = None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading, and for nothing else: one snapshot on SQLite; on PostgreSQL one each statement."""
        with Session(self._read_engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session for writing: committed at the end of the block, rolled back if it raises."""
        with self._alone(), Session(self._write_engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        with self._writer:
            yield

    def log(self, session: Session) -> str:
        """The uuid of this installation's ledger; read once a process."""
        if self._log is None:
            self._log = session.connection().execute(sa.text("SELECT log FROM installation")).scalar_one()
        return self._log

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _sqlite(url: sa.URL, pool_size: int) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise ConfigError("database.url: SQLite needs a file, since web and worker share it")
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url, pool_size=pool_size, max_overflow=pool_size, connect_args={"timeout": 5.0, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=5000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        raw: Any = connection.connection.driver_connection  # past SQLAlchemy's ways, which take ten times as long
        raw.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _reading_only(engine: Engine) -> Engine:
    """``engine`` without transactions. Nothing would be rolled back, so nothing but reading goes through."""
    reading = engine.execution_options(isolation_level="AUTOCOMMIT")

    @event.listens_for(reading, "before_cursor_execute")
    def _asked(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.lstrip().startswith(("SELECT", "WITH")):
            raise RuntimeError("a session for reading was asked to write")

    return reading


#: Seconds after which an idle connection is asked whether it lives: a firewall may have forgotten it without a word.
_TRUSTED_S = 30.0


def _postgresql(url: sa.URL, pool_size: int) -> Engine:
    """An engine that notices on checkout when the server has hung up, without asking it every time (``pre_ping`` does).

    A server that stops says so or closes, so its words wait in the socket: looking there is no round trip.
    """
    engine = sa.create_engine(url, pool_size=pool_size, max_overflow=0)

    @event.listens_for(engine, "checkin")
    def _rests(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["resting_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _taken(connection: Any, record: ConnectionPoolEntry, _fairy: object) -> None:
        rested = time.monotonic() - record.info.get("resting_since", time.monotonic())
        if rested < _TRUSTED_S and not _something_waits(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            raise InvalidatePoolError from error  # the pool makes a new one, and trusts none of the old ones

    return engine


def _something_waits(connection: Any) -> bool:
    """Has the server said anything since (or closed)? Nothing is due on a connection that rests."""
    try:
        looking = select.poll()
        looking.register(connection.fileno(), select.POLLIN)
        return bool(looking.poll(0))
    except Exception:  # whatever a driver raises about a connection that it knows to be closed
        return True


def epoch_now(is_sqlite: bool) -> sa.ColumnElement[float]:
    """The database's own clock in seconds since 1970, so that leases don't depend on any node's clock."""
    if is_sqlite:
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Float)
    return sa.literal_column("extract(epoch from clock_timestamp())::float8", sa.Float)


def passes(error: Exception) -> bool:
    """Will the same work later? True for a database that is away, locked or out of connections; not for bad data."""
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeout, DisconnectionError))
