"""The dispatcher, with real HTTP targets, on both databases."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from sevtracker.actions import sevs, verdicts
from sevtracker.checks import probing
from sevtracker.checks.interface import Definition, Observation
from sevtracker.checks.probing import ProbeEnvironment
from sevtracker.domain.vocabulary import Exposure, PatchOutcome, Reason, Trigger, Verdict
from sevtracker.store import jobs
from sevtracker.store.tables import Patch
from sevtracker.worker import dispatcher as room
from sevtracker.worker.dispatcher import Dispatcher
from sevtracker.worker.probers import Probe
from tests.worker.conftest import Make, Tracker, soon
from tests.worker.targets import Target


@contextmanager
def working(
    tracker: Tracker, probe: Probe = probing.probe, *, overrun: float = 2.0, grace: float = 5.0
) -> Iterator[Dispatcher]:
    """A dispatcher at work until the block ends."""
    dispatcher = Dispatcher(tracker.runtime, probe, overrun=overrun)
    dispatcher.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop(grace)


class Doorway:
    """A probe that waits at a door until the test opens it, then does what the real one does."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.inside = 0

    def __call__(self, definition: Definition, environment: ProbeEnvironment) -> Observation:
        self.inside += 1
        self.open.wait(20)
        return probing.probe(definition, environment)


def test_what_is_queued_is_run_and_stored(tracker: Tracker) -> None:
    check = tracker.check()
    with working(tracker):
        soon(lambda: tracker.runs(check))
    [run] = tracker.runs(check)
    assert (run["verdict"], run["reason"], run["trigger"]) == (Verdict.open, Reason.marker_found, Trigger.manual)
    assert tracker.jobs() == []


def test_a_closed_door_is_confirmed_by_the_control(tracker: Tracker) -> None:
    tracker.target.status = 403
    check = tracker.check()
    with working(tracker):
        soon(lambda: tracker.runs(check))
    [run] = tracker.runs(check)
    assert (run["verdict"], run["control"]) == (Verdict.closed, "got_in")


def test_an_open_verdict_is_on_the_page_at_once(tracker: Tracker) -> None:
    """From asking for the run to the changed SEV: half of them within 0.2 s. Nobody polls for it."""
    check, number = tracker.check(), tracker.file()
    took = []
    with working(tracker):
        soon(lambda: tracker.sev(number)["exposure"] is Exposure.exposed)
        for _ in range(7):
            before = len(tracker.runs(check))
            began = time.monotonic()
            with tracker.runtime.work(tracker.dana) as work:
                sevs.verify(work, number)
            version = tracker.sev(number)["version"]
            soon(
                lambda before=before, version=version: (
                    len(tracker.runs(check)) > before and tracker.sev(number)["version"] > version
                )
            )  # type: ignore[misc]  # bound now
            took.append(time.monotonic() - began)
    assert statistics.median(took) <= 0.2


def test_a_patch_that_did_not_help_is_seen_to_fail_within_seconds(make_tracker: Make) -> None:
    tracker = make_tracker(SEVTRACKER_POLICY__SETTLE="0s")
    tracker.check()
    number = tracker.file()
    with working(tracker):
        soon(lambda: tracker.sev(number)["exposure"] is Exposure.exposed)
        tracker.patch(number)
        took = soon(lambda: tracker.rows(Patch, sev_number=number)[0]["outcome"] is PatchOutcome.failed)
    assert took < 3
    assert tracker.sev(number)["exposure"] is Exposure.exposed


def test_a_target_never_gets_two_runs_at_once_and_targets_do_not_wait_for_each_other(tracker: Tracker) -> None:
    tracker.target.delay = 0.05
    for number in range(24):
        tracker.check(f"/{number}", host=1 + number % 4)
    began = time.monotonic()
    with working(tracker):
        soon(lambda: len(tracker.runs()) == 24)
    assert {at_once for _, _, at_once in tracker.target.seen} == {1}
    assert time.monotonic() - began < 24 * 0.05 + 3
    assert len({address for _, address, _ in tracker.target.seen[:4]}) == 4


