"""The kind ``collection_stopped``: does a table still grow after the pause? See docs/checks/collection_stopped.md."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from sevtracker.checks.interface import Access, Attempt, CheckKind, CheckParams, Locator, Result
from sevtracker.checks.sql.asking import NotTold
from sevtracker.checks.sql.growth import Growth, Size, growth, size_of
from sevtracker.checks.sql.places import Column, Table, Url, sql_place
from sevtracker.checks.sql.sessions import Session
from sevtracker.checks.sql.visits import Found, visit
from sevtracker.config import format_duration, parse_duration
from sevtracker.domain.vocabulary import Reason, Weight

#: Growth since a look so many seconds ago, or two normal intervals if that is longer, is growth now. ``policy.settle``
#: usually is as long: so what came in before a patch is never held against it.
_RECENT = 300.0
#: Seconds that a run waits at most for a second look of its own: other checks of this host wait as well.
_PATIENCE = 5.0


def _interval(value: object) -> object:
    """A duration in words, or seconds as a number, in the one way it is kept."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 < value <= 365 * 86_400:
            raise ValueError("expected more than 0 seconds, and no more than a year")
        return format_duration(timedelta(seconds=value))
    if isinstance(value, str):
        found = parse_duration(value)
        if not timedelta(0) < found <= timedelta(days=365):
            raise ValueError("expected a duration of more than 0s, and no more than a year")
        return format_duration(found)
    return value


class CollectionParams(CheckParams):
    """``normal_interval``: how long it usually takes, at most, until something new comes in."""

    url: Url
    table: Table = Field(description="The table that has to stop growing: schema.table, as the database spells it")
    time_columns: tuple[Column, ...] = Field(
        default=(), max_length=20, description="Columns with the time of a row; the newest is looked at. Index them"
    )
    control_table: Table = Field(
        description="A table in the same database that must go on growing, such as a heartbeat of the same producer"
    )
    control_columns: tuple[Column, ...] = Field(
        default=(), max_length=20, description="Columns with the time of a row in the control table"
    )
    normal_interval: Annotated[str, BeforeValidator(_interval), Field(min_length=1, max_length=40)] = Field(
        description="How long it usually takes at most until something new comes in, such as 1m. Twice that is a pause"
    )
    count: bool = Field(
        default=True, description="Count the rows, too; not for tables too large to be counted in 5 seconds"
    )

    outside_place: ClassVar[frozenset[str]] = frozenset(
        {"time_columns", "control_table", "control_columns", "normal_interval", "count"}
    )
    loosened_by: ClassVar[Mapping[str, str]] = dict.fromkeys(outside_place, "changed")

    @model_validator(mode="after")
    def _can_tell(self) -> CollectionParams:
        if self.table == self.control_table:
            raise ValueError("the control table has to be another one: it must go on growing")
        if not self.count and not self.time_columns:
            raise ValueError("without counting, name at least one time column")
        return self

    @property
    def interval(self) -> float:
        """Seconds."""
        return parse_duration(self.normal_interval).total_seconds()


@dataclass(frozen=True, slots=True)
class Sample:
    """A look at both tables. ``at`` is our Unix time. ``control`` None: that table was not told about."""

    at: float
    main: Size
    control: Size | None

    def told(self) -> dict[str, Any]:
        return {"at": self.at, "main": self.main.told(), "control": self.control and self.control.told()}

    @classmethod
    def read(cls, told: Any) -> Sample:
        """Raises KeyError, TypeError or ValueError."""
        return cls(float(told["at"]), Size.read(told["main"]), told["control"] and Size.read(told["control"]))


class CollectionStoppedKind(CheckKind[CollectionParams]):
    """A table that grows is open. One that did not for two normal intervals, while the control table did, is closed."""

    name = "collection_stopped"
    own_control = True
    looks = True
    signs_in = True
    bounded = True
    weight = Weight.supports
    params = CollectionParams

    def locate(self, params: CollectionParams) -> Locator:
        place = sql_place(params.url)
        return Locator(f"growth of {place.url} {params.table}", (place.endpoint,))

    def attempt(self, params: CollectionParams, access: Access) -> Attempt:
        """1. connect, 2. self-test, 3. look at both tables, and compare with the looks that are remembered."""
        ends = access.clock.monotonic() + access.timeout
        return visit(sql_place(params.url), access, lambda session: _Looking(params, access, session, ends).found())


