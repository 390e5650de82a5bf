"""What comes back from a worker."""

from __future__ import annotations

from dataclasses import dataclass

from sevtracker.checks.interface import Observation
from sevtracker.store import jobs


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that has run, and what it saw."""

    job: jobs.Claimed
    seen: Observation
