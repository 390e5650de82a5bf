"""What canary twins are in a database, and what each family of databases has to do for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sevtracker.checks.interface import Access
from sevtracker.checks.sql.places import SqlPlace

#: The schema (MySQL and MariaDB: the database) of all twins.
SCHEMA = "sevtracker_twins"
#: The column with the marker.
CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Tables:
    """What is made: two tables with these columns, marked as ours."""

    schema: str
    open: str
    locked: str
    columns: tuple[str, ...]
    mark: str


class Family(Protocol):
    """One family of databases. Whatever a driver says is told by its code alone, as NotMade."""

    def account(self, place: SqlPlace, access: Access) -> str:
        """Whom the server takes this identity for, as grants name it. Raises NotIn, NotMade."""
        ...

    def make(self, place: SqlPlace, keeper: Access, tables: Tables, reader: str, control: str | None) -> None:
        """Raises NotIn, NotMade."""
        ...

    def drop(self, place: SqlPlace, keeper: Access, tables: Tables, readers: Sequence[str]) -> None:
        """Raises NotIn, NotMade."""
        ...
