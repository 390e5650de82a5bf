"""The queue of runs: jobs wait in lanes, one lane a target host; a worker leases a lane, never a job.

So no target ever gets two runs at once, whatever the number of workers, and one slow target delays nobody else. A lease
is counted on the database's clock. A lane's ``fence`` goes up with every lease; a result that comes with an older fence
is late and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.domain.schedule import AUTH_FAILURES_TO_HALT
from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Reason, Trigger, Weight
from sevtracker.store import checks as stored
from sevtracker.store.engine import epoch_now
from sevtracker.store.tables import Check, Job, Lane, Sev, SevCheck, SignIn, table
from sevtracker.store.upsert import upsert

_J, _L, _K, _I, _S, _SC = table(Job), table(Lane), table(Check), table(SignIn), table(Sev), table(SevCheck)

#: A lease that ends later than two leases and so many seconds from now is from before the database's clock jumped back.
_JUMP_S = 300.0

#: The longest that a target may ask to be left alone.
LONGEST_REST_S = 3600.0

#: Runs that are queued in one transaction.
A_BATCH = 1000

#: Smaller comes first within a lane.
PRIORITY: dict[Trigger, int] = {
    Trigger.resolve: 0,
    Trigger.verify: 1,
    Trigger.manual: 1,
    Trigger.patch: 2,
    Trigger.filed: 3,
    Trigger.retry: 5,
    Trigger.schedule: 5,
    Trigger.watch: 6,
}


def _clock(session: Session) -> sa.ColumnElement[float]:
    return epoch_now(session.get_bind().dialect.name == "sqlite")


# ---- asking for runs ---------------------------------------------------------------------------------------------


def enqueue(
    session: Session,
    checks: Sequence[tuple[int, str]],
    trigger: Trigger,
    now: datetime,
    *,
    sev: int | None = None,
    patch: int | None = None,
) -> None:
    """Queue a run of each (check id, target). Asked for by somebody: one that waits or runs already will run again."""
    if not checks:
        return
    rows = [_row(check_id, target, trigger, now, sev, patch) for check_id, target in checks]
    insert = upsert(session, _J)
    statement = insert.on_conflict_do_update(
        index_elements=["check_id"],
        set_={
            "version": _J.c.version + 1,
            "priority": sa.case(
                (_J.c.priority < insert.excluded.priority, _J.c.priority), else_=insert.excluded.priority
            ),
            "trigger": insert.excluded.trigger,
            "sev_number": insert.excluded.sev_number,
            "patch_number": insert.excluded.patch_number,
            "target": insert.excluded.target,
        },
    )
    session.connection().execute(statement, rows)
    _open_lanes(session, rows)


def _open_lanes(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Every queued job has a lane: made here, so that claiming need not look through the queue for missing ones."""
    targets = sorted({row["target"] for row in rows})
    session.connection().execute(
        upsert(session, _L).on_conflict_do_nothing(),
        [{"target": t, "lease_until": 0.0, "fence": 0, "worker": "", "not_before": 0.0} for t in targets],
    )


