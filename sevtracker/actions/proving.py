"""What a run's look at canary twins leaves behind: a proof, or what was wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sevtracker.checks.interface import Observation
from sevtracker.store.checks import Standing
from sevtracker.store.jobs import Claimed
from sevtracker.store.vantages import Link
from sevtracker.store.work import Work

Seen = Sequence[tuple[Claimed, Observation]]


def proven(seen: Seen, known: Mapping[int, Standing]) -> list[tuple[Claimed, datetime]]:
    """The jobs whose look at the twins is a proof, with when. Not of a check that was edited while it ran: its twins,
    or what they were to prove, may be others now."""
    return [(job, run.started_at) for job, run in seen if run.twins and run.twins.proven and _is_current(job, known)]


def standings(
    work: Work, seen: Seen, known: Mapping[int, Standing], links: Mapping[int, Sequence[Link]], valid: timedelta
) -> dict[int, dict[str, Any]]:
    """For each check what is to be kept of its twins: when they last proved it, and what was wrong since.

    On the record comes what is new: that they prove it after they did not, and that they do not any more.
    """
    found: dict[int, dict[str, Any]] = {}
    for job, run in seen:
        check = known[job.check_id]
        before = found.setdefault(check.id, {"proved_at": check.proved_at, "twins_wrong": check.twins_wrong})
        if run.twins is None or not _is_current(job, known):
            continue
        numbers: list[int | None] = [link.sev_number for link in links.get(check.id, ())] or [None]
        if run.twins.wrong is not None:
            if before["twins_wrong"] is None:
                facts = {"check": check.id, "revision": check.revision, "wrong": run.twins.wrong}
                for number in numbers:
                    work.record("twins:failed", sev=number, dataset=check.dataset, facts=facts)
            before["twins_wrong"] = run.twins.wrong
            continue
        lately = before["proved_at"]
        if lately is None or before["twins_wrong"] is not None or run.started_at - lately > valid:
            for number in numbers:
                facts = {"check": check.id, "revision": check.revision}
                work.record("twins:proven", sev=number, dataset=check.dataset, facts=facts)
        found[check.id] = {"proved_at": run.started_at, "twins_wrong": None}
    return found


def _is_current(job: Claimed, known: Mapping[int, Standing]) -> bool:
    return job.revision == known[job.check_id].revision
