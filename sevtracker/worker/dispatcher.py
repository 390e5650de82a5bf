"""Claims lanes for the probing threads, keeps their leases, gives up on probes that overrun, stops in good order."""

from __future__ import annotations

import itertools
import os
import secrets
import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue

import structlog

from sevtracker.actions.runtime import Runtime
from sevtracker.checks import probing
from sevtracker.store import jobs
from sevtracker.worker.lanes import Lane
from sevtracker.worker.probers import GivenBack, Hall, Probe, Prober
from sevtracker.worker.storing import Storing

log = structlog.get_logger(__name__)

#: Jobs that are read of a lane at most: about as many as a thread manages before it gives the lane back.
CHUNK = 100
#: Seconds between looks at the queue for what other processes queued. What this process queues rings the bell.
POLL_SHARED_S, POLL_ALONE_S = 0.2, 0.5
#: Seconds beyond the run deadline after which a probe is given up. Probes end by the deadline; this is for bugs.
OVERRUN_S = 2.0
_KEEP_S = 0.5
_PAUSE_S = 1.0


def worker_name(node: str) -> str:
    """Tells workers apart in the lanes' table: node, process, and a few random digits."""
    return f"{node[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


class Dispatcher:
    """Lanes in, runs out. ``probe`` is the tests' to replace."""

    def __init__(self, runtime: Runtime, probe: Probe = probing.probe, overrun: float = OVERRUN_S) -> None:
        worker = runtime.settings.worker
        self._runtime = runtime
        self._name = worker_name(runtime.stamp.node)
        self._limit = worker.run_deadline.total_seconds() + overrun
        self._stopping = threading.Event()
        self._stop_keeping = threading.Event()
        self._held: dict[tuple[str, int], Lane] = {}
        self._guard = threading.Lock()
        self._storing = Storing(runtime, self._released)
        self._ready: SimpleQueue[Lane | None] = SimpleQueue()
        self._hall = Hall(self._ready, self._storing.post, self._stopping, runtime.clock, runtime.probes, probe)
        self._numbers = itertools.count(1)
        self._probers = [self._prober() for _ in range(worker.threads)]
        #: Lanes held at most: one for each thread, and as many that wait, so that no thread waits for a claim.
        self._most = 2 * worker.threads
        self._claiming = threading.Thread(target=self._claim, name="claiming", daemon=True)
        self._keeping = threading.Thread(target=self._keep, name="keeping", daemon=True)

    def _prober(self) -> Prober:
        return Prober(self._hall, name=f"prober-{next(self._numbers)}")

    def start(self) -> None:
        for thread in (self._storing, *self._probers, self._keeping, self._claiming):
            thread.start()

    @property
    def holds(self) -> int:
        """How many lanes are leased right now."""
        with self._guard:
            return len(self._held)

    # ---- claiming ------------------------------------------------------------------------------------------------

    def _claim(self) -> None:
        bell, poll = self._runtime.bell, POLL_ALONE_S if self._runtime.database.is_sqlite else POLL_SHARED_S
        while not self._stopping.is_set():
            bell.wait(poll)
            bell.clear()
            room = self._most - self.holds
            if room <= 0 or self._stopping.is_set():
                continue  # a lane that is given back rings
            try:
                self._claim_some(room)
            except Exception as error:
                log.warning("claiming_failed", error=type(error).__name__)
                self._stopping.wait(_PAUSE_S)

    def _claim_some(self, room: int) -> None:
        runtime, lease = self._runtime, self._runtime.settings.worker.lease
        with runtime.read() as session:
            if not jobs.any_free(session, lease):
                return
        before = runtime.clock.monotonic()
        with runtime.database.writing() as session:  # nothing to record, and nobody to wake
            leased = jobs.claim(session, self._name, lease=lease, lanes=room, chunk=CHUNK)
        # The lease began after ``before``; what the statement took is lost, to be on the safe side.
        lanes = [Lane(t, listed, fence, before + lease.total_seconds()) for t, (fence, listed) in leased.items()]
        with self._guard:
            self._held |= {(lane.target, lane.fence): lane for lane in lanes}
        for lane in lanes:
            self._ready.put(lane)

    def _released(self, lanes: Sequence[Lane]) -> None:
        if lanes:
            with self._guard:
                for lane in lanes:
                    self._held.pop((lane.target, lane.fence), None)
            self._runtime.bell.set()

    # ---- keeping -------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        """Extend the leases every third of their time; see to it that no probe holds its thread for ever."""
        lease = self._runtime.settings.worker.lease.total_seconds()
        monotonic = self._runtime.clock.monotonic
        extend_at = monotonic() + lease / 3
        while not self._stop_keeping.wait(min(_KEEP_S, lease / 6)):
            self._replace_those_that_overrun()
            if monotonic() >= extend_at:
                extend_at = monotonic() + lease / 3
                try:
                    self._extend()
                except Exception as error:
                    log.warning("heartbeat_failed", error=type(error).__name__)

    def _extend(self) -> None:
        with self._guard:
            held = list(self._held.values())
        if not held:
            return
        lease, before = self._runtime.settings.worker.lease, self._runtime.clock.monotonic()
        with self._runtime.database.writing() as session:
            kept = jobs.extend(session, self._name, {lane.target: lane.fence for lane in held}, lease)
        for lane in held:
            if kept.get(lane.target) == lane.fence:
                lane.good_until = before + lease.total_seconds()
            else:
                lane.good_until = 0.0  # somebody else has it: the rest of its jobs is theirs

    def _replace_those_that_overrun(self) -> None:
        for place, prober in enumerate(self._probers):
            if prober.write_off_if_over(self._limit) is not None and not self._stopping.is_set():
                self._probers[place] = self._prober()
                self._probers[place].start()

    # ---- stopping ------------------------------------------------------------------------------------------------

    def stop(self, grace: float) -> None:
        """Stop within about ``grace`` seconds: claim nothing more, let running probes end, store, give lanes back."""
        monotonic = self._runtime.clock.monotonic
        ends = monotonic() + grace
        self._stopping.set()
        self._runtime.bell.set()
        self._claiming.join(max(grace, 1.0))
        self._give_back_what_nobody_began()
        for _ in self._probers:
            self._ready.put(None)
        for prober in self._probers:
            prober.join(max(ends - monotonic(), 0.0))
        for prober in self._probers:
            if (lane := prober.abandon()) is not None:
                log.warning("probe_abandoned", target=lane.target)
                self._storing.post(GivenBack(lane))
        self._stop_keeping.set()
        self._keeping.join(1.0)
        self._storing.finish()
        self._storing.join(max(ends - monotonic(), 2.0))

    def _give_back_what_nobody_began(self) -> None:
        try:
            while (lane := self._ready.get_nowait()) is not None:
                self._storing.post(GivenBack(lane))
        except Empty:
            return
