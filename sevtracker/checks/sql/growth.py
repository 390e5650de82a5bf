"""How far a table has grown: its rows, its newest times, the server's account of writes. Two looks can be compared.

Writes, without reading a row: PostgreSQL counts rows inserted and updated (also by transactions that were rolled back);
MariaDB keeps the time of the last write. MySQL caches that time for a day, so there it is not asked.
Source: PostgreSQL manual, "pg_stat_get_tuples_inserted"; MariaDB manual, "information_schema.TABLES".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import column, func, select, table
from sqlalchemy.sql import quoted_name
from sqlalchemy.sql.functions import Function

from sevtracker.checks.interface import Result
from sevtracker.checks.sql.asking import NotTold, asked
from sevtracker.checks.sql.places import table_name
from sevtracker.checks.sql.sessions import Session
from sevtracker.domain.vocabulary import Reason

_POSTGRES = (
    "SELECT c.oid::bigint, coalesce(pg_catalog.pg_relation_filenode(c.oid)::bigint, 0),"
    " (SELECT sum(pg_catalog.pg_stat_get_tuples_inserted(t.relid) + pg_catalog.pg_stat_get_tuples_updated(t.relid))"
    "  FROM (SELECT c.oid AS relid UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree(c.oid)) AS t)::bigint"
    " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = :schema AND c.relname = :name"
)
_MARIADB = (
    "SELECT 0, coalesce(UNIX_TIMESTAMP(CREATE_TIME), 0), UNIX_TIMESTAMP(UPDATE_TIME)"
    " FROM information_schema.TABLES WHERE TABLE_SCHEMA = :schema AND TABLE_NAME = :name"
)
_NO_WRITES = _MARIADB.replace("UNIX_TIMESTAMP(UPDATE_TIME)", "NULL")


_SLOW = "the server could not answer in time: index the time columns, or give count as false"


class Growth(StrEnum):
    """What two looks at a table show."""

    same = "same"
    grew = "grew"
    changed = "changed"  # smaller, emptied or another table: nothing can be said about growing


@dataclass(frozen=True, slots=True)
class Size:
    """One look. ``which`` tells the table from a later one of its name. None: not asked, or not told.

    ``newest``: the largest value of each time column, as a number or as text in an order of its own.
    """

    which: tuple[int, int]
    rows: int | None
    writes: int | None
    newest: tuple[float | str | None, ...]

    def told(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, told: Any) -> Size:
        """Raises KeyError, TypeError or ValueError."""
        first, second = told["which"]
        return cls((int(first), int(second)), told["rows"], told["writes"], tuple(told["newest"]))


def size_of(session: Session, name: str, columns: Sequence[str], *, count: bool) -> Size:
    """How far ``name`` (schema.table) has grown by now. Raises NotTold."""
    schema, short = table_name(name)
    target = table(quoted_name(short, quote=True), schema=quoted_name(schema, quote=True))

    def number(of: Function[Any]) -> Any:
        return asked(session, lambda: session.number(select(of).select_from(target)), slow=_SLOW)

    rows = number(func.count()) if count else None
    newest = [_plain(number(func.max(column(quoted_name(c, quote=True))))) for c in columns]
    told = asked(session, lambda: session.catalog(_question(session, count), schema=schema, name=short))
    if not told:
        raise NotTold(Result.absent, Reason.hidden, "there is no such table")
    first, second, writes = tuple(told[0])
    return Size((int(first), int(second)), rows, None if writes is None else int(writes), tuple(newest))


def _question(session: Session, count: bool) -> str:
    """Without the rows counted, MariaDB's last write tells nothing: it may have been a deletion."""
    if session.backend == "postgresql":
        return _POSTGRES
    raw: Any = session.connection.connection.dbapi_connection
    return _MARIADB if count and "MariaDB" in raw.get_server_info() else _NO_WRITES


def _plain(value: Any) -> float | str | None:
    """A time, number or text as JSON can keep it, in its order. Raises NotTold."""
    if value is None or isinstance(value, (int, float, str)):
        return value
    if isinstance(value, datetime):
        at = value if value.tzinfo is None else value.astimezone(UTC)
        return at.replace(tzinfo=None).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise NotTold(Result.trouble, Reason.target_changed, "a time column holds neither times, numbers nor text")


def growth(before: Size, now: Size) -> Growth:
    """How ``now`` differs from ``before``. A newer time is growth also where old rows were deleted meanwhile."""
    if before.which != now.which or len(before.newest) != len(now.newest):
        return Growth.changed
    times = [_compared(was, is_, empty=True) for was, is_ in zip(before.newest, now.newest, strict=True)]
    if Growth.grew in times:
        return Growth.grew
    counts = [_compared(before.rows, now.rows), _compared(before.writes, now.writes)]
    met = {*times, *counts}
    return Growth.changed if Growth.changed in met else Growth.grew if Growth.grew in met else Growth.same


def _compared(was: Any, is_: Any, *, empty: bool = False) -> Growth:
    """``empty``: None means that there are no rows; else, that nothing was told."""
    if was is None or is_ is None:
        return Growth.same if not empty or was is is_ else Growth.grew if was is None else Growth.changed
    if isinstance(was, str) is not isinstance(is_, str):
        return Growth.changed
    return Growth.same if was == is_ else Growth.grew if is_ > was else Growth.changed
