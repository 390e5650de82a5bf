"""From evidence to state: fold what happened, judge the SEV anew, say what changed, and act on it.

This is the only place that writes exposures, patch outcomes, the verified clock, and that reopens a SEV by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sevtracker.actions import exceptions
from sevtracker.config import Settings
from sevtracker.domain import patches as patch_rules
from sevtracker.domain.clocks import verified_closed_at
from sevtracker.domain.exposure import assess, fold, worst
from sevtracker.domain.ledger import Evidence
from sevtracker.domain.policy import rules_for
from sevtracker.domain.vocabulary import (
    ACTIVE,
    EXPOSURE_ORDER,
    WATCHED,
    Exposure,
    Level,
    PatchOutcome,
    Status,
    Verdict,
    Weight,
)
from sevtracker.store import checks, facts, sevs, stories, vantages
from sevtracker.store.tables import Check, Patch, Sev
from sevtracker.store.vantages import Vantage
from sevtracker.store.work import Work


def lock(work: Work, numbers: Sequence[int]) -> list[Sev]:
    """Lock SEVs together with their checks: checks first, each in the order of their ids, so that nobody deadlocks."""
    checks.lock_all(work.session, vantages.checks_of_sevs(work.session, numbers))
    return sevs.lock(work.session, numbers)


def refold(work: Work, settings: Settings, sev: Sev, check_ids: Sequence[int]) -> None:
    """Fold the states of these checks for ``sev`` from the stored runs, patches, edits and proofs, from the start."""
    rules = rules_for(settings.policy, sev.level)
    told = stories.stories(work.session, sev, check_ids, rules.flapping_window, rules.proof_valid)
    rows = []
    for check_id, (start, events) in told.items():
        state = fold(events, rules, start)
        seen = assess(state, rules, work.now, sev.resolved_at)
        rows.append(
            {
                "sev_number": sev.number,
                "check_id": check_id,
                "state": vantages.encode(state),
                "exposure": seen.exposure,
                "streak": seen.streak,
                "needed": seen.needed,
                "until": seen.until,
            }
        )
    vantages.save(work.session, rows)


def rejudge(work: Work, settings: Settings, numbers: Sequence[int], check_id: int) -> None:
    """Fold what these SEVs know by this check anew, and judge them."""
    for sev in lock(work, numbers):
        refold(work, settings, sev, [check_id])
        evaluate(work, settings, [sev])


def refold_all(work: Work, settings: Settings, sev: Sev) -> None:
    """``refold`` for every check of the SEV."""
    work.session.flush()
    linked = vantages.of_sevs(work.session, [_number(sev)])[_number(sev)]
    refold(work, settings, sev, [v.check_id for v in linked])


def first_look(
    work: Work, settings: Settings, sev: Sev, places: Sequence[str], looking: Sequence[Vantage]
) -> list[dict[str, Any]]:
    """Judge a SEV that is being filed (``looking``: its checks, locked) by what its checks know, before it is stored.

    Fills in what follows from that; returns the rows that link its checks. One statement: filing is a hot path.
    """
    rules = rules_for(settings.policy, sev.level)
    check_ids = [v.check_id for v in looking]
    told = stories.stories(work.session, sev, check_ids, rules.flapping_window, rules.proof_valid)
    for v in looking:
        start, events = told[v.check_id]
        v.state = fold(events, rules, start)
    case = facts.first_case(sev, places, looking, rules, settings.identities, work.now)
    sev.exposure = overall(case)
    _clocks(case)
    rows = []
    for v in looking:
        seen = case.assessments[v.check_id]
        row = {"exposure": seen.exposure, "streak": seen.streak, "needed": seen.needed, "until": seen.until}
        rows.append({"check_id": v.check_id, "state": vantages.encode(v.state), **row})
    return rows


def evaluate(work: Work, settings: Settings, found: Sequence[Sev]) -> None:
    """Judge these SEVs (locked by the caller) by their folded states, as of now.

    For each, in this order (a waiver or attestation that expired since is put on the record first):
    1. Reopen it, if it is only watched and a door is open, the watch was blind too long, or an
       exception that it was resolved with has ended.
    2. Give every vantage its exposure, and the SEV the worst of them; a copy nobody looks at counts as unverified.
    3. Give every patch its outcome.
    4. Move the clocks: verified closed, when to look again, the order on the home page, what blocks resolving.
    """
    work.session.flush()
    for case in facts.gather(work.session, found, settings.policy, settings.identities, work.now):
        exceptions.tell_expired(work, case)
        if case.sev.status in WATCHED:
            _reopen_if_lost(work, case)
        _exposures(work, case)
        _patches(work, case)
        _clocks(case)
        case.sev.version += 1
        work.session.add(case.sev)
    work.session.flush()


def _number(sev: Sev) -> int:
    if sev.number is None:
        raise RuntimeError("this SEV has not been stored yet")
    return sev.number


# ---- 1. reopening ------------------------------------------------------------------------------------------------


def _reopen_if_lost(work: Work, case: facts.Case) -> None:
    """No door was open when it was resolved, so one that is open now was seen later, whenever that run had begun.

    But for doors that were waived: those send it back when their waiver ends. One that is open only as far as we know,
    since an edit voided an executive's word on its check, makes the watch blind, and in the end lost.
    """
    ended = exceptions.settle(case)
    unwaived = [v for v in case.vantages if v.weight is not Weight.informs and not case.seen(v).waived(case.now)]
    watched = [v for v in unwaived if v.check_id not in ended.checks]
    opened = [v for v in watched if v.state.decisive is Verdict.open]
    lost = [v for v in watched if v.gates and case.assessments[v.check_id].lost]
    if opened:
        reopen(work, case.sev, "seen_open", evidence=[_evidence(v) for v in opened], seen_by=opened)
    elif lost:
        reopen(work, case.sev, "verification_lost", seen_by=lost)
    elif ended.checks:
        blind = [v for v in case.vantages if v.check_id in ended.checks]
        still = [_evidence(v) for v in blind if v.state.decisive is Verdict.open]
        reopen(work, case.sev, "waiver_ended", evidence=still, seen_by=blind)
    elif ended.places:
        reopen(work, case.sev, "attestation_ended", about=ended.places)
    case.assess()


def reopen_unwatched(work: Work, settings: Settings, numbers: Sequence[int], check_id: int) -> None:
    """Reopen those of these SEVs (locked) that were resolved on a copy which nothing looks at any more, since this
    check, which did, was disabled or made optional: a watch that is switched off is a watch that is lost. People's
    word stands in for it only where the SEV was resolved on that."""
    copy_id = work.session.get_one(Check, check_id).copy_id
    for case in facts.gather(
        work.session, sevs.lock(work.session, numbers), settings.policy, settings.identities, work.now
    ):
        slugs = {d.id: d.slug for d in case.datasets}
        here = {f"{slugs[c.dataset_id]}/{c.slug}" for c in case.copies if c.id == copy_id}
        holes = {hole.place for hole in case.holes} & here - case.attested()
        if case.sev.status in WATCHED and holes:
            reopen(work, case.sev, "check_taken_away")
            evaluate(work, settings, [case.sev])


def reopen(
    work: Work,
    sev: Sev,
    cause: str,
    *,
    evidence: Sequence[Evidence] = (),
    seen_by: Sequence[Vantage] = (),
    about: Sequence[str] = (),
    reason: str | None = None,
) -> None:
    """Send a SEV back to investigating. ``cause``: one of ``_CAUSES`` in ``domain.sentences``."""
    before = sev.status
    sev.exceptions, sev.excepted = 0, None
    sev.status = Status.investigating
    sev.resolved_at = sev.closed_at = sev.verified_closed_at = None
    sev.reopened_at = work.now
    sev.reopens += 1
    check_ids = vantages.checks_of_sevs(work.session, [_number(sev)])
    checks.run_soon(work.session, check_ids, work.now)
    facts_ = {
        "cause": cause,
        "old": before.value,
        "new": sev.status.value,
        "checks": [v.check_id for v in seen_by],
        "about": [v.about for v in seen_by] or list(about),
    }
    work.record("sev:reopened", sev=sev.number, facts=facts_, evidence=evidence, text=reason)
    work.notify("sev:reopened", sev=sev.number, facts=facts_)


def _evidence(v: Vantage) -> Evidence:
    at = v.state.decisive_at
    if at is None:
        raise RuntimeError("no verdict, no evidence")
    return Evidence(run=v.last_run_id or 0, check_rev=v.revision, verdict=str(v.state.decisive), at=at)


# ---- 2. exposures ------------------------------------------------------------------------------------------------


def _exposures(work: Work, case: facts.Case) -> None:
    rows = []
    for v in case.vantages:
        seen = case.assessments[v.check_id]
        if (v.exposure, v.streak, v.needed) != (seen.exposure, seen.streak, seen.needed):
            v.exposure, v.streak, v.needed = seen.exposure, seen.streak, seen.needed
        rows.append(
            {
                "sev_number": v.sev_number,
                "check_id": v.check_id,
                "exposure": seen.exposure,
                "streak": seen.streak,
                "needed": seen.needed,
                "until": seen.until,
            }
        )
    vantages.save(work.session, rows)
    before, now = case.sev.exposure, overall(case)
    if now is before:
        return
    case.sev.exposure, case.sev.exposure_since = now, work.now
    work.record("exposure:changed", sev=case.sev.number, facts={"old": before.value, "new": now.value})
    if now is Exposure.watch_blind:
        work.notify("exposure:watch_blind", sev=case.sev.number, facts={"old": before.value, "new": now.value})


def overall(case: facts.Case) -> Exposure:
    """The SEV's exposure: the worst of its required vantages, of any that is open, of the copies nobody looks at."""
    counted = [
        case.assessments[v.check_id].exposure
        for v in case.vantages
        if v.gates or (v.state.door_open and v.weight is not Weight.informs)
    ]
    unseen = [Exposure.unverified for _ in case.holes if case.sev.status in ACTIVE]
    return worst([*counted, *unseen])