def enqueue_due(session: Session, now: datetime, limit: int = A_BATCH) -> int:
    """Queue the runs that are due, and say when each check is due next should its worker die. Returns how many.

    A due time further away than the check's own interval allows comes from a clock that jumped back: it is due.
    """
    late = _K.c.due_at <= now
    statement = (
        sa.select(_K.c.id, _K.c.target, _K.c.every_s, _K.c.failures)
        .where(late, _K.c.enabled)
        .order_by(_K.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    connection = session.connection()
    due = connection.execute(statement).all()
    if not due:
        return 0
    rows = [
        _row(row.id, row.target, Trigger.retry if row.failures else Trigger.schedule, now, None, None)
        for row in sorted(due, key=lambda row: row.id)
    ]
    connection.execute(upsert(session, _J).on_conflict_do_nothing(), rows)
    _open_lanes(session, rows)
    connection.execute(
        sa.update(_K).where(_K.c.id == sa.bindparam("_id")),
        [{"_id": row.id, "due_at": now + timedelta(seconds=row.every_s)} for row in due],
    )
    return len(due)


def bring_back_the_future(session: Session, now: datetime) -> int:
    """After the wall clock jumped back: checks due later than their interval allows are due now. Returns how many."""
    ahead = [
        row.id
        for row in session.connection().execute(
            sa.select(_K.c.id, _K.c.due_at, _K.c.every_s).where(_K.c.due_at > now + timedelta(seconds=60))
        )
        if row.due_at > now + timedelta(seconds=1.5 * row.every_s + 900)
    ]
    if ahead:
        stored.lock_all(session, ahead)
        session.connection().execute(sa.update(_K).where(_K.c.id.in_(ahead)).values(due_at=now))
    return len(ahead)


def _row(
    check_id: int, target: str, trigger: Trigger, now: datetime, sev: int | None, patch: int | None
) -> dict[str, Any]:
    return {
        "check_id": check_id,
        "target": target,
        "priority": PRIORITY[trigger],
        "queued_at": now,
        "trigger": trigger,
        "sev_number": sev,
        "patch_number": patch,
        "version": 0,
    }


# ---- leasing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job of a leased lane, with the definition to run. ``params`` were validated when they were saved.

    ``since``, ``until``: for a check that only informs, the time that its SEVs are about; ``until`` None: it goes on.
    """

    check_id: int
    target: str
    fence: int
    version: int
    trigger: Trigger
    sev_number: int | None
    patch_number: int | None
    revision: int
    fingerprint: str
    kind: str
    identity: str
    control: str | None
    params: Mapping[str, Any]
    memory: Mapping[str, Any] | None = None
    since: datetime | None = None
    until: datetime | None = None
    twins: Mapping[str, Any] | None = None
    proved_at: datetime | None = None
    #: How many sign-ins have failed in a row at this target, by identity; as of the lease.
    failed_sign_ins: Mapping[str, int] = field(default_factory=dict)


def any_free(session: Session, lease: timedelta) -> bool:
    """Is there a job whose lane nobody holds? Asked before claiming: reading is cheap, the write lock is not."""
    statement = sa.select(_L.c.target).where(_is_free(session, lease), _has_jobs()).limit(1)
    return session.connection().execute(statement).first() is not None


def _is_free(session: Session, lease: timedelta) -> sa.ColumnElement[bool]:
    clock = _clock(session)
    given_back = sa.or_(_L.c.lease_until <= clock, _L.c.lease_until > clock + 2 * lease.total_seconds() + _JUMP_S)
    rested = sa.or_(_L.c.not_before <= clock, _L.c.not_before > clock + LONGEST_REST_S + _JUMP_S)
    return sa.and_(given_back, rested)


def _has_jobs() -> sa.ColumnElement[bool]:
    return sa.exists().where(_J.c.target == _L.c.target)


def claim(
    session: Session, worker: str, *, lease: timedelta, lanes: int, chunk: int, target: str | None = None
) -> dict[str, tuple[int, list[Claimed]]]:
    """Lease up to ``lanes`` free lanes that have jobs (or just ``target``'s).

    Returns by target the fence, and up to ``chunk`` jobs:

    1. Choose free lanes: those first whose first job is the most urgent, then those that waited longest for a worker.
       None whose target asked to be left alone for now.
    2. Lease them, counting ``fence`` up.
    3. Drop the jobs of checks that have stopped, or whose identity is not tried there any more: those of all these
       lanes at once, since the checks are locked for it, and checks are locked in the order of their ids.
    4. Read the lanes' first jobs, with the definitions as they are now.
    """
    connection = session.connection()
    urgent = sa.select(sa.func.min(_J.c.priority)).where(_J.c.target == _L.c.target).scalar_subquery()
    free = (
        sa.select(_L.c.target)
        .where(_is_free(session, lease), _has_jobs())
        .order_by(urgent, _L.c.lease_until)
        .limit(lanes)
        .with_for_update(skip_locked=True)
    )
    if target is not None:
        free = free.where(_L.c.target == target)
    chosen = connection.execute(free).scalars().all()
    if not chosen:
        return {}
    leased = connection.execute(
        sa.update(_L)
        .where(_L.c.target.in_(chosen))
        .values(lease_until=_clock(session) + lease.total_seconds(), fence=_L.c.fence + 1, worker=worker)
        .returning(_L.c.target, _L.c.fence)
    ).all()
    failed = _failed_sign_ins(connection, [row.target for row in leased])
    _drop_stopped(session, [row.target for row in leased])
    return {
        row.target: (row.fence, _first_jobs(connection, row.target, row.fence, chunk, failed.get(row.target, {})))
        for row in leased
    }


def _failed_sign_ins(connection: sa.Connection, targets: Sequence[str]) -> dict[str, dict[str, int]]:
    """By target and identity. Only who leases a lane signs in there, so nobody adds to them meanwhile."""
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(sa.select(_I).where(_I.c.target.in_(targets))):
        found.setdefault(row.target, {})[row.identity] = row.failures
    return found


def _drop_stopped(session: Session, targets: Sequence[str]) -> None:
    """Drop the jobs of these lanes whose checks have stopped, or sign in as somebody who is not tried there any more:
    such a check stops, too, and runs again once somebody asks for it. Unless somebody woke it since: it is locked
    first.
    """
    dead = sa.exists().where(
        _I.c.identity == _K.c.identity, _I.c.target == _J.c.target, _I.c.failures >= AUTH_FAILURES_TO_HALT
    )
    queued = sa.select(_K.c.id).join(_J, _J.c.check_id == _K.c.id).where(_J.c.target.in_(targets))
    stopped = queued.where(sa.or_(_K.c.halted.is_not(None), dead))
    connection = session.connection()
    found = list(connection.execute(stopped).scalars())
    if not found:
        return
    stored.lock_all(session, found)
    ids = list(connection.execute(stopped.where(_K.c.id.in_(found))).scalars())
    halted = sa.func.coalesce(_K.c.halted, sa.literal(Reason.auth_failed, _K.c.halted.type))
    connection.execute(sa.update(_K).where(_K.c.id.in_(ids)).values(halted=halted, due_at=None))
    connection.execute(sa.delete(_J).where(_J.c.check_id.in_(ids)))


def _first_jobs(
    connection: sa.Connection, target: str, fence: int, chunk: int, failed: Mapping[str, int]
) -> list[Claimed]:
    """What may run. A check that stopped since the others were dropped is the next claim's to drop."""
    statement = (
        sa.select(
            _J.c.check_id,
            _J.c.version,
            _J.c.trigger,
            _J.c.sev_number,
            _J.c.patch_number,
            _K.c.revision,
            _K.c.fingerprint,
            _K.c.kind,
            _K.c.identity,
            _K.c.control,
            _K.c.params,
            _K.c.memory,
            _window(sa.func.min(sa.func.coalesce(_S.c.exposed_from, _S.c.detected_at, _S.c.reported_at))),
            _window(_LAST_SEEN_OPEN),
            _K.c.twins,
            _K.c.proved_at,
        )
        .join(_K, _K.c.id == _J.c.check_id)
        .where(_J.c.target == target, _K.c.halted.is_(None))
        .order_by(_J.c.priority, _J.c.queued_at, _J.c.check_id)
        .limit(chunk)
    )
    rows = connection.execute(statement).all()
    return [Claimed(row[0], target, fence, *[*tuple(row)[1:], failed]) for row in rows]


#: None as long as one of the SEVs has not been verified closed.
_LAST_SEEN_OPEN = sa.case(
    (sa.func.count() > sa.func.count(_S.c.verified_closed_at), None), else_=sa.func.max(_S.c.verified_closed_at)
)


def _window(edge: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """``edge`` over the SEVs of a check that only informs. Others don't ask, and need not wait for the answer."""
    looking = (
        sa.select(edge)
        .select_from(_SC)
        .join(_S, _S.c.number == _SC.c.sev_number)
        .where(_SC.c.check_id == _K.c.id, _S.c.status.in_(sorted(ACTIVE | WATCHED)))
        .correlate(_K)
        .scalar_subquery()
    )
    return sa.case((_K.c.weight == Weight.informs, looking), else_=None)


def extend(session: Session, worker: str, held: Mapping[str, int], lease: timedelta) -> dict[str, int]:
    """Keep these lanes (fence by target) for another ``lease``. Returns those that still were the worker's to keep.

    Not those that somebody else has leased since, nor those that another thread of the worker has just given back.
    """
    statement = (
        sa.select(_L.c.target, _L.c.fence)
        .where(_L.c.target.in_(sorted(held)), _L.c.worker == worker)
        .order_by(_L.c.target)
        .with_for_update()
    )
    rows = session.connection().execute(statement).all()
    kept = {row.target: row.fence for row in rows if held[row.target] == row.fence}
    if kept:
        session.connection().execute(
            sa.update(_L).where(_L.c.target.in_(kept)).values(lease_until=_clock(session) + lease.total_seconds())
        )
    return kept


def release(session: Session, held: Mapping[str, int]) -> None:
    """Give these lanes back. ``lease_until`` becomes now, so that the lane which waited longest is served next."""
    if held:
        session.connection().execute(
            sa.update(_L)
            .where(_L.c.target == sa.bindparam("_target"), _L.c.fence == sa.bindparam("_fence"))
            .values(lease_until=_clock(session), worker=""),
            [{"_target": t, "_fence": f} for t, f in sorted(held.items())],  # in order: nobody deadlocks
        )


def rest(session: Session, seconds: Mapping[str, float]) -> None:
    """Leave these targets alone for so long from now: they asked for it. The caller holds the lanes."""
    if seconds:
        asked = sa.bindparam("_seconds", type_=sa.Float)
        session.connection().execute(
            sa.update(_L).where(_L.c.target == sa.bindparam("_target")).values(not_before=_clock(session) + asked),
            [{"_target": t, "_seconds": min(s, LONGEST_REST_S)} for t, s in sorted(seconds.items())],
        )


def fences(session: Session, targets: Sequence[str]) -> dict[str, int]:
    """The present fence of each lane, locked until the transaction ends."""
    statement = (
        sa.select(_L.c.target, _L.c.fence).where(_L.c.target.in_(targets)).order_by(_L.c.target).with_for_update()
    )
    return {row.target: row.fence for row in session.connection().execute(statement)}


def done(session: Session, finished: Sequence[tuple[int, int]]) -> None:
    """Remove the jobs (check id, version) that have run. One that was asked for again meanwhile stays."""
    if finished:
        session.connection().execute(
            sa.delete(_J).where(_J.c.check_id == sa.bindparam("_check"), _J.c.version == sa.bindparam("_version")),
            [{"_check": c, "_version": v} for c, v in sorted(finished)],
        )


def forget(session: Session, check_id: int) -> None:
    """Drop the run that a check waits for, if any: it was disabled."""
    session.connection().execute(sa.delete(_J).where(_J.c.check_id == check_id))


def waiting(session: Session) -> int:
    """How many runs are queued or under way."""
    return int(session.connection().execute(sa.select(sa.func.count()).select_from(_J)).scalar_one())
