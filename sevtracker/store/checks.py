"""Checks, their revisions and their runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sevtracker.domain.vocabulary import Reason, Trigger, Verdict
from sevtracker.store import sign_ins
from sevtracker.store.sevs import behind_hidden, visible
from sevtracker.store.tables import REPRODUCED, Check, CheckProof, CheckRevision, Copy, Dataset, Job, Run, Sev, table
from sevtracker.store.upsert import upsert
from sevtracker.store.work import Viewer

_K, _R = table(Check), table(Run)


def by_id(session: Session, check_id: int) -> Check | None:
    return session.get(Check, check_id)


def lock(session: Session, check_id: int) -> Check | None:
    """The check, locked until the transaction ends."""
    statement = select(Check).where(col(Check.id) == check_id).with_for_update()
    return session.exec(statement.execution_options(populate_existing=True)).first()


def any_due(session: Session, now: datetime) -> bool:
    """Is any check due?"""
    statement = sa.select(_K.c.id).where(_K.c.due_at <= now, _K.c.enabled).limit(1)
    return session.connection().execute(statement).first() is not None


def targets(session: Session, check_ids: Sequence[int]) -> list[tuple[int, str]]:
    """(id, target) of the enabled ones of these checks: what the queue takes."""
    if not check_ids:
        return []
    statement = sa.select(_K.c.id, _K.c.target).where(_K.c.id.in_(check_ids), _K.c.enabled).order_by(_K.c.id)
    return [(int(row.id), row.target) for row in session.connection().execute(statement)]


def lock_all(session: Session, check_ids: Sequence[int]) -> None:
    """Lock these checks, in the order of their ids, until the transaction ends."""
    if check_ids and session.get_bind().dialect.name != "sqlite":
        session.connection().execute(
            sa.select(_K.c.id).where(_K.c.id.in_(check_ids)).order_by(_K.c.id).with_for_update()
        )


def of_datasets(session: Session, dataset_ids: Sequence[int]) -> list[Check]:
    """The enabled checks of these datasets."""
    statement = select(Check).where(col(Check.dataset_id).in_(dataset_ids), col(Check.enabled)).order_by(col(Check.id))
    return list(session.exec(statement)) if dataset_ids else []


def revisions(session: Session, check_id: int) -> list[CheckRevision]:
    """All revisions of a check, oldest first."""
    statement = select(CheckRevision).where(col(CheckRevision.check_id) == check_id)
    return list(session.exec(statement.order_by(col(CheckRevision.revision))))


def retired_by(session: Session, check_ids: Sequence[int], pid: str | None) -> list[int]:
    """Which of these retired checks this person retired: that is a check's last revision."""
    v = table(CheckRevision)
    every = v.alias()
    last = sa.select(sa.func.max(every.c.revision)).where(every.c.check_id == _K.c.id).scalar_subquery()
    statement = (
        sa.select(_K.c.id)
        .join(v, sa.and_(v.c.check_id == _K.c.id, v.c.revision == last, v.c.by_pid == pid))
        .where(_K.c.id.in_(check_ids), _K.c.retired_at.is_not(None))
        .order_by(_K.c.id)
    )
    return [int(n) for n in session.connection().execute(statement).scalars()] if check_ids else []


def revisions_at(session: Session, wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], CheckRevision]:
    """These revisions, each by its check and its number. One statement."""
    if not wanted:
        return {}
    which = sa.tuple_(col(CheckRevision.check_id), col(CheckRevision.revision)).in_(sorted(wanted))
    return {(r.check_id, r.revision): r for r in session.exec(select(CheckRevision).where(which))}


def reproduced_at(session: Session, check: Check) -> datetime | None:
    """When the present definition of this check first saw its door open, if it did."""
    p = table(CheckProof)
    mine = sa.and_(p.c.check_id == check.id, p.c.fingerprint == check.fingerprint, p.c.how == REPRODUCED)
    return session.connection().execute(sa.select(sa.func.min(p.c.at, type_=p.c.at.type)).where(mine)).scalar()


