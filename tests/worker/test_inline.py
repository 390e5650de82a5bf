"""Running checks without threads."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from sevtracker.domain.vocabulary import Reason, Verdict
from sevtracker.errors import Conflict, NotFound, Unavailable
from sevtracker.store import jobs
from sevtracker.store.tables import Check
from sevtracker.worker import drain, inline, run_check
from sevtracker.worker.dispatcher import Dispatcher
from tests.worker.conftest import Make, Tracker, soon


def test_drain_runs_what_is_queued_and_what_is_due(tracker: Tracker) -> None:
    tracker.check("/a")
    tracker.check("/b", host=2)
    assert drain(tracker.runtime) == 2
    tracker.make_due()
    assert drain(tracker.runtime) == 2
    assert drain(tracker.runtime) == 0
    assert len(tracker.runs()) == 4


def test_drain_gives_up_when_somebody_keeps_a_lane(tracker: Tracker) -> None:
    tracker.check()
    with tracker.runtime.database.writing() as session:
        jobs.claim(session, "somebody", lease=timedelta(minutes=1), lanes=1, chunk=1)
    with pytest.raises(TimeoutError):
        drain(tracker.runtime, timeout=0.2)


def test_a_check_is_run_here_when_its_lane_is_free(tracker: Tracker) -> None:
    check = tracker.check()
    other = tracker.check("/other")
    ran = run_check(tracker.runtime, check)
    assert (ran.verdict, ran.reason) == (Verdict.open, Reason.marker_found)
    assert [run["id"] for run in tracker.runs(check)] == [ran.run_id]
    assert [job["check_id"] for job in tracker.jobs()] == [other]
    assert drain(tracker.runtime) == 1


def test_a_check_is_run_by_the_worker_that_holds_its_lane(make_tracker: Make) -> None:
    tracker = make_tracker()
    check = tracker.check()
    with tracker.runtime.database.writing() as session:
        held = jobs.claim(session, "busy", lease=timedelta(minutes=1), lanes=1, chunk=10)
    verdicts: list[Verdict] = []
    asking = threading.Thread(target=lambda: verdicts.append(run_check(tracker.runtime, check).verdict))
    asking.start()
    soon(lambda: tracker.jobs()[0]["version"] > 0)
    assert not verdicts
    dispatcher = Dispatcher(tracker.runtime)
    dispatcher.start()
    with tracker.runtime.database.writing() as session:
        jobs.release(session, {target: fence for target, (fence, _) in held.items()})
    asking.join(10)
    dispatcher.stop(5)
    assert verdicts == [Verdict.open]


def test_there_is_nothing_to_run_without_a_check(tracker: Tracker) -> None:
    with pytest.raises(NotFound):
        run_check(tracker.runtime, 4711)


def test_a_disabled_check_is_not_run(tracker: Tracker) -> None:
    check = tracker.check()
    with tracker.runtime.database.writing() as session:
        session.get_one(Check, check).enabled = False
    with pytest.raises(Conflict):
        run_check(tracker.runtime, check)


def test_waiting_for_a_lane_ends(make_tracker: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = make_tracker(SEVTRACKER_WORKER__RUN_DEADLINE="0.1s")
    monkeypatch.setattr(inline, "_PATIENCE_S", 0.1)
    check = tracker.check()
    with tracker.runtime.database.writing() as session:
        jobs.claim(session, "somebody", lease=timedelta(minutes=1), lanes=1, chunk=1)
    with pytest.raises(Unavailable):
        run_check(tracker.runtime, check)
