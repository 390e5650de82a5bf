"""How families of databases are entered: the interface, and how a failure to enter is told."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import Connection

from sevtracker.checks.interface import Access
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.domain.vocabulary import Phase, Reason


class Door(Protocol):
    """How one family of databases is entered and asked. One file a family."""

    @property
    def unfiltered(self) -> str | None:
        """A statement that turns silent row filters into errors of the denied class. None: rows are never filtered."""
        ...

    @property
    def catalog_has_snapshots(self) -> bool:
        """Whether questions to the catalog in one transaction of ``begin`` are answered as of one moment."""
        ...

    def connect(self, place: SqlPlace, access: Access) -> Any:
        """A DBAPI connection to ``access.pins[0]``. Raises NotIn."""
        ...

    def begin(self, connection: Connection, limit: float) -> float:
        """A read-only transaction with ``limit`` seconds a statement; answers the server's Unix time."""
        ...

    def wake(self, raw: Any, access: Access) -> None:
        """``raw``, a connection that this made before, may work for ``access.timeout`` seconds more."""
        ...

    def rest(self, raw: Any) -> None:
        """``raw`` stays open without a limit of time, ours or the server's, until it is woken. Raises DBAPIError."""
        ...


class NotIn(Exception):
    """The session did not come to be. ``note`` is our own words; the driver's error is dropped on purpose."""

    def __init__(self, reason: Reason, phase: Phase, note: str) -> None:
        self.reason, self.phase, self.note = reason, phase, note
        super().__init__(reason)
