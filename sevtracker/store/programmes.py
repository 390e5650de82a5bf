"""Programmes: what stands in the way of one."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.domain.vocabulary import ACTIVE, Exposure, Level
from sevtracker.store.tables import Dataset, Programme, Sev, SevDataset, table

_P, _D, _S, _SD = table(Programme), table(Dataset), table(Sev), table(SevDataset)


@dataclass(frozen=True, slots=True)
class ActiveSev:
    """A SEV in which work is still owed. No title: whoever asks for a programme may not know of a restricted SEV's."""

    number: int
    level: Level
    exposure: Exposure


def active_sevs(session: Session, slug: str) -> list[ActiveSev] | None:
    """The active SEVs of the programme's datasets, restricted ones too, by number. None: there is no such programme."""
    connection = session.connection()
    programme_id = connection.execute(sa.select(_P.c.id).where(_P.c.slug == slug)).scalar()
    if programme_id is None:
        return None
    affected = (
        sa.select(_SD.c.sev_number).join(_D, _D.c.id == _SD.c.dataset_id).where(_D.c.programme_id == programme_id)
    )
    statement = (
        sa.select(_S.c.number, _S.c.level, _S.c.exposure)
        .where(_S.c.number.in_(affected), _S.c.status.in_(sorted(ACTIVE)))
        .order_by(_S.c.number)
    )
    return [ActiveSev(*row) for row in connection.execute(statement)]
