"""Running checks without a worker's threads: for tests, and for ``sevtracker check run``. Same claims, same storing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from sevtracker.actions import clockwork
from sevtracker.actions.definitions import definition_of
from sevtracker.actions.finished import Finished
from sevtracker.actions.runtime import Runtime
from sevtracker.checks import probing
from sevtracker.checks.twins.looking import LOOKS
from sevtracker.domain.vocabulary import Reason, Trigger, Verdict
from sevtracker.errors import Conflict, NotFound, Unavailable
from sevtracker.store import checks, jobs
from sevtracker.store.jobs import Claimed
from sevtracker.worker.dispatcher import CHUNK, worker_name
from sevtracker.worker.lanes import Lane
from sevtracker.worker.probers import Probe
from sevtracker.worker.storing import keep

_PAUSE_S = 0.05
#: Seconds beyond one run's deadline that somebody on the command line waits for a lane that another worker holds.
_PATIENCE_S = 30.0


def drain(runtime: Runtime, timeout: float = 30.0, *, tick: bool = True, probe: Probe = probing.probe) -> int:
    """Queue what is due and run until nothing is queued any more. Returns how many runs were stored.

    Raises TimeoutError when that takes longer than ``timeout`` seconds, or somebody else keeps a lane for so long.
    """
    ends, stored = runtime.clock.monotonic() + timeout, 0
    name = worker_name(runtime.stamp.node)
    while True:
        if tick:
            clockwork.tick(runtime)
        with runtime.read() as session:
            if not jobs.waiting(session):
                return stored
        if runtime.clock.monotonic() > ends:
            raise TimeoutError(f"the queue was not empty after {timeout} seconds")
        with runtime.database.writing() as session:
            lanes = jobs.claim(session, name, lease=runtime.settings.worker.lease, lanes=16, chunk=CHUNK)
        for target, (fence, claimed) in lanes.items():
            lane, finished = Lane(target, claimed, fence, 0.0), []
            while (job := lane.next_job()) is not None:
                finished.append(_run(runtime, job, lane, probe))
            stored += len(keep(runtime, finished, {target: fence}))
        if not lanes:
            time.sleep(_PAUSE_S)


def _run(runtime: Runtime, job: Claimed, lane: Lane, probe: Probe) -> Finished:
    seen = probe(definition_of(job, lane.failed_sign_ins), runtime.probes)
    lane.learn(seen)
    return Finished(job, seen)


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that was made for somebody who waits for it."""

    check_id: int
    run_id: int
    verdict: Verdict
    reason: Reason
    started_at: datetime


def run_check(runtime: Runtime, check_id: int, probe: Probe = probing.probe) -> Ran:
    """Run one check now, and return what it saw.

    1. Queue it, as anybody would.
    2. If its lane is free, lease it and run the check here. Else wait: the worker that holds the lane will run it.

    Raises NotFound, Conflict for a disabled check, Unavailable when no run came in time.
    """
    target, before = _queue(runtime, check_id)
    ends = runtime.clock.monotonic() + runtime.settings.worker.run_deadline.total_seconds() + _PATIENCE_S
    name = worker_name(runtime.stamp.node)
    while runtime.clock.monotonic() < ends:
        with runtime.read() as session:
            latest = checks.latest_runs(session, [check_id]).get(check_id)
        if latest is not None and latest.id > before:
            return Ran(check_id, latest.id, latest.verdict, latest.reason, latest.started_at)
        with runtime.database.writing() as session:
            lease = runtime.settings.worker.lease + LOOKS * runtime.settings.worker.run_deadline
            lanes = jobs.claim(session, name, lease=lease, lanes=1, chunk=CHUNK, target=target)
        for fence, claimed in lanes.values():
            lane = Lane(target, claimed, fence, 0.0)
            finished = [_run(runtime, job, lane, probe) for job in claimed if job.check_id == check_id]
            keep(runtime, finished, {target: fence})
        if not lanes:
            time.sleep(_PAUSE_S)
    raise Unavailable(
        "No run came in time: another worker holds the lane of this target, or the target asked to be left alone for a"
        " while. See whether that worker is up."
    )


def _queue(runtime: Runtime, check_id: int) -> tuple[str, int]:
    with runtime.work(None) as work:
        check = checks.lock(work.session, check_id)
        if check is None:
            raise NotFound(f"There is no check {check_id}.")
        if not check.enabled:
            raise Conflict(f"Check {check_id} is disabled.")
        checks.run_soon(work.session, [check_id], work.now)
        jobs.enqueue(work.session, [(check_id, check.target)], Trigger.manual, work.now)
        return check.target, check.last_run_id or 0
