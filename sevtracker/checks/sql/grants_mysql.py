"""Who can read a table on MySQL and MariaDB.

``grants_mysql_book.py`` asks the server's grant tables; ``grants_mysql_rights.py`` and ``grants_mysql_things.py``
decide from the rows. What counts as reading is in docs/checks/sql_grants_mysql.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from sevtracker.checks.interface import Suggestion
from sevtracker.checks.sql.grants import Enumeration, Leak
from sevtracker.checks.sql.grants_mysql_book import TABLES, Book
from sevtracker.checks.sql.grants_mysql_rights import FOR_ALL, PUBLIC, Right, Rights, Who
from sevtracker.checks.sql.grants_mysql_things import Family, Sort, Thing
from sevtracker.checks.sql.places import place_text
from sevtracker.checks.sql.sessions import Session

#: Administrators that the installer makes on every server. Nobody signs in as the locked ones.
ADMINISTRATORS: frozenset[Who] = frozenset(
    (name, "localhost") for name in ("root", "mysql", "mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema")
)
#: Who writes one of these, gives himself any right.
GRANT_TABLES = (
    *("global_priv", "user", "db", "tables_priv", "columns_priv", "procs_priv", "roles_mapping", "proxies_priv"),
    *("role_edges", "default_roles", "global_grants", "proc"),
)

WRITES_GRANTS = "able to take it: may write the server's grant tables"


def enumerate_grants(session: Session, schema: str, name: str, allowed: Collection[str]) -> Enumeration:
    """Who can read ``schema.name``, or anything made of it. May raise SQLAlchemy's DBAPIError.

    ``allowed``: ``user`` (all accounts of that name), ``user@host`` (that account), or a role: those who have it.
    With an empty list, one of the installer's administrators is the known reader.
    """
    book = Book(session)
    found = any(book.is_same((schema, name), row) for row in book.rows(TABLES, schema=schema, name=name))
    rights, things, table = book.rights(), book.things(), Thing(Sort.table, schema, name)
    things = [
        one for one in things if one.sort is Sort.routine or not book.is_same((schema, name), (one.schema, one.name))
    ]
    accounts = [who for who, account in rights.accounts.items() if not account.is_role]
    listed = {who for who in accounts if _is_listed(who, rights, allowed)}
    off = [who for who in accounts if who not in listed and who not in ADMINISTRATORS]
    dependants = list(_of_dependants(Family(table, things, rights, guess=False), off))
    return Enumeration(
        found=found,
        complete=book.complete and dependants == list(_of_dependants(Family(table, things, rights, guess=True), off)),
        known_reader=any(
            rights.ways(who, Right.select, schema, name)
            for who in (listed if allowed else ADMINISTRATORS.intersection(accounts))
        ),
        leaks=(*_of_table(table, rights, off), *dependants, *_of_powers(table, rights, off)),
    )


def _of_table(table: Thing, rights: Rights, off: Sequence[Who]) -> Iterator[Leak]:
    """One leak for each way to the table itself."""
    place = place_text(table.schema, table.name)
    for way in sorted(rights.everybody(Right.select, table.schema, table.name)):
        yield Leak(way, place, 1)
    counted = Counter(
        f"{'the anonymous account: ' if who[0] == '' else ''}{way}"
        for who in off
        for way in rights.ways(who, Right.select, table.schema, table.name)
        if way not in FOR_ALL
    )
    for how, roles in sorted(counted.items()):
        yield Leak(how, place, roles)


def _of_dependants(family: Family, off: Sequence[Who]) -> Iterator[Leak]:
    """One leak for each view or routine that lets somebody off the list read the table with its definer's rights."""
    for thing in sorted(family.dependants(), key=lambda thing: (thing.schema, thing.name, thing.sort)):
        place = place_text(thing.schema, thing.name)
        how = f"a {thing.sort} that reads it as its definer"
        suggestion = None
        if thing.sort is Sort.view:
            suggestion = Suggestion(
                "sql_read", {"table": place}, f"{place} is a view that reads the table as its definer."
            )
        if family.read_by(PUBLIC, thing):
            yield Leak(f"{how}, for everybody", place, 1, suggestion)
        elif roles := sum(family.read_by(who, thing) for who in off):
            yield Leak(how, place, roles, suggestion)


def _of_powers(table: Thing, rights: Rights, off: Sequence[Who]) -> Iterator[Leak]:
    """Accounts that do not read the table, and could at any time without anybody's doing."""
    counted: Counter[str] = Counter()
    for who in off:
        if not rights.ways(who, Right.select, table.schema, table.name):
            counted.update(rights.powers(who))
            if any(rights.ways(who, Right.write, "mysql", name) for name in GRANT_TABLES):
                counted[WRITES_GRANTS] += 1
    for how, roles in sorted(counted.items()):
        yield Leak(how, place_text(table.schema, table.name), roles)


def _is_listed(who: Who, rights: Rights, allowed: Collection[str]) -> bool:
    """By its own name, or by a role that it has. To list PUBLIC lists nobody."""
    return any(_is_named(one, entry) for one in (who, *rights.roles_of(who)) for entry in allowed)


def _is_named(who: Who, entry: str) -> bool:
    """``'user'@'host'`` is that one account, with or without quotes. A user name may have an @ of its own."""
    user, host = who
    return user != "" and re.sub("['\"`]", "", entry).strip() in (user, f"{user}@{host}")
