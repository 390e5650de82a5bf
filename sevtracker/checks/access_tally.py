"""What a log of accesses tells of a window, wherever it is kept: who else came in, and which stretches it speaks for.

Nobody is named: principals are counted. A stretch without any entry, of anybody, that is longer than ``max_gap`` is a
gap: what happened there is unknown, never none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sevtracker.checks.interface import Impact, Result, Window, bucket
from sevtracker.checks.sql.visits import Found
from sevtracker.domain.vocabulary import Reason

#: Stretches that are kept at most, the longest: to leave one out only says less.
_STRETCHES = 50
#: From these on a number is no second since 1970 any more, but a thousandth, a millionth, or a billionth of one.
_SCALES = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))


@dataclass(frozen=True, slots=True)
class Stay:
    """The first and last entry of a stretch in which no two are further apart than ``max_gap``. Unix times."""

    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Tally:
    """What a log holds of a window. ``cut``: why not all was seen. ``unclear``: entries without a readable time."""

    principals: int
    accesses: int
    first: float | None
    last: float | None
    canary: bool
    stays: Sequence[Stay]
    unclear: bool = False
    cut: str | None = None


def found(tally: Tally, window: Window, until: datetime, max_gap: timedelta) -> Found:
    """Open: somebody else. Closed: nobody else, the canary's access is there, and no gap. Else the log has a gap."""
    covered = coverage(tally.stays, window.since, until, max_gap)
    whole = covered == (Window(window.since, until),) and not tally.unclear and tally.cut is None
    impact = Impact(
        principals=bucket(tally.principals),
        accesses=bucket(tally.accesses),
        covered=covered,
        complete=whole and tally.canary,
        first_at=None if tally.first is None else datetime.fromtimestamp(tally.first, UTC),
        last_at=None if tally.last is None else datetime.fromtimestamp(tally.last, UTC),
    )
    if tally.accesses:
        note = f"others came in: {impact.principals}, accesses: {impact.accesses}"
        return Found(Result.got_in, Reason.accessed, note, impact=impact)
    for lacks, note in (
        (tally.cut is not None, f"nobody else so far, but {tally.cut}"),
        (not covered, "the log has no entry, of anybody, in the window"),
        (tally.unclear, "nobody else, but there are entries without a time that can be read"),
        (
            not whole,
            f"nobody else, but the log has gaps: it speaks for {_share(covered, window.since, until)} of the time",
        ),
        (not tally.canary, "nobody else, but the access that has to be there is not: others may be missing, too"),
    ):
        if lacks:
            return Found(Result.trouble, Reason.log_incomplete, note, impact=impact)
    note = "nobody else, in a log without gaps that has the known access"
    return Found(Result.denied, Reason.not_accessed, note, control=Result.got_in, impact=impact)


def coverage(stays: Iterable[Stay], since: datetime, until: datetime, max_gap: timedelta) -> tuple[Window, ...]:
    """The stretches of the window that the log speaks for, at most fifty. Its ends may lie ``max_gap`` off an entry."""
    gap, begin, end = max_gap.total_seconds(), since.timestamp(), until.timestamp()
    joined: list[Stay] = []
    for stay in sorted(stays, key=lambda one: one.first):
        if stay.last < begin - gap or stay.first > end + gap:
            continue
        if joined and stay.first - joined[-1].last <= gap:
            joined[-1] = Stay(joined[-1].first, max(stay.last, joined[-1].last))
        else:
            joined.append(stay)
    inside = [
        Window(
            since if stay.first <= begin + gap else datetime.fromtimestamp(stay.first, UTC),
            until if stay.last >= end - gap else datetime.fromtimestamp(stay.last, UTC),
        )
        for stay in joined
    ]
    longest = sorted(inside, key=_length, reverse=True)[:_STRETCHES]
    return tuple(sorted(longest, key=lambda one: one.since))


def seconds(number: float) -> float:
    """A number as a Unix time in seconds, which it may give in thousandths, millionths or billionths."""
    return number / next((scale for least, scale in _SCALES if abs(number) >= least), 1.0)


def scale_of(number: float) -> float:
    """How many of its units make a second."""
    return next((scale for least, scale in _SCALES if abs(number) >= least), 1.0)


def _length(one: Window) -> timedelta:
    return (one.until or one.since) - one.since


def _share(covered: Sequence[Window], since: datetime, until: datetime) -> str:
    told = sum((_length(one) for one in covered), timedelta())
    return f"{100 * told / max(until - since, timedelta(microseconds=1)):.0f} %"