# ---- 3. patches --------------------------------------------------------------------------------------------------


def _patches(work: Work, case: facts.Case) -> None:
    for patch in case.patches:
        seen = [
            patch_rules.Seen(
                in_scope=not patch.datasets or v.dataset in patch.datasets,
                saw_it_fail=patch.number in v.state.failed_patches,
                exposure=case.assessments[v.check_id].exposure,
            )
            for v in case.vantages
        ]
        before = patch.outcome
        now = patch_rules.outcome(seen, is_last=not _superseded(case, patch), before=before)
        if patch.alarm_at is not None and _decided(case, patch):
            patch.alarm_at = None
        if now is not before:
            _patch_changed(work, case, patch, now)
        work.session.add(patch)


def _superseded(case: facts.Case, patch: Patch) -> bool:
    """Was a patch applied later whose scope holds all of this one's?"""
    return any(
        not other.datasets or (patch.datasets and set(patch.datasets) <= set(other.datasets))
        for other in case.patches
        if (other.applied_at, other.number) > (patch.applied_at, patch.number)
    )


def _patch_changed(work: Work, case: facts.Case, patch: Patch, now: PatchOutcome) -> None:
    failed_by = [v for v in case.vantages if patch.number in v.state.failed_patches]
    changed: dict[str, Any] = {"patch": patch.number, "old": patch.outcome.value, "new": now.value}
    patch.outcome = now
    if now is PatchOutcome.failed:
        patch.failed_at = work.now
        patch.alarm_at = None
        open_now = [v for v in failed_by if v.state.decisive is Verdict.open]
        changed |= {"checks": [v.check_id for v in failed_by], "about": [v.about for v in failed_by]}
        work.record(
            "patch:failed",
            sev=case.sev.number,
            facts=changed,
            evidence=[_evidence(v) for v in open_now if v.last_run_id],
        )
        work.notify("patch:failed", sev=case.sev.number, facts=changed)
    else:
        work.record(f"patch:{now.value}", sev=case.sev.number, facts=changed)


