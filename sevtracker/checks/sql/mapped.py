"""Dialects of the configuration, by SQLAlchemy and whatever driver their map names.

The driver gets the validated address as its host, and never a name: it has nothing to look up. What it does with its
time is its own: run it ``in_time``, which leaves a call that hangs behind.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from sevtracker.checks.deadline import within
from sevtracker.checks.interface import Access
from sevtracker.checks.sql.denials import mapped
from sevtracker.checks.sql.doors import NotIn, dial
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.config import Dialect
from sevtracker.domain.vocabulary import Phase, Reason

T = TypeVar("T")

_DATABASE = "{database}"
#: Calls that may be left behind. A server that hangs would else take a thread with every run.
_MOST_LEFT = 32
_left: set[threading.Event] = set()


class MappedDoor:
    """One dialect, for one visit. A family whose row filters nobody can see through: no row is ``empty`` there."""

    unfiltered = None
    catalog_has_snapshots = False

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.denials = mapped(dialect)

    @property
    def roles(self) -> str | None:
        return self._dialect.roles

    def entered(self, place: SqlPlace, access: Access) -> Connection:
        """A connection to ``access.pins[0]``, signed in, for whoever closes it. Raises NotIn.

        An engine for each: one that is shared would take what it learned of one server's version for another's.
        """
        engine = create_engine(
            _url(self._dialect, place, access),
            connect_args=dict(self._dialect.connect_args),
            poolclass=NullPool,
            hide_parameters=True,
        )
        ends = access.clock.monotonic() + access.timeout
        try:
            return engine.connect()
        except (DBAPIError, OSError) as error:
            raise self._not_in(error, access, late=access.clock.monotonic() >= ends) from None

    def begin(self, connection: Connection, limit: float) -> float | None:
        """What the map says, in one transaction of the driver's. Raises NotIn, also for a map that is wrong."""
        dialect = self._dialect
        try:
            for statement in (*dialect.begin, dialect.self_test):
                connection.exec_driver_sql(statement).close()
            if dialect.clock is None:
                return None
            return float(connection.exec_driver_sql(dialect.clock).scalar_one())
        except DBAPIError as error:
            reason = self._known(error) or Reason.server_error
            raise NotIn(
                reason, Phase.self_test, f"a statement of the dialect's map failed{self._code(error)}"
            ) from None

    def end(self, connection: Connection) -> None:
        connection.rollback()

    def _not_in(self, error: DBAPIError | OSError, access: Access, *, late: bool) -> NotIn:
        """Before the target no code is a denial. One that the map doesn't know, or none, is a server that is not there,
        or else a refused identity: to take that for a broken server would try it again until it is locked."""
        if late or isinstance(error, TimeoutError):
            return NotIn(Reason.timeout, Phase.connect, "no connection in time")
        if isinstance(error, ssl.SSLError):
            return NotIn(Reason.tls, Phase.connect, "no TLS session that the driver accepts")
        known = Reason.unreachable if isinstance(error, OSError) else self._known(error)
        if known is None:
            try:
                dial(access.pins[0], min(access.timeout, 5.0)).close()
            except NotIn as nobody:
                return nobody
            known = Reason.auth_failed
        code = "" if isinstance(error, OSError) else self._code(error)
        if known is Reason.auth_failed:
            return NotIn(known, Phase.self_test, f"the server did not let the identity sign in{code}")
        return NotIn(known, Phase.connect, f"the server takes no connections from here now{code}")

    def _known(self, error: DBAPIError) -> Reason | None:
        """What an error means before the target, by the map."""
        code = self.denials.code_of(error.orig or error)
        if code in self.denials.not_ready:
            return Reason.unreachable
        if code in self.denials.timeout:
            return Reason.timeout
        return Reason.auth_failed if code in self.denials.auth_failed else None

    def _code(self, error: DBAPIError) -> str:
        """The code for a note, if the map has it: any other may be text of the target."""
        code, denials = self.denials.code_of(error.orig or error), self.denials
        listed = denials.denied | denials.absent | denials.auth_failed | denials.not_ready | denials.timeout
        return f" ({code})" if code in listed else ""


def in_time(seconds: float, call: Callable[[], T]) -> T:
    """``call()`` in a thread that is left behind after ``seconds``. Raises TimeoutError, also while too many are left.

    A thread left behind closes its connection once its driver comes back.
    """
    _left.difference_update([done for done in _left.copy() if done.is_set()])
    if len(_left) >= _MOST_LEFT:
        raise TimeoutError
    done = threading.Event()

    def run() -> T:
        try:
            return call()
        finally:
            done.set()

    try:
        return within(seconds, run)
    except TimeoutError:
        if not done.is_set():
            _left.add(done)
        raise


def _url(dialect: Dialect, place: SqlPlace, access: Access) -> URL:
    """Where to, as whom: the address, never the name; and the secrets, which no URL but this one has."""
    pin, database = access.pins[0], place.database or ""
    query = {name: value.replace(_DATABASE, database) for name, value in dialect.query.items()}
    told_there = any(_DATABASE in value for value in dialect.query.values())
    return URL.create(
        dialect.driver,
        access.credentials.username,
        access.credentials.password,
        pin.address,
        pin.port,
        None if told_there else place.database,
        query,
    )
