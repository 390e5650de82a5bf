"""Logging a patch: a claim, tested at once."""

from __future__ import annotations

from sevtracker.actions import evaluation
from sevtracker.actions.inputs import LogPatch
from sevtracker.actions.sevs import open_for
from sevtracker.config import Settings
from sevtracker.domain import lifecycle, schedule
from sevtracker.domain.vocabulary import ACTIVE, PatchOutcome, Trigger
from sevtracker.errors import FieldError, InputError
from sevtracker.store import checks, facts, jobs, sevs, vantages
from sevtracker.store.tables import Patch
from sevtracker.store.work import Work


def log(work: Work, settings: Settings, number: int, given: LogPatch) -> Patch:
    """Log that the access was closed, as of ``applied_at``.

    1. Keep the claim; say so on the timeline.
    2. Restart every streak of the SEV; what was already seen since ``applied_at`` counts at once, for or against it.
    3. Run the checks now, and at the given times after the patch; set the alarm that ends a silence.
    """
    sev = open_for(work, number)
    status = lifecycle.after("patch", sev.status)
    applied_at = given.applied_at or work.now
    scope = _scope(work, number, given)
    if applied_at > work.now + lifecycle.CLOCK_GRACE:
        raise InputError.of("applied_at", "This lies in the future; log the patch once it is applied.")
    earlier = facts.patches_of(work.session, [number])[number]
    patch = Patch(
        sev_number=number,
        number=len(earlier) + 1,
        summary=given.summary,
        url=given.url,
        datasets=scope,
        author_id=work.by.id,
        claimed_at=work.now,
        applied_at=applied_at,
        outcome=PatchOutcome.untested,
        alarm_at=work.now + settings.policy.patch_unverified,
    )
    work.session.add(patch)
    before, sev.status = sev.status, status
    sev.fix_claimed_at = sev.fix_claimed_at or work.now
    work.record(
        "patch:claimed",
        sev=number,
        at=applied_at,
        text=f"{given.summary}\n\n{given.url}".strip(),
        facts={"patch": patch.number, "datasets": scope, "status": {"old": before.value, "new": status.value}},
    )
    evaluation.refold_all(work, settings, sev)
    _run(work, settings, number, patch)
    evaluation.evaluate(work, settings, [sev])
    return patch


def _scope(work: Work, number: int, given: LogPatch) -> list[str]:
    affected = {d.slug for d in sevs.datasets_of(work.session, [number])[number]}
    wrong = [
        FieldError(f"datasets.{place}", f"This SEV does not affect {slug!r}.")
        for place, slug in enumerate(given.datasets)
        if slug not in affected
    ]
    if wrong:
        raise InputError(*wrong)
    return sorted(set(given.datasets))


def _run(work: Work, settings: Settings, number: int, patch: Patch) -> None:
    ids = [v.check_id for v in vantages.of_sevs(work.session, [number])[number] if v.enabled]
    times = [at for at in schedule.after_patch(patch.applied_at, settings.policy) if at > work.now]
    checks.run_soon(work.session, ids, min(times, default=work.now))
    jobs.enqueue(
        work.session, checks.targets(work.session, ids), Trigger.patch, work.now, sev=number, patch=patch.number
    )


def alarm(work: Work, settings: Settings) -> int:
    """Page for every patch that no check could judge in time: what ends a four-day silence. Returns how many."""
    numbers = facts.alarming(work.session, work.now)
    locked = {sev.number: sev for sev in evaluation.lock(work, numbers)}
    due = facts.alarms_due(work.session, numbers, work.now)
    for patch in due:
        patch.alarm_at = None
        work.session.add(patch)
        if locked[patch.sev_number].status not in ACTIVE:
            continue
        said = {"patch": patch.number}
        work.record("patch:unverified", sev=patch.sev_number, facts=said)
        work.notify("patch:unverified", sev=patch.sev_number, facts=said)
        locked[patch.sev_number].version += 1
    return len(due)
