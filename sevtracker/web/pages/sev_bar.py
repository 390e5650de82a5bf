"""The exposure bar: what the checks saw over time, with the moments that matter on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sevtracker.domain.vocabulary import Exposure, PatchOutcome, Status
from sevtracker.store.facts import Case
from sevtracker.store.timeline import Item
from sevtracker.web.contexts import BarMark, BarSegment, ExposureBar

MOST_MARKS = 12


def build(case: Case, story: Sequence[Item], now: datetime) -> ExposureBar:
    """From when it was exposed, as far as anybody knows, until now or its dismissal. ``story``: oldest first."""
    sev = case.sev
    start = min(sev.exposed_from or sev.detected_at, sev.detected_at, sev.reported_at)
    over = sev.status is Status.dismissed
    end = max((i.recorded_at for i in story if i.kind == "sev:dismissed"), default=now) if over else now
    end = max(end, start)
    return ExposureBar(start, end, tuple(_segments(case, story, start, end)), _marks(case, story), ends_now=not over)


def _segments(case: Case, story: Sequence[Item], start: datetime, end: datetime) -> Iterator[BarSegment]:
    changes = [i for i in story if i.kind == "exposure:changed"]
    state = Exposure(changes[0].facts["old"]) if changes else case.sev.exposure
    since = start
    for change in changes:
        at = min(max(change.recorded_at, since), end)
        if at > since:
            yield BarSegment(state, since, at)
        state, since = Exposure(change.facts["new"]), at
    if end > since or not changes:
        yield BarSegment(state, since, end)


def _marks(case: Case, story: Sequence[Item]) -> tuple[BarMark, ...]:
    """What happened, in order; of more than fit, the ends are kept: how it began, and how it stands."""
    marks = sorted((*_people(case, story), *_evidence(case, story)), key=lambda mark: mark.at)
    if len(marks) > MOST_MARKS:
        marks = [*marks[:3], *marks[-(MOST_MARKS - 3) :]]
    return tuple(marks)


def _people(case: Case, story: Sequence[Item]) -> Iterator[BarMark]:
    sev = case.sev
    filed = next((i.seq for i in story if i.kind == "sev:filed"), None)
    if sev.exposed_from and sev.exposed_from < sev.detected_at:
        yield BarMark("exposed_from", sev.exposed_from, "exposed since")
    if sev.detected_at < sev.reported_at:
        yield BarMark("detected", sev.detected_at, "detected", seq=filed)
    else:
        yield BarMark("filed", sev.reported_at, "filed", seq=filed)
    claimed = {i.facts["patch"]: i.seq for i in story if i.kind == "patch:claimed"}
    for patch in case.patches:
        failed = patch.outcome is PatchOutcome.failed
        label = f"patch {patch.number} failed" if failed else f"patch {patch.number}"
        yield BarMark("patch", patch.applied_at, label, failed, claimed.get(patch.number))
    for item in story:
        if item.kind == "sev:resolved":
            without = item.facts.get("exceptions") or item.facts.get("attested")
            label = "resolved with exception" if without else "resolved"
            yield BarMark("resolved", item.recorded_at, label, seq=item.seq)
        elif item.kind == "sev:reopened":
            yield BarMark("reopened", item.recorded_at, "reopened", failed=True, seq=item.seq)
        elif item.kind == "sev:dismissed":
            yield BarMark("dismissed", item.recorded_at, "dismissed", seq=item.seq)


def _evidence(case: Case, story: Sequence[Item]) -> Iterator[BarMark]:
    opens = [v.state.last_open_at for v in case.vantages if v.state.last_open_at]
    firsts = [v.state.first_open_at for v in case.vantages if v.state.first_open_at]
    if firsts:
        yield BarMark("open", min(firsts), "seen open", failed=True)
    if opens and max(opens) > min(firsts):
        yield BarMark("open", max(opens), "last seen open", failed=True)
    if case.sev.verified_closed_at:
        yield BarMark("verified", case.sev.verified_closed_at, "first counted closed")
