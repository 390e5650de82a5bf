"""What a SEV was resolved without, by a waiver or an attestation: kept, made good meanwhile, or at its end."""

from __future__ import annotations

from collections.abc import Sequence

from sevtracker.clock import rfc3339
from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Weight
from sevtracker.store import words
from sevtracker.store.facts import Case, Excepted
from sevtracker.store.vantages import Vantage
from sevtracker.store.work import Work


def keep(case: Case, checks: Sequence[int], places: Sequence[str]) -> None:
    """Say on the SEV what it stands resolved without."""
    case.sev.exceptions = len(checks) + len(places)
    case.sev.excepted = {"checks": sorted(checks), "places": sorted(places)} if checks or places else None


def settle(case: Case) -> Excepted:
    """Bring the exceptions of a watched SEV up to date. Returns those that have ended without being made good.

    1. A check that only a waiver keeps from sending the SEV back (open, or lost) is an exception, if it was none.
    2. One that has been made good since it was resolved is none any more.
    3. Of the others, those that no waiver stands for and no people's word covers have ended.
    """
    by_id = {v.check_id: v for v in case.vantages}
    without, attested = case.excepted, case.attested()
    checks = {*without.checks, *(v.check_id for v in case.vantages if _only_waived(case, v))}
    checks -= {c for c in checks if c in by_id and _made_good(case, by_id[c])}
    places = [p for p in without.places if not _covered(case, p)]
    if (checks, places) != (set(without.checks), list(without.places)):
        keep(case, sorted(checks), places)
        case.assess()
    return Excepted(
        tuple(c for c in sorted(checks) if not _stands(case, c, by_id.get(c))),
        tuple(p for p in places if p not in attested),
    )


def _only_waived(case: Case, v: Vantage) -> bool:
    opened = v.state.door_open and v.weight is not Weight.informs
    return (opened or (v.gates and case.assessments[v.check_id].lost)) and case.seen(v).waived(case.now)


def _made_good(case: Case, v: Vantage) -> bool:
    """Was it seen, since the SEV was resolved, as closed as any other check has to be seen?"""
    since = case.sev.resolved_at
    fresh = since is not None and v.state.last_at is not None and v.state.last_at >= since
    return fresh and case.seen(v).made_good()


def _covered(case: Case, place: str) -> bool:
    """Do checks look at every side of it by now, each of them made good?"""
    looking = [v for v in case.required if v.place == place]
    uncovered = {hole.place for hole in case.holes}
    return place not in uncovered and bool(looking) and all(_made_good(case, v) for v in looking)


def _stands(case: Case, check_id: int, v: Vantage | None) -> bool:
    """Is there still a waiver? A check that was disabled meanwhile is no vantage; its waiver goes on until it ends."""
    if v is not None:
        return bool(case.seen(v).standing(case.now))
    return any(w.until > case.now for w in case.waivers.get(check_id, ()))


def tell_expired(work: Work, case: Case) -> None:
    """Put on the record, once, which waivers and attestations of a SEV have expired."""
    if case.sev.status not in ACTIVE | WATCHED:
        return
    waivers = [w for listed in case.told.waivers.values() for w in listed if not w.told and w.until <= work.now]
    attestations = [a for a in case.told.attestations if not a.told and a.until <= work.now]
    names = {c.id: (d.slug, c.slug) for c in case.copies for d in case.datasets if d.id == c.dataset_id}
    for waiver in waivers:
        about = next((v.about for v in case.vantages if v.check_id == waiver.check_id), None)
        facts = {"waiver": waiver.id, "check": waiver.check_id, "about": about, "until": rfc3339(waiver.until)}
        work.record("waiver:expired", sev=case.sev.number, at=waiver.until, facts=facts)
    for attestation in attestations:
        dataset, copy = names[attestation.copy_id]
        facts = {"attestation": attestation.id, "dataset": dataset, "copy": copy, "until": rfc3339(attestation.until)}
        work.record("attestation:expired", sev=case.sev.number, at=attestation.until, facts=facts)
    words.expiry_told(work.session, [w.id for w in waivers], [a.id for a in attestations])
