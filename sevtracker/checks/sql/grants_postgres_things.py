"""What is made of a table on PostgreSQL, and who reads the table by way of it. Pure: no question is asked here.

- A view asks its owner's right on what it is made of, and nobody's USAGE on schemas: names were looked up when it was
  made. With ``security_invoker`` it asks the right of whoever runs the query, also inside a view that asks its owner's.
- A function in a view is called by whoever runs the query. With SECURITY DEFINER it runs as its owner, who looks names
  up anew: for that he needs USAGE.
- A materialised view, a partition and a table that others inherit from hold or show rows themselves: SELECT will do.
- A rule on INSERT, UPDATE or DELETE runs as the owner of its relation.

Sources: PostgreSQL manual, "Rules and Privileges", CREATE VIEW, CREATE FUNCTION. Each was tried on 15, 16 and 18.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sevtracker.checks.sql.grants_postgres_roles import Roles, RoleSet

#: The catalog and the row's oid there: a function and a table may have the same.
Key = tuple[str, int]


class Sort(StrEnum):
    """What a thing is, in the words of a leak."""

    table = "the table"
    part = "a partition of it"
    child = "a table that inherits from it"
    whole = "a table that shows its rows as part of its own"
    matview = "a materialised view of it"
    view = "a view that reads it as its owner"
    invoker_view = "a view that reads it as whoever asks"
    rule = "a rule that reads it as its owner"
    definer = "a SECURITY DEFINER function that reads it as its owner"
    invoker = "a function that reads it as whoever asks"

    @property
    def holds_rows(self) -> bool:
        """SELECT on it is enough: nobody's right on anything else is asked."""
        return self in {Sort.table, Sort.part, Sort.child, Sort.whole, Sort.matview}

    @property
    def is_function(self) -> bool:
        return self in {Sort.definer, Sort.invoker}

    @property
    def is_relation(self) -> bool:
        """``sql_read`` can look at it."""
        return self is not Sort.rule and not self.is_function


@dataclass(frozen=True, slots=True)
class Thing:
    """``users``: oids of who may use it, be it by SELECT, EXECUTE or the statement that a rule waits for.

    ``columns``: oids of who may read a column. ``filtered``: row-level security is on.
    """

    key: Key
    sort: Sort
    schema: int
    place: str
    owner: int
    users: frozenset[int]
    columns: frozenset[int] = frozenset()
    filtered: bool = False


@dataclass(frozen=True)
class Family:
    """A table and what is made of it. ``made_of``: what leads on to what, and whether a name is looked up on the way.

    ``usage``: for each schema who has USAGE; ``reads_all``: who reads any table in any schema (``pg_read_all_data``).
    """

    things: Mapping[Key, Thing]
    made_of: Mapping[Key, Mapping[Key, bool]]
    usage: Mapping[int, frozenset[int]]
    reads_all: frozenset[int]


class Readers:
    """Who reads the table by each thing: the roles as which the query may be run.

    ``roles`` tells whose rights those who ask have; ``owners`` (itself, unless given) whose the owners of things have:
    an owner keeps what he has by a listed group.
    """

    def __init__(self, family: Family, roles: Roles, owners: Readers | None = None) -> None:
        self._family = family
        self.roles = roles
        self._owners = owners or self
        self._supers = roles.that(is_super=True)
        self._met: dict[tuple[Key, int | None], RoleSet] = {(key, None): 0 for key in family.things}
        self._new: set[tuple[Key, int | None]] = set()
        self._may: dict[Key, RoleSet] = {}
        self._finds: dict[int, RoleSet] = {}
        self._settle()

    def of(self, key: Key) -> RoleSet:
        """Who reads the table by this thing, when he asks it by himself."""
        return self._met[key, None]

    def may_use(self, thing: Thing) -> RoleSet:
        """Who has the right on the thing itself."""
        if thing.key not in self._may:
            users = thing.users | thing.columns | {thing.owner}
            if thing.sort.is_relation:
                users |= self._family.reads_all
            self._may[thing.key] = self.roles.having(self.roles.of(users)) | self._supers
        return self._may[thing.key]

    def finds(self, schema: int) -> RoleSet:
        """Who may look names up in a schema."""
        if schema not in self._finds:
            users = self._family.usage.get(schema, frozenset()) | self._family.reads_all
            self._finds[schema] = self.roles.having(self.roles.of(users)) | self._supers
        return self._finds[schema]

    def _settle(self) -> None:
        """Until nothing is added any more: functions may call one another in circles."""
        changed = True
        while changed:
            changed = False
            for key, asker in list(self._met):
                now = self._reading(self._family.things[key], asker)
                if now != self._met[key, asker]:
                    self._met[key, asker] = now
                    changed = True
            changed = changed or bool(self._new)
            self._met |= dict.fromkeys(self._new, 0)
            self._new.clear()

    def _reading(self, thing: Thing, asker: int | None) -> RoleSet:
        """As whom the query may be run, if the right on ``thing`` is asked of ``asker`` (None: of who runs it)."""
        may = self.may_use(thing)
        if asker is not None and not thing.sort.is_function:
            may = self.roles.everybody if self._owners.may_use(thing) & self._owners.roles.of([asker]) else 0
        if thing.sort.holds_rows or not may:
            return may
        led = 0
        for key, by_name in self._family.made_of[thing.key].items():
            led |= self._led_by(thing, key, by_name)
        return may & led

    def _led_by(self, thing: Thing, key: Key, by_name: bool) -> RoleSet:
        """Who comes from ``thing``, which he may use, to the table by way of ``key``."""
        schema = self._family.things[key].schema
        if thing.sort is Sort.definer:
            found = self._owners.of(key) & (self._owners.finds(schema) if by_name else self.roles.everybody)
            return self.roles.everybody if found & self.roles.of([thing.owner]) else 0
        if thing.sort is Sort.invoker:
            return self._at(key, None) & (self.finds(schema) if by_name else self.roles.everybody)
        return self._at(key, None if thing.sort is Sort.invoker_view else thing.owner)

    def _at(self, key: Key, asker: int | None) -> RoleSet:
        if (key, asker) not in self._met:
            self._new.add((key, asker))
        return self._met.get((key, asker), 0)
