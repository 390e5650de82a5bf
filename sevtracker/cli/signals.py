"""SIGTERM and SIGINT ask to stop; the second one doesn't wait."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType


class Stopping:
    """Takes both signals from when it is made. ``wake`` is called, too, for a loop that sleeps elsewhere."""

    def __init__(self, wake: Callable[[], None] | None = None) -> None:
        self._asked = threading.Event()
        self.wake = wake
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        self._asked.set()
        if self.wake is not None:
            self.wake()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def wait(self) -> None:
        """Until asked."""
        while not self._asked.wait(3600):
            pass
