"""A lane that this process has leased: one target host, its next jobs, and until when it is surely ours."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from sevtracker.checks.interface import Observation
from sevtracker.domain.schedule import AUTH_FAILURES_TO_HALT
from sevtracker.store.jobs import Claimed


class Lane:
    """``good_until`` is monotonic: before then nobody else can have the lease, whatever happens to this process.

    ``failed_sign_ins``: in a row at this target, by identity. Kept from run to run: what was seen is stored later.
    """

    __slots__ = ("failed_sign_ins", "fence", "good_until", "jobs", "target")

    def __init__(self, target: str, jobs: Sequence[Claimed], fence: int, good_until: float) -> None:
        self.target = target
        self.fence = fence
        self.jobs = deque(jobs)
        self.good_until = good_until
        self.failed_sign_ins = dict(jobs[0].failed_sign_ins) if jobs else {}

    def __repr__(self) -> str:
        return f"Lane({self.target}, fence {self.fence}, {len(self.jobs)} jobs)"

    def next_job(self) -> Claimed | None:
        """The next that may run. Those that may not stay in the queue: whoever leases the lane next drops them."""
        while self.jobs:
            job = self.jobs.popleft()
            if self.failed_sign_ins.get(job.identity, 0) < AUTH_FAILURES_TO_HALT:
                return job
        return None

    def learn(self, seen: Observation) -> None:
        """What a run tells the next ones: who could not sign in, and that the target wants to be left alone."""
        self.failed_sign_ins.update(seen.failed_sign_ins)
        if seen.retry_after_s:
            self.jobs.clear()
