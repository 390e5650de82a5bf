"""Notices: saying that one was seen."""

from __future__ import annotations

from sevtracker.actions.enforce import May, require
from sevtracker.errors import NotFound
from sevtracker.store import notices
from sevtracker.store.work import Work


def acknowledge(work: Work, notice_id: str) -> None:
    """Take a notice off the home page; the ledger says who did."""
    require(work.by, May.work_on_sevs)
    notice = notices.by_id(work.session, notice_id, work.by.viewer)
    if notice is None:
        raise NotFound("There is no such notice.")
    if notice.acknowledged_at is None:
        notice.acknowledged_at = work.now
        work.session.add(notice)
        work.record("notice:acknowledged", sev=notice.sev_number, facts={"notice": notice.id, "kind": notice.kind})
