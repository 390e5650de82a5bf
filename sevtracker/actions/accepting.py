"""The way out after an open that was rightly mended by changing what a check judges by.

People were told of a column, so the list of what is disclosed grew: no twins take back what the shorter list saw. An
executive, who neither made the edit nor a patch that the check judges, accepts the new definition on the record. That
settles what the earlier one saw, and no more: proof, streak and soak are still to come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sevtracker.actions import evaluation
from sevtracker.actions.checks import as_taken_now, locked, outside_place
from sevtracker.actions.enforce import Denied, May, require
from sevtracker.actions.guarding import say
from sevtracker.actions.inputs import AcceptDefinition
from sevtracker.checks.probing import ProbeEnvironment
from sevtracker.config import Settings
from sevtracker.domain.vocabulary import Verdict
from sevtracker.errors import Conflict
from sevtracker.store import acceptances, facts, vantages
from sevtracker.store.session import Session
from sevtracker.store.tables import Check, CheckAcceptance, CheckRevision
from sevtracker.store.work import Person, Work


def accept(
    work: Work, settings: Settings, probes: ProbeEnvironment, check_id: int, given: AcceptDefinition
) -> Check | Denied:
    """Accept the check's present definition. Refused, on the record, to who made an edit since the open, and to every
    author of a patch that the check judges.

    Raises NotFound, NotPermitted, and Conflict where there is nothing to accept, or where it is another revision than
    the giver saw.
    """
    require(work.by, May.accept_definitions)
    check = locked(work, check_id)
    if given.revision is not None and given.revision != check.revision:
        raise Conflict(f"The check is at revision {check.revision} since you looked. Look again, then decide.")
    opened = acceptances.opened_by(work.session, check)
    if (trouble := why_not(work.session, probes, check, opened)) is not None:
        raise Conflict(trouble)
    oldest = opened[0]
    told: dict[str, Any] = {"check": check_id, "revision": check.revision, "since": oldest.revision}
    told |= {"fingerprint": check.fingerprint, "changed": _plain(differences(probes, oldest, check))}
    if (own := of_their_own(work.session, work.by, check, oldest)) is not None:
        say(work, check, "check:acceptance_refused", {**told, "why": own}, given.told)
        _judge(work, settings, check_id)
        return Denied(_OWN[own])
    accepted = CheckAcceptance(
        check_id=check_id,
        revision=check.revision,
        fingerprint=check.fingerprint,
        run_id=check.last_run_id or 0,
        reason=given.reason,
        evidence=given.evidence_url,
        accepted_by=work.by.id,
        at=_after_its_runs(work, check),
    )
    work.session.add(accepted)
    work.session.flush()
    say(work, check, "check:definition_accepted", told, given.told)
    _judge(work, settings, check_id)
    return check


def _after_its_runs(work: Work, check: Check) -> datetime:
    """Now, and behind the closed that was seen: the worker's clock may be ahead of ours."""
    return work.now if check.last_at is None else max(work.now, check.last_at + timedelta(microseconds=1))


def why_not(session: Session, probes: ProbeEnvironment, check: Check, opened: Sequence[CheckRevision]) -> str | None:
    """Why there is nothing to accept of the check's present definition, in words; None if there is.

    ``opened``: the other definitions whose own last word is open.
    """
    if check.retired_at is not None or not check.enabled:
        return "This check is disabled. Enable it, and have it see the door closed, first."
    if check.decisive is Verdict.open:
        return "The last that this check said is open. Nobody can accept that; the door has to be closed."
    if not opened or not acceptances.left_open(session, check):
        return "There is nothing to accept: no earlier definition of this check holds its door open."
    if not acceptances.saw_it_closed(session, check):
        return "It has not seen the door closed as it is defined now. Run it first."
    moved = sorted({name for revision in opened for name in _moved(probes, check, revision)})
    if moved:
        return f"It looks elsewhere since it saw the door open ({', '.join(moved)}). Change that back."
    return None


def differences(probes: ProbeEnvironment, opened: CheckRevision, check: Check) -> dict[str, dict[str, Any]]:
    """What the check is defined by that differs from ``opened``, each with its old and its new value."""
    before = as_taken_now(probes, check.kind, opened.params)
    pairs: dict[str, tuple[Any, Any]] = {
        name: (before.get(name), check.params.get(name)) for name in sorted({*before, *check.params})
    }
    pairs |= {name: (getattr(opened, name), getattr(check, name)) for name in ("identity", "control", "locator")}
    return {name: {"old": old, "new": new} for name, (old, new) in pairs.items() if old != new}


def _moved(probes: ProbeEnvironment, check: Check, opened: CheckRevision) -> list[str]:
    """The parts of the change that say where it looks, or as whom: nobody accepts those."""
    judges = {*outside_place(probes, check.kind), "control"}
    return [name for name in differences(probes, opened, check) if name not in judges]


_OWN: Mapping[str, str] = {
    "own_patch": "This check judges a patch of yours. Another executive has to accept what it is now.",
    "own_edit": "You changed this check since it saw the door open. Another executive has to accept that.",
}


def of_their_own(session: Session, person: Person, check: Check, oldest: CheckRevision) -> str | None:
    """Why this person's word would be on a work of their own: a key of ``_OWN``; None: it would not."""
    if facts.judges_patches_of(session, check.id or 0, person.id):
        return "own_patch"
    return "own_edit" if person.pid in acceptances.editors(session, check.id or 0, oldest) else None


def _plain(value: Any) -> Any:
    """As a record can hold it: numbers with a fraction in words."""
    if isinstance(value, float):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _judge(work: Work, settings: Settings, check_id: int) -> None:
    evaluation.rejudge(work, settings, vantages.sevs_of_checks(work.session, [check_id]), check_id)
