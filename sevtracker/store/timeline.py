"""A SEV's timeline: the ledger seen through that SEV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.store.ledger import facts_of
from sevtracker.store.people import names
from sevtracker.store.sevs import known
from sevtracker.store.tables import LedgerRecord, LedgerText, table
from sevtracker.store.work import Viewer

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


#: What evidence makes happen, whoever set it off. ``sev:reopened`` is done by both.
OF_THE_MACHINE = (
    "check:opened",
    "check:closed",
    "check:blind",
    "check:halted",
    "check:control_halted",
    "check:resumed",
    "exposure:changed",
    "patch:failed",
    "patch:held",
    "patch:partial",
    "patch:superseded",
    "patch:unverified",
    "patch:untested",
    "waiver:expired",
    "attestation:expired",
)
OF_BOTH = ("sev:reopened",)


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
    found = records(session, number, limit=limit, after=after, before=before, newest_first=newest_first, kinds=kinds)
    called = names(session, (item.actor_pid for item in found))
    return [with_name(item, called) for item in found]


def with_name(item: Item, called: Mapping[str, str]) -> Item:
    """The record with its actor's name, by pseudonym."""
    return replace(item, actor_name=called.get(item.actor_pid, item.actor_name))


def records(  # noqa: PLR0913  # each is one way to narrow a list
    session: Session,
    number: int,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    newest_first: bool = False,
    kinds: Sequence[str] = (),
    by_machine: bool | None = None,
    exactly: Sequence[str] = (),
) -> list[Item]:
    """As ``of_sev``, without people's names (``with_name`` puts them in). One statement.

    ``by_machine``: only those that evidence makes, or only the others. ``exactly`` these kinds, and no other filter.
    """
    source = _of_kinds(number, exactly, limit, newest_first) if exactly else _L
    statement = (
        sa.select(source.c.seq, source.c.body, _T.c.text)
        .outerjoin(_T, _T.c.record_id == source.c.id)
        .order_by(source.c.seq.desc() if newest_first else source.c.seq)
        .limit(limit)
    )
    if exactly:
        return _items(session, statement)
    statement = statement.where(_L.c.sev == number)
    if after is not None:
        statement = statement.where(_L.c.seq > after)
    if before is not None:
        statement = statement.where(_L.c.seq < before)
    if kinds:
        statement = statement.where(sa.or_(*(_L.c.kind.startswith(k, autoescape=True) for k in kinds)))
    if by_machine is not None:
        wanted = _L.c.kind.in_((*OF_THE_MACHINE, *OF_BOTH)) if by_machine else _L.c.kind.not_in(OF_THE_MACHINE)
        statement = statement.where(wanted)
    return _items(session, statement)


def _of_kinds(number: int, kinds: Sequence[str], limit: int, newest_first: bool) -> sa.Subquery:
    """The SEV's first ``limit`` records of each of these kinds: a walk along an index for each, as short as its answer.

    As one condition, planners walk all records of a long story in their order to find the few that are asked for.
    """
    of_one = [
        sa.select(_L.c.seq, _L.c.id, _L.c.body)
        .where(_L.c.sev == number, _L.c.kind == kind)
        .order_by(_L.c.seq.desc() if newest_first else _L.c.seq)
        .limit(limit)
        .subquery()
        for kind in kinds
    ]
    return sa.union_all(*(sa.select(one) for one in of_one)).subquery("found")


def _items(session: Session, statement: sa.Select[Any]) -> list[Item]:
    rows = [(row.seq, facts_of(bytes(row.body)), row.text) for row in session.connection().execute(statement)]
    return [_item(seq, document, text) for seq, document, text in rows]


def tally(session: Session, number: int) -> dict[str, int]:
    """How many records of each kind the SEV has. Answered by an index alone."""
    statement = sa.select(_L.c.kind, sa.func.count()).where(_L.c.sev == number).group_by(_L.c.kind)
    return {row[0]: int(row[1]) for row in session.connection().execute(statement)}


def discreet(session: Session, viewer: Viewer, items: Sequence[Item]) -> list[Item]:
    """``items`` without the numbers of other SEVs that ``viewer`` may not know of."""
    named = [n for item in items if isinstance(n := item.facts.get("duplicate_of"), int)]
    hidden = set(named) - known(session, viewer, named)
    return [
        replace(item, facts={**item.facts, "duplicate_of": None}) if item.facts.get("duplicate_of") in hidden else item
        for item in items
    ]


def head(session: Session, number: int) -> int:
    """The number of the SEV's newest record; 0 if there is none."""
    newest = sa.select(sa.func.max(_L.c.seq)).where(_L.c.sev == number)
    return int(session.connection().execute(newest).scalar() or 0)


def count(session: Session, number: int, kinds: Sequence[str]) -> int:
    """How many records of the SEV have one of these kinds (prefixes)."""
    asked = sa.or_(*(_L.c.kind.startswith(k, autoescape=True) for k in kinds))
    statement = sa.select(sa.func.count()).select_from(_L).where(_L.c.sev == number, asked)
    return int(session.connection().execute(statement).scalar_one())


def _item(seq: int, document: Mapping[str, Any], text: str | None) -> Item:
    actor = document["actor"]
    return Item(
        seq=seq,
        id=document["id"],
        kind=document["kind"],
        at=datetime.fromisoformat(document["at"]),
        recorded_at=datetime.fromisoformat(document["ts"]),
        actor_pid=actor["pid"],
        actor_name="sevtracker" if actor["iss"] == "sevtracker" else "somebody",
        actor_role=actor["role"],
        via=actor["via"],
        text=text,
        facts=document["facts"],
        evidence=document["evidence"],
    )


def record(session: Session, number: int, seq: int) -> Item | None:
    """One record of a SEV, without its actor's name."""
    found = records(session, number, limit=1, after=seq - 1, before=seq + 1)
    return found[0] if found else None


def reasons(session: Session, dataset: str, check_id: int) -> dict[int, str]:
    """Why a check of this dataset was changed, by the revision that came of it; where somebody said so."""
    statement = (
        sa.select(_L.c.body, _T.c.text)
        .join(_T, _T.c.record_id == _L.c.id)
        .where(_L.c.dataset == dataset, _L.c.kind == "check:changed")
        .order_by(_L.c.seq.desc())
        .limit(500)
    )
    found: dict[int, str] = {}
    for row in session.connection().execute(statement):
        told = facts_of(bytes(row.body))["facts"]
        if told["check"] == check_id:
            found.setdefault(told["revision"], row.text)
    return found
