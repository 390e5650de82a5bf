"""Definitions that an executive accepted, though an earlier one of the same check last saw the door open."""

from __future__ import annotations

from itertools import pairwise

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sevtracker.domain.vocabulary import ProposalState, Verdict
from sevtracker.store import checks
from sevtracker.store.tables import Check, CheckAcceptance, CheckProposal, CheckRevision, Person, Run, table

_R, _V = table(Run), table(CheckRevision)


def opened_by(session: Session, check: Check) -> list[CheckRevision]:
    """The definitions whose own last word is open, the present one aside: each at its last revision, oldest first."""
    others = [fingerprint for fingerprint in check.left_open if fingerprint != check.fingerprint]
    latest = (
        sa.select(sa.func.max(_V.c.revision))
        .where(_V.c.check_id == check.id, _V.c.fingerprint.in_(others))
        .group_by(_V.c.fingerprint)
    )
    mine = (col(CheckRevision.check_id) == check.id, col(CheckRevision.revision).in_(latest))
    return list(session.exec(select(CheckRevision).where(*mine).order_by(col(CheckRevision.revision))))


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


def editors(session: Session, check_id: int, since: CheckRevision) -> set[str]:
    """Who changed what the check is defined by after ``since``, or proposed such a change that another approved, by
    their public ids."""
    revisions = session.connection().execute(
        sa.select(_V.c.fingerprint, _V.c.by_pid)
        .where(_V.c.check_id == check_id, _V.c.revision >= since.revision)
        .order_by(_V.c.revision)
    )
    defined = [(str(row.fingerprint), str(row.by_pid)) for row in revisions]
    changed = {pid for (before, _), (now, pid) in pairwise(defined) if now != before}
    p, person = table(CheckProposal), table(Person)
    approved = sa.and_(p.c.check_id == check_id, p.c.state == ProposalState.approved, p.c.decided_at >= since.at)
    proposers = sa.select(person.c.pid).join(p, p.c.proposed_by == person.c.id).where(approved)
    return changed | set(session.connection().execute(proposers).scalars())


def stands(session: Session, check: Check) -> CheckAcceptance | None:
    """The word on the present definition that no edit has ended, nor another definition's open since."""
    a = CheckAcceptance
    edited = sa.exists().where(_V.c.check_id == a.check_id, _V.c.revision > a.revision)
    edited = edited.where(_V.c.fingerprint != col(a.fingerprint))
    opened = sa.exists().where(
        *(_R.c.check_id == a.check_id, _R.c.id > a.run_id, _R.c.verdict == Verdict.open),
        *(_V.c.check_id == _R.c.check_id, _V.c.revision == _R.c.revision, _V.c.fingerprint != col(a.fingerprint)),
    )
    statement = select(a).where(col(a.check_id) == check.id, col(a.fingerprint) == check.fingerprint, ~edited, ~opened)
    return session.exec(statement.order_by(col(a.id).desc()).limit(1)).first()


def left_open(session: Session, check: Check) -> bool:
    """Is there a definition whose own last word is open, with nobody's word on the present one?"""
    if not check.left_open:
        return False
    return check.fingerprint in check.left_open or stands(session, check) is None


def unproven_word(session: Session, check: Check) -> bool:
    """Does it stand on somebody's word alone: accepted, and neither reproduced nor proven on twins as it is now?"""
    if stands(session, check) is None:
        return False
    return check.proved_at is None and checks.reproduced_at(session, check) is None
