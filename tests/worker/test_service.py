"""A worker as a whole."""

from __future__ import annotations

from sevtracker.worker import Worker
from tests.worker.conftest import Tracker


class Thing:
    closed = False

    def close(self) -> None:
        self.closed = True


def test_what_checks_keep_open_lives_as_long_as_the_worker(tracker: Tracker) -> None:
    keeper, thing = tracker.runtime.probes.keeper, Thing()
    assert keeper.put("a", thing, 0.0) is None
    worker = Worker(tracker.runtime)
    worker.start()
    kept = keeper.put("a", thing, 0.0)
    assert kept is not None
    keeper.give_back("a", kept)
    assert not thing.closed
    worker.stop()
    assert thing.closed
    assert keeper.take("a", 0.0) is None
