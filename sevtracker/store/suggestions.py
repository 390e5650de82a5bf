"""Ways in that runs came across: checks that somebody should add, or say why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sevtracker.domain.vocabulary import SuggestionState
from sevtracker.store.tables import Check, Copy, Dataset, Person, SevDataset, Suggestion, table
from sevtracker.store.upsert import upsert

_S, _K, _C, _D, _P = table(Suggestion), table(Check), table(Copy), table(Dataset), table(Person)


@dataclass(frozen=True, slots=True)
class Line:
    """A suggestion as pages and scripts show it. ``decided_by`` is a name."""

    id: int
    dataset: str
    copy: str
    check: int
    kind: str
    identity: str
    control: str | None
    params: dict[str, Any]
    locator: str
    why: str
    first_at: datetime
    last_at: datetime
    state: SuggestionState
    decided_at: datetime | None
    decided_by: str | None
    reason: str
    became: int | None


def _lines() -> sa.Select[Any]:
    return (
        sa.select(
            _S.c.id,
            _D.c.slug,
            _C.c.slug,
            _S.c.check_id,
            _S.c.kind,
            _S.c.identity,
            _S.c.control,
            _S.c.params,
            _S.c.locator,
            _S.c.why,
            _S.c.first_at,
            _S.c.last_at,
            _S.c.state,
            _S.c.decided_at,
            _P.c.name,
            _S.c.reason,
            _S.c.became_id,
        )
        .select_from(_S)
        .join(_C, _C.c.id == _S.c.copy_id)
        .join(_D, _D.c.id == _C.c.dataset_id)
        .outerjoin(_P, _P.c.id == _S.c.decided_by)
        .order_by(_S.c.id)
    )


def _found(session: Session, statement: sa.Select[Any]) -> list[Line]:
    return [Line(*row) for row in session.connection().execute(statement)]


def listing(
    session: Session,
    *,
    limit: int,
    after: int | None = None,
    dataset: str | None = None,
    state: SuggestionState | None = None,
    ids: Collection[int] | None = None,
) -> list[Line]:
    """Suggestions by id, from after ``after`` on: of one dataset, in one state, or these."""
    statement = _lines().limit(limit)
    if after is not None:
        statement = statement.where(_S.c.id > after)
    if dataset is not None:
        statement = statement.where(_D.c.slug == dataset)
    if state is not None:
        statement = statement.where(_S.c.state == state)
    if ids is not None:
        statement = statement.where(_S.c.id.in_(ids))
    return _found(session, statement)


def of_sev(session: Session, number: int) -> list[Line]:
    """The suggestions for the datasets of a SEV, oldest first. One statement."""
    affected = sa.select(table(SevDataset).c.dataset_id).where(table(SevDataset).c.sev_number == number)
    return _found(session, _lines().where(_C.c.dataset_id.in_(affected)))


def of_check(session: Session, check_id: int) -> list[Line]:
    """What a check came across, oldest first."""
    return _found(session, _lines().where(_S.c.check_id == check_id))


def by_id(session: Session, suggestion_id: int) -> Line | None:
    found = _found(session, _lines().where(_S.c.id == suggestion_id))
    return found[0] if found else None


def lock(session: Session, suggestion_id: int) -> Suggestion | None:
    """The suggestion, locked until the transaction ends."""
    statement = select(Suggestion).where(col(Suggestion.id) == suggestion_id).with_for_update()
    return session.exec(statement.execution_options(populate_existing=True)).first()


def watched(session: Session, copy_id: int) -> set[tuple[str, str, str]]:
    """(kind, locator, identity) of the enabled checks of a copy: ways in that somebody looks at."""
    statement = sa.select(_K.c.kind, _K.c.locator, _K.c.identity).where(_K.c.copy_id == copy_id, _K.c.enabled)
    return {(row.kind, row.locator, row.identity) for row in session.connection().execute(statement)}


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Keep suggestions; those that are known already keep their state, and are dated anew. Returns the new ones' ids.

    Three statements, and one for each new one. In the order of their digests: so nobody deadlocks.
    """
    if not rows:
        return []
    connection = session.connection()
    wanted = {(row["copy_id"], row["digest"]): row for row in rows}
    mine = sa.and_(
        _S.c.copy_id.in_({copy_id for copy_id, _ in wanted}), _S.c.digest.in_(sorted(digest for _, digest in wanted))
    )
    order = sa.select(_S.c.id, _S.c.copy_id, _S.c.digest).where(mine).order_by(_S.c.digest).with_for_update()
    known = {(row.copy_id, row.digest): row.id for row in connection.execute(order)}
    again = [(known[key], row) for key, row in sorted(wanted.items()) if key in known]
    if again:
        connection.execute(
            sa.update(_S).where(_S.c.id == sa.bindparam("_id")),
            [{"_id": i, "last_at": row["last_at"], "check_id": row["check_id"]} for i, row in again],
        )
    fresh = upsert(session, _S).on_conflict_do_nothing().returning(_S.c.id)
    new = [connection.execute(fresh, dict(row)).scalar() for key, row in sorted(wanted.items()) if key not in known]
    return [int(i) for i in new if i is not None]
