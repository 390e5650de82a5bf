"""The two clocks of every SEV: when it was claimed fixed, and when it was verified closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sevtracker.domain.exposure import VantageState
from sevtracker.domain.vocabulary import Exposure

#: Exposures in which the unbroken streak stands, so that its first closed is when the door closed.
STANDING = frozenset({Exposure.verified, Exposure.watching, Exposure.watch_blind, Exposure.uncertain, Exposure.stale})


@dataclass(frozen=True, slots=True)
class Window:
    """How long one dataset was exposed: from the first sign of it, until seen closed (None: not yet)."""

    dataset: str
    since: datetime | None
    until: datetime | None
    last_seen_open: datetime | None


def verified_closed_at(vantages: Sequence[tuple[Exposure, VantageState]]) -> datetime | None:
    """The first counted closed of the unbroken streak, of the vantage where it came last. None: not verified yet."""
    if not vantages or any(exposure not in STANDING for exposure, _ in vantages):
        return None
    firsts = [state.first_counted_at for _, state in vantages]
    known = [first for first in firsts if first is not None]
    return max(known) if len(known) == len(firsts) else None


def false_fix_gap(claimed_at: datetime | None, closed_at: datetime | None, now: datetime) -> timedelta | None:
    """From *claimed fixed* (the first patch) to *verified closed*; still counting while that hasn't come."""
    if claimed_at is None:
        return None
    return max((closed_at or now) - claimed_at, timedelta(0))


def window(
    dataset: str,
    vantages: Sequence[tuple[Exposure, VantageState]],
    *,
    exposed_from: datetime | None,
    detected_at: datetime,
) -> Window:
    """The exposure window of one dataset. What people know of its start and what the checks saw: the earlier counts."""
    opens = [state.first_open_at for _, state in vantages if state.first_open_at is not None]
    lasts = [state.last_open_at for _, state in vantages if state.last_open_at is not None]
    since = min([exposed_from or detected_at, *opens])
    return Window(dataset, since, verified_closed_at(vantages), max(lasts, default=None))
