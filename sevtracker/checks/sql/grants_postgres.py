"""Who can read a table on PostgreSQL.

``grants_postgres_book.py`` and ``grants_postgres_family.py`` ask the catalogs; ``grants_postgres_roles.py`` and
``grants_postgres_things.py`` decide from the answers. What counts as reading is in docs/checks/sql_grants.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from sevtracker.checks.interface import Suggestion
from sevtracker.checks.sql.grants import Enumeration, Leak
from sevtracker.checks.sql.grants_postgres_book import DATABASE, DEFAULTS, FILE_FUNCTIONS, TABLE, Book
from sevtracker.checks.sql.grants_postgres_family import Finder
from sevtracker.checks.sql.grants_postgres_roles import BOOTSTRAP, PUBLIC, Roles, RoleSet
from sevtracker.checks.sql.grants_postgres_things import Readers, Sort, Thing
from sevtracker.checks.sql.sessions import Session

READS_ALL = "pg_read_all_data"
#: Predefined roles that get at the files under every table, or at the server's own configuration.
READS_FILES = ("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program")
FILTERED = ", under row-level security, which may leave no row"


def enumerate_grants(session: Session, schema: str, name: str, allowed: Collection[str]) -> Enumeration:
    """Who can read ``schema.name``, or anything made of it. May raise SQLAlchemy's DBAPIError.

    ``allowed``: names of roles. One that cannot sign in stands for its members as well, as far as they get in by it.
    With an empty list, the table's owner is the known reader.
    """
    book = Book(session)
    tables = book.rows(TABLE, schema=schema, name=name)
    if not tables:
        return Enumeration(found=False, complete=book.complete, known_reader=False)
    ((oid, schema_oid, owner),) = tables
    ((database_owner, connecting),) = book.rows(DATABASE) or ((None, ()),)
    roles = book.roles(database_owner)
    family = Finder(book, oid, frozenset(roles.oids([READS_ALL]))).family()
    listed = roles.named(allowed)
    owners = Readers(family, roles)
    groups = listed & ~roles.that(signs_in=True)
    trimmed = roles.without(groups) if groups else roles
    search = _Search(
        book=book,
        roles=trimmed,
        owners=owners,
        readers=Readers(family, trimmed, owners) if groups else owners,
        off=roles.that(signs_in=True) & ~listed & ~roles.of([BOOTSTRAP]),
        connects=roles.having(roles.of({database_owner, *connecting} - {None})) | roles.that(is_super=True),
    )
    table = family.things["relation", oid]
    known = roles.becoming(owners.may_use(table)) & roles.becoming(owners.finds(schema_oid))
    leaks = (
        *search.of_table(table),
        *(leak for thing in family.things.values() if thing != table for leak in search.of_dependant(thing, table)),
        *search.of_tomorrow(schema, schema_oid, owner),
        *search.of_powers(table, family.things.values()),
    )
    return Enumeration(
        found=True,
        complete=book.complete,
        known_reader=bool(known & (listed if allowed else roles.of([owner]))),
        leaks=leaks,
    )


@dataclass(frozen=True)
class _Search:
    """``off``: who may sign in and is not on the list. ``roles`` are without the memberships in listed groups, and
    ``readers`` go by those; ``owners`` have all memberships. ``connects``: who may connect to the database."""

    book: Book
    roles: Roles
    owners: Readers
    readers: Readers
    off: RoleSet
    connects: RoleSet

    def of_table(self, table: Thing) -> Iterator[Leak]:
        """One leak for each way to the table itself."""
        roles, note = self.roles, FILTERED if table.filtered else ""
        granted = table.users | table.columns
        supers = roles.that(is_super=True)
        reads_all = roles.of(roles.oids([READS_ALL]))
        direct, columns = (roles.of(given - {PUBLIC}) for given in (table.users, table.columns))
        owner = roles.of([table.owner])
        if PUBLIC in granted:
            yield from self._all("granted to PUBLIC" + note, table)
        ways = {
            "as its owner": owner,
            "granted on it" + note: direct & ~owner,
            "granted on a column of it" + note: columns & ~owner,
            "through a role" + note: roles.as_members(direct | columns | owner),
            "through pg_read_all_data" + note: roles.becoming(roles.having(reads_all)),
        }
        for how, met in ways.items():
            yield from self._some(how, table, met & ~supers)
        if by_super := roles.becoming(supers) & self.off:
            yield Leak("as a superuser", table.place, by_super.bit_count())

    def of_dependant(self, thing: Thing, table: Thing) -> Iterator[Leak]:
        """At most one leak for something that is made of the table."""
        if thing.sort is Sort.invoker:
            return
        met = self.readers.of(thing.key)
        suggestion = None
        if thing.sort.is_relation:
            suggestion = Suggestion("sql_read", {"table": thing.place}, f"{thing.place} is {thing.sort}.")
        if self._is_everybodys(thing, met):
            yield Leak(f"{thing.sort}, for everybody", thing.place, 1, suggestion)
            return
        # Those were told of already: who reads everything, and by an invokers' view nobody reads more than he may.
        told = self._everywhere
        if thing.sort is Sort.invoker_view:
            told |= self._come_to(table, self.roles.becoming(self.readers.may_use(table)))
        yield from self._some(str(thing.sort), thing, self.roles.becoming(met) & ~told, suggestion)

    def of_tomorrow(self, schema: str, schema_oid: int, owner: int) -> Iterator[Leak]:
        """Who will be granted what is made next in the table's schema."""
        grantees = frozenset(oid for (oid,) in self.book.rows(DEFAULTS, schema=schema_oid, owner=owner))
        tomorrow = Thing(("none", 0), Sort.table, schema_oid, f"tomorrow's tables of schema {schema}", owner, grantees)
        if PUBLIC in grantees:
            yield from self._all("default privileges for PUBLIC", tomorrow)
        given = self.roles.of(grantees - {PUBLIC})
        met = self.roles.becoming(self.roles.having(given)) & ~self._everywhere
        yield from self._some("default privileges", tomorrow, met)

    def of_powers(self, table: Thing, things: Iterable[Thing]) -> Iterator[Leak]:
        """Who does not read the table, and gets at what is in it all the same, or at the right to read it."""
        roles = self.roles
        ways: dict[str, RoleSet] = {}
        for name in READS_FILES:
            ways[f"able to get at its file, by {name}"] = roles.having(roles.of(roles.oids([name])))
        for name, oid in self.book.rows(FILE_FUNCTIONS):
            how = f"able to get at its file, by calling {name}"
            ways[how] = ways.get(how, 0) | roles.having(roles.of([oid]))
        if self.book.copies:
            ways["able to copy the server: REPLICATION"] = roles.that(replicates=True)
        if self.book.version < 160000:
            ways["able to take it: CREATEROLE grants itself any role"] = roles.that(creates_roles=True)
        for how, met in ways.items():
            if counted := roles.becoming(met) & self.off & ~self._supers:
                yield Leak(how, table.place, counted.bit_count())
        reading = 0
        for thing in things:
            reading |= 0 if thing.sort is Sort.invoker else self.readers.of(thing.key)
        taking = roles.taking(reading) & ~roles.becoming(reading) & self.off
        if taking:
            yield Leak(
                "able to take it: ADMIN OPTION on a role that reads it or what is made of it",
                table.place,
                taking.bit_count(),
            )

    @cached_property
    def _supers(self) -> RoleSet:
        return self.roles.becoming(self.roles.that(is_super=True))

    @cached_property
    def _everywhere(self) -> RoleSet:
        """Who reads every table there is."""
        roles = self.roles
        return self._supers | roles.becoming(roles.having(roles.of(roles.oids([READS_ALL]))))

    def _come_to(self, thing: Thing, met: RoleSet) -> RoleSet:
        """Those of ``met`` who may connect, and find the thing's name: maybe as another role than they then read as."""
        return met & self.owners.roles.becoming(self.owners.finds(thing.schema)) & self.connects

    def _some(self, how: str, thing: Thing, met: RoleSet, suggestion: Suggestion | None = None) -> Iterator[Leak]:
        if counted := self._come_to(thing, met) & self.off:
            yield Leak(how, thing.place, counted.bit_count(), suggestion)

    def _all(self, how: str, thing: Thing) -> Iterator[Leak]:
        """What PUBLIC may do: one leak, or as many roles as find it, where not everybody does."""
        if self._is_everybodys(thing, self.roles.everybody):
            yield Leak(how, thing.place, 1)
        else:
            yield from self._some(how, thing, self.roles.everybody & ~self._everywhere)

    def _is_everybodys(self, thing: Thing, met: RoleSet) -> bool:
        return bool(met & self.owners.finds(thing.schema) & self.connects & self.roles.public)
