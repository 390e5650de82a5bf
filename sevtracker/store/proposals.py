"""Changes of checks that were refused to who asked for them, and wait for a second person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.domain.vocabulary import ProposalState
from sevtracker.store.sevs import hidden
from sevtracker.store.tables import CheckProposal, Patch, Person, SevCheck, table
from sevtracker.store.work import Viewer

_Q = table(CheckProposal)


def by_id(session: Session, check_id: int, proposal_id: int) -> CheckProposal | None:
    """One proposal of this check, if it is one of its."""
    found = session.get(CheckProposal, proposal_id)
    return found if found is not None and found.check_id == check_id else None


def lock(session: Session, check_id: int, proposal_id: int, viewer: Viewer) -> CheckProposal | None:
    """The proposal, read anew, if ``viewer`` may know of it. The caller holds the check's lock, which guards its
    proposals, too."""
    shown = session.connection().execute(sa.select(_Q.c.id).where(_Q.c.id == proposal_id, _shown(viewer))).first()
    found = session.get(CheckProposal, proposal_id, populate_existing=True) if shown else None
    return found if found is not None and found.check_id == check_id else None


def _shown(viewer: Viewer) -> sa.ColumnElement[bool]:
    """A proposal tells that whoever made it logged a patch of a SEV that looks through the check."""
    p, link = table(Patch), table(SevCheck)
    patched = (
        sa.select(1)
        .select_from(p.join(link, link.c.sev_number == p.c.sev_number))
        .where(
            link.c.check_id == _Q.c.check_id,
            p.c.author_id == _Q.c.proposed_by,
            p.c.sev_number.in_(hidden(viewer)),
        )
        .correlate(_Q)
        .exists()
    )
    return sa.not_(patched)


def waiting(session: Session, check_ids: Collection[int]) -> set[int]:
    """Those of these checks of which a change waits for a second person."""
    if not check_ids:
        return set()
    statement = sa.select(_Q.c.check_id).where(_Q.c.check_id.in_(check_ids), _Q.c.state == ProposalState.proposed)
    return {int(i) for i in session.connection().execute(statement).scalars()}


def changes(session: Session, viewer: Viewer, ids: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """What each of these proposals would change, of those that ``viewer`` may know of. One statement."""
    if not ids:
        return {}
    statement = sa.select(_Q.c.id, _Q.c.change).where(_Q.c.id.in_(sorted(ids)), _shown(viewer))
    return {int(row.id): row.change for row in session.connection().execute(statement)}


def supersede(session: Session, check_id: int, now: datetime, *, but: int | None = None, of: int | None = None) -> None:
    """End the open proposals of a check: all ``but`` one, or only those that the person ``of`` made."""
    statement = sa.update(_Q).where(_Q.c.check_id == check_id, _Q.c.state == ProposalState.proposed)
    if but is not None:
        statement = statement.where(_Q.c.id != but)
    if of is not None:
        statement = statement.where(_Q.c.proposed_by == of)
    session.connection().execute(statement.values(state=ProposalState.superseded, decided_at=now))


@dataclass(frozen=True, slots=True)
class Line:
    """A proposal as lists show it, with people's names and pseudonyms."""

    id: int
    revision: int
    change: Mapping[str, Any]
    retires: bool
    reason: str
    proposed_at: datetime
    proposed_by: int
    proposer: str
    proposer_pid: str
    state: ProposalState
    decided_at: datetime | None
    decider: str | None
    decider_pid: str | None
    decision: str


def listing(
    session: Session,
    check_id: int,
    viewer: Viewer,
    *,
    limit: int,
    before: int | None = None,
    only_open: bool = False,
) -> list[Line]:
    """The proposals of a check that ``viewer`` may know of, newest first, from before proposal ``before`` on. One
    statement."""
    by, who = table(Person).alias("by"), table(Person).alias("who")
    first = [_Q.c.id, _Q.c.revision, _Q.c.change, _Q.c.retires, _Q.c.reason, _Q.c.proposed_at, _Q.c.proposed_by]
    statement = (
        sa.select(
            *first,
            by.c.name,
            by.c.pid,
            _Q.c.state,
            _Q.c.decided_at,
            who.c.name,
            who.c.pid,
            _Q.c.decision,
        )
        .join(by, by.c.id == _Q.c.proposed_by)
        .outerjoin(who, who.c.id == _Q.c.decided_by)
        .where(_Q.c.check_id == check_id, _shown(viewer))
        .order_by(_Q.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(_Q.c.id < before)
    if only_open:
        statement = statement.where(_Q.c.state == ProposalState.proposed)
    return [Line(*tuple(row)) for row in session.connection().execute(statement)]
