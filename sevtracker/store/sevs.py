"""SEVs: the one scoped query that every door reads through, single SEVs, lists, the home page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Exposure, Level, Status
from sevtracker.store import search
from sevtracker.store.joined import joined
from sevtracker.store.tables import Dataset, Person, Programme, Sev, SevCheck, SevDataset, SevMember, table
from sevtracker.store.work import Viewer

_S = table(Sev)
_INSERT = sa.insert(_S).returning(_S.c.number)
_LINK = sa.insert(table(SevDataset))


@lru_cache(maxsize=1024)
def visible(viewer: Viewer) -> sa.ColumnElement[bool]:
    """Which SEVs ``viewer`` may know of: all that are not restricted, and the restricted ones they belong to.

    Every query about SEVs on behalf of a person goes through this; there is no other. (What is kept is the
    condition, not its answer: building it takes longer than asking.)
    """
    if viewer.sees_restricted:
        return sa.true()
    member = (
        sa.select(1)
        .where(col(SevMember.sev_number) == col(Sev.number), col(SevMember.person_id) == viewer.person_id)
        .exists()
    )
    return sa.or_(
        col(Sev.restricted).is_(False),
        col(Sev.reporter_id) == viewer.person_id,
        col(Sev.commander_id) == viewer.person_id,
        member,
    )


def hidden(viewer: Viewer) -> sa.Select[Any]:
    """The numbers of the SEVs that ``viewer`` may not know of, for use within another statement."""
    unknown = sa.case((visible(viewer), sa.false()), else_=sa.true())  # without a commander, visible() is NULL
    return sa.select(col(Sev.number)).where(unknown).correlate(None)


def behind_hidden(viewer: Viewer) -> sa.Select[Any]:
    """The ids of the checks that such a SEV looks through, for use within another statement."""
    link = table(SevCheck)
    return sa.select(link.c.check_id).where(link.c.sev_number.in_(hidden(viewer))).correlate(None)


def find(session: Session, number: int, viewer: Viewer) -> Sev | None:
    """The SEV, or None if there is none that ``viewer`` may know of."""
    return session.exec(select(Sev).where(col(Sev.number) == number, visible(viewer))).first()


def lock(session: Session, numbers: Sequence[int]) -> list[Sev]:
    """The SEVs, locked until the transaction ends, always in the order of their numbers (so that nobody deadlocks)."""
    if not numbers:
        return []
    statement = (
        select(Sev)
        .where(col(Sev.number).in_(sorted(numbers)))
        .order_by(col(Sev.number))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.exec(statement))


def affecting(session: Session, dataset_id: int, statuses: Collection[Status] = ACTIVE | WATCHED) -> list[int]:
    """The SEVs of these statuses, active or watched, that affect a dataset."""
    linked = sa.select(table(SevDataset).c.sev_number).where(table(SevDataset).c.dataset_id == dataset_id)
    statement = sa.select(_S.c.number).where(_S.c.number.in_(linked), _S.c.status.in_(sorted(statuses)))
    return list(session.connection().execute(statement).scalars())


def due_for_recheck(session: Session, now: datetime, limit: int = 100) -> list[int]:
    """SEVs whose exposure changes by time alone, now."""
    statement = select(col(Sev.number)).where(col(Sev.recheck_at) <= now).order_by(col(Sev.recheck_at)).limit(limit)
    return [int(n) for n in session.exec(statement) if n is not None]


def insert(session: Session, **values: Any) -> int:
    """Add a SEV with one plain statement, built once (filing is a hot path). Returns its number."""
    return int(session.connection().execute(_INSERT, values).scalar_one())


def link_datasets(session: Session, number: int, dataset_ids: Sequence[int]) -> None:
    """Say that the SEV affects these datasets (none of them linked yet)."""
    if dataset_ids:
        rows = [{"sev_number": number, "dataset_id": d} for d in dataset_ids]
        session.connection().execute(_LINK, rows)


def datasets_of(session: Session, numbers: Sequence[int]) -> dict[int, list[Dataset]]:
    """The datasets of each SEV, by slug."""
    found: dict[int, list[Dataset]] = {number: [] for number in numbers}
    if numbers:
        statement = (
            select(SevDataset.sev_number, Dataset)
            .join(Dataset, col(Dataset.id) == col(SevDataset.dataset_id))
            .where(col(SevDataset.sev_number).in_(numbers))
            .order_by(col(Dataset.slug))
        )
        for number, dataset in session.exec(statement):
            found[number].append(dataset)
    return found


def members_of(session: Session, number: int) -> list[Person]:
    """The people added to a SEV."""
    statement = (
        select(Person)
        .join(SevMember, col(SevMember.person_id) == col(Person.id))
        .where(col(SevMember.sev_number) == number)
        .order_by(col(Person.name))
    )
    return list(session.exec(statement))


# ---- lists -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None or empty: not at all. Several values of one filter mean any of them."""

    statuses: tuple[Status, ...] = ()
    levels: tuple[Level, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    dataset: str | None = None
    programme: str | None = None
    text: str | None = None


class Line(NamedTuple):
    """A SEV as a list shows it. ``datasets`` are slugs. (A tuple, since a page makes a hundred.)"""

    number: int
    title: str
    level: Level
    status: Status
    exposure: Exposure
    exposure_since: datetime
    restricted: bool
    reported_at: datetime
    detected_at: datetime
    exposed_from: datetime | None
    aware_at: datetime | None
    fix_claimed_at: datetime | None
    verified_closed_at: datetime | None
    resolved_at: datetime | None
    reopens: int
    blockers: int
    exceptions: int
    datasets: tuple[str, ...]


_LINE = tuple(
    _S.c[name]
    for name in [
        "number",
        "title",
        "level",
        "status",
        "exposure",
        "exposure_since",
        "restricted",
        "reported_at",
        "detected_at",
        "exposed_from",
        "aware_at",
        "fix_claimed_at",
        "verified_closed_at",
        "resolved_at",
        "reopens",
        "blockers",
        "exceptions",
    ]
)


_ONE = sa.select(*_LINE).where(_S.c.number == sa.bindparam("number"))


class Brief(NamedTuple):
    """A SEV in a long list: what a row of it shows, and no more, since every value costs a hundred times."""

    number: int
    title: str
    level: Level
    status: Status
    exposure: Exposure
    restricted: bool
    reported_at: datetime
    exceptions: int
    datasets: tuple[str, ...]


_BRIEF = tuple(_S.c[name] for name in Brief._fields[:-1])

#: The slugs of a SEV's datasets, joined by commas (which no slug has): one value, not a second statement.
_SLUGS = (
    sa.select(joined(table(Dataset).c.slug))
    .join(table(SevDataset), table(SevDataset).c.dataset_id == table(Dataset).c.id)
    .where(table(SevDataset).c.sev_number == _S.c.number)
    .scalar_subquery()
)


def listing(session: Session, viewer: Viewer, filters: Filters, *, limit: int, before: int | None = None) -> list[Line]:
    """SEVs, newest first; those below number ``before``. One statement whatever the size of the page or the table; two
    for words on PostgreSQL."""
    rows = _listed(session, _newest(viewer, filters, limit), filters, limit, before)
    return [Line._make((*row[:-1], _split(row[-1]))) for row in rows]


def brief(session: Session, viewer: Viewer, filters: Filters, *, limit: int, before: int | None = None) -> list[Brief]:
    """As ``listing``, less of each."""
    rows = _listed(session, _newest(viewer, filters, limit, _BRIEF), filters, limit, before)
    return [Brief._make((*row[:-1], _split(row[-1]))) for row in rows]


def _listed(
    session: Session, statement: sa.Select[Any], filters: Filters, limit: int, before: int | None
) -> Sequence[sa.Row[Any]]:
    if before is not None:
        statement = statement.where(_S.c.number < before)
    ways = search.matching(session, statement, filters.text, before) if filters.text else [statement]
    rows: Sequence[sa.Row[Any]] = ()
    for way in ways:
        rows = session.connection().execute(way).all()
        if len(rows) >= limit:
            break
    return rows


@lru_cache(maxsize=256)
def _newest(
    viewer: Viewer, filters: Filters, limit: int, columns: tuple[sa.Column[Any], ...] = _LINE
) -> sa.Select[Any]:
    """The statement for a list, kept because building it takes longer than asking. Words are added by the caller."""
    found = sa.select(*columns, _SLUGS).where(visible(viewer), *_narrowed(filters))
    return found.order_by(_S.c.number.desc()).limit(limit)


def line(session: Session, number: int, datasets: Sequence[str]) -> Line:
    """One SEV as lists show it, when the caller knows its datasets (and that the reader may). One statement."""
    row = session.connection().execute(_ONE, {"number": number}).one()
    values = (*row, tuple(sorted(datasets)))
    return Line(*values)


def known(session: Session, viewer: Viewer, numbers: Sequence[int]) -> set[int]:
    """Those of these SEVs that ``viewer`` may know of."""
    if not numbers:
        return set()
    statement = sa.select(_S.c.number).where(_S.c.number.in_(numbers), visible(viewer))
    return {int(n) for n in session.connection().execute(statement).scalars()}


def counts(session: Session) -> dict[tuple[Status, Exposure], int]:
    """How many SEVs have each status and exposure. For figures that anybody may read: restricted ones are left out."""
    statement = (
        sa.select(_S.c.status, _S.c.exposure, sa.func.count())
        .where(_S.c.restricted.is_(False))
        .group_by(_S.c.status, _S.c.exposure)
    )
    return {(row[0], row[1]): int(row[2]) for row in session.connection().execute(statement)}


def harmful(session: Session, viewer: Viewer, *, limit: int) -> list[Line]:
    """What is exposed or owed now, worst first."""
    statement = (
        sa.select(*_LINE, _SLUGS)
        .where(_S.c.harm.is_not(None), visible(viewer))
        .order_by(_S.c.harm, _S.c.number.desc())
        .limit(limit)
    )
    return _lines(session, statement)


def of_dataset(session: Session, viewer: Viewer, slug: str, *, limit: int) -> list[Line]:
    """The newest SEVs of one dataset."""
    return listing(session, viewer, Filters(dataset=slug), limit=limit)


def _narrowed(filters: Filters) -> list[sa.ColumnElement[bool]]:
    asked: list[sa.ColumnElement[bool]] = []
    if filters.statuses:
        asked.append(_S.c.status.in_(filters.statuses))
    if filters.levels:
        asked.append(_S.c.level.in_(filters.levels))
    if filters.exposures:
        asked.append(_S.c.exposure.in_(filters.exposures))
    if filters.dataset is not None or filters.programme is not None:
        linked = sa.select(table(SevDataset).c.sev_number).join(
            table(Dataset), table(Dataset).c.id == table(SevDataset).c.dataset_id
        )
        if filters.dataset is not None:
            linked = linked.where(table(Dataset).c.slug == filters.dataset)
        if filters.programme is not None:
            linked = linked.join(table(Programme), table(Programme).c.id == table(Dataset).c.programme_id).where(
                table(Programme).c.slug == filters.programme
            )
        asked.append(_S.c.number.in_(linked))
    return asked


def _lines(session: Session, statement: sa.Select[Any]) -> list[Line]:
    """The rows of ``_LINE`` and ``_SLUGS``."""
    rows = session.connection().execute(statement)
    return [Line._make((*row[:-1], _split(row[-1]))) for row in rows]


def _split(slugs: str | None) -> tuple[str, ...]:
    return tuple(sorted(slugs.split(","))) if slugs else ()


def through_check(session: Session, viewer: Viewer, check_id: int, *, limit: int) -> list[Line]:
    """The newest SEVs that look through one check."""
    linked = sa.select(table(SevCheck).c.sev_number).where(table(SevCheck).c.check_id == check_id)
    statement = sa.select(*_LINE, _SLUGS).where(visible(viewer), _S.c.number.in_(linked)).order_by(_S.c.number.desc())
    return _lines(session, statement.limit(limit))


def open_on(session: Session, viewer: Viewer, dataset_ids: Sequence[int]) -> dict[int, list[Exposure]]:
    """The exposures of the active SEVs on each of these datasets. One statement."""
    linked = table(SevDataset)
    statement = (
        sa.select(linked.c.dataset_id, _S.c.exposure)
        .join(_S, _S.c.number == linked.c.sev_number)
        .where(linked.c.dataset_id.in_(dataset_ids), _S.c.status.in_(sorted(ACTIVE)), visible(viewer))
    )
    found: dict[int, list[Exposure]] = {}
    for dataset_id, exposure in session.connection().execute(statement):
        found.setdefault(dataset_id, []).append(exposure)
    return found
