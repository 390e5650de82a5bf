"""Answers kept by Idempotency-Key, so that a repeated POST has one effect."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.store.tables import IdempotencyKey, table

_I = table(IdempotencyKey)


def find(session: Session, person_id: int, key: str) -> IdempotencyKey | None:
    return session.get(IdempotencyKey, (person_id, key))


def keep(
    session: Session, person_id: int, key: str, request_hash: str, status: int, body: str, now: datetime
) -> None:
    """Keep the answer in the transaction of its effect. Raises IntegrityError if the key was used meanwhile."""
    session.connection().execute(
        sa.insert(_I).values(
            person_id=person_id, key=key, request_hash=request_hash, status=status, body=body, created_at=now
        )
    )


def forget(session: Session, before: datetime) -> None:
    """Drop answers from before then."""
    session.connection().execute(sa.delete(_I).where(_I.c.created_at < before))
