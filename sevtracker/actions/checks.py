"""Checks: point one at a copy, change it, run it now. Every definition is a revision; an edit voids its proof."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785
from pydantic import ValidationError

from sevtracker.actions import evaluation, finding
from sevtracker.actions.definitions import default_name, twins_of
from sevtracker.actions.enforce import May, require
from sevtracker.actions.guarding import Change, Refused, not_ones_own, refuse, say
from sevtracker.actions.inputs import ChangeCheck, GivenTwins, NewCheck
from sevtracker.checks.interface import CheckParams, Definition, Locator, Twins
from sevtracker.checks.probing import ProbeEnvironment, Validated, validate
from sevtracker.config import Settings
from sevtracker.domain.vocabulary import Trigger, Verdict
from sevtracker.errors import Conflict, FieldError, InputError, NotFound, NotPermitted
from sevtracker.store import acceptances, checks, datasets, jobs, people, proposals, sevs, sign_ins, vantages, words
from sevtracker.store.tables import Check, CheckProposal, CheckRevision, Copy
from sevtracker.store.work import Work


@dataclass(frozen=True, slots=True)
class Vetted:
    """A definition that was judged, and what was wrong with it."""

    definition: Definition
    valid: Validated | None
    errors: tuple[FieldError, ...]


def vet(probes: ProbeEnvironment, definition: Definition) -> Vetted:
    """Judge a definition. Names are looked up for it, so do it before the transaction: that would hold others up."""
    try:
        return Vetted(definition, validate(probes.kinds, probes, definition), ())
    except InputError as error:
        return Vetted(definition, None, error.errors)


def _vetted(probes: ProbeEnvironment, definition: Definition, before: Vetted | None) -> Vetted:
    """What was judged before, if it is what is meant now."""
    return before if before is not None and before.definition == definition else vet(probes, definition)


def defined(given: NewCheck) -> Definition:
    """The definition of a new check."""
    return Definition(given.kind, given.identity, given.control, given.params, twins=_twins(given.twins))


def _twins(given: GivenTwins | None) -> Twins | None:
    return None if given is None else Twins(given.open, given.locked)


def redefined(check: Check, given: ChangeCheck) -> Definition:
    """The definition that ``check`` gets by a change."""
    sent = given.model_fields_set
    return Definition(
        check.kind,
        given.identity if "identity" in sent and given.identity else check.identity,
        (given.control or None) if "control" in sent else check.control,
        given.params if "params" in sent and given.params is not None else check.params,
        twins=_twins(given.twins) if "twins" in sent else twins_of(check.twins),
    )


def _place(work: Work, dataset_id: int, given: NewCheck) -> Copy | None:
    """The copy that was named; unnamed it is ``primary``, or the only one there is."""
    named = datasets.copy(work.session, dataset_id, given.copy_)
    if named is not None or "copy_" in given.model_fields_set:
        return named
    every = datasets.copies_of(work.session, [dataset_id])
    return every[0] if len(every) == 1 else None


def create(
    work: Work, settings: Settings, probes: ProbeEnvironment, given: NewCheck, vetted: Vetted | None = None
) -> Check:
    """Add a check. It runs at once, and from now on every SEV of the dataset looks through it.

    Raises InputError naming every bad field, those of ``params`` by the kind as ``params.url`` and the like.
    """
    require(work.by, May.keep_checks)
    judged = _vetted(probes, defined(given), vetted)
    valid, errors = judged.valid, list(judged.errors)
    dataset = datasets.lock(work.session, given.dataset)
    copy = _place(work, dataset.id, given) if dataset and dataset.id else None
    if dataset is None:
        errors.append(FieldError("dataset", f"There is no dataset {given.dataset!r}; register it first."))
    elif copy is not None and copy.retired_at is not None:
        errors.append(FieldError("copy", f"The copy {copy.slug} of {given.dataset} is retired: nothing looks at it."))
    elif copy is None:
        errors.append(FieldError("copy", f"The dataset {given.dataset} has no copy {given.copy_!r}."))
    if errors or valid is None or dataset is None or copy is None:
        raise InputError(*errors)
    check = Check(
        dataset_id=dataset.id or 0,
        copy_id=copy.id or 0,
        name=given.name or default_name(judged.definition, valid, copy.slug),
        kind=given.kind,
        identity=given.identity,
        control=valid.control,
        params=dict(valid.params),
        twins=valid.twins,
        required=given.required,
        fingerprint=valid.fingerprint,
        locator=valid.locator.text,
        target=valid.target_key,
        weight=probes.kinds[given.kind].weight,
        created_at=work.now,
        due_at=work.now,
        every_s=settings.policy.standing.total_seconds(),
    )
    work.session.add(check)
    work.session.flush()
    _revise(work, check)
    work.record("check:created", dataset=dataset.slug, facts={**_public(check), "copy": copy.slug})
    _join(work, settings, check)
    finding.for_copies(work, settings, probes, check.dataset_id)
    return check


def _revise(work: Work, check: Check, *, looser: bool = False) -> None:
    work.session.add(
        CheckRevision(
            check_id=check.id or 0,
            revision=check.revision,
            at=work.now,
            by_pid=work.actor.pid,
            name=check.name,
            kind=check.kind,
            identity=check.identity,
            control=check.control,
            params=check.params,
            twins=check.twins,
            required=check.required,
            enabled=check.enabled,
            fingerprint=check.fingerprint,
            locator=check.locator,
            looser=looser,
        )
    )
    work.session.flush()


def _public(check: Check) -> dict[str, Any]:
    """What the ledger says of a definition. Not its params: they may hold floats, which a record can't."""
    return {
        "check": check.id,
        "kind": check.kind,
        "identity": check.identity,
        "control": check.control,
        "locator": check.locator,
        "required": check.required,
        "enabled": check.enabled,
        "revision": check.revision,
        "fingerprint": check.fingerprint,
        "twins": _twins_hash(check.twins),
    }


