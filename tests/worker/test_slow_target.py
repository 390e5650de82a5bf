"""A target that is slow, with hundreds of checks on it: it is asked one at a time, and nobody else waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sevtracker.actions.runtime import Runtime
from sevtracker.domain.vocabulary import Verdict
from sevtracker.worker import Worker
from tests.worker.conftest import Make, soon

SLOW, FAST = "127.0.0.7", "127.0.0.8"


@contextmanager
def at_work(*runtimes: Runtime) -> Iterator[None]:
    """A whole worker (clock and threads) in each of these processes, until the block ends."""
    workers = [Worker(runtime) for runtime in runtimes]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()


def test_300_checks_on_one_slow_target_run_one_at_a_time_and_delay_no_other_target(make_tracker: Make) -> None:
    """By order, not by time: the slow target answers nobody until all of the fast target's checks have run."""
    tracker = make_tracker()
    second = make_tracker()
    slow_door = tracker.target.doors[SLOW] = threading.Event()
    slow = {tracker.check(f"/slow/{n}", host=7, timeout=30) for n in range(300)}
    fast = {tracker.check(f"/fast/{n}", host=8) for n in range(20)}

    def asked(address: str) -> list[int]:
        """How many requests were under way there, at each request."""
        return [in_flight for _, at, in_flight in tracker.target.seen if at == address]

    with at_work(tracker.runtime, second.runtime):
        soon(lambda: {run["check_id"] for run in tracker.runs()} == fast, 30)
        assert asked(SLOW) == [1]
        assert len(asked(FAST)) == 20
        slow_door.set()
        soon(lambda: len(tracker.runs()) == 320, 60)
    runs = tracker.runs()
    assert {run["check_id"] for run in runs} == slow | fast
    assert {run["verdict"] for run in runs} == {Verdict.open}
    assert len(asked(SLOW)) == 300
    assert max(asked(SLOW)) == 1
    assert max(asked(FAST)) == 1
