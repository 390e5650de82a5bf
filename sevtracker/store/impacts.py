"""What is known of who came in while a SEV's doors were open: by the checks that look into access logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.domain.vocabulary import Reason, Verdict
from sevtracker.store.sevs import behind_hidden
from sevtracker.store.tables import Check, Copy, Dataset, Run, SevCheck, table
from sevtracker.store.work import Viewer

_K, _R, _D, _C, _SC = table(Check), table(Run), table(Dataset), table(Copy), table(SevCheck)


@dataclass(frozen=True, slots=True)
class Told:
    """What one check's latest run tells of impact: ``impact`` as stored, counts in buckets."""

    check: int
    name: str
    dataset: str
    copy: str
    run: int
    at: datetime
    verdict: Verdict
    reason: Reason
    impact: dict[str, Any]


def of_sev(session: Session, number: int, viewer: Viewer) -> list[Told]:
    """What the latest runs of a SEV's checks tell; not of checks that look for a SEV which ``viewer`` may not know of,
    too: what they tell is about its time as well. One statement."""
    statement = (
        sa.select(
            _K.c.id, _K.c.name, _D.c.slug, _C.c.slug, _R.c.id, _R.c.started_at, _R.c.verdict, _R.c.reason, _R.c.impact
        )
        .select_from(_SC)
        .join(_K, _K.c.id == _SC.c.check_id)
        .join(_R, _R.c.id == _K.c.last_run_id)
        .join(_D, _D.c.id == _K.c.dataset_id)
        .join(_C, _C.c.id == _K.c.copy_id)
        .where(_SC.c.sev_number == number, _K.c.enabled, _R.c.impact.is_not(None))
        .where(_K.c.id.not_in(behind_hidden(viewer)))
        .order_by(_D.c.slug, _C.c.id, _K.c.id)
    )
    return [Told(*row) for row in session.connection().execute(statement)]
