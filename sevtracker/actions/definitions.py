"""From what the store keeps of a check to what checks work with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sevtracker.checks.interface import Definition, Twins, Window
from sevtracker.store.jobs import Claimed


def definition_of(job: Claimed, failed_sign_ins: Mapping[str, int]) -> Definition:
    """What a claimed job is to run. ``failed_sign_ins``: in a row at its target, by identity, as of now."""
    window = None if job.since is None else Window(job.since, job.until)
    twins = twins_of(job.twins)
    return Definition(
        job.kind,
        job.identity,
        job.control,
        job.params,
        job.memory,
        window,
        twins=twins,
        proved_at=job.proved_at,
        failed_sign_ins=dict(failed_sign_ins),
    )


def twins_of(stored: Mapping[str, Any] | None) -> Twins | None:
    """A check's twins as they are stored."""
    return None if stored is None else Twins(stored["open"], stored["locked"])
