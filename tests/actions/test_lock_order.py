"""Nobody deadlocks: what is locked in which order stands in docs/architecture.md. Real threads, a real server."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sevtracker.domain.vocabulary import Trigger
from sevtracker.store import checks as stored
from sevtracker.store import jobs, sign_ins
from sevtracker.store.tables import Check, Job, SignIn, table
from tests.actions.threads import both
from tests.cast import Tracker


def _spread(tracker: Tracker, *places: tuple[str, str]) -> list[int]:
    """Checks of copies of their own, by (identity, target), none of them queued."""
    copies = [f"copy-{n}" for n in range(len(places))]
    tracker.dataset("hr-pay", *copies)
    ids = [tracker.check(copy, dataset="hr-pay", identity=who) for copy, (who, _) in zip(copies, places, strict=True)]
    with tracker.work(None) as work:
        connection = work.session.connection()
        connection.execute(sa.delete(table(Job)))
        for check_id, (_, target) in zip(ids, places, strict=True):
            connection.execute(sa.update(table(Check)).where(table(Check).c.id == check_id).values(target=target))
    return ids


def _lock_out(tracker: Tracker, *accounts: sign_ins.Account) -> None:
    with tracker.work(None) as work:
        sign_ins.count(work.session, dict.fromkeys(accounts, 2), work.now)


@pytest.mark.parametrize("targets", [("a:1", "b:1", "b:1", "a:1"), ("b:1", "a:1", "a:1", "b:1")])
def test_dropping_jobs_of_several_lanes_locks_their_checks_in_one_order(
    two_nodes: tuple[Tracker, Tracker], monkeypatch: pytest.MonkeyPatch, targets: tuple[str, ...]
) -> None:
    """As one worker gives up on an account behind two lanes, somebody acts on a SEV with checks in both."""
    web, worker = two_nodes
    ids = _spread(web, *(("any-employee", target) for target in targets))
    with web.work(None) as work:
        jobs.enqueue(work.session, stored.targets(work.session, ids), Trigger.manual, work.now)
    _lock_out(web, ("any-employee", "a:1"), ("any-employee", "b:1"))
    web.wait(0.1)
    some_locked, lock_all = threading.Event(), stored.lock_all

    def slowly(session: Any, check_ids: Any) -> None:
        lock_all(session, check_ids)
        some_locked.set()
        time.sleep(0.3)

    def claimed() -> int:
        with worker.work(None) as work:
            leased = jobs.claim(work.session, "w", lease=timedelta(seconds=30), lanes=10, chunk=10)
        return sum(len(listed) for _, listed in leased.values())

    def acted(those: list[int]) -> None:
        some_locked.wait(5)
        with web.work(None) as work:
            lock_all(work.session, those)

    monkeypatch.setattr(jobs.stored, "lock_all", slowly)
    left, *_ = both(claimed, lambda: acted(ids[:3]), lambda: acted(ids[1:]))
    assert left == 0
    with web.read() as session:
        assert jobs.waiting(session) == 0


def test_who_allows_several_trials_waits_for_nobody_who_waits_for_them(two_nodes: tuple[Tracker, Tracker]) -> None:
    """As two judgements at once that reopen two SEVs each, whose checks use the same two accounts."""
    web, worker = two_nodes
    accounts = [("any-employee", "a:1"), ("contractor", "a:1")]
    ids = _spread(web, *accounts, *reversed(accounts))
    mine, others = ids[:2], ids[2:]
    _lock_out(web, *accounts)
    meet = threading.Barrier(2)

    def reopen(tracker: Tracker, check_ids: list[int]) -> None:
        with tracker.work(None) as work:
            stored.lock_all(work.session, check_ids)
            stored.run_soon(work.session, check_ids[:1], work.now)
            with contextlib.suppress(threading.BrokenBarrierError):
                meet.wait(0.5)  # where one has to wait for the other, it never comes here in time
            stored.run_soon(work.session, check_ids[1:], work.now)

    both(lambda: reopen(web, mine), lambda: reopen(worker, others))
    with web.read() as session:
        assert set(session.connection().execute(sa.select(table(SignIn).c.failures)).scalars()) == {1}
