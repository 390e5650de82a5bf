"""A SEV's timeline: the ledger seen through that SEV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.store.ledger import facts_of
from sevtracker.store.people import names
from sevtracker.store.tables import LedgerRecord, LedgerText, table

_L, _T = table(LedgerRecord), table(LedgerText)


@dataclass(frozen=True, slots=True)
class Item:
    """One record as a timeline shows it. ``at`` is when it happened, ``recorded_at`` when it was written down."""

    seq: int
    id: str
    kind: str
    at: datetime
    recorded_at: datetime
    actor_pid: str
    actor_name: str
    actor_role: str
    via: str
    text: str | None
    facts: Mapping[str, Any]
    evidence: Sequence[Mapping[str, Any]]

    @property
    def by_machine(self) -> bool:
        return self.actor_role == "machine"


def of_sev(
    session: Session,
    number: int,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    newest_first: bool = False,
    kinds: Sequence[str] = (),
) -> list[Item]:
    """Records of a SEV that the reader may see (the caller has asked), by their number. Two statements.

    ``kinds`` are prefixes such as ``patch:``.
    """
    statement = (
        sa.select(_L.c.seq, _L.c.body, _T.c.text)
        .outerjoin(_T, _T.c.record_id == _L.c.id)
        .where(_L.c.sev == number)
        .order_by(_L.c.seq.desc() if newest_first else _L.c.seq)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(_L.c.seq > after)
    if before is not None:
        statement = statement.where(_L.c.seq < before)
    if kinds:
        statement = statement.where(sa.or_(*(_L.c.kind.startswith(k, autoescape=True) for k in kinds)))
    rows = [(row.seq, facts_of(bytes(row.body)), row.text) for row in session.connection().execute(statement)]
    known = names(session, (d["actor"]["pid"] for _, d, _ in rows if d["actor"]["iss"] == "local"))
    return [_item(seq, document, text, known) for seq, document, text in rows]


def head(session: Session, number: int) -> int:
    """The number of the SEV's newest record; 0 if there is none."""
    newest = sa.select(sa.func.max(_L.c.seq)).where(_L.c.sev == number)
    return int(session.connection().execute(newest).scalar() or 0)


def count(session: Session, number: int, kinds: Sequence[str]) -> int:
    """How many records of the SEV have one of these kinds (prefixes)."""
    asked = sa.or_(*(_L.c.kind.startswith(k, autoescape=True) for k in kinds))
    statement = sa.select(sa.func.count()).select_from(_L).where(_L.c.sev == number, asked)
    return int(session.connection().execute(statement).scalar_one())


def _item(seq: int, document: Mapping[str, Any], text: str | None, known: Mapping[str, str]) -> Item:
    actor = document["actor"]
    return Item(
        seq=seq,
        id=document["id"],
        kind=document["kind"],
        at=datetime.fromisoformat(document["at"]),
        recorded_at=datetime.fromisoformat(document["ts"]),
        actor_pid=actor["pid"],
        actor_name=known.get(actor["pid"], "sevtracker" if actor["iss"] == "sevtracker" else "somebody"),
        actor_role=actor["role"],
        via=actor["via"],
        text=text,
        facts=document["facts"],
        evidence=document["evidence"],
    )