def _twins_hash(twins: Mapping[str, Any] | None) -> str | None:
    """As the ledger tells twins: their parameters may hold floats, which a record can't."""
    return hashlib.sha256(rfc8785.dumps(dict(twins))).hexdigest()[:16] if twins else None


def _join(work: Work, settings: Settings, check: Check) -> None:
    """Link a check to the SEVs of its dataset and run it."""
    check_id = check.id or 0
    evaluation.lock(work, sevs.affecting(work.session, check.dataset_id))  # a link holds its SEV, too: locks come first
    vantages.link_new(work.session, check_id=check_id)
    _reevaluate(work, settings, check_id)
    if check.enabled:
        jobs.enqueue(work.session, [(check_id, check.target)], Trigger.manual, work.now)


def _reevaluate(work: Work, settings: Settings, check_id: int) -> None:
    evaluation.rejudge(work, settings, vantages.sevs_of_checks(work.session, [check_id]), check_id)


def change(
    work: Work,
    settings: Settings,
    probes: ProbeEnvironment,
    check_id: int,
    given: ChangeCheck,
    vetted: Vetted | None = None,
    *,
    twins_made: Mapping[str, Any] | None = None,
) -> Check | Refused:
    """Change a check. A changed fingerprint voids its proof and its streak, other twins what the former ones proved.

    ``twins_made``: of twins that we made, or are about to drop (``actions/twins.py``).
    Refused, on the record: to disable, make optional or retarget one that last saw an open door (that would hide it);
    to change one that judges one's own patch, but for its name. Raises Conflict for one that is retired, and for other
    twins in place of those that we made.
    """
    return apply(work, settings, probes, locked(work, check_id), given, vetted, twins_made=twins_made)


def retire(work: Work, settings: Settings, probes: ProbeEnvironment, check_id: int, reason: str) -> Check | Refused:
    """Disable a check for good. What it was and saw is kept. Refused as disabling is."""
    given = ChangeCheck(enabled=False, reason=reason)
    return apply(work, settings, probes, locked(work, check_id), given, retires=True)


