"""The clock: one tick after another, whatever the wall clock does."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers import base

from sevtracker.actions import clockwork
from sevtracker.actions.runtime import Runtime
from sevtracker.worker.clock import Every, ForgetfulStore, SteadyScheduler, TheClock
from tests.worker.conftest import Make, Tracker, soon

TICK = timedelta(milliseconds=50)
TEN_DAYS = timedelta(days=10)


def test_the_next_fire_is_a_tick_from_now_however_long_ago_the_last_one_was() -> None:
    now = datetime(2026, 6, 18, 9, 0, tzinfo=UTC)
    trigger = Every(TICK)
    assert trigger.get_next_fire_time(None, now) == now
    for jump in (timedelta(0), TEN_DAYS, -TEN_DAYS):
        assert trigger.get_next_fire_time(now - jump, now) == now + TICK


class _Shifted(datetime):
    """A wall clock that jumps."""

    by = timedelta(0)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # APScheduler calls it with a zone only
        return datetime.now(UTC) + cls.by


@pytest.mark.parametrize("jump", [TEN_DAYS, -TEN_DAYS], ids=["forward", "back"])
def test_a_jump_of_ten_days_is_one_fire_and_the_ticks_go_on(monkeypatch: pytest.MonkeyPatch, jump: timedelta) -> None:
    monkeypatch.setattr(base, "datetime", _Shifted)
    monkeypatch.setattr(_Shifted, "by", timedelta(0))
    fired: list[float] = []
    scheduler = SteadyScheduler(
        longest=TICK,
        timezone=UTC,
        jobstores={"default": ForgetfulStore()},
        job_defaults={"coalesce": False, "max_instances": 100, "misfire_grace_time": None},
    )
    scheduler.add_job(lambda: fired.append(time.monotonic()), Every(TICK))
    scheduler.start()
    soon(lambda: len(fired) >= 3)
    _Shifted.by = jump
    jumped, before = time.monotonic(), len(fired)
    time.sleep(10 * TICK.total_seconds())
    scheduler.shutdown()
    took = time.monotonic() - jumped
    after = fired[before:]
    assert 3 <= len(after) <= took / TICK.total_seconds() + 2


def test_a_tick_that_fails_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch, make_tracker: Make) -> None:
    tracker = make_tracker(SEVTRACKER_WORKER__TICK="50ms")
    ticks: list[float] = []

    def failing(_runtime: Runtime) -> int:
        ticks.append(time.monotonic())
        raise RuntimeError("the database is away")

    monkeypatch.setattr(clockwork, "tick", failing)
    clock = TheClock(tracker.runtime)
    clock.start()
    soon(lambda: len(ticks) >= 3)
    clock.stop()


def test_a_tick_queues_what_is_due_and_rings(tracker: Tracker) -> None:
    tracker.check()
    tracker.make_due()
    tracker.runtime.bell.clear()
    clock = TheClock(tracker.runtime)
    clock.start()
    assert tracker.runtime.bell.wait(5)
    clock.stop()
    assert len(tracker.jobs()) == 1


def test_stopping_waits_for_the_tick_that_is_under_way(monkeypatch: pytest.MonkeyPatch, tracker: Tracker) -> None:
    begun: list[str] = []

    def slow(_runtime: Runtime) -> int:
        begun.append("begun")
        time.sleep(0.3)
        begun.append("ended")
        return 0

    monkeypatch.setattr(clockwork, "tick", slow)
    clock = TheClock(tracker.runtime)
    clock.start()
    soon(lambda: begun)
    clock.stop()
    assert begun[-1] == "ended"
