"""Things that happen at the same moment, with real threads and a real server."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from sevtracker.actions import checks, sevs
from sevtracker.actions.inputs import ChangeCheck, Note, parse
from sevtracker.actions.resolve import FinalRuns, Resolved
from sevtracker.domain.vocabulary import Exposure, Status
from sevtracker.store import ledger, vantages
from tests.actions.threads import both
from tests.cast import CLOSED, OPEN, Tracker


def test_a_sev_is_never_left_resolved_with_a_newer_open(two_nodes: tuple[Tracker, Tracker]) -> None:
    web, worker = two_nodes
    web.go_to(10)
    web.patch(1)
    outcomes = set()
    for turn in range(6):
        base = 1000.0 * (turn + 1)
        web.go_to(base)
        web.patch(1)
        for minute in (10, 25, 40):
            web.look(base + minute, primary=CLOSED)
        web.wait(0.1)
        final = web.begin(1)
        assert isinstance(final, FinalRuns)
        web.wait(0.1)
        web.run_queued()
        with web.work("dana") as work:
            checks.run_now(work, 1)
        jobs = worker.claim()
        began = web.clock.now()
        web.wait(0.1)
        seen = [worker.seen(job, OPEN, at=began) for job in jobs]
        answer, _ = both(lambda f=final: web.finish(1, f), lambda s=seen: worker.store(s))
        outcomes.add(type(answer))
        assert web.sev().status is not Status.resolved
        assert web.sev().exposure is Exposure.exposed
        if isinstance(answer, Resolved):
            assert web.kinds()[-8:].count("sev:reopened") == 1
    with web.read() as session:
        ledger.verify(session)


def _edit(tracker: Tracker, check_id: int) -> None:
    for n in range(6):
        with tracker.work("priya") as work:
            given = parse(ChangeCheck, {"name": f"{check_id}-{n}"})
            checks.change(work, tracker.settings, tracker.runtime.probes, check_id, given)


def _work_off(tracker: Tracker) -> None:
    for _ in range(10):
        with tracker.work("dana") as work:
            sevs.verify(work, 1)
            sevs.verify(work, 2)
        tracker.run_queued()


def _patch(tracker: Tracker) -> None:
    for number in (2, 1, 2):
        tracker.patch(number)


def _note(tracker: Tracker) -> None:
    for n in range(10):
        with tracker.work("eve") as work:
            sevs.note(work, 1 + n % 2, parse(Note, {"text": f"note {n}"}))


def _tick(tracker: Tracker) -> None:
    for _ in range(10):
        tracker.clock.time += timedelta(minutes=7)
        tracker.tick()


def test_everybody_acting_on_one_sev_at_once_neither_deadlocks_nor_loses_a_record(
    two_nodes: tuple[Tracker, Tracker],
) -> None:
    web, worker = two_nodes
    with web.work("dana") as work:
        from sevtracker.actions import datasets
        from sevtracker.actions.inputs import NewCopy

        for copy in ("export", "cache"):
            given = parse(NewCopy, {"slug": copy, "kind": copy})
            datasets.add_copy(work, web.settings, web.runtime.probes, "mci-events", given)
    for copy in ("export", "cache"):
        web.check(copy)
    web.file()

    both(
        lambda: _edit(web, 3),
        lambda: _edit(web, 1),
        lambda: _work_off(worker),
        lambda: _patch(web),
        lambda: _note(worker),
        lambda: _tick(web),
    )
    assert sum(kind == "note:added" for n in (1, 2) for kind in web.kinds(n)) == 10
    assert sum(kind == "patch:claimed" for n in (1, 2) for kind in web.kinds(n)) == 3
    with web.read() as session:
        ledger.verify(session)


def test_two_patches_at_once_get_two_numbers(two_nodes: tuple[Tracker, Tracker]) -> None:
    web, worker = two_nodes
    assert sorted(both(lambda: web.patch(1), lambda: worker.patch(1))) == [1, 2]  # type: ignore[type-var]  # both return numbers


def test_a_check_and_a_sev_that_come_at_once_find_each_other(two_nodes: tuple[Tracker, Tracker]) -> None:
    web, worker = two_nodes
    for _ in range(4):
        check_id, number = both(web.check, worker.file)
        assert isinstance(number, int)
        assert check_id in [v.check_id for v in web.vantages(number)]


def test_adding_a_check_while_runs_are_stored_does_not_deadlock(
    two_nodes: tuple[Tracker, Tracker], monkeypatch: pytest.MonkeyPatch
) -> None:
    web, worker = two_nodes
    with web.work("dana") as work:
        checks.run_now(work, 1)
    seen = [worker.seen(job) for job in worker.claim()]
    linked, link_new = threading.Event(), vantages.link_new

    def slowly(*args: Any, **given: Any) -> Any:
        try:
            return link_new(*args, **given)
        finally:
            linked.set()
            time.sleep(0.3)

    def stored() -> list[int]:
        linked.wait(5)
        return worker.store(seen)

    monkeypatch.setattr(vantages, "link_new", slowly)
    added, kept = both(lambda: web.check(params={"door": "primary", "hint": "two"}), stored)
    assert (added, len(kept)) == (2, 1)  # type: ignore[arg-type]  # ``both`` keeps no types apart