def test_workers_share_the_queue_and_run_nothing_twice(make_tracker: Make) -> None:
    one, other = make_tracker(), make_tracker()
    for number in range(40):
        one.check(f"/{number}", host=1 + number % 8)
    with working(one), working(other):
        soon(lambda: len(one.runs()) >= 40)
    assert Counter(run["check_id"] for run in one.runs()).most_common(1)[0][1] == 1
    assert {at_once for _, _, at_once in one.target.seen} == {1}


def test_what_somebody_asks_for_comes_before_a_long_queue(tracker: Tracker) -> None:
    """A thread gives its lane back after half a second, and then the more urgent job is first."""
    tracker.target.delay = 0.02
    ids = [tracker.check(f"/{number}") for number in range(120)]
    tracker.make_due()
    with tracker.runtime.database.writing() as session:
        jobs.enqueue_due(session, tracker.runtime.clock.now())
    last = ids[-1]
    with working(tracker):
        soon(tracker.runs)
        target = tracker.jobs()[0]["target"]
        with tracker.runtime.work(None) as work:
            jobs.enqueue(work.session, [(last, target)], Trigger.verify, work.now)
        soon(lambda: tracker.runs(last))
        assert tracker.jobs() != []
    assert tracker.runs(last)[0]["trigger"] is Trigger.verify


def test_no_connection_is_held_while_probing(tracker: Tracker) -> None:
    pool = tracker.runtime.database.engine.pool
    assert isinstance(pool, QueuePool)
    out: list[int] = []

    def looking(definition: Definition, environment: ProbeEnvironment) -> Observation:
        time.sleep(0.1)
        out.append(pool.checkedout())
        return probing.probe(definition, environment)

    check = tracker.check()
    with working(tracker, looking):
        soon(lambda: out)
        soon(lambda: tracker.runs(check))
    assert min(out) == 0


def test_a_probe_that_never_ends_is_given_up_and_its_late_result_dropped(make_tracker: Make) -> None:
    tracker = make_tracker(SEVTRACKER_WORKER__RUN_DEADLINE="0.2s", SEVTRACKER_WORKER__THREADS="1")
    door = Doorway()
    stuck = tracker.check("/stuck", host=1)
    with working(tracker, door, overrun=0.2):
        soon(lambda: tracker.runs(stuck))
        [run] = tracker.runs(stuck)
        assert (run["verdict"], run["reason"]) == (Verdict.inconclusive, Reason.timeout)
        assert run["duration_ms"] >= 400
        soon(lambda: tracker.lanes()[tracker.the_check(stuck)["target"]]["worker"] == "")
        door.open.set()
        other = tracker.check("/other", host=2)
        soon(lambda: tracker.runs(other))  # by the thread that took its place
        time.sleep(0.2)
    assert len(tracker.runs(stuck)) == 1


def test_a_lane_is_kept_for_as_long_as_its_probe_takes(make_tracker: Make) -> None:
    one = make_tracker(SEVTRACKER_WORKER__LEASE="1.2s")
    other = make_tracker(SEVTRACKER_WORKER__LEASE="1.2s")
    one.target.delay = 3.0
    check = one.check()
    with working(one), working(other):
        soon(lambda: one.runs(check))
        time.sleep(0.3)
    assert len(one.target.seen) == 1
    assert len(one.runs(check)) == 1


def test_a_heartbeat_does_not_take_back_what_was_just_given_back(tracker: Tracker) -> None:
    """The heartbeat's list of lanes is a moment old when it reaches the database."""
    tracker.check()
    lease = timedelta(seconds=30)
    with tracker.runtime.database.writing() as session:
        held = {target: fence for target, (fence, _) in jobs.claim(session, "w", lease=lease, lanes=1, chunk=1).items()}
    with tracker.runtime.database.writing() as session:
        assert jobs.extend(session, "w", held, lease) == held
        assert jobs.extend(session, "other", held, lease) == {}
    with tracker.runtime.database.writing() as session:
        jobs.release(session, held)
    with tracker.runtime.database.writing() as session:
        assert jobs.extend(session, "w", held, lease) == {}
        assert jobs.any_free(session, lease)


def test_a_dead_workers_jobs_are_taken_over_when_its_lease_has_run_out(make_tracker: Make) -> None:
    tracker = make_tracker(SEVTRACKER_WORKER__LEASE="0.5s")
    check = tracker.check()
    with tracker.runtime.database.writing() as session:
        claimed = jobs.claim(session, "dead", lease=timedelta(seconds=0.5), lanes=1, chunk=10)
    assert [len(listed) for _, listed in claimed.values()] == [1]
    with working(tracker):
        took = soon(lambda: tracker.runs(check))
    assert 0.2 <= took <= 2.5