def apply(  # noqa: PLR0913  # what ``change`` takes, and how it came about
    work: Work,
    settings: Settings,
    probes: ProbeEnvironment,
    check: Check,
    given: ChangeCheck,
    vetted: Vetted | None = None,
    *,
    retires: bool = False,
    proposal: CheckProposal | None = None,
    twins_made: Mapping[str, Any] | None = None,
) -> Check | Refused:
    """Change the check, which is locked. ``proposal``: what was proposed by somebody else, and is approved now."""
    check_id, sent = check.id or 0, given.model_fields_set
    retires = retires or (proposal is not None and proposal.retires)
    if check.retired_at is not None:
        raise Conflict("This check is retired. Add another one.")
    _no_nulls(given, sent)
    stood = as_taken_now(probes, check.kind, check.params)
    judged = _as_it_is(check, stood) if retires else _vetted(probes, redefined(check, given), vetted)
    if "twins" in sent and twins_made is None and check.twins_made is not None:
        raise Conflict("These twins were made by sevtracker at the target. Drop them first; else nobody would.")
    if judged.valid is None:
        raise InputError(*judged.errors)
    definition, valid = judged.definition, judged.valid
    moved = {name for name in {*valid.params, *stood} if valid.params.get(name) != stood.get(name)}
    place = bool(moved - outside_place(probes, check.kind)) or valid.locator.text != check.locator
    elsewhere = place or definition.identity != check.identity
    changed = _public_changes(check, definition, valid, given)
    wanted = Change(given, changed, sorted(moved), valid.params, retires, proposal)
    try:
        not_ones_own(work, check, wanted)
        _no_hiding(work, check, given, valid, elsewhere=elsewhere, retires=retires)
    except (Conflict, NotPermitted) as why:
        return refuse(work, check, wanted, why)
    looser = elsewhere or _loosened(probes, check.kind, stood, valid.params)
    if looser:
        check.left_open = dict.fromkeys(check.left_open, True)
    check.identity, check.control, check.params = definition.identity, valid.control, dict(valid.params)
    if valid.fingerprint != check.fingerprint:
        check.memory = None
    check.fingerprint, check.locator, check.target = valid.fingerprint, valid.locator.text, valid.target_key
    check.twins = valid.twins
    if "twins" in sent:
        check.twins_made = dict(twins_made) if twins_made else None
    for name in ("required", "enabled", "name"):
        if name in sent:
            setattr(check, name, getattr(given, name))
    if not changed and not retires and not sent & {"name", "params"}:
        return check
    check.retired_at = work.now if retires else None
    if changed.keys() & {"fingerprint", "twins"}:
        check.proved_at = check.twins_wrong = None
    check.revision += 1
    check.halted, check.auth_failures, check.failures = None, 0, 0
    check.due_at = work.now if check.enabled else None
    work.session.add(check)
    _revise(work, check, looser=looser)
    sign_ins.allow_trial(work.session, [check_id])
    proposals.supersede(work.session, check_id, work.now, but=proposal.id if proposal else None)
    _record_change(work, check, wanted)
    _changed(work, settings, check)
    return check


def _changed(work: Work, settings: Settings, check: Check) -> None:
    """Judge the SEVs anew, and run the check, or see to what a check that looks away leaves unwatched."""
    check_id = check.id or 0
    _reevaluate(work, settings, check_id)
    if not (check.enabled and check.required):
        evaluation.reopen_unwatched(work, settings, vantages.sevs_of_checks(work.session, [check_id]), check_id)
    if check.enabled:
        jobs.enqueue(work.session, [(check_id, check.target)], Trigger.manual, work.now)
    else:
        jobs.forget(work.session, check_id)


def _as_it_is(check: Check, params: Mapping[str, Any]) -> Vetted:
    """A definition that stays needs no judging: a check may go whose identity or host is gone already."""
    definition = Definition(check.kind, check.identity, check.control, check.params)
    place = Locator(check.locator, ())
    return Vetted(definition, Validated(dict(params), place, check.target, check.fingerprint, check.control), ())


def _public_changes(
    check: Check, definition: Definition, valid: Validated, given: ChangeCheck
) -> dict[str, dict[str, Any]]:
    """The fields that the ledger tells and that would change, each with its old and its new value."""
    wanted: dict[str, Any] = {
        "identity": definition.identity,
        "control": valid.control,
        "locator": valid.locator.text,
        "required": check.required if given.required is None else given.required,
        "enabled": check.enabled if given.enabled is None else given.enabled,
        "fingerprint": valid.fingerprint,
        "twins": _twins_hash(valid.twins),
    }
    before = _public(check)
    return {name: {"old": before[name], "new": new} for name, new in wanted.items() if before[name] != new}


