"""What kinds keep open from one run to the next: in the worker's process, for as long as it lives, and nowhere else."""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import dataclass
from typing import Protocol

#: Things kept at most. Each is somebody's database connection.
MOST = 64
#: Seconds after which a thing that no run asked for is let go. Over twice the longest usual interval of a watch.
IDLE = 15 * 86_400.0


class Closable(Protocol):
    """A thing that can be kept."""

    def close(self) -> None:
        """Let go of it. Raises nothing."""


class InUse(Exception):
    """Another run has the thing, and did not give it back."""


@dataclass(slots=True)
class Kept:
    """A thing with the random word by which a check remembers it. ``used_at`` is monotonic, in seconds."""

    token: str
    thing: Closable
    used_at: float
    taken: bool = True


class Keeper:
    """Bounded, and safe for threads: what one run has taken, no other gets until it is given back.

    Closed until a worker opens it, so that a command or a web process never holds what only a worker would find again.
    A forked child has a copy of the sockets and must not speak through them: to it, the keeper is closed.
    """

    def __init__(self, most: int = MOST, idle: float = IDLE) -> None:
        self._most = most
        self._idle = idle
        self._kept: dict[str, Kept] = {}
        self._lock = threading.Lock()
        self._process: int | None = None

    def __repr__(self) -> str:
        return f"Keeper({len(self._kept)} kept)"

    @property
    def is_open(self) -> bool:
        return self._process == os.getpid()

    def open(self) -> None:
        """From now on, things are kept by this process."""
        with self._lock:
            self._kept.clear()
            self._process = os.getpid()

    def close(self) -> None:
        """Let go of everything. What a run still has, it closes when it gives it back."""
        with self._lock:
            mine, self._process = self.is_open, None
            gone = [kept.thing for kept in self._kept.values() if not kept.taken] if mine else []
            self._kept.clear()
        for thing in gone:
            thing.close()

    def take(self, key: str, now: float) -> Kept | None:
        """What is kept under ``key``, for one run. Give it back or let it go. Raises InUse."""
        self._let_go_of_idle(now)
        with self._lock:
            kept = self._kept.get(key) if self.is_open else None
            if kept is None:
                return None
            if kept.taken:
                raise InUse
            kept.taken, kept.used_at = True, now
            return kept

    def put(self, key: str, thing: Closable, now: float) -> Kept | None:
        """Keep ``thing``, which counts as taken. None: the keeper is closed or full, or somebody was quicker."""
        self._let_go_of_idle(now)
        with self._lock:
            if not self.is_open or len(self._kept) >= self._most or key in self._kept:
                return None
            kept = self._kept[key] = Kept(secrets.token_hex(8), thing, now)
            return kept

    def give_back(self, key: str, kept: Kept) -> None:
        """The run is done with it; the next one may have it."""
        with self._lock:
            if self._kept.get(key) is kept and self.is_open:
                kept.taken = False
                return
        kept.thing.close()

    def let_go(self, key: str, kept: Kept) -> None:
        """Nobody will need it any more."""
        with self._lock:
            if self._kept.get(key) is kept:
                del self._kept[key]
        kept.thing.close()

    def _let_go_of_idle(self, now: float) -> None:
        with self._lock:
            idle = [key for key, kept in self._kept.items() if not kept.taken and now - kept.used_at > self._idle]
            gone = [self._kept.pop(key).thing for key in idle]
        for thing in gone:
            thing.close()