def test_a_result_that_comes_after_the_lane_was_given_to_another_is_refused(make_tracker: Make) -> None:
    slow, other = make_tracker(), make_tracker()
    check = slow.check()
    door = Doorway()
    with working(slow, door) as dispatcher:
        soon(lambda: door.inside)
        with slow.runtime.database.writing() as session:  # as if the lease had run out while the process was suspended
            jobs.release(session, {target: lane["fence"] for target, lane in slow.lanes().items()})
        with working(other):
            soon(lambda: slow.runs(check))
        door.open.set()
        soon(lambda: dispatcher.holds == 0)
    assert len(slow.runs(check)) == 1


def test_stopping_lets_a_running_probe_end_and_gives_every_lane_back(tracker: Tracker) -> None:
    tracker.target.delay = 0.4
    for number in range(30):
        tracker.check(f"/{number}", host=1 + number % 20)
    dispatcher = Dispatcher(tracker.runtime)
    dispatcher.start()
    soon(lambda: tracker.target.seen)
    dispatcher.stop(5)
    begun = len(tracker.target.seen)
    assert len(tracker.runs()) == begun < 30
    assert len(tracker.jobs()) == 30 - begun
    assert {lane["worker"] for lane in tracker.lanes().values()} == {""}


def test_stopping_does_not_wait_longer_than_the_grace(tracker: Tracker) -> None:
    door = Doorway()
    check = tracker.check()
    dispatcher = Dispatcher(tracker.runtime, door)
    dispatcher.start()
    soon(lambda: door.inside)
    began = time.monotonic()
    dispatcher.stop(0.3)
    assert time.monotonic() - began < 2
    door.open.set()
    assert {lane["worker"] for lane in tracker.lanes().values()} == {""}
    assert tracker.runs(check) == []
    assert len(tracker.jobs()) == 1


def _failing(times: int, error: Exception, culprit: int | None = None) -> Callable[..., list[int]]:
    left = [times]
    real = verdicts.store

    def store(work: object, settings: object, finished: list[verdicts.Finished]) -> list[int]:
        if left[0] and (culprit is None or any(f.job.check_id == culprit for f in finished)):
            left[0] -= 1
            raise error
        return real(work, settings, finished)  # type: ignore[arg-type]  # passed through

    return store


def test_results_wait_while_the_database_is_away(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    away = OperationalError("COMMIT", {}, Exception("server closed the connection"))
    monkeypatch.setattr(verdicts, "store", _failing(2, away))
    check = tracker.check()
    with working(tracker):
        soon(lambda: tracker.runs(check))
    assert len(tracker.target.seen) == 1


def test_a_run_that_cannot_be_stored_takes_no_other_with_it(
    make_tracker: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes again when its lease has run out, and not in a tight loop."""
    tracker = make_tracker(SEVTRACKER_WORKER__LEASE="1s")
    ids = [tracker.check(f"/{number}", host=1 + number) for number in range(4)]
    monkeypatch.setattr(verdicts, "store", _failing(3, ValueError("bad data"), culprit=ids[0]))
    with working(tracker):
        soon(lambda: len({run["check_id"] for run in tracker.runs()}) == 4)
        seen = [path for path, _, _ in tracker.target.seen]
    assert seen.count("/0") <= 3
    assert [seen.count(f"/{number}") for number in range(1, 4)] == [1, 1, 1]


def test_what_other_processes_queue_is_found_by_looking(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "POLL_ALONE_S", 0.1)
    monkeypatch.setattr(room, "POLL_SHARED_S", 0.1)
    check = tracker.check()
    tracker.make_due()
    with working(tracker):
        time.sleep(0.2)
        with tracker.runtime.database.writing() as session:  # rings no bell
            jobs.enqueue_due(session, tracker.runtime.clock.now())
        soon(lambda: tracker.runs(check))


def test_the_target_answers_at_neighbouring_addresses(target: Target) -> None:
    """What the other tests rest on: 127.0.0.x are different hosts with the same server."""
    assert target.url("/x", host=7) == f"http://127.0.0.7:{target.port}/x"