def _record_change(work: Work, check: Check, change: Change) -> None:
    told: dict[str, Any] = {"check": check.id, "revision": check.revision}
    told |= {"changed": dict(change.public), "params": list(change.params)}
    if change.retires:
        told["retired"] = True
    if change.proposal is not None:
        proposer = people.named(work.session, [change.proposal.proposed_by])[change.proposal.proposed_by]
        told |= {"proposal": change.proposal.id, "proposed_by": proposer.pid}
    say(work, check, "check:changed", told, change.given.reason)


def _no_nulls(given: ChangeCheck, sent: set[str]) -> None:
    empty = [n for n in sorted(sent - {"control", "twins"}) if getattr(given, n) is None]
    if empty:
        raise InputError(*(FieldError(n, "This can't be empty.") for n in empty))


def as_taken_now(probes: ProbeEnvironment, kind: str, saved: Mapping[str, Any]) -> Mapping[str, Any]:
    """Saved parameters as the kind writes them today: it may have got further ones since, with their defaults."""
    if kind not in probes.kinds:
        return saved
    params: type[CheckParams] = probes.kinds[kind].params
    try:
        return params.model_validate(saved).model_dump(mode="json", exclude_none=True)
    except ValidationError:
        return saved


def _loosened(probes: ProbeEnvironment, kind: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Does less count as an open door than before?"""
    return kind in probes.kinds and probes.kinds[kind].params.loosened(before, now)


def outside_place(probes: ProbeEnvironment, kind: str) -> frozenset[str]:
    """The parameters that don't say where a check of this kind looks."""
    if kind not in probes.kinds:
        return frozenset()
    params: type[CheckParams] = probes.kinds[kind].params
    return params.outside_fingerprint | params.outside_place


def _no_hiding(
    work: Work, check: Check, given: ChangeCheck, valid: Validated, *, elsewhere: bool, retires: bool
) -> None:
    """Other edits than ``elsewhere`` (to another place, or as somebody else) void proof and streak, and take nothing
    back that was seen open.

    An edit and then hiding is hiding, too: what it says before it is proven clears no open door.
    """
    off = retires or (given.enabled is False and check.enabled)
    optional = given.required is False and check.required
    if not (off or optional or elsewhere):
        return
    if not (off or optional) and valid.fingerprint in check.left_open:
        return  # back to where it saw the door open
    if check.decisive is Verdict.open:
        if not words.covered_everywhere(work.session, check, work.now):
            raise Conflict(
                "This check last saw the door open. Disabling it, making it optional or pointing it elsewhere would"
                " hide that; add another check instead, or have an executive waive it on every SEV it is part of."
            )
    elif acceptances.left_open(work.session, check):
        raise Conflict(
            "This check saw the door open, and was changed since into one that never did, whose closed proves nothing."
            " Change it back, or have an executive accept what it is now, before disabling it, making it optional or"
            " pointing it elsewhere."
        )
    elif acceptances.unproven_word(work.session, check):
        raise Conflict(
            "What this check judges by was accepted, and has not been proven since: its closed proves nothing yet."
            " Prove it on canary twins before disabling it, making it optional or pointing it elsewhere."
        )


def locked(work: Work, check_id: int) -> Check:
    """The check, locked with all checks of its SEVs: in the order that everybody locks them in.

    Who can open the database (on the command line) needs no further permission.
    """
    if work.person is not None:
        require(work.by, May.keep_checks)
    numbers = vantages.sevs_of_checks(work.session, [check_id])
    checks.lock_all(work.session, sorted({check_id, *vantages.checks_of_sevs(work.session, numbers)}))
    check = checks.lock(work.session, check_id)
    if check is None:
        raise NotFound(f"There is no check {check_id}.")
    return check


def run_now(work: Work, check_id: int) -> None:
    """Queue a run of one check. Pressing it three times is one observation, if that."""
    require(work.by, May.work_on_sevs)
    check = checks.lock(work.session, check_id)
    if check is None:
        raise NotFound(f"There is no check {check_id}.")
    if not check.enabled:
        raise Conflict("This check is disabled.")
    checks.run_soon(work.session, [check_id], work.now)
    jobs.enqueue(work.session, [(check_id, check.target)], Trigger.manual, work.now)
