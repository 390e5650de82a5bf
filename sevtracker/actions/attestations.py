"""Attestations: people's word on a copy that no probe can reach. Two stand for it; it is never shown as verified."""

from __future__ import annotations

from sevtracker.actions import evaluation
from sevtracker.actions.enforce import Denied, May, may
from sevtracker.actions.inputs import Attest, Sign, WithReason
from sevtracker.actions.sevs import open_for
from sevtracker.actions.waivers import LONGEST, ends, wrote_a_patch
from sevtracker.clock import rfc3339
from sevtracker.config import Settings
from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Weight
from sevtracker.errors import Conflict, FieldError, InputError, NotFound, NotPermitted
from sevtracker.store import checks, datasets, facts, sevs, vantages, words
from sevtracker.store.tables import Attestation, AttestationSignature, Copy, Dataset, Sev
from sevtracker.store.work import Work

_OWN = "You logged a patch of this SEV. Others have to say that it is closed."


def make(work: Work, settings: Settings, number: int, given: Attest) -> Attestation | Denied:
    """Attest what is so of one copy, as the first of two people. Refused, on the record, to an author of any patch.

    Raises NotFound, NotPermitted, InputError naming every bad field (``copy``: a check can look at it), Conflict.
    """
    sev = open_for(work, number)
    _owed(sev)
    dataset, copy = _place(work, number, given)
    until = ends(work, given.expires_at, given.days, LONGEST)
    about = {"dataset": dataset.slug, "copy": copy.slug}
    if wrote_a_patch(work, number):
        return _denied(work, settings, sev, about)
    if trouble := _checked(work, number, copy.id or 0):
        raise InputError.of("copy", trouble)
    attestation = Attestation(
        sev_number=number,
        copy_id=copy.id or 0,
        statement=given.said,
        evidence=given.evidence,
        made_at=work.now,
        expires_at=until,
    )
    work.session.add(attestation)
    work.session.flush()
    _signature(work, attestation)
    work.record(
        "attestation:made",
        sev=number,
        text=f"{given.said}\n\n{given.evidence}",
        facts={"attestation": attestation.id, **about, "until": rfc3339(until)},
    )
    evaluation.evaluate(work, settings, [sev])
    return attestation


def sign(work: Work, settings: Settings, number: int, attestation_id: int, given: Sign) -> Attestation | Denied:
    """Stand for it as the second person (or a further one). Refused, on the record, to an author of any patch.

    Raises NotFound, NotPermitted, and Conflict when it has ended, was signed by the same person, or where a check can
    look by now.
    """
    sev = open_for(work, number)
    _owed(sev)
    attestation = _standing(work, number, attestation_id)
    about = _about(work, attestation)
    if wrote_a_patch(work, number):
        return _denied(work, settings, sev, about)
    if work.by.id in words.signers(work.session, attestation_id):
        raise Conflict("You stand for this one already; a second person has to sign.")
    if trouble := _checked(work, number, attestation.copy_id):
        raise Conflict(trouble)
    _signature(work, attestation)
    told = {"attestation": attestation_id, **about}
    work.record("attestation:signed", sev=number, text=given.reason or None, facts=told)
    evaluation.evaluate(work, settings, [sev])
    return attestation


def withdraw(work: Work, settings: Settings, number: int, attestation_id: int, given: WithReason) -> Attestation:
    """Take it back, as one who signed it or as an executive: the same as its expiry. Raises NotFound, NotPermitted,
    Conflict."""
    sev = open_for(work, number)
    attestation = _standing(work, number, attestation_id)
    if not (work.by.id in words.signers(work.session, attestation_id) or may(work.by.role, May.grant_waivers)):
        raise NotPermitted("An attestation is withdrawn by one who signed it, or by an executive.")
    attestation.withdrawn_at, attestation.withdrawn_by = work.now, work.by.id
    work.session.add(attestation)
    told = {"attestation": attestation_id, **_about(work, attestation)}
    work.record("attestation:withdrawn", sev=number, text=given.reason, facts=told)
    evaluation.evaluate(work, settings, [sev])
    return attestation


def _owed(sev: Sev) -> None:
    if sev.status not in ACTIVE | WATCHED:
        raise Conflict(f"This SEV is {sev.status}; nothing of it has to be attested.")


def _place(work: Work, number: int, given: Attest) -> tuple[Dataset, Copy]:
    """The copy that was named; unnamed it is ``primary``, or the only one there is."""
    wrong = [] if given.said else [FieldError("statement", "Say what is so, and how you know.")]
    dataset = next((d for d in sevs.datasets_of(work.session, [number])[number] if d.slug == given.dataset), None)
    if dataset is None:
        raise InputError(FieldError("dataset", f"This SEV does not affect {given.dataset!r}."), *wrong)
    sev = work.session.get_one(Sev, number)
    every = datasets.copies_of(work.session, [dataset.id or 0], retired=True)
    copies = [c for c in every if facts.in_coverage(c, sev)]
    copy = next((c for c in copies if c.slug == given.copy_), None)
    if copy is None and "copy_" not in given.model_fields_set and len(copies) == 1:
        copy = copies[0]
    if copy is None:
        wrong.insert(0, FieldError("copy", f"The dataset {dataset.slug} has no copy {given.copy_!r}."))
    if wrong or copy is None:
        raise InputError(*wrong)
    return dataset, copy


def _checked(work: Work, number: int, copy_id: int) -> str | None:
    """Why people's word does not count for this copy, in words; None if it does.

    Where a check can look, enabled or not, it has to. Whoever retired one there does not speak in its place.
    """
    here = [v for v in vantages.linked(work.session, [number])[number] if v.copy_id == copy_id]
    able = next((v for v in here if v.weight is Weight.decides and not v.retired), None)
    if able is not None:
        how = "" if able.enabled and able.required else " It is optional." if able.enabled else " It was switched off."
        return (
            f"Check {able.check_id} can look at {able.place}.{how} People's word is for what no check can look at;"
            " what a check can't see, an executive can waive."
        )
    gone = [v.check_id for v in here if v.weight is Weight.decides and v.retired]
    mine = checks.retired_by(work.session, gone, work.actor.pid)
    if mine:
        return f"You retired check {mine[0]}, which looked there. Others have to say what it would not see."
    return None


def _standing(work: Work, number: int, attestation_id: int) -> Attestation:
    found = work.session.get(Attestation, attestation_id)
    if found is None or found.sev_number != number:
        raise NotFound(f"SEV-{number} has no attestation {attestation_id}.")
    if found.withdrawn_at is not None or found.expires_at <= work.now:
        raise Conflict("This attestation has ended already; make another.")
    return found


def _about(work: Work, attestation: Attestation) -> dict[str, str]:
    copy = work.session.get_one(Copy, attestation.copy_id)
    return {"dataset": work.session.get_one(Dataset, copy.dataset_id).slug, "copy": copy.slug}


def _signature(work: Work, attestation: Attestation) -> None:
    signed = AttestationSignature(attestation_id=attestation.id or 0, person_id=work.by.id, at=work.now)
    work.session.add(signed)
    work.session.flush()


def _denied(work: Work, settings: Settings, sev: Sev, about: dict[str, str]) -> Denied:
    work.record("attestation:refused", sev=sev.number, facts=about)
    evaluation.evaluate(work, settings, [sev])
    return Denied(_OWN)
