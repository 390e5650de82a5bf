"""What an enumeration of grants brings, whatever the database: who, off the list, can read a table or around it.

One file a family has the questions to its catalog: ``grants_postgres.py``, ``grants_mysql.py``. Roles are counted and
never named: their names may be people's. Places (schema.table) are named, since somebody has to close them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from sevtracker.checks.interface import Suggestion
from sevtracker.checks.sql.sessions import Session


@dataclass(frozen=True, slots=True)
class Leak:
    """A way in for roles that are not on the list.

    ``how`` in words of ours ("granted to PUBLIC", "a view that reads it as its owner"); ``place`` is schema.name of
    what they read; ``roles`` how many of them (PUBLIC counts as one); ``suggestion`` is the check that would watch it.
    """

    how: str
    place: str
    roles: int
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True)
class Enumeration:
    """``found``: the table is there. ``complete``: every question was answered in full, for this identity may see all
    of it. ``known_reader``: somebody on the list (with an empty list, the owner) is seen to read: the positive control.
    """

    found: bool
    complete: bool
    known_reader: bool
    leaks: tuple[Leak, ...] = ()


class Enumerator(Protocol):
    """One family's questions."""

    def __call__(self, session: Session, schema: str, name: str, allowed: Collection[str]) -> Enumeration:
        """Who can read ``schema.name``, or anything made of it. May raise SQLAlchemy's DBAPIError."""
        ...
