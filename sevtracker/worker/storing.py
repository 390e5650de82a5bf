"""One thread that stores what the probing threads saw: whatever has come in meanwhile, in one transaction."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from sevtracker.actions import verdicts
from sevtracker.actions.finished import Finished
from sevtracker.actions.runtime import Runtime
from sevtracker.store import jobs
from sevtracker.store.engine import passes
from sevtracker.worker.lanes import Lane
from sevtracker.worker.probers import GivenBack

log = structlog.get_logger(__name__)

#: Seconds to let results gather after the first. More than any probe of a batch takes, less than anybody notices.
GATHER_S = 0.004
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0


class Storing(threading.Thread):
    """``released`` is called for each lane that is free again, after the commit that freed it."""

    def __init__(self, runtime: Runtime, released: Callable[[Sequence[Lane]], None]) -> None:
        super().__init__(name="storing", daemon=True)
        self._runtime = runtime
        self._released = released
        self._inbox: deque[Finished | GivenBack] = deque()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._stuck: set[tuple[str, int]] = set()

    def post(self, item: Finished | GivenBack) -> None:
        """Take a result, or a lane to give back, from any thread."""
        self._inbox.append(item)
        self._wake.set()

    def finish(self) -> None:
        """Store what has come in so far, then end."""
        self._ending.set()
        self._wake.set()

    def run(self) -> None:
        """Until ``finish``."""
        batch = self._runtime.settings.worker.batch
        while not (self._ending.is_set() and not self._inbox):
            self._wake.wait()
            self._wake.clear()
            if not self._ending.is_set():
                time.sleep(GATHER_S)
            while self._inbox:
                self._store([self._inbox.popleft() for _ in range(min(len(self._inbox), batch))])

    def _store(self, items: Sequence[Finished | GivenBack]) -> None:
        """Store all of it, again and again while the database is away; if it is the data's fault, each run by itself.

        A run that can't be stored is dropped, and its lane stays leased until the lease has run out: the run comes back
        then, and not in a tight loop.
        """
        finished = [item for item in items if isinstance(item, Finished)]
        lanes = [item.lane for item in items if isinstance(item, GivenBack)]
        try:
            self._patiently(finished, self._unstuck(lanes))
        except Exception as error:
            log.error("batch_not_stored", runs=len(finished), error=type(error).__name__)  # its text may quote data
            for one in finished:
                try:
                    self._patiently([one], [])
                except Exception as why:
                    log.error("run_not_stored", check=one.job.check_id, error=type(why).__name__)
                    self._stuck.add((one.job.target, one.job.fence))
            self._give_back(self._unstuck(lanes))
        self._stuck -= {(lane.target, lane.fence) for lane in lanes}
        self._released(lanes)

    def _unstuck(self, lanes: Sequence[Lane]) -> list[Lane]:
        return [lane for lane in lanes if (lane.target, lane.fence) not in self._stuck]

    def _give_back(self, lanes: Sequence[Lane]) -> None:
        try:
            self._patiently([], lanes)
        except Exception as error:
            log.error("lanes_not_released", lanes=len(lanes), error=type(error).__name__)  # their leases run out

    def _patiently(self, finished: Sequence[Finished], lanes: Sequence[Lane]) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                keep(self._runtime, finished, {lane.target: lane.fence for lane in lanes})
                return
            except Exception as error:
                if not passes(error) or self._ending.is_set():
                    raise
                log.warning("storing_waits", runs=len(finished), error=type(error).__name__)
            self._ending.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)


def keep(runtime: Runtime, finished: Sequence[Finished], given_back: dict[str, int]) -> list[int]:
    """Store runs and give lanes (fence by target) back, in one transaction. Returns the ids of the runs kept."""
    with runtime.work(None) as work:
        # All lanes at once and in order: the heartbeat locks them, too.
        jobs.fences(work.session, sorted({*given_back, *(f.job.target for f in finished)}))
        run_ids = verdicts.store(work, runtime.settings, finished) if finished else []
        jobs.release(work.session, given_back)
    return run_ids
