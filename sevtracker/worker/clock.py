"""The clock: APScheduler, with two jobs and no memory. What is due is written in our own tables.

A trigger of our own, because APScheduler's computes every fire that a clock jump skipped (864,000 for ten days at a
tick a second); and a job store of our own, because a jump back would leave the next fire ten days ahead.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]  # APScheduler has no types
from apscheduler.job import Job  # type: ignore[import-untyped]  # APScheduler has no types
from apscheduler.jobstores.memory import MemoryJobStore  # type: ignore[import-untyped]  # APScheduler has no types
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]  # APScheduler has no types
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]  # APScheduler has no types

from sevtracker.actions import clockwork
from sevtracker.actions.runtime import Runtime

log = structlog.get_logger(__name__)

TIDY_EVERY = timedelta(minutes=10)


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires at once, then ``every`` after now: whatever the wall clock did, one fire and not one for each missed."""

    def __init__(self, every: timedelta) -> None:
        self.every = every

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return now if previous_fire_time is None else now + self.every


class ForgetfulStore(MemoryJobStore):  # type: ignore[misc]  # APScheduler has no types
    """A job planned further ahead than its trigger ever plans was planned before the clock jumped back: it is due."""

    def get_due_jobs(self, now: datetime) -> list[Job]:
        for job in self.get_all_jobs():
            if job.next_run_time > now + job.trigger.every:
                job._modify(next_run_time=now)
                self.update_job(job)
        due: list[Job] = super().get_due_jobs(now)
        return due


class SteadyScheduler(BackgroundScheduler):  # type: ignore[misc]  # APScheduler has no types
    """Never sleeps longer than ``longest``: a sleep that was computed while the clock jumped could last for days."""

    def __init__(self, longest: timedelta, **options: object) -> None:
        self.longest = longest
        super().__init__(**options)

    def _process_jobs(self) -> float | None:
        wait: float | None = super()._process_jobs()
        return wait if wait is None else min(wait, self.longest.total_seconds())


class TheClock:
    """Ticks until stopped. A tick that fails is logged, and the next one comes."""

    def __init__(self, runtime: Runtime) -> None:
        tick = runtime.settings.worker.tick
        self._scheduler = SteadyScheduler(
            longest=tick,
            timezone=UTC,
            daemon=True,
            jobstores={"default": ForgetfulStore()},
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._add("tick", tick, lambda: clockwork.tick(runtime))
        self._add("tidy", TIDY_EVERY, lambda: clockwork.tidy(runtime))

    def _add(self, name: str, every: timedelta, act: Callable[[], object]) -> None:
        self._scheduler.add_job(_safely, Every(every), args=(name, act), id=name)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Returns when a tick that is under way has ended."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


def _safely(name: str, act: Callable[[], object]) -> None:
    try:
        act()
    except Exception as error:
        log.error("clock_failed", job=name, error=type(error).__name__)  # a driver's text may quote data
