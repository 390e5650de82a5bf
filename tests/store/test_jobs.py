"""The queue: lanes, leases, fences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sevtracker.domain.vocabulary import Reason, Trigger
from sevtracker.store import checks, jobs
from sevtracker.store.tables import Check, Job, Lane, table
from tests.cast import Tracker

LEASE = timedelta(seconds=30)


@pytest.fixture
def queue(tracker: Tracker) -> Tracker:
    """Three checks on two targets, none of them queued."""
    tracker.dataset("mci-events", "one", "two", "three")
    ids = [tracker.check(copy) for copy in ("one", "two", "three")]
    with tracker.work(None) as work:
        connection = work.session.connection()
        connection.execute(sa.delete(table(Job)))
        connection.execute(sa.delete(table(Lane)))
        for check_id, target in zip(ids, ("fast:1", "slow:1", "fast:1"), strict=True):
            connection.execute(sa.update(table(Check)).where(table(Check).c.id == check_id).values(target=target))
    return tracker


def ask(tracker: Tracker, check_ids: Sequence[int], trigger: Trigger = Trigger.manual) -> None:
    with tracker.work(None) as work:
        jobs.enqueue(work.session, checks.targets(work.session, check_ids), trigger, work.now)
    tracker.wait(0.1)


def claim(tracker: Tracker, *, lanes: int = 10, chunk: int = 10) -> dict[str, tuple[int, list[int]]]:
    with tracker.work(None) as work:
        leased = jobs.claim(work.session, "w", lease=LEASE, lanes=lanes, chunk=chunk)
    return {target: (fence, [job.check_id for job in listed]) for target, (fence, listed) in leased.items()}


def lapse(tracker: Tracker, until: float = 1.0) -> None:
    """As if the leases had run out."""
    with tracker.work(None) as work:
        work.session.connection().execute(sa.update(table(Lane)).values(lease_until=until))


def waiting(tracker: Tracker) -> int:
    with tracker.read() as session:
        return jobs.waiting(session)


def test_a_lane_is_leased_to_one_worker_at_a_time(queue: Tracker) -> None:
    ask(queue, [1, 2, 3])
    assert claim(queue) == {"fast:1": (1, [1, 3]), "slow:1": (1, [2])}
    assert claim(queue) == {}


def test_a_slow_target_delays_nobody_else(queue: Tracker) -> None:
    ask(queue, [2])
    assert claim(queue) == {"slow:1": (1, [2])}
    ask(queue, [1, 2, 3])
    assert claim(queue) == {"fast:1": (1, [1, 3])}


def test_the_urgent_come_first_and_then_those_who_waited_longest(queue: Tracker) -> None:
    ask(queue, [1], Trigger.schedule)
    ask(queue, [3], Trigger.resolve)
    assert claim(queue)["fast:1"][1] == [3, 1]


def test_lanes_with_urgent_jobs_are_leased_first(queue: Tracker) -> None:
    ask(queue, [1], Trigger.schedule)
    ask(queue, [2], Trigger.resolve)
    assert list(claim(queue, lanes=1)) == ["slow:1"]


def test_a_claim_takes_no_more_than_it_was_told_to(queue: Tracker) -> None:
    ask(queue, [1, 2, 3])
    first = claim(queue, lanes=1, chunk=1)
    assert [len(ids) for _, ids in first.values()] == [1]


def test_what_is_given_back_can_be_leased_again(queue: Tracker) -> None:
    ask(queue, [1])
    claim(queue)
    with queue.work(None) as work:
        jobs.release(work.session, {"fast:1": 1})
    assert claim(queue) == {"fast:1": (2, [1])}


def test_a_lease_that_ran_out_is_taken_over_and_the_late_result_refused(queue: Tracker) -> None:
    ask(queue, [1])
    [late] = queue.claim()
    lapse(queue)
    [mine] = queue.claim()
    assert (late.fence, mine.fence) == (1, 2)
    assert queue.store([queue.seen(late)]) == []
    assert waiting(queue) == 1
    assert len(queue.store([queue.seen(mine)])) == 1
    assert waiting(queue) == 0
    assert queue.store([queue.seen(late)]) == []


def test_only_the_holder_extends_and_releases(queue: Tracker) -> None:
    ask(queue, [1, 2])
    claim(queue)
    lapse(queue)
    claim(queue)
    with queue.work(None) as work:
        assert jobs.extend(work.session, "w", {"fast:1": 1, "slow:1": 2}, LEASE) == {"slow:1": 2}
        jobs.release(work.session, {"fast:1": 1})
    assert claim(queue) == {}


def test_a_lease_from_before_a_clock_jump_is_no_lease(queue: Tracker) -> None:
    ask(queue, [1])
    claim(queue)
    lapse(queue, until=9e9)
    assert claim(queue) == {"fast:1": (2, [1])}


def test_asking_three_times_queues_one_run(queue: Tracker) -> None:
    for _ in range(3):
        ask(queue, [1])
    assert waiting(queue) == 1


def test_asking_while_it_runs_runs_it_again(queue: Tracker) -> None:
    ask(queue, [1])
    [job] = queue.claim()
    ask(queue, [1], Trigger.verify)
    queue.store([queue.seen(job)])
    assert waiting(queue) == 1
    assert queue.run_queued() == 1
    assert waiting(queue) == 0


def test_the_schedule_asks_again_for_nothing_that_waits(queue: Tracker) -> None:
    ask(queue, [1], Trigger.resolve)
    with queue.work(None) as work:
        work.session.connection().execute(sa.update(table(Check)).values(due_at=work.now))
        assert jobs.enqueue_due(work.session, work.now) == 3
        assert jobs.enqueue_due(work.session, work.now) == 0
    with queue.read() as session:
        assert session.get_one(Job, 1).trigger is Trigger.resolve
        assert session.get_one(Check, 1).due_at == queue.clock.now() + timedelta(hours=1)


def test_a_disabled_check_is_not_due(queue: Tracker) -> None:
    with queue.work(None) as work:
        work.session.connection().execute(sa.update(table(Check)).values(due_at=work.now, enabled=False))
        assert jobs.enqueue_due(work.session, work.now) == 0
        assert checks.targets(work.session, [1, 2, 3]) == []


def test_due_times_that_a_clock_jump_left_in_the_future_come_back(queue: Tracker) -> None:
    with queue.work(None) as work:
        work.session.connection().execute(
            sa.update(table(Check)).where(table(Check).c.id == 1).values(due_at=work.now + timedelta(days=10))
        )
        assert jobs.bring_back_the_future(work.session, work.now) == 1
        assert work.session.get_one(Check, 1).due_at == work.now


def test_a_check_that_could_not_sign_in_twice_stops_until_it_is_asked_for(queue: Tracker) -> None:
    for _ in range(2):
        ask(queue, [1])
        queue.doors["one"] = "locked_out"
        queue.run_queued()
    with queue.read() as session:
        stopped = session.get_one(Check, 1)
    assert (stopped.halted, stopped.due_at) == (Reason.auth_failed, None)
    assert "check:halted" in queue.notices()
    with queue.work("dana") as work:
        from sevtracker.actions import checks as acts

        acts.run_now(work, 1)
    queue.doors["one"] = "closed"
    assert queue.run_queued() == 1
    with queue.read() as session:
        assert session.get_one(Check, 1).halted is None
