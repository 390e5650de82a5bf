"""How families of databases are entered: the interface, and how a failure to enter is told."""

from __future__ import annotations

import socket
from typing import Any, Protocol

from sqlalchemy import Connection

from sevtracker.checks.interface import Access, Pinned
from sevtracker.checks.sql.denials import Denials
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.domain.vocabulary import Phase, Reason


class Door(Protocol):
    """How one family of databases is asked."""

    @property
    def denials(self) -> Denials:
        """What its codes mean."""
        ...

    @property
    def roles(self) -> str | None:
        """A statement that lists every role of who signed in, direct and by other roles. None: nobody knows one."""
        ...

    @property
    def unfiltered(self) -> str | None:
        """A statement that turns silent row filters into errors of the denied class. None: rows are never filtered."""
        ...

    @property
    def catalog_has_snapshots(self) -> bool:
        """Whether questions to the catalog in one transaction of ``begin`` are answered as of one moment."""
        ...

    def begin(self, connection: Connection, limit: float) -> float | None:
        """A read-only transaction with ``limit`` seconds a statement; answers the server's Unix time, if told."""
        ...

    def end(self, connection: Connection) -> None:
        """That transaction is over, whatever came of it. Raises DBAPIError."""
        ...


class OwnDoor(Door, Protocol):
    """A family whose connections are made by us, and can be held. One file a family."""

    def connect(self, place: SqlPlace, access: Access) -> Any:
        """A DBAPI connection to ``access.pins[0]``. Raises NotIn."""
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


def dial(pin: Pinned, timeout: float) -> socket.socket:
    """A connected socket. Not by ``create_connection``, which resolves again. Raises NotIn."""
    sock = socket.socket(pin.family)
    try:
        sock.settimeout(timeout)
        sock.connect((pin.address, pin.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        sock.close()
        if isinstance(error, TimeoutError):
            raise NotIn(Reason.timeout, Phase.connect, "no connection in time") from None
        raise NotIn(Reason.unreachable, Phase.connect, "could not connect") from None
    return sock