@dataclass(frozen=True, slots=True)
class Line:
    """A check as lists show it."""

    id: int
    name: str
    kind: str
    identity: str
    control: str | None
    dataset: str
    copy: str
    required: bool
    enabled: bool
    revision: int
    locator: str
    halted: Reason | None
    last_verdict: Verdict | None
    last_reason: Reason | None
    last_at: datetime | None
    decisive: Verdict | None
    due_at: datetime | None
    retired_at: datetime | None


def looking_at(session: Session, copy_id: int) -> list[tuple[int, str]]:
    """Number and name of each check of a copy that is not retired, disabled ones too."""
    statement = sa.select(_K.c.id, _K.c.name).where(_K.c.copy_id == copy_id, _K.c.retired_at.is_(None))
    return [(int(i), str(name)) for i, name in session.connection().execute(statement.order_by(_K.c.id))]


def listing(  # noqa: PLR0913  # each is one way to narrow a list
    session: Session,
    *,
    limit: int,
    after: int | None = None,
    dataset: str | None = None,
    blind: bool = False,
    verdict: Verdict | None = None,
    text: str = "",
    retired: bool = False,
) -> list[Line]:
    """Checks by id, from after ``after`` on: of one dataset, those that cannot see now, of one verdict, or by words.

    Those that are ``retired``, too: only if asked for.
    """
    d, c = table(Dataset), table(Copy)
    names = [
        "required",
        "enabled",
        "revision",
        "locator",
        "halted",
        "last_verdict",
        "last_reason",
        "last_at",
        "decisive",
        "due_at",
        "retired_at",
    ]
    statement = (
        sa.select(
            _K.c.id,
            _K.c.name,
            _K.c.kind,
            _K.c.identity,
            _K.c.control,
            d.c.slug,
            c.c.slug,
            *(_K.c[name] for name in names),
        )
        .join(d, d.c.id == _K.c.dataset_id)
        .join(c, c.c.id == _K.c.copy_id)
        .order_by(_K.c.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(_K.c.id > after)
    if not retired:
        statement = statement.where(_K.c.retired_at.is_(None))
    if dataset is not None:
        statement = statement.where(d.c.slug == dataset)
    if blind:
        statement = statement.where(_K.c.enabled, _K.c.last_verdict == Verdict.inconclusive)
    if verdict is not None:
        statement = statement.where(_K.c.last_verdict == verdict)
    for word in text.split()[:8]:
        named = (_K.c.name, _K.c.identity, _K.c.kind, d.c.slug, c.c.slug)
        statement = statement.where(sa.or_(*(column.icontains(word, autoescape=True) for column in named)))
    return [Line(*row) for row in session.connection().execute(statement)]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a check stood before its next run."""

    id: int
    dataset: str
    copy: str
    failures: int
    auth_failures: int
    halted: Reason | None
    last_verdict: Verdict | None
    decisive: Verdict | None
    decisive_at: datetime | None
    revision: int
    proved_at: datetime | None
    twins_wrong: str | None
    left_open: dict[str, bool]
    fingerprint: str


def standing(session: Session, check_ids: Sequence[int]) -> dict[int, Standing]:
    """How each of these checks stands. Locks them, in the order of their ids, until the transaction ends."""
    d, c = table(Dataset), table(Copy)
    names = ["failures", "auth_failures", "halted", "last_verdict", "decisive", "decisive_at", "revision"]
    names += ["proved_at", "twins_wrong", "left_open", "fingerprint"]
    statement = (
        sa.select(_K.c.id, d.c.slug, c.c.slug, *(_K.c[name] for name in names))
        .join(d, d.c.id == _K.c.dataset_id)
        .join(c, c.c.id == _K.c.copy_id)
        .where(_K.c.id.in_(check_ids))
        .order_by(_K.c.id)
        .with_for_update(of=_K)
    )
    return {row[0]: Standing(*tuple(row)) for row in session.connection().execute(statement)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a check looks: the slugs of its dataset and copy."""

    dataset: str
    copy: str


def place(session: Session, check_id: int) -> Place:
    """Where this check looks."""
    d, c = table(Dataset), table(Copy)
    statement = (
        sa.select(d.c.slug, c.c.slug)
        .select_from(_K)
        .join(d, d.c.id == _K.c.dataset_id)
        .join(c, c.c.id == _K.c.copy_id)
        .where(_K.c.id == check_id)
    )
    return Place(*tuple(session.connection().execute(statement).one()))


# ---- runs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run as lists show it. One for a SEV that the reader may not know of looks like one by schedule."""

    id: int
    check_id: int
    revision: int
    verdict: Verdict
    reason: Reason
    started_at: datetime
    duration_ms: int
    control: str | None
    trigger: str
    sev: int | None
    patch: int | None
    steps: list[dict[str, Any]]
    impact: dict[str, Any] | None


def runs(session: Session, check_id: int, viewer: Viewer, *, limit: int, before: int | None = None) -> list[RunLine]:
    """A check's runs, newest first, from before run ``before`` on."""
    statement = _run_lines(viewer).where(_R.c.check_id == check_id).order_by(_R.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(_R.c.id < before)
    return [_run_line(row) for row in session.connection().execute(statement)]


def run(session: Session, check_id: int, run_id: int, viewer: Viewer) -> RunLine | None:
    """One run of a check."""
    row = session.connection().execute(_run_lines(viewer).where(_R.c.check_id == check_id, _R.c.id == run_id)).first()
    return _run_line(row) if row else None


def _run_line(row: sa.Row[Any]) -> RunLine:
    """Without what it says of impact, where that is about a SEV that the reader may not know of: its very window."""
    fields = list(row)
    veiled = fields.pop()
    line = RunLine(*fields)
    return dataclasses.replace(line, steps=[], impact=None) if veiled else line


def _run_lines(viewer: Viewer) -> sa.Select[Any]:
    s = table(Sev)
    seen = visible(viewer)
    shown = sa.or_(_R.c.sev_number.is_(None), s.c.number.is_not(None))
    return (
        sa.select(
            _R.c.id,
            _R.c.check_id,
            _R.c.revision,
            _R.c.verdict,
            _R.c.reason,
            _R.c.started_at,
            _R.c.duration_ms,
            _R.c.control,
            sa.case((shown, _R.c.trigger), else_=sa.literal(Trigger.schedule, _R.c.trigger.type)),
            s.c.number,
            sa.case((s.c.number.is_not(None), _R.c.patch_number), else_=None),
            _R.c.steps,
            _R.c.impact,
            sa.and_(_R.c.impact.is_not(None), _R.c.check_id.in_(behind_hidden(viewer))),
        )
        .select_from(_R)
        .outerjoin(s, sa.and_(s.c.number == _R.c.sev_number, seen))
    )


@dataclass(frozen=True, slots=True)
class Latest:
    """A check's newest run."""

    check_id: int
    id: int
    revision: int
    verdict: Verdict
    reason: Reason
    started_at: datetime


def latest_runs(session: Session, check_ids: Sequence[int]) -> dict[int, Latest]:
    """The newest run of each of these checks that has one."""
    statement = (
        sa.select(_R.c.check_id, _R.c.id, _R.c.revision, _R.c.verdict, _R.c.reason, _R.c.started_at)
        .join(_K, _K.c.last_run_id == _R.c.id)
        .where(_K.c.id.in_(check_ids))
    )
    return {row.check_id: Latest(*tuple(row)) for row in session.connection().execute(statement)}


def runs_since(session: Session, check_ids: Sequence[int], since: datetime) -> dict[int, int]:
    """For each check the id of its newest run, if that started at ``since`` or later."""
    return {i: run.id for i, run in latest_runs(session, check_ids).items() if run.started_at >= since}


def newest_run_ids(session: Session, check_ids: Sequence[int]) -> dict[int, int]:
    """The id of each check's newest run (0: none yet)."""
    statement = sa.select(_K.c.id, _K.c.last_run_id).where(_K.c.id.in_(check_ids))
    return {row.id: row.last_run_id or 0 for row in session.connection().execute(statement)}


def run_soon(session: Session, check_ids: Sequence[int], due_at: datetime) -> None:
    """Make these checks (locked by the caller) due at ``due_at`` at the latest; wakes those that had stopped by
    themselves, for one trial."""
    if check_ids:
        sooner = sa.or_(_K.c.due_at.is_(None), _K.c.due_at > due_at)
        session.connection().execute(
            sa.update(_K)
            .where(_K.c.id.in_(check_ids), _K.c.enabled, sooner)
            .values(due_at=due_at, halted=None, auth_failures=0)
        )
        sign_ins.allow_trial(session, check_ids)


def add_runs(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert runs; returns their ids in the order of ``rows``.

    The ids are taken in advance. To learn them from the inserts, SQLAlchemy would insert row by row on SQLite (where
    there is one writer), and on PostgreSQL send a text with thousands of parameters, new for every number of rows.
    """
    if not rows:
        return []
    connection = session.connection()
    if session.get_bind().dialect.name == "sqlite":
        taken = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'run'").scalar() or 0
        ids = [int(taken) + place for place in range(1, len(rows) + 1)]
    else:
        ids = [int(i) for i in connection.execute(_NEXT_RUNS, {"count": len(rows)}).scalars()]
    connection.execute(sa.insert(_R), [{"id": i, **row} for i, row in zip(ids, rows, strict=True)])
    return ids


_NEXT_RUNS = sa.text("SELECT nextval(pg_get_serial_sequence('run', 'id')) FROM generate_series(1, :count)")


def update(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update many checks: each row names its ``id`` and the same columns."""
    if rows:
        statement = sa.update(_K).where(_K.c.id == sa.bindparam("_id"))
        session.connection().execute(statement, [{"_id": row["id"], **_without_id(row)} for row in rows])


def remember(session: Session, memories: Sequence[tuple[int, str, Mapping[str, Any]]]) -> None:
    """Keep what kinds want to be given next time: (check id, fingerprint, memory). An edit meanwhile makes it void."""
    if memories:
        statement = sa.update(_K).where(_K.c.id == sa.bindparam("_id"), _K.c.fingerprint == sa.bindparam("_of"))
        rows = [{"_id": check_id, "_of": of, "memory": dict(memory)} for check_id, of, memory in memories]
        session.connection().execute(statement, rows)


def _without_id(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


def add_proofs(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep proofs; those that are known already stay as they are."""
    if rows:
        session.connection().execute(upsert(session, table(CheckProof)).on_conflict_do_nothing(), list(rows))


def proven(session: Session, check_ids: Sequence[int], since: datetime) -> set[int]:
    """Those of these checks whose present definition was seen to tell open from closed: at its target, or on canary
    twins since ``since``."""
    p = table(CheckProof)
    mine = sa.and_(p.c.check_id == _K.c.id, p.c.fingerprint == _K.c.fingerprint, p.c.how == REPRODUCED)
    told = sa.or_(_K.c.proved_at >= since, sa.exists().where(mine))
    statement = sa.select(_K.c.id).where(_K.c.id.in_(check_ids), told)
    return {int(i) for i in session.connection().execute(statement).scalars()} if check_ids else set()


def queued(session: Session, check_id: int) -> bool:
    """Does a run of this check wait, or is it under way?"""
    j = table(Job)
    return session.connection().execute(sa.select(j.c.check_id).where(j.c.check_id == check_id)).first() is not None
