"""The one line below a SEV's state: what happened last, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sevtracker.domain.openings import special, stands_open
from sevtracker.domain.spans import span
from sevtracker.domain.vocabulary import Exposure, PatchOutcome, Status, Verdict
from sevtracker.store.facts import Case
from sevtracker.store.vantages import Vantage
from sevtracker.web.exceptions import Exempt, exceptions

#: Seconds.
JUST_NOW = 5


def headline(case: Case, duplicate_of: int | None) -> str:
    """In plain words, as of the case's time. ``duplicate_of``: the other SEV, if the reader may know of it."""
    sev = case.sev
    if sev.status is Status.dismissed:
        return f"Dismissed as a duplicate of SEV-{duplicate_of}." if duplicate_of else "Dismissed."
    if sev.resolved_at is not None and (without := exceptions(case)):
        return _with_exception(case, without)
    if sev.resolved_at is not None and sev.exposure is not Exposure.exposed:
        return f"Resolved {_ago(case, sev.resolved_at)}. {_watch(case)}"
    told = _evidence(case)
    failed = [p for p in case.patches if p.outcome is PatchOutcome.failed and p.failed_at]
    if failed and sev.exposure is Exposure.exposed and failed[-1].failed_at:
        return f"Patch {failed[-1].number} failed {_ago(case, failed[-1].failed_at)}. {told}"
    return told


def _with_exception(case: Case, without: Sequence[Exempt]) -> str:
    """How many, which is the one, and when the first of them ends."""
    count = "1 exception" if len(without) == 1 else f"{len(without)} exceptions"
    which = f": {without[0].about}" if len(without) == 1 else ""
    ends = min((e.until for e in without if e.until), default=None)
    until = f" It ends on {ends:%Y-%m-%d at %H:%M} UTC." if ends else ""
    said = f"Resolved with {count} {_ago(case, case.sev.resolved_at)}{which}." if case.sev.resolved_at else ""
    return said + (until if len(without) == 1 else until.replace("It ends", "The first ends"))


def _evidence(case: Case) -> str:
    match case.sev.exposure:
        case Exposure.exposed:
            return _open(case)
        case Exposure.unverified:
            return _unseen(case)
        case Exposure.verifying | Exposure.flapping:
            return _counting(case)
        case Exposure.verified:
            return f"Seen closed by every required check since patch {len(case.patches)}. Resolving looks once more."
        case Exposure.uncertain | Exposure.stale:
            blind = _worst(case, case.sev.exposure)
            return f"{blind.about} no longer tells." if blind else "A check no longer tells."
        case Exposure.no_patch:
            return "Closed now, and nobody has said why. Log the patch that closed it."
        case Exposure.unattributed:
            return f"It was open after patch {len(case.patches)} had settled. Find what closed it, and log that."
        case Exposure.unproven if any(v.state.door_open for v in case.required):
            return "A check that saw the door open was changed since. Change it back, or have an executive accept that."
        case Exposure.unproven:
            return "Closed, by checks that never saw it open. Reproduce the exposure with them first."
        case _:
            return ""


def _open(case: Case) -> str:
    opened = [v for v in case.vantages if v.state.decisive is Verdict.open and v.state.last_open_at]
    if not opened:
        return "A check saw the door open."
    last = max(opened, key=lambda v: v.state.last_open_at or case.now)
    others = f", and {len(opened) - 1} more" if len(opened) > 1 else ""
    at = last.state.last_open_at
    if at is None:
        return "A check saw the door open."
    if special(last.kind, last.last_reason) is None:
        return f"{last.about}{others} last got in {_ago(case, at)}."
    stands = stands_open(last.kind, last.last_reason, last.identity, f"{last.place}{last.which}")
    return f"{stands.removesuffix('.')}, seen {_ago(case, at)}{others}."


def _unseen(case: Case) -> str:
    if not case.vantages:
        return "Nothing looks at it yet. Add a check that sees the exposure."
    silent = [v for v in case.required if v.state.decisive is None]
    if silent:
        return f"{len(silent)} of {len(case.required)} required checks have given no answer yet."
    unseen = len({hole.place for hole in case.holes})
    if not unseen:
        return "No check has given an answer yet."
    return f"{unseen} of its copies {'is' if unseen == 1 else 'are'} not looked at as the level asks."


def _counting(case: Case) -> str:
    slow = _worst(case, case.sev.exposure)
    if slow is None:
        return ""
    seen = case.assessments[slow.check_id]
    since = f" since patch {len(case.patches)}" if case.patches else ""
    told = f"{slow.about}: closed {seen.streak} of {seen.needed} times{since}"
    if seen.soaked_at and seen.soaked_at > case.now:
        return f"{told}, and {span(seen.soaked_at - case.now)} to soak."
    return f"{told}."


def _watch(case: Case) -> str:
    if case.sev.exposure is Exposure.watch_blind:
        return "Its checks see nothing any more."
    if case.sev.resolved_at is None:
        return ""
    return f"Watched every {span(case.rules.watch_every(case.sev.resolved_at, case.now))}."


def _worst(case: Case, exposure: Exposure) -> Vantage | None:
    same = [v for v in case.required if case.assessments[v.check_id].exposure is exposure]
    return min(same, key=lambda v: case.assessments[v.check_id].streak, default=None)


def _ago(case: Case, at: datetime) -> str:
    """Without tenths of a second: the page is told anew every other one."""
    seconds = int((case.now - at).total_seconds())
    return f"{span(timedelta(seconds=seconds))} ago" if seconds >= JUST_NOW else "just now"
