"""The questions to the grant tables of MySQL and MariaDB, and their answers as rows.

Never asked: ``SHOW GRANTS``, ``mysql.global_priv`` and the password columns of ``mysql.user``, for they hold password
hashes. MariaDB's ``mysql.user`` is a view whose other columns can be granted one by one; MySQL's columns as well.
docs/checks/sql_grants_mysql.md has the rights that the identity needs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError

from sevtracker.checks.interface import Result
from sevtracker.checks.sql.grants_mysql_rights import (
    PUBLIC,
    Account,
    DatabaseGrant,
    Right,
    Rights,
    ThingGrant,
    Way,
    Who,
)
from sevtracker.checks.sql.grants_mysql_things import Sort, Thing
from sevtracker.checks.sql.sessions import Session

SERVER = "SELECT @@version, @@lower_case_table_names, @@log_bin, @@secure_file_priv, CURRENT_USER()"
#: MySQL only: with partial revokes its databases are named without wildcards; mandatory roles are everybody's.
SERVER_MYSQL = "SELECT @@partial_revokes, @@mandatory_roles"

#: information_schema tells of a table to whoever has any right on it.
TABLES = (
    "SELECT table_schema, table_name FROM information_schema.TABLES WHERE table_schema = :schema AND table_name = :name"
)

_ACCOUNTS = """SELECT User, Host, {is_role}, Select_priv = 'Y', Execute_priv = 'Y',
    Insert_priv = 'Y' OR Update_priv = 'Y', Show_view_priv = 'Y',
    Create_user_priv = 'Y', Super_priv = 'Y', File_priv = 'Y', Repl_slave_priv = 'Y'
    FROM mysql.user"""
ACCOUNTS_MARIADB = _ACCOUNTS.format(is_role="is_role = 'Y'")
#: MySQL's roles are accounts that are locked when they are made; which are meant as roles is not written down.
ACCOUNTS_MYSQL = _ACCOUNTS.format(is_role="0")

#: All rows: one that gives nothing may hide another.
DATABASES = """SELECT User, Host, Db, Select_priv = 'Y', Execute_priv = 'Y', Insert_priv = 'Y' OR Update_priv = 'Y'
    FROM mysql.db"""
TABLE_GRANTS = """SELECT User, Host, Db, Table_name, FIND_IN_SET('Select', Table_priv) > 0,
    FIND_IN_SET('Insert', Table_priv) + FIND_IN_SET('Update', Table_priv) > 0
    FROM mysql.tables_priv"""
COLUMN_GRANTS = """SELECT DISTINCT User, Host, Db, Table_name FROM mysql.columns_priv
    WHERE FIND_IN_SET('Select', Column_priv) > 0"""
ROUTINE_GRANTS = """SELECT DISTINCT User, Host, Db, Routine_name FROM mysql.procs_priv
    WHERE FIND_IN_SET('Execute', Proc_priv) > 0"""

#: Who has a role, and the role. MariaDB's roles have the host "".
ROLES_MARIADB = "SELECT User, Host, Role, '' FROM mysql.roles_mapping"
ROLES_MYSQL = "SELECT TO_USER, TO_HOST, FROM_USER, FROM_HOST FROM mysql.role_edges"
PROXIES = "SELECT User, Host, Proxied_user, Proxied_host FROM mysql.proxies_priv"
#: MySQL's privileges that came after the columns of mysql.user.
POWERS_MYSQL = "SELECT User, Host, Priv FROM mysql.global_grants"

#: The heads of their files are enough to list views. The server's own, in sys, read no table of yours.
VIEW_SCHEMAS = """SELECT DISTINCT table_schema FROM information_schema.TABLES
    WHERE table_type = 'VIEW' AND table_schema <> 'sys'"""
#: Every view of a database, also those whose text is not for us: that is empty then. Named databases only: to answer
#: this, the server opens each view and what it is made of. docs/checks/sql_grants_mysql.md tells of a doubt.
VIEWS = """SELECT table_schema, table_name, security_type = 'DEFINER', definer, NULLIF(view_definition, '')
    FROM information_schema.VIEWS
    WHERE table_schema = :schema AND definer NOT IN ('mariadb.sys@localhost', 'mysql.sys@localhost')"""
#: The same texts by a view that an administrator may have made: it spares us the right to read what they read.
VIEW_TEXTS = """SELECT table_schema, table_name, view_definition FROM sevtracker.view_definitions
    WHERE table_schema = :schema"""
ROUTINES_MARIADB = """SELECT db, name, security_type = 'DEFINER', definer, body_utf8 FROM mysql.proc
    WHERE definer NOT IN ('mariadb.sys@localhost')"""
ROUTINES_MYSQL = """SELECT routine_schema, routine_name, security_type = 'DEFINER', definer, routine_definition
    FROM information_schema.ROUTINES WHERE definer NOT IN ('mysql.sys@localhost')"""

#: Rights by which a reader's rights can be had, in the words of a leak.
TAKES_ACCOUNTS = "able to take it: CREATE USER changes a reader's password"
ACTS_AS_OTHERS = "able to take it: SUPER makes views and routines that run as a reader"
READS_FILES = "able to read its file: FILE, and secure_file_priv names no folder"
READS_THE_LOG = "able to read what is written to it: REPLICATION SLAVE, and the binary log is on"
DYNAMIC = {
    "SET_USER_ID": ACTS_AS_OTHERS,
    "SET_ANY_DEFINER": ACTS_AS_OTHERS,
    "ROLE_ADMIN": "able to take it: ROLE_ADMIN gives any role",
}


class Book:
    """What the server says of itself, its accounts and their rights. ``complete``: nothing was withheld."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.complete = True
        version, folds, logs, files, me = tuple(session.catalog(SERVER)[0])
        self._me: str = me
        self.is_mariadb = "mariadb" in str(version).lower()
        self.folds = bool(folds)
        # NULL is "nowhere" to MySQL, and "anywhere" to MariaDB.
        anywhere = not files and (self.is_mariadb or files is not None)
        self._ambient = {READS_FILES: anywhere, READS_THE_LOG: bool(logs)}
        literal, mandatory = (0, "") if self.is_mariadb else tuple(session.catalog(SERVER_MYSQL)[0])
        self._literal = bool(literal)
        self._mandatory = re.findall(r"[`'\"]?([^`'\"@,\s]+)[`'\"]?(?:@[`'\"]?([^`'\"@,\s]+))?", mandatory or "")

    def rows(self, question: str, **values: Any) -> Sequence[tuple[Any, ...]]:
        """The answer; none, and ``complete`` no longer, where we may not ask."""
        try:
            return [tuple(row) for row in self._session.catalog(question, **values)]
        except DBAPIError as error:
            if self._session.denials.meaning(error.orig or error)[0] is Result.trouble:
                raise
            self.complete = False
            return ()

    def is_same(self, one: Sequence[str], other: Sequence[str]) -> bool:
        """Whether two names are the same to this server."""
        if self.folds:
            return [part.lower() for part in one] == [part.lower() for part in other]
        return list(one) == list(other)

    def rights(self) -> Rights:
        roles: dict[Who, set[Who]] = defaultdict(set)
        for user, host, role, role_host in self.rows(ROLES_MARIADB if self.is_mariadb else ROLES_MYSQL):
            roles[user, host].add((role, role_host))
        for role, role_host in self._mandatory:
            roles[PUBLIC].add((role, role_host or "%"))
        return Rights(
            accounts=self._accounts(),
            databases=[
                DatabaseGrant((user, host), db, _rights(*given)) for user, host, db, *given in self.rows(DATABASES)
            ],
            things=list(self._thing_grants()),
            roles={who: frozenset(held) for who, held in roles.items()},
            proxies=[((user, host), (of, of_host)) for user, host, of, of_host in self.rows(PROXIES)],
            folds=self.folds,
            literal=self._literal,
        )

    def things(self) -> list[Thing]:
        """Every view and routine."""
        routines = self.rows(ROUTINES_MARIADB if self.is_mariadb else ROUTINES_MYSQL)
        views = [row for (schema,) in self.rows(VIEW_SCHEMAS) for row in self._views(schema)]
        return [*(_thing(Sort.view, row) for row in views), *(_thing(Sort.routine, row) for row in routines)]

    def _views(self, schema: str) -> list[tuple[Any, ...]]:
        """Those of one database, with their texts as far as they are for us."""
        rows = self.rows(VIEWS, schema=schema)
        if all(row[4] for row in rows):
            return list(rows)
        complete = self.complete  # without the administrator's view nothing is missing yet
        texts = {row[:2]: row[2] for row in self.rows(VIEW_TEXTS, schema=schema)}
        self.complete = complete
        return [(*row[:4], row[4] or texts.get(row[:2]) or None) for row in rows]

    def _accounts(self) -> dict[Who, Account]:
        accounts: dict[Who, Account] = {}
        dynamic = self._dynamic()
        shown = False
        for user, host, is_role, selects, executes, writes, shows, *powers in self.rows(
            ACCOUNTS_MARIADB if self.is_mariadb else ACCOUNTS_MYSQL
        ):
            who = (user, host)
            named = zip((TAKES_ACCOUNTS, ACTS_AS_OTHERS, READS_FILES, READS_THE_LOG), powers, strict=True)
            held = {power for power, has in named if has and self._ambient.get(power, True)}
            held |= {DYNAMIC[each] for each in dynamic[who] & DYNAMIC.keys()}
            accounts[who] = Account(who, bool(is_role), _rights(selects, executes, writes), frozenset(held))
            if f"{user}@{host}" == self._me:
                shown = bool(selects or (shows and (self.is_mariadb or "SHOW_ROUTINE" in dynamic[who])))
        # Without SHOW VIEW on the whole server, information_schema leaves views out; MySQL routines, without theirs.
        self.complete = self.complete and shown
        return accounts

    def _dynamic(self) -> dict[Who, set[str]]:
        found: dict[Who, set[str]] = defaultdict(set)
        for user, host, privilege in () if self.is_mariadb else self.rows(POWERS_MYSQL):
            found[user, host].add(privilege)
        return found

    def _thing_grants(self) -> Iterator[ThingGrant]:
        for user, host, db, name, selects, writes in self.rows(TABLE_GRANTS):
            for right in _rights(selects, False, writes):
                yield ThingGrant((user, host), db, name, right)
        for user, host, db, name in self.rows(COLUMN_GRANTS):
            yield ThingGrant((user, host), db, name, Right.select, Way.column)
        for user, host, db, name in self.rows(ROUTINE_GRANTS):
            yield ThingGrant((user, host), db, name, Right.execute)


def _rights(selects: object, executes: object, writes: object) -> frozenset[Right]:
    given = {Right.select: selects, Right.execute: executes, Right.write: writes}
    return frozenset(right for right, has in given.items() if has)


def _thing(sort: Sort, row: tuple[Any, ...]) -> Thing:
    """A role as definer is ``role@`` to a view of MariaDB and ``role`` to a routine."""
    schema, name, defines, definer, text = row
    user, _, host = definer.rpartition("@") if "@" in definer else (definer, "", "")
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return Thing(sort, schema, name, (user, host) if defines else None, None if shown is None else str(shown))