class _Looking:
    """One run's looks."""

    def __init__(self, params: CollectionParams, access: Access, session: Session, ends: float) -> None:
        self._params = params
        self._access = access
        self._session = session
        self._ends = ends
        self._took = 0.0

    def found(self) -> Found:
        """1. Look. 2. Compare with the last look. 3. Where that says too little, wait and look once more.
        4. Unchanged for two normal intervals: see that the control table went on meanwhile."""
        try:
            before, now = self._remembered(), self._sample()
            if not before:
                return self._once_more([now], "this is the first look")
            last = before[-1]
            met = growth(last.main, now.main)
            if met is Growth.changed:
                note = "the table is smaller than before, was emptied, or is another one: looking starts anew"
                return self._told([now], Result.trouble, Reason.target_changed, note)
            if met is Growth.grew:
                ago = now.at - last.at
                if ago <= max(_RECENT, 2 * self._params.interval):
                    return self._told([now], Result.got_in, Reason.still_collecting, _grew(ago))
                return self._once_more([now], f"it grew since the last look, {_long(ago)} ago")
            return self._unchanged([*before, now]) or self._once_more(
                [*before, now], "unchanged, but not for long enough"
            )
        except NotTold as missing:
            return missing.found

    def _once_more(self, samples: list[Sample], why: str) -> Found:
        """Look again after two normal intervals, or as long as a run may wait: it may be growing right now."""
        left = self._ends - self._access.clock.monotonic() - 2 * self._took
        if left <= 0:
            return self._told(samples, Result.trouble, Reason.too_few_samples, why)
        time.sleep(min(2 * self._params.interval, _PATIENCE, left / 2))
        last, now = samples[-1], self._sample()
        met = growth(last.main, now.main)
        if met is Growth.grew:
            return self._told([now], Result.got_in, Reason.still_collecting, _grew(now.at - last.at))
        if met is Growth.changed:
            return self._told([now], Result.trouble, Reason.target_changed, "the table changed between two looks")
        note = f"{why}; nothing new for {_long(now.at - samples[0].at)}"
        return self._unchanged([*samples, now]) or self._told(
            [*samples, now], Result.trouble, Reason.too_few_samples, note
        )

    def _unchanged(self, samples: list[Sample]) -> Found | None:
        """What a table that stands still shows; None as long as two normal intervals are not over."""
        now = samples[-1]
        far = [index for index, sample in enumerate(samples) if now.at - sample.at >= 2 * self._params.interval]
        if not far:
            return None
        base = samples[far[-1]]
        if base.control is None or now.control is None:
            control, note = Result.trouble, "the control table could not be read"
        else:
            moved = growth(base.control, now.control)
            control = Result.got_in if moved is Growth.grew else Result.trouble
            note = {
                Growth.grew: f"nothing new for {_long(now.at - samples[0].at)}, while the control table went on",
                Growth.same: "nothing new, but the control table stands still as well: maybe nothing works there",
                Growth.changed: "the control table is smaller than before, was emptied, or is another one",
            }[moved]
        if now.main.writes is None and not now.main.newest:
            note = "the server tells of no writes, and rows may come and go alike: name a time column"
            return self._told(samples[far[-1] :], Result.trouble, Reason.too_few_samples, note)
        return self._told(samples[far[-1] :], Result.denied, Reason.collection_stopped, note, control)

    def _sample(self) -> Sample:
        """Raises NotTold for the table; the control table's troubles matter only where it is needed."""
        params, began = self._params, self._access.clock.monotonic()
        main = size_of(self._session, params.table, params.time_columns, count=params.count)
        try:
            control = size_of(self._session, params.control_table, params.control_columns, count=params.count)
        except NotTold:
            control = None
        self._took = self._access.clock.monotonic() - began
        return Sample(self._access.clock.now().timestamp(), main, control)

    def _remembered(self) -> list[Sample]:
        """The looks so far, oldest first; none where they can't be read, or a clock went back."""
        told = self._access.sealer.opened((self._access.memory or {}).get("sealed"))
        try:
            samples = [Sample.read(one) for one in told or ()]
        except (KeyError, TypeError, ValueError):
            return []
        return samples if all(one.at <= self._access.clock.now().timestamp() for one in samples) else []

    def _told(
        self, samples: Sequence[Sample], result: Result, reason: Reason, note: str, control: Result | None = None
    ) -> Found:
        kept = _thinned(samples, self._params.interval / 4)
        memory = {"sealed": self._access.sealer.seal([sample.told() for sample in kept])}
        return Found(result, reason, note, control=control, memory=memory)


def _thinned(samples: Sequence[Sample], apart: float) -> list[Sample]:
    """Those at least ``apart`` seconds after the one kept before: however often somebody asks, two normal intervals
    stay a handful of looks, and none of them is ever pushed out by newer ones."""
    kept: list[Sample] = []
    for sample in samples:
        if not kept or sample.at - kept[-1].at >= apart:
            kept.append(sample)
    return kept


def _grew(seconds: float) -> str:
    return f"it grew within {_long(seconds)}"


def _long(seconds: float) -> str:
    """A length of time for people."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
