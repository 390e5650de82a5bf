"""A log of accesses in a table: counted by the database, so that neither a name nor an entry crosses the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Double,
    LargeBinary,
    String,
    and_,
    case,
    cast,
    column,
    distinct,
    extract,
    func,
    literal,
    or_,
    select,
    table,
    text,
    true,
)
from sqlalchemy.sql import quoted_name

from sevtracker.checks.access_tally import Stay, Tally, scale_of
from sevtracker.checks.interface import Result
from sevtracker.checks.sql.asking import NotTold, asked
from sevtracker.checks.sql.places import table_name
from sevtracker.checks.sql.sessions import Session
from sevtracker.domain.vocabulary import Reason

_SLOW = "the server could not answer in time: index the time column, or ask a view of the dataset's entries"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # compared with columns that have no time zone, which are taken as UTC


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows are meant: see the parameters of ``access_log``. ``begin`` and ``end`` are aware."""

    table: str
    principal: str
    at: str
    count: str | None
    match: Mapping[str, str]
    allowed: frozenset[str]
    canary: str | None
    begin: datetime
    end: datetime
    max_gap: float
    most: int


def tally_of(session: Session, rows: Rows) -> Tally:
    """Count. Raises NotTold."""
    return _Counting(session, rows).tally()


class _Counting:
    """One log's questions."""

    def __init__(self, session: Session, rows: Rows) -> None:
        self._session = session
        self._rows = rows
        self._mysql = session.backend != "postgresql"
        schema, name = (quoted_name(part, quote=True) for part in table_name(rows.table))
        self._log = table(name, schema=schema)
        self._at = self._column(rows.at)

    def tally(self) -> Tally:
        """1. What sort of time does it keep? 2. Others. 3. The canary. 4. Where there are entries at all."""
        if self._mysql:
            self._session.connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
        newest = self._one(select(func.max(self._at)).select_from(self._log))[0]
        if newest is None:
            return Tally(0, 0, None, None, False, ())
        time = self._seconds(newest)
        rows = self._rows
        inside = and_(*self._between(newest, 0.0), self._matching())
        who = self._text(rows.principal)
        others = or_(who.is_(None), who.not_in([self._value(name) for name in sorted(rows.allowed | self._canaries())]))
        times = func.count() if rows.count is None else func.sum(func.coalesce(self._column(rows.count), 1))
        nobody = func.max(case((who.is_(None), 1), else_=0))
        asking = select(func.count(distinct(who)), nobody, times, func.min(time), func.max(time), func.count())
        principals, nameless, accesses, first, last, entries = self._one(
            asking.select_from(self._log).where(inside, others)
        )
        known = False
        if rows.canary is not None:
            seen = select(func.count()).select_from(self._log).where(inside, who == self._value(rows.canary))
            known = bool(self._one(seen)[0])
        unclear = self._one(select(func.count()).select_from(self._log).where(self._at.is_(None)))[0]
        stays = self._stays(newest, time)
        return Tally(
            int(principals) + int(nameless or 0),
            max(int(accesses or 0), int(entries)),
            _float(first),
            _float(last),
            known,
            stays[: rows.most],
            bool(unclear),
            "there are more stretches than can be looked at: give a longer max_gap" if len(stays) > rows.most else None,
        )

    def _stays(self, newest: Any, time: ColumnElement[Any]) -> list[Stay]:
        """First and last entry of each slot as long as ``max_gap``: within one, no gap can be longer."""
        slot = func.floor(time / self._rows.max_gap)
        asking = (
            select(func.min(time), func.max(time))
            .select_from(self._log)
            .where(*self._between(newest, self._rows.max_gap))
            .group_by(slot)
            .limit(self._rows.most + 1)
        )
        return [Stay(float(row[0]), float(row[1])) for row in self._all(asking)]

    def _seconds(self, newest: Any) -> ColumnElement[Any]:
        """The time column as a Unix time in seconds. Raises NotTold."""
        if isinstance(newest, (int, float, Decimal)):
            return self._at / scale_of(float(newest))
        if isinstance(newest, datetime) and self._mysql:
            return func.timestampdiff(text("MICROSECOND"), literal(_EPOCH, DateTime()), self._at) / 1e6
        if isinstance(newest, datetime):
            return cast(extract("epoch", self._at), Double)
        what = "dates without a time of day" if isinstance(newest, date) else "neither times nor numbers"
        note = f"the time column holds {what}: ask a view that makes it a timestamp"
        raise NotTold(Result.trouble, Reason.log_incomplete, note)

    def _between(self, newest: Any, more: float) -> tuple[ColumnElement[bool], ...]:
        """In the window and ``more`` seconds around it, by the column itself so that an index helps."""
        begin, end = self._rows.begin.timestamp() - more, self._rows.end.timestamp() + more
        if isinstance(newest, datetime):
            low, high = datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC)
            if newest.tzinfo is None:
                low, high = low.replace(tzinfo=None), high.replace(tzinfo=None)
            kind = DateTime(timezone=newest.tzinfo is not None)
            return (self._at >= literal(low, kind), self._at <= literal(high, kind))
        scale = scale_of(float(newest))
        return (self._at >= begin * scale, self._at <= end * scale)

    def _matching(self) -> ColumnElement[bool]:
        return and_(true(), *(self._text(name) == self._value(value) for name, value in self._rows.match.items()))

    def _canaries(self) -> frozenset[str]:
        return frozenset() if self._rows.canary is None else frozenset({self._rows.canary})

    def _text(self, name: str) -> ColumnElement[Any]:
        """A column to be compared letter by letter, whatever its type and collation."""
        written: ColumnElement[Any] = cast(self._column(name), String)
        return cast(written, LargeBinary) if self._mysql else written

    def _value(self, text: str) -> str | bytes:
        return text.encode() if self._mysql else text

    def _column(self, name: str) -> ColumnElement[Any]:
        return column(quoted_name(name, quote=True))

    def _one(self, statement: Any) -> Any:
        return self._all(statement)[0]

    def _all(self, statement: Any) -> Sequence[Any]:
        return asked(self._session, lambda: self._session.numbers(statement), slow=_SLOW)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
