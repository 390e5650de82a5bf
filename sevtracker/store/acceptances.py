"""Definitions that an executive accepted, though an earlier one of the same check last saw the door open."""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sevtracker.domain.vocabulary import Verdict
from sevtracker.store import checks
from sevtracker.store.tables import Check, CheckAcceptance, CheckRevision, Run, table

_R, _V = table(Run), table(CheckRevision)


def last_open(session: Session, check_id: int) -> CheckRevision | None:
    """The definition that last saw the door open."""
    latest = (
        sa.select(_R.c.revision)
        .where(_R.c.check_id == check_id, _R.c.verdict == Verdict.open)
        .order_by(_R.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    mine = (col(CheckRevision.check_id) == check_id, col(CheckRevision.revision) == latest)
    return session.exec(select(CheckRevision).where(*mine)).first()


def saw_it_closed(session: Session, check: Check) -> bool:
    """Is the latest decisive verdict a closed, by the present definition?"""
    statement = (
        sa.select(_R.c.verdict, _V.c.fingerprint)
        .join(_V, sa.and_(_V.c.check_id == _R.c.check_id, _V.c.revision == _R.c.revision))
        .where(_R.c.check_id == check.id, _R.c.verdict != Verdict.inconclusive)
        .order_by(_R.c.id.desc())
        .limit(1)
    )
    found = session.connection().execute(statement).first()
    return found is not None and (found.verdict, found.fingerprint) == (Verdict.closed, check.fingerprint)


def editors(session: Session, check_id: int, since: int) -> set[str]:
    """Who made the revisions after ``since``, by their public ids."""
    statement = sa.select(_V.c.by_pid).where(_V.c.check_id == check_id, _V.c.revision > since)
    return set(session.connection().execute(statement).scalars())


def stands(session: Session, check: Check) -> CheckAcceptance | None:
    """The word on the present definition that neither an edit nor an open has ended."""
    a = CheckAcceptance
    edited = sa.exists().where(_V.c.check_id == a.check_id, _V.c.revision > a.revision)
    edited = edited.where(_V.c.fingerprint != col(a.fingerprint))
    opened = sa.exists().where(_R.c.check_id == a.check_id, _R.c.id > a.run_id, _R.c.verdict == Verdict.open)
    statement = select(a).where(col(a.check_id) == check.id, col(a.fingerprint) == check.fingerprint, ~edited, ~opened)
    return session.exec(statement.order_by(col(a.id).desc()).limit(1)).first()


def left_open(session: Session, check: Check) -> bool:
    """Did a definition that saw this very door open say so last, with nobody's word on the present one?"""
    return checks.last_proven(session, check.id or 0) is Verdict.open and stands(session, check) is None