def _decided(case: facts.Case, patch: Patch) -> bool:
    """Did every required check in the patch's scope say something decisive since the patch had settled?"""
    judges = [v for v in case.required if not patch.datasets or v.dataset in patch.datasets]
    return bool(judges) and all(v.state.decided_since_patch for v in judges)


# ---- 4. clocks ---------------------------------------------------------------------------------------------------

_LEVELS = {level: rank for rank, level in enumerate(Level)}


def _clocks(case: facts.Case) -> None:
    sev = case.sev
    if sev.status in ACTIVE:
        pairs = [(case.assessments[v.check_id].exposure, v.state) for v in case.required]
        sev.verified_closed_at = None if case.holes else verified_closed_at(pairs)
        sev.blockers = len(case.gate().blockers)
    else:
        sev.blockers = 0
    sev.harm = _harm(sev)
    words_end = [w.until for listed in case.waivers.values() for w in listed]
    words_end += [a.expires_at for a in case.attestations]
    waits = [until for until in (a.until for a in case.assessments.values()) if until is not None]
    waits += [end for end in words_end if end > case.now]
    sev.recheck_at = _just_after(min(waits)) if waits and sev.status in ACTIVE | WATCHED else None


def _harm(sev: Sev) -> int | None:
    """Worst first: what is exposed, then by level. None when nothing is owed and nothing is wrong."""
    watched = sev.status in WATCHED and (sev.exposure is Exposure.watch_blind or sev.exceptions > 0)
    if sev.status in ACTIVE or watched:
        return EXPOSURE_ORDER[sev.exposure] * 10 + _LEVELS[sev.level]
    return None


def _just_after(moment: datetime) -> datetime:
    return moment + timedelta(microseconds=1)


def judge_by_time(work: Work, settings: Settings) -> int:
    """Judge the SEVs whose exposure changes by time alone. Returns how many."""
    found = lock(work, sevs.due_for_recheck(work.session, work.now))
    evaluate(work, settings, found)
    return len(found)
