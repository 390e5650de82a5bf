"""Answers kept by Idempotency-Key, so that a repeated POST has one effect."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from sevtracker.errors import Conflict
from sevtracker.store.tables import IdempotencyKey, table
from sevtracker.store.upsert import upsert

_I = table(IdempotencyKey)
_INSERT = sa.insert(_I)


def find(session: Session, person_id: int, key: str) -> IdempotencyKey | None:
    return session.get(IdempotencyKey, (person_id, key))


def keep(session: Session, person_id: int, key: str, request_hash: str, status: int, body: str, now: datetime) -> None:
    """Keep the answer in its effect's transaction. Raises Conflict, which undoes both, if the key is taken by now."""
    values = {"person_id": person_id, "key": key, "request_hash": request_hash}
    try:
        session.connection().execute(_INSERT, {**values, "status": status, "body": body, "created_at": now})
    except IntegrityError as error:
        raise Conflict("This Idempotency-Key was used by another request at the same moment; ask again.") from error


def claim(session: Session, person_id: int, key: str, now: datetime) -> bool:
    """Take a key for the effect that follows in this transaction; False if it is taken (waits for who is taking it)."""
    blank = {"request_hash": "", "status": 0, "body": ""}
    statement = (
        upsert(session, _I).on_conflict_do_nothing().values(person_id=person_id, key=key, created_at=now, **blank)
    )
    return session.connection().execute(statement.returning(_I.c.key)).first() is not None


def answer(session: Session, person_id: int, key: str, body: str) -> None:
    """Say what came of a key that was claimed."""
    mine = (_I.c.person_id == person_id, _I.c.key == key)
    session.connection().execute(sa.update(_I).where(*mine).values(body=body))


def forget(session: Session, before: datetime) -> None:
    """Drop answers from before then."""
    session.connection().execute(sa.delete(_I).where(_I.c.created_at < before))
