"""A lane that this process has leased: one target host, its next jobs, and until when it is surely ours."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from sevtracker.store.jobs import Claimed


class Lane:
    """``good_until`` is monotonic: before then nobody else can have the lease, whatever happens to this process."""

    __slots__ = ("fence", "good_until", "jobs", "target")

    def __init__(self, target: str, jobs: Sequence[Claimed], fence: int, good_until: float) -> None:
        self.target = target
        self.fence = fence
        self.jobs = deque(jobs)
        self.good_until = good_until

    def __repr__(self) -> str:
        return f"Lane({self.target}, fence {self.fence}, {len(self.jobs)} jobs)"
