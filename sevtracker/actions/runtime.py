"""What lives with the process: settings, database, kinds of checks, the clock, and the bell that wakes the worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from sqlmodel import Session

from sevtracker.checks.probing import ProbeEnvironment
from sevtracker.clock import Clock
from sevtracker.config import Settings
from sevtracker.store.engine import Database
from sevtracker.store.work import Person, Stamp, Work, working


@dataclass(frozen=True, slots=True)
class Runtime:
    """Built once by ``wiring.build``. ``bell`` rings in this process when runs were queued: nobody has to poll."""

    settings: Settings
    clock: Clock
    database: Database
    probes: ProbeEnvironment
    stamp: Stamp
    bell: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def work(self, person: Person | None) -> Iterator[Work]:
        """A transaction for writing as ``person`` (None: the tracker itself); committed when the block ends well."""
        with working(self.database, now=self.clock.now, person=person, stamp=self.stamp) as work:
            work.after_commit.append(self.bell.set)
            yield work

    def read(self) -> AbstractContextManager[Session]:
        """A session for reading."""
        return self.database.reading()

    def close(self) -> None:
        """Let go of every connection."""
        self.database.dispose()
