"""What the clock does by itself, one small transaction each. A tick that is missed or doubled changes nothing."""

from __future__ import annotations

from datetime import timedelta

from sevtracker.actions import evaluation, patches
from sevtracker.actions.runtime import Runtime
from sevtracker.store import checks, facts, idempotency, jobs, sevs

KEEP_ANSWERS = timedelta(days=7)


def tick(runtime: Runtime) -> int:
    """Queue the runs that are due, judge what time alone changed, raise alarms. Returns how many things were done.

    Looks first, reading; a tick with nothing to do never takes the write lock.
    """
    settings, done = runtime.settings, 0
    now = runtime.clock.now()
    with runtime.read() as session:
        due = checks.any_due(session, now)
        rechecks = bool(sevs.due_for_recheck(session, now, limit=1))
        alarms = facts.any_alarm(session, now)
    if due:
        done += _queue(runtime)
    if rechecks:
        with runtime.work(None) as work:
            done += evaluation.judge_by_time(work, settings)
    if alarms:
        with runtime.work(None) as work:
            done += patches.alarm(work, settings)
    return done


def _queue(runtime: Runtime) -> int:
    """All that is due, in short transactions: after a silence there may be more than one takes."""
    done = 0
    while True:
        with runtime.work(None) as work:
            queued = jobs.enqueue_due(work.session, work.now)
        done += queued
        if queued < jobs.A_BATCH:
            return done


def tidy(runtime: Runtime) -> None:
    """Once in a while: forget old answers to POSTs, and mend due times that a clock jump left in the future."""
    with runtime.work(None) as work:
        idempotency.forget(work.session, work.now - KEEP_ANSWERS)
        jobs.bring_back_the_future(work.session, work.now)
