"""A worker: the clock and the dispatcher, started and stopped together."""

from __future__ import annotations

import structlog

from sevtracker.actions.runtime import Runtime
from sevtracker.checks import probing
from sevtracker.worker.clock import TheClock
from sevtracker.worker.dispatcher import Dispatcher
from sevtracker.worker.probers import Probe

log = structlog.get_logger(__name__)


class Worker:
    """One for a process. Every process that has one ticks: what is due is queued once, whoever sees it first."""

    def __init__(self, runtime: Runtime, probe: Probe = probing.probe) -> None:
        self._runtime = runtime
        self.dispatcher = Dispatcher(runtime, probe)
        self.clock = TheClock(runtime)

    def start(self) -> None:
        self._runtime.probes.keeper.open()
        self.dispatcher.start()
        self.clock.start()
        log.info("worker_started", threads=self._runtime.settings.worker.threads)

    def stop(self) -> None:
        """Stop in good order, within about ``worker.grace``: no run is lost, no lane stays leased."""
        self.clock.stop()
        self.dispatcher.stop(self._runtime.settings.worker.grace.total_seconds())
        self._runtime.probes.keeper.close()
        log.info("worker_stopped")
