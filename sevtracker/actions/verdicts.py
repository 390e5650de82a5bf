"""Storing what runs saw: one transaction for a batch of runs, whatever the number of checks and SEVs in it."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sevtracker.actions import evaluation, finding, lockouts, proving
from sevtracker.actions.finished import Finished
from sevtracker.checks.interface import Impact
from sevtracker.clock import rfc3339
from sevtracker.config import Settings
from sevtracker.domain import schedule
from sevtracker.domain.exposure import Ran, apply, assess, follows
from sevtracker.domain.ledger import Evidence
from sevtracker.domain.policy import rules_for
from sevtracker.domain.vocabulary import Reason, Verdict
from sevtracker.store import checks, jobs, sevs, vantages
from sevtracker.store.checks import Standing
from sevtracker.store.tables import BY_TWINS, REPRODUCED
from sevtracker.store.vantages import Link
from sevtracker.store.work import Work

#: Not for secrets: it only keeps checks from marching in step.
_JITTER = random.Random()  # see above

_KINDS = {Verdict.open: "check:opened", Verdict.closed: "check:closed", Verdict.inconclusive: "check:blind"}


def store(work: Work, settings: Settings, finished: Sequence[Finished]) -> list[int]:
    """Keep these runs and everything that follows from them. Returns the ids of the runs that were kept.

    1. Refuse results whose lane was leased to somebody else meanwhile: that one's run counts.
    2. Lock all checks of the SEVs that look through these checks, then the SEVs: in the order that everybody locks them
       in, so that nobody deadlocks, and no resolution passes between an ``open`` and its effects.
    3. Insert the runs, and what canary twins proved; free their jobs; leave targets alone that asked for it.
    4. Fold each run into its vantages; record every change of verdict.
    5. Update the checks: last verdict, failures in a row, how their twins fared, what their kinds remember, when to run
       next, whether to stop.
    6. Count failed sign-ins; stop, or wake, all checks of an identity that can't, or can, sign in at its target.
    7. Keep the further ways in that the runs came across.
    8. Judge the SEVs anew.
    """
    fences = jobs.fences(work.session, sorted({f.job.target for f in finished}))
    kept = [f for f in finished if fences.get(f.job.target) == f.job.fence]
    if not kept:
        return []
    ids = [f.job.check_id for f in kept]
    numbers = vantages.sevs_of_checks(work.session, ids)
    accounts = lockouts.of(work, kept)
    checks.lock_all(work.session, sorted({*ids, *accounts.ids, *vantages.checks_of_sevs(work.session, numbers)}))
    known = checks.standing(work.session, ids)
    locked = {sev.number: sev for sev in sevs.lock(work.session, vantages.sevs_of_checks(work.session, ids))}
    links = vantages.links_of(work.session, ids) if locked else {}
    run_ids = checks.add_runs(work.session, [_run(f) for f in kept])
    seen = [(f.job, f.seen) for f in kept]
    proven = proving.proven(seen, known)
    checks.add_proofs(work.session, [_proof(job, BY_TWINS, at) for job, at in proven])
    jobs.done(work.session, [(f.job.check_id, f.job.version) for f in kept])
    jobs.rest(work.session, {f.job.target: f.seen.retry_after_s for f in kept if f.seen.retry_after_s})
    folded: list[tuple[dict[str, Any], bool]] = []
    for f, run_id in zip(kept, run_ids, strict=True):
        folded += _fold(work, settings, f, run_id, known[f.job.check_id], links.get(f.job.check_id, []))
    vantages.save(work.session, [row for row, _ in folded])
    told = {job.check_id for job, _ in proven}
    for row in (row for row, follows_on in folded if not follows_on or row["check_id"] in told):
        evaluation.refold(work, settings, locked[row["sev_number"]], [row["check_id"]])
    opened = [_proof(f.job, REPRODUCED, f.seen.started_at) for f in kept if f.seen.verdict is Verdict.open]
    checks.add_proofs(work.session, opened)
    twins = proving.standings(work, seen, known, links, settings.policy.proof_valid)
    rows = [
        {
            **_after(work, settings, f, run_id, known[f.job.check_id], links.get(f.job.check_id, []), accounts),
            **twins[f.job.check_id],
        }
        for f, run_id in zip(kept, run_ids, strict=True)
    ]
    checks.update(work.session, rows)
    checks.remember(
        work.session, [(f.job.check_id, f.job.fingerprint, f.seen.memory) for f in kept if f.seen.memory is not None]
    )
    for f in kept:
        if f.seen.suggestions:
            finding.keep(work, settings, f.job.check_id, f.seen.suggestions)
    lockouts.settle(work, accounts)
    if locked:
        evaluation.evaluate(work, settings, list(locked.values()))
    return run_ids


def _run(f: Finished) -> dict[str, Any]:
    steps = [{"phase": s.phase.value, "ok": s.ok, "note": s.note, "ms": round(s.ms, 1)} for s in f.seen.steps]
    return {
        "check_id": f.job.check_id,
        "revision": f.job.revision,
        "verdict": f.seen.verdict,
        "reason": f.seen.reason,
        "started_at": f.seen.started_at,
        "duration_ms": round(f.seen.duration_ms),
        "control": None if f.seen.control is None else f.seen.control.value,
        "trigger": f.job.trigger,
        "sev_number": f.job.sev_number,
        "patch_number": f.job.patch_number,
        "steps": steps,
        "impact": None if f.seen.impact is None else _impact(f.seen.impact),
    }


def _impact(seen: Impact) -> dict[str, Any]:
    """Plain JSON of it: times in RFC 3339, counts in buckets."""

    def told(moment: datetime | None) -> str | None:
        return None if moment is None else rfc3339(moment)

    return {
        "principals": seen.principals,
        "accesses": seen.accesses,
        "complete": seen.complete,
        "first_at": told(seen.first_at),
        "last_at": told(seen.last_at),
        "covered": [{"since": told(part.since), "until": told(part.until)} for part in seen.covered],
    }


def _proof(job: jobs.Claimed, how: str, at: datetime) -> dict[str, Any]:
    """``at``: the run's own time, so that it proves this very run, too (at the same time a proof comes before runs)."""
    return {"check_id": job.check_id, "fingerprint": job.fingerprint, "how": how, "at": at}


