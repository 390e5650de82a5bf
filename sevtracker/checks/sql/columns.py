"""Every column that a table has, and whether the answer is whole. No row is read.

PostgreSQL tells everybody of every column in ``pg_attribute`` (its information_schema hides those that one has no right
on). MariaDB and MySQL tell of those that one has a right on: there, SELECT on the whole table has to be seen first.
Source: PostgreSQL manual, "pg_attribute"; MariaDB and MySQL manuals, "information_schema.COLUMNS", "TABLE_PRIVILEGES".
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, table, text
from sqlalchemy.sql import quoted_name

from sevtracker.checks.interface import Result
from sevtracker.checks.sql.asking import NotTold, asked
from sevtracker.checks.sql.places import table_name
from sevtracker.checks.sql.sessions import Session
from sevtracker.domain.vocabulary import Reason

_POSTGRES_TABLE = (
    "SELECT c.oid::bigint FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
)
_POSTGRES_COLUMNS = (
    "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = CAST(:oid AS oid) AND attnum > 0 AND NOT attisdropped"
    " ORDER BY attnum"
)
_MYSQL_COLUMNS = (
    "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = :schema AND TABLE_NAME = :name"
    " ORDER BY ORDINAL_POSITION"
)
#: Rights of this user's own. Those by a role are not listed here, and so do not count.
_MYSQL_RIGHTS = (
    "SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'SELECT'"
    " UNION ALL SELECT 1 FROM information_schema.SCHEMA_PRIVILEGES"
    " WHERE PRIVILEGE_TYPE = 'SELECT' AND :schema LIKE TABLE_SCHEMA"
    " UNION ALL SELECT 1 FROM information_schema.TABLE_PRIVILEGES"
    " WHERE PRIVILEGE_TYPE = 'SELECT' AND TABLE_SCHEMA = :schema AND TABLE_NAME = :name"
)


def columns_of(session: Session, name: str) -> Sequence[str]:
    """The columns of ``name`` (schema.table), in order. Raises NotTold."""
    schema, short = table_name(name)
    if session.backend == "postgresql":
        found = asked(session, lambda: session.catalog(_POSTGRES_TABLE, schema=schema, name=short))
        rows = asked(session, lambda: session.catalog(_POSTGRES_COLUMNS, oid=found[0][0])) if found else []
        note = "the table has no column" if found else "there is no such table"
    else:
        _see_all(session, schema, short)
        rows = asked(session, lambda: session.catalog(_MYSQL_COLUMNS, schema=schema, name=short))
        note = "there is no such table"
    if not rows:
        raise NotTold(Result.absent, Reason.hidden, note)
    return [str(row[0]) for row in rows]


def _see_all(session: Session, schema: str, short: str) -> None:
    """Whether MariaDB or MySQL tell this identity of every column, also of an invisible one. Raises NotTold."""
    target = table(quoted_name(short, quote=True), schema=quoted_name(schema, quote=True))
    everything = select(text("*")).select_from(target).limit(0)
    asked(session, lambda: session.finds(everything))  # takes a right on each visible column
    if not asked(session, lambda: session.catalog(_MYSQL_RIGHTS, schema=schema, name=short)):
        note = "this identity is told of some columns only: it needs SELECT on the whole table, granted to itself"
        raise NotTold(Result.trouble, Reason.not_permitted, note)


def fold(session: Session, name: str) -> str:
    """A column's name as it is compared: MariaDB and MySQL take no notice of its case."""
    return name if session.backend == "postgresql" else name.casefold()
