"""Resolving: asked, looked at once more, and only then done. A refusal is an answer that is recorded, not an exception.

A door calls ``begin``, lets the worker make the final runs (``awaited`` says when they are there), then calls
``finish``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from sevtracker.actions import evaluation, exceptions
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import Resolve
from sevtracker.actions.sevs import open_for
from sevtracker.config import Settings
from sevtracker.domain import lifecycle
from sevtracker.domain.gate import Blocker, Code, Gate
from sevtracker.domain.ledger import Evidence
from sevtracker.domain.vocabulary import Trigger, Verdict
from sevtracker.store import checks, facts, jobs
from sevtracker.store.tables import Sev
from sevtracker.store.work import Work


@dataclass(frozen=True, slots=True)
class Refused:
    """Not resolved, and why. Already on the timeline."""

    blockers: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class FinalRuns:
    """The final runs that were asked for at ``asked_at``: for each check, the newest run there was before."""

    number: int
    asked_at: datetime
    before: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Resolved, at that time, on that evidence."""

    at: datetime
    evidence: tuple[Evidence, ...]


def begin(work: Work, settings: Settings, number: int) -> Refused | FinalRuns:
    """Ask the gate; if nothing blocks, queue the final run of every check of the SEV."""
    sev = open_for(work, number, May.resolve_sevs)
    case = _case(work, settings, sev)
    gate = case.gate()
    if not gate.open:
        return _refuse(work, sev, gate.blockers)
    ids = [v.check_id for v in case.vantages if v.enabled and v.halted is None]
    jobs.enqueue(work.session, checks.targets(work.session, ids), Trigger.resolve, work.now, sev=number)
    return FinalRuns(number, work.now, checks.newest_run_ids(work.session, ids))


def awaited(session: Session, final: FinalRuns) -> Sequence[int]:
    """The checks whose final run is not there yet."""
    newest = checks.runs_since(session, list(final.before), final.asked_at)
    return [check_id for check_id, before in final.before.items() if newest.get(check_id, 0) <= before]


def finish(work: Work, settings: Settings, given: Resolve, final: FinalRuns) -> Refused | Resolved:
    """Resolve, or refuse. All in one transaction, with the SEV and its checks locked:

    1. Ask the gate again, with everything that was stored since.
    2. Every required check has a run that started after the question, with its definition as it is now: closed.
    3. Resolve, with what every check saw last as the evidence. An ``open`` that is stored after this finds the SEV
       resolved, and reopens it.
    """
    sev = open_for(work, final.number, May.resolve_sevs)
    case = _case(work, settings, sev)
    gate = case.gate()
    late = _late(work, case, final)
    if not gate.open or late:
        return _refuse(work, sev, (*gate.blockers, *late))
    evidence = tuple(
        Evidence(v.last_run_id, v.revision, v.state.last.value, v.state.last_at)
        for v in case.vantages
        if v.enabled and v.last_run_id and v.state.last and v.state.last_at
    )
    before = sev.status
    exceptions.keep(case, gate.exceptions, gate.attested)
    sev.status = lifecycle.after("resolve", sev.status)
    sev.resolved_at = work.now
    work.record(
        "sev:resolved",
        sev=sev.number,
        text=given.summary,
        facts={"old": before.value, "new": sev.status.value, **_without(case, gate)},
        evidence=evidence,
    )
    verified = sev.verified_closed_at
    evaluation.evaluate(work, settings, [sev])
    sev.verified_closed_at = verified
    return Resolved(work.now, evidence)


def _without(case: facts.Case, gate: Gate) -> dict[str, object]:
    """What it is resolved without: the checks, which vantages that are, and the places that are only attested."""
    waived = [v for v in case.vantages if v.check_id in gate.exceptions]
    return {
        "exceptions": list(gate.exceptions),
        "waived": [{"check": v.check_id, "identity": v.identity, "place": v.place, "about": v.about} for v in waived],
        "attested": list(gate.attested),
    }


def _case(work: Work, settings: Settings, sev: Sev) -> facts.Case:
    work.session.flush()
    [case] = facts.gather(work.session, [sev], settings.policy, settings.identities, work.now)
    return case


def _late(work: Work, case: facts.Case, final: FinalRuns) -> list[Blocker]:
    """Required checks without a good final run, but for waived ones. (An optional one objects only when it is open; the
    gate says so.)"""
    asked = [v for v in case.required if not case.seen(v).waived(case.now)]
    newest = checks.latest_runs(work.session, [v.check_id for v in asked])
    found = []
    for v in asked:
        run = newest.get(v.check_id)
        if run is None or run.started_at < final.asked_at or run.revision != v.revision:
            found.append(
                Blocker(
                    Code.inconclusive,
                    f"The final run as {v.about} has not come back.",
                    "See whether the worker is up, then resolve again.",
                    v.check_id,
                )
            )
        elif run.verdict is not Verdict.closed and v.state.decisive is not Verdict.open:
            found.append(
                Blocker(
                    Code.inconclusive,
                    f"The final run as {v.about} was inconclusive ({run.reason}).",
                    "Mend what keeps the check from seeing, then resolve again.",
                    v.check_id,
                )
            )
    return [b for b in found if not any(o.check == b.check for o in case.gate().blockers)]


def _refuse(work: Work, sev: Sev, blockers: tuple[Blocker, ...]) -> Refused:
    said = [{"code": b.code.value, "check": b.check} for b in blockers]
    work.record("gate:refused", sev=sev.number, facts={"blockers": said})
    sev.version += 1
    sev.blockers = len(blockers)
    work.session.add(sev)
    return Refused(blockers)