def _fold(
    work: Work, settings: Settings, f: Finished, run_id: int, check: Standing, links: list[Link]
) -> list[tuple[dict[str, Any], bool]]:
    """Fold one run into the vantages of its check; record it where the verdict changed.

    Returns what to write of each, and whether that will do: not if something was said while the run was under way.
    """
    ran = Ran(f.seen.started_at, f.seen.verdict, f.job.fingerprint)
    rows = []
    for place, link in enumerate(links):
        rules = rules_for(settings.policy, link.level)
        state = apply(link.state, ran, rules)
        seen = assess(state, rules, work.now, link.resolved_at)
        row = {
            "sev_number": link.sev_number,
            "check_id": link.check_id,
            "state": vantages.encode(state),
            "exposure": seen.exposure,
            "streak": seen.streak,
            "needed": seen.needed,
            "until": seen.until,
        }
        rows.append((row, follows(link.state, ran)))
        if link.state.last is not f.seen.verdict:
            _say(work, f, run_id, check, link.sev_number)
        if seen.flapping and state.swings != link.state.swings:
            flaps = {"check": link.check_id, "swings": len(state.swings)}
            work.notify("exposure:flapping", sev=link.sev_number, check=link.check_id, facts=flaps)
        links[place] = dataclasses.replace(link, state=state)
    if not links and check.last_verdict is not f.seen.verdict:
        _say(work, f, run_id, check, None)
    return rows


def _say(work: Work, f: Finished, run_id: int, check: Standing, sev: int | None) -> None:
    """A change of verdict, on the timeline."""
    work.record(
        _KINDS[f.seen.verdict],
        sev=sev,
        dataset=check.dataset,
        at=f.seen.started_at,
        facts={
            "check": f.job.check_id,
            "dataset": check.dataset,
            "copy": check.copy,
            "identity": f.job.identity,
            "old": None if check.last_verdict is None else check.last_verdict.value,
            "new": f.seen.verdict.value,
            "reason": f.seen.reason.value,
            "run": run_id,
            "revision": f.job.revision,
        },
        evidence=[Evidence(run_id, f.job.revision, f.seen.verdict.value, f.seen.started_at)],
    )


def _after(
    work: Work,
    settings: Settings,
    f: Finished,
    run_id: int,
    check: Standing,
    links: Sequence[Link],
    accounts: lockouts.Accounts,
) -> dict[str, Any]:
    """What the run leaves on its check."""
    inconclusive = f.seen.verdict is Verdict.inconclusive
    failures = check.failures + 1 if inconclusive else 0
    every = schedule.interval(
        (
            schedule.Need(n.status, rules_for(settings.policy, n.level), None if n.excepted else n.resolved_at)
            for n in links
        ),
        settings.policy,
        work.now,
    )
    auth_failures = check.auth_failures + 1 if f.seen.reason is Reason.auth_failed else 0
    stops = schedule.halted(f.seen.reason, auth_failures)
    if stops and check.halted is None and (f.job.identity, f.job.target) not in accounts.dead:
        work.record(
            "check:halted", dataset=check.dataset, facts={"check": f.job.check_id, "reason": f.seen.reason.value}
        )
        work.notify("check:halted", check=f.job.check_id, facts={"reason": f.seen.reason.value})
    due = schedule.next_due(
        now=work.now,
        every=every,
        verdict=f.seen.verdict,
        failures=failures,
        jitter=_JITTER.uniform(-1, 1),
        policy=settings.policy,
        patched_at=max((n.state.restarted_at for n in links if n.state.restarted_at), default=None),
        retry_after=None if f.seen.retry_after_s is None else timedelta(seconds=f.seen.retry_after_s),
    )
    decisive = (f.seen.verdict, f.seen.started_at) if not inconclusive else (check.decisive, check.decisive_at)
    return {
        "id": f.job.check_id,
        "due_at": None if stops else due,
        "every_s": every.total_seconds(),
        "failures": failures,
        "auth_failures": auth_failures,
        "halted": f.seen.reason if stops else None,
        "last_run_id": run_id,
        "last_verdict": f.seen.verdict,
        "last_reason": f.seen.reason,
        "last_at": f.seen.started_at,
        "decisive": decisive[0],
        "decisive_at": decisive[1],
        "left_open": _left_open(check, f),
    }


def _left_open(check: Standing, f: Finished) -> dict[str, bool]:
    """The definitions whose own last word is open, after this run: as ``domain.exposure`` folds them."""
    if f.seen.verdict is Verdict.inconclusive:
        return check.left_open
    mine = f.job.fingerprint
    if f.seen.verdict is Verdict.closed:
        return {definition: held for definition, held in check.left_open.items() if definition != mine}
    late = mine != check.fingerprint  # the check was edited while the run was under way: nobody takes over from it
    return {d: held for d, held in check.left_open.items() if d != mine and (held or late)} | {mine: late}
