"""What the home page tells, for one viewer: SEVs by harm, what their checks saw, alarms, blind checks, figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.domain.exposure import VantageState
from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Exposure, Level, Reason, Status, Verdict
from sevtracker.store.sevs import visible
from sevtracker.store.tables import Check, Copy, Dataset, Notice, Person, Programme, Sev, SevCheck, table
from sevtracker.store.vantages import decode
from sevtracker.store.work import Viewer

_S, _K, _SC, _P, _N = table(Sev), table(Check), table(SevCheck), table(Person), table(Notice)

#: The watched ones are counted up to here: nobody needs the exact number of a thousand.
MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Card:
    """A SEV in which something is owed or wrong."""

    number: int
    title: str
    level: Level
    status: Status
    exposure: Exposure
    restricted: bool
    reported_at: datetime
    exposed_from: datetime | None
    aware_at: datetime | None
    fix_claimed_at: datetime | None
    verified_closed_at: datetime | None
    blockers: int
    exceptions: int
    commander: str | None


_CARD = (
    *(_S.c[name] for name in ("number", "title", "level", "status", "exposure", "restricted", "reported_at")),
    *(
        _S.c[name]
        for name in ("exposed_from", "aware_at", "fix_claimed_at", "verified_closed_at", "blockers", "exceptions")
    ),
)


def cards(session: Session, viewer: Viewer, *, limit: int) -> list[Card]:
    """SEVs by harm, worst first. One statement."""
    statement = (
        sa.select(*_CARD, _P.c.name)
        .outerjoin(_P, _P.c.id == _S.c.commander_id)
        .where(_S.c.harm.is_not(None), visible(viewer))
        .order_by(_S.c.harm, _S.c.number.desc())
        .limit(limit)
    )
    return [Card(*tuple(row)) for row in session.connection().execute(statement)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one check made of a SEV. ``counts``: it is required and enabled."""

    exposure: Exposure
    streak: int
    needed: int
    counts: bool
    state: VantageState


def seen(session: Session, numbers: Sequence[int]) -> dict[int, list[Seen]]:
    """What the checks of these SEVs saw. One statement."""
    found: dict[int, list[Seen]] = {number: [] for number in numbers}
    if numbers:
        statement = (
            sa.select(
                _SC.c.sev_number,
                _SC.c.exposure,
                _SC.c.streak,
                _SC.c.needed,
                sa.and_(_K.c.required, _K.c.enabled),
                _SC.c.state,
            )
            .join(_K, _K.c.id == _SC.c.check_id)
            .where(_SC.c.sev_number.in_(numbers))
        )
        for number, exposure, streak, needed, counts, state in session.connection().execute(statement):
            found[number].append(Seen(exposure, streak, needed, bool(counts), decode(state)))
    return found


@dataclass(frozen=True, slots=True)
class Blind:
    """A check that cannot tell at the moment. ``since``: when it last could, or was made. ``sev`` needs it."""

    id: int
    name: str
    place: str
    identity: str
    reason: Reason
    halted: Reason | None
    since: datetime
    sev: int | None


def blind(session: Session, viewer: Viewer, *, limit: int) -> list[Blind]:
    """Enabled checks whose last run was inconclusive, the longest blind first. One statement."""
    d, c = table(Dataset), table(Copy)
    since = sa.func.coalesce(_K.c.decisive_at, _K.c.created_at, type_=_K.c.created_at.type)
    needed_by = (
        sa.select(sa.func.max(_SC.c.sev_number))
        .join(_S, _S.c.number == _SC.c.sev_number)
        .where(_SC.c.check_id == _K.c.id, _S.c.harm.is_not(None), visible(viewer))
        .scalar_subquery()
    )
    statement = (
        sa.select(
            _K.c.id, _K.c.name, d.c.slug, c.c.slug, _K.c.identity, _K.c.last_reason, _K.c.halted, since, needed_by
        )
        .join(d, d.c.id == _K.c.dataset_id)
        .join(c, c.c.id == _K.c.copy_id)
        .where(_K.c.enabled, _K.c.last_verdict == Verdict.inconclusive)
        .order_by(since, _K.c.id)
        .limit(limit)
    )
    rows = session.connection().execute(statement)
    return [Blind(i, name, f"{d_}/{c_}", who, why, halt, at, sev) for i, name, d_, c_, who, why, halt, at, sev in rows]


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that still matters."""

    id: str
    kind: str
    sev: int | None
    check: int | None
    facts: Mapping[str, Any]
    at: datetime


def alarms(session: Session, numbers: Sequence[int], check_ids: Sequence[int], *, limit: int) -> list[Told]:
    """Notices about these SEVs (which the reader may know of) and these checks, newest first. One statement."""
    if not numbers and not check_ids:
        return []
    about_check = sa.and_(_N.c.sev_number.is_(None), _N.c.check_id.in_(check_ids))
    statement = (
        sa.select(_N.c.id, _N.c.kind, _N.c.sev_number, _N.c.check_id, _N.c.facts, _N.c.created_at)
        .where(_N.c.route == "home", _N.c.acknowledged_at.is_(None))
        .where(sa.or_(_N.c.sev_number.in_(numbers), about_check))
        .order_by(_N.c.created_at.desc())
        .limit(limit)
    )
    return [Told(*tuple(row)) for row in session.connection().execute(statement)]


@dataclass(frozen=True, slots=True)
class Figures:
    """``pulse`` changes whenever the page would tell something else, but for the times that it shows."""

    pulse: str
    filed: bool
    watching: int
    checks: int
    datasets: int
    paused: int
    last_run_at: datetime | None


def figures(session: Session, viewer: Viewer) -> Figures:
    """Counts, and what a page that is open already compares itself with. One statement."""
    wrong = sa.and_(_S.c.harm.is_not(None), visible(viewer))
    one: dict[str, Any] = {
        "versions": sa.select(sa.func.coalesce(sa.func.sum(_S.c.version), 0)).where(wrong),
        "numbers": sa.select(sa.func.coalesce(sa.func.sum(_S.c.number), 0)).where(wrong),
        "filed": sa.select(_S.c.number).where(visible(viewer)).limit(1),
        "watching": sa.select(sa.func.count()).select_from(_watched(viewer)),
        "checks": sa.select(sa.func.count()).select_from(_K).where(_K.c.enabled),
        "blind": sa.select(sa.func.count()).where(_K.c.enabled, _K.c.last_verdict == Verdict.inconclusive),
        "halted": sa.select(sa.func.count()).where(_K.c.enabled, _K.c.halted.is_not(None)),
        "last_run_at": sa.select(sa.func.max(_K.c.last_at)),
        "datasets": sa.select(sa.func.count()).select_from(table(Dataset)),
        "paused": sa.select(sa.func.count()).where(table(Programme).c.state != "running"),
    }
    asked = sa.select(*(query.scalar_subquery().label(name) for name, query in one.items()))
    row = session.connection().execute(asked).one()
    pulse = f"{row.numbers}.{row.versions}.{row.watching}.{row.checks}.{row.blind}.{row.halted}.{row.paused}"
    return Figures(
        pulse=pulse,
        filed=row.filed is not None,
        watching=row.watching,
        checks=row.checks,
        datasets=row.datasets,
        paused=row.paused,
        last_run_at=row.last_run_at,
    )


def _watched(viewer: Viewer) -> sa.Subquery:
    kept = sorted(WATCHED - ACTIVE)
    return sa.select(_S.c.number).where(_S.c.status.in_(kept), visible(viewer)).limit(MOST_COUNTED).subquery()
