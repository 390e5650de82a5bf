"""Datasets, their copies and programmes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sevtracker.domain.vocabulary import Verdict
from sevtracker.store.tables import Check, Copy, Dataset, Programme, table


def by_slug(session: Session, slug: str) -> Dataset | None:
    return session.exec(select(Dataset).where(col(Dataset.slug) == slug)).first()


def by_slugs(session: Session, slugs: Sequence[str]) -> dict[str, int]:
    """Ids by slug, of those that exist."""
    d = table(Dataset)
    rows = session.connection().execute(sa.select(d.c.slug, d.c.id).where(d.c.slug.in_(slugs)))
    return {row.slug: row.id for row in rows}


def lock(session: Session, slug: str) -> Dataset | None:
    """The dataset, locked until the transaction ends: nobody files a SEV about it meanwhile."""
    return session.exec(select(Dataset).where(col(Dataset.slug) == slug).with_for_update(key_share=True)).first()


@dataclass(frozen=True, slots=True)
class Affected:
    """A dataset as filing needs it: with the slugs of its copies."""

    slug: str
    id: int
    copies: tuple[str, ...]


_D, _C = table(Dataset), table(Copy)
_AFFECTED = (
    sa.select(_D.c.slug, _D.c.id, _C.c.slug)
    .outerjoin(_C, sa.and_(_C.c.dataset_id == _D.c.id, _C.c.retired_at.is_(None)))
    .where(_D.c.slug.in_(sa.bindparam("slugs", expanding=True)))
    .order_by(_D.c.id, _C.c.id)
    .with_for_update(read=True, of=_D)
)


def affected(session: Session, slugs: Sequence[str]) -> list[Affected]:
    """Those of these datasets that exist. One statement, built once: filing is a hot path.

    Locked against ``lock``, so that a check and a SEV that come at the same moment find each other.
    """
    ids: dict[str, int] = {}
    copies: dict[str, list[str]] = {}
    for slug, dataset_id, copy_slug in session.connection().execute(_AFFECTED, {"slugs": slugs}):
        ids[slug] = dataset_id
        copies.setdefault(slug, []).extend([copy_slug] if copy_slug else [])
    return [Affected(slug, ids[slug], tuple(copies[slug])) for slug in ids]


def copies_of(session: Session, dataset_ids: Sequence[int], *, retired: bool = False) -> list[Copy]:
    """All copies of these datasets, in the order of their registration. ``retired``: also those that are gone."""
    statement = select(Copy).where(col(Copy.dataset_id).in_(dataset_ids)).order_by(col(Copy.id))
    if not retired:
        statement = statement.where(col(Copy.retired_at).is_(None))
    return list(session.exec(statement)) if dataset_ids else []


def copy(session: Session, dataset_id: int, slug: str) -> Copy | None:
    """The copy of that name, also a retired one: its name stays taken."""
    return session.exec(select(Copy).where(col(Copy.dataset_id) == dataset_id, col(Copy.slug) == slug)).first()


def programme(session: Session, slug: str) -> Programme | None:
    return session.exec(select(Programme).where(col(Programme.slug) == slug)).first()


def programmes(session: Session) -> list[Programme]:
    return list(session.exec(select(Programme).order_by(col(Programme.slug))))


@dataclass(frozen=True, slots=True)
class Line:
    """A dataset as a list shows it. ``open_checks`` of ``checks`` (the enabled ones) saw it open last."""

    id: int
    slug: str
    name: str
    owner: str
    classification: str
    description: str
    programme: str | None
    copies: int
    checks: int
    open_checks: int


def listing(
    session: Session, *, limit: int, after: str | None = None, text: str = "", programme: str | None = None
) -> list[Line]:
    """Datasets by slug, from after ``after`` on, with how many copies and checks each has. One statement."""
    d, p, c, k = table(Dataset), table(Programme), table(Copy), table(Check)
    standing = sa.and_(c.c.dataset_id == d.c.id, c.c.retired_at.is_(None))
    copies = sa.select(sa.func.count()).where(standing).scalar_subquery()
    checks = sa.select(sa.func.count()).where(k.c.dataset_id == d.c.id, k.c.enabled).scalar_subquery()
    opened = sa.select(sa.func.count()).where(k.c.dataset_id == d.c.id, k.c.decisive == Verdict.open).scalar_subquery()
    statement = (
        sa.select(
            d.c.id, d.c.slug, d.c.name, d.c.owner, d.c.classification, d.c.description, p.c.slug, copies, checks, opened
        )
        .outerjoin(p, p.c.id == d.c.programme_id)
        .order_by(d.c.slug)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(d.c.slug > after)
    if text:
        statement = statement.where(
            sa.or_(*(c_.icontains(text, autoescape=True) for c_ in (d.c.slug, d.c.name, d.c.owner, p.c.slug, p.c.name)))
        )
    if programme is not None:
        statement = statement.where(p.c.slug == programme)
    return [Line(*tuple(row)) for row in session.connection().execute(statement)]


def programme_slugs(session: Session, dataset_ids: Sequence[int]) -> list[str]:
    """The programmes that these datasets belong to."""
    p, d = table(Programme), table(Dataset)
    statement = (
        sa.select(p.c.slug)
        .join(d, d.c.programme_id == p.c.id)
        .where(d.c.id.in_(dataset_ids))
        .distinct()
        .order_by(p.c.slug)
    )
    return list(session.connection().execute(statement).scalars())


def choices(session: Session, *, limit: int) -> list[tuple[str, str, str | None, str | None]]:
    """Slug and name of each dataset, and of its programme, for a list to choose from. One statement."""
    return list(session.connection().execute(_CHOICES, {"most": limit}))


_CHOICES = (
    sa.select(table(Dataset).c.slug, table(Dataset).c.name, table(Programme).c.slug, table(Programme).c.name)
    .outerjoin(table(Programme), table(Programme).c.id == table(Dataset).c.programme_id)
    .order_by(table(Dataset).c.slug)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def programmes_of(session: Session, dataset_ids: Sequence[int]) -> list[Programme]:
    """The programmes that these datasets belong to, by slug."""
    mine = sa.select(table(Dataset).c.programme_id).where(table(Dataset).c.id.in_(dataset_ids))
    return list(session.exec(select(Programme).where(col(Programme.id).in_(mine)).order_by(col(Programme.slug))))


def uncovered(session: Session, dataset_ids: Sequence[int]) -> dict[int, int]:
    """How many copies of each dataset no required check looks at. One statement."""
    c, k = table(Copy), table(Check)
    looked_at = sa.exists().where(k.c.copy_id == c.c.id, k.c.required, k.c.enabled)
    statement = (
        sa.select(c.c.dataset_id, sa.func.count())
        .where(c.c.dataset_id.in_(dataset_ids), c.c.retired_at.is_(None), ~looked_at)
        .group_by(c.c.dataset_id)
    )
    return {int(row[0]): int(row[1]) for row in session.connection().execute(statement)}
