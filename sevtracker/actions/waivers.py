"""Waivers: an executive lets one check of one SEV pass for a while. It clears nothing; the SEV says so to everybody."""

from __future__ import annotations

from datetime import datetime, timedelta

from sevtracker.actions import evaluation
from sevtracker.actions.enforce import Denied, May
from sevtracker.actions.inputs import Waive, WithReason
from sevtracker.actions.sevs import open_for
from sevtracker.clock import rfc3339
from sevtracker.config import Settings
from sevtracker.domain import lifecycle
from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Weight
from sevtracker.errors import Conflict, InputError, NotFound
from sevtracker.store import facts, vantages
from sevtracker.store.tables import Sev, Waiver
from sevtracker.store.vantages import Vantage
from sevtracker.store.work import Work

#: The longest that anybody's word stands in for a check, and how long a waiver does unless told.
LONGEST, USUAL = timedelta(days=30), timedelta(days=7)


def grant(work: Work, settings: Settings, number: int, given: Waive) -> Waiver | Denied:
    """Waive one check of the SEV. Refused, on the record, to an author of any patch of it.

    Raises NotFound, NotPermitted, InputError naming ``check``, ``expires_at`` or ``days``, and Conflict where there is
    nothing to waive, or where the door is not as the giver thought.
    """
    sev = open_for(work, number, May.grant_waivers)
    _owed(sev)
    v = _vantage(work, number, given.check)
    until = ends(work, given.expires_at, given.days, USUAL)
    if wrote_a_patch(work, number):
        told = {"check": v.check_id, "about": v.about}
        work.record("waiver:refused", sev=number, facts=told, text=given.said)
        evaluation.evaluate(work, settings, [sev])
        return Denied("You logged a patch of this SEV. Somebody else has to waive what judges it.")
    opened = v.state.door_open
    if given.open is not None and given.open is not opened:
        seen = "opened" if opened else "was seen closed"
        raise Conflict(f"The door {seen} since you looked. Look again, then decide.")
    waiver = Waiver(
        sev_number=number,
        check_id=v.check_id,
        reason=given.said,
        knew_open=opened,
        fingerprint=v.fingerprint,
        granted_by=work.by.id,
        granted_at=work.now,
        expires_at=until,
    )
    work.session.add(waiver)
    work.session.flush()
    work.record("waiver:granted", sev=number, text=given.said, facts=_facts(waiver, v))
    evaluation.evaluate(work, settings, [sev])
    return waiver


def revoke(work: Work, settings: Settings, number: int, waiver_id: int, given: WithReason) -> Waiver:
    """End a waiver now, with the same effect as its expiry. Raises NotFound, NotPermitted, Conflict."""
    sev = open_for(work, number, May.grant_waivers)
    waiver = work.session.get(Waiver, waiver_id)
    if waiver is None or waiver.sev_number != number:
        raise NotFound(f"SEV-{number} has no waiver {waiver_id}.")
    if waiver.revoked_at is not None or waiver.expires_at <= work.now:
        raise Conflict("This waiver has ended already.")
    waiver.revoked_at, waiver.revoked_by = work.now, work.by.id
    work.session.add(waiver)
    seen = vantages.of_sevs(work.session, [number])[number]
    about = next((v.about for v in seen if v.check_id == waiver.check_id), None)
    told = {"waiver": waiver.id, "check": waiver.check_id, "about": about}
    work.record("waiver:revoked", sev=number, text=given.reason, facts=told)
    evaluation.evaluate(work, settings, [sev])
    return waiver


def _owed(sev: Sev) -> None:
    if sev.status not in ACTIVE | WATCHED:
        raise Conflict(f"This SEV is {sev.status}; nothing of it has to be waived.")


def _vantage(work: Work, number: int, check_id: int) -> Vantage:
    seen = vantages.of_sevs(work.session, [number])[number]
    found = next((v for v in seen if v.check_id == check_id), None)
    if found is None:
        raise InputError.of("check", "This SEV looks through no such check.")
    if found.weight is Weight.informs or not (found.gates or found.state.door_open):
        raise Conflict("This check keeps no SEV from being resolved; there is nothing to waive.")
    return found


def _facts(waiver: Waiver, v: Vantage) -> dict[str, object]:
    return {
        "waiver": waiver.id,
        "check": v.check_id,
        "dataset": v.dataset,
        "copy": v.copy,
        "identity": v.identity,
        "about": v.about,
        "revision": v.revision,
        "fingerprint": v.fingerprint,
        "knew_open": waiver.knew_open,
        "until": rfc3339(waiver.expires_at),
    }


# ---- shared with attestations ------------------------------------------------------------------------------------


def ends(work: Work, expires_at: datetime | None, days: int | None, usual: timedelta) -> datetime:
    """When somebody's word ends. Raises InputError for a time that has passed, or is more than 30 days away."""
    if expires_at is not None and days is not None:
        raise InputError.of("days", "Give expires_at or days, not both.")
    if expires_at is None:
        return work.now + (usual if days is None else timedelta(days=days))
    if expires_at <= work.now:
        raise InputError.of("expires_at", "This has passed already.")
    if expires_at > work.now + LONGEST + lifecycle.CLOCK_GRACE:
        raise InputError.of("expires_at", f"This is more than {LONGEST.days} days away.")
    return min(expires_at, work.now + LONGEST)


def wrote_a_patch(work: Work, number: int) -> bool:
    """Is the person an author of a patch of this SEV?"""
    return any(p.author_id == work.by.id for p in facts.patches_of(work.session, [number])[number])
