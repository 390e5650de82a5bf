"""The threads that probe: each takes a lane, runs its jobs one after another for a moment, and gives it back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from queue import SimpleQueue

import structlog

from sevtracker.actions.definitions import definition_of
from sevtracker.actions.finished import Finished
from sevtracker.checks.interface import Definition, Observation, Step
from sevtracker.checks.probing import ProbeEnvironment
from sevtracker.checks.twins.looking import LOOKS
from sevtracker.clock import Clock
from sevtracker.domain.vocabulary import Phase, Reason, Verdict
from sevtracker.store.jobs import Claimed
from sevtracker.worker.lanes import Lane

log = structlog.get_logger(__name__)

#: A thread gives its lane back after so many seconds of work, so that newly asked runs of higher priority get in.
SLICE_S = 0.5

Probe = Callable[[Definition, ProbeEnvironment], Observation]


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A lane that nobody works on any more. Comes after the results that were seen in it."""

    lane: Lane


Post = Callable[[Finished | GivenBack], None]


@dataclass(frozen=True, slots=True)
class Hall:
    """What all probing threads share."""

    ready: SimpleQueue[Lane | None]
    post: Post
    stopping: threading.Event
    clock: Clock
    probes: ProbeEnvironment
    probe: Probe


class Prober(threading.Thread):
    """One probing thread. It can be written off while it probes: then what it brings home is dropped, and it ends."""

    def __init__(self, hall: Hall, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._hall = hall
        self._turn = threading.Lock()
        self._written_off = False
        self._lane: Lane | None = None
        self._job: Claimed | None = None
        self._began = 0.0

    def run(self) -> None:
        """Until None comes instead of a lane."""
        while (lane := self._hall.ready.get()) is not None:
            if not self._work_off(lane):
                return
            self._hall.post(GivenBack(lane))

    def _work_off(self, lane: Lane) -> bool:
        """False when this thread was written off meanwhile: somebody else has taken care of the lane."""
        hall, monotonic = self._hall, self._hall.clock.monotonic
        now = monotonic()
        ends = now + SLICE_S
        while now < ends and now < lane.good_until and not hall.stopping.is_set():
            if (job := lane.next_job()) is None:
                break
            with self._turn:
                self._lane, self._job, self._began = lane, job, now
            seen = self._look(job, lane)
            lane.learn(seen)
            with self._turn:
                if self._written_off:
                    return False
                self._job = None
                hall.post(Finished(job, seen))
            now = monotonic()
        return True

    def _look(self, job: Claimed, lane: Lane) -> Observation:
        hall, failed = self._hall, dict(lane.failed_sign_ins)
        try:
            return hall.probe(definition_of(job, failed), hall.probes)
        except Exception as error:  # probing promises that this never happens; a thread must not die of it
            log.error("probe_raised", check=job.check_id, error=type(error).__name__)  # its text may quote data
            return overrun(hall.clock, 0.0, Reason.plugin_error, "the probe failed")

    def write_off_if_over(self, limit: float) -> Lane | None:
        """If this thread has been probing for more than ``limit`` seconds: store a timeout, and return its lane.

        A job with canary twins may have to look three times.
        """
        with self._turn:
            if self._job is None or self._written_off:
                return None
            took = self._hall.clock.monotonic() - self._began
            if took <= limit * (LOOKS if self._job.twins else 1):
                return None
            return self._write_off(took)

    def abandon(self) -> Lane | None:
        """The worker stops and can't wait: drop what this thread will bring home. Returns its lane, if it has one."""
        with self._turn:
            if self._job is None or self._written_off:
                return None
            self._written_off = True
            return self._lane

    def _write_off(self, took: float) -> Lane | None:
        self._written_off = True
        if self._job is None or self._lane is None:
            return None
        log.error("probe_overran", check=self._job.check_id, target=self._job.target, seconds=round(took, 1))
        note = "the probe did not end by its deadline and was given up"
        self._hall.post(Finished(self._job, overrun(self._hall.clock, took, Reason.timeout, note)))
        self._hall.post(GivenBack(self._lane))
        return self._lane


def overrun(clock: Clock, took: float, reason: Reason, note: str) -> Observation:
    """What is stored for a run that brought nothing home."""
    return Observation(
        verdict=Verdict.inconclusive,
        reason=reason,
        started_at=clock.now() - timedelta(seconds=took),
        duration_ms=took * 1000,
        control=None,
        steps=(Step(Phase.target, False, note, took * 1000),),
    )
