"""Notices: what somebody has to be told."""

from __future__ import annotations

from sqlmodel import Session, col, select

from sevtracker.store.sevs import visible
from sevtracker.store.tables import Notice, Sev
from sevtracker.store.work import Viewer


def pending(session: Session, viewer: Viewer, *, limit: int) -> list[Notice]:
    """What the home page still shows, newest first: nothing of a SEV that the viewer may not know of."""
    statement = (
        select(Notice)
        .outerjoin(Sev, col(Sev.number) == col(Notice.sev_number))
        .where(col(Notice.route) == "home", col(Notice.acknowledged_at).is_(None))
        .where(col(Notice.sev_number).is_(None) | visible(viewer))
        .order_by(col(Notice.created_at).desc())
        .limit(limit)
    )
    return list(session.exec(statement))


def by_id(session: Session, notice_id: str, viewer: Viewer) -> Notice | None:
    """One notice, if the viewer may know of it."""
    statement = (
        select(Notice)
        .outerjoin(Sev, col(Sev.number) == col(Notice.sev_number))
        .where(col(Notice.id) == notice_id)
        .where(col(Notice.sev_number).is_(None) | visible(viewer))
    )
    return session.exec(statement).first()
