"""Failed sign-ins of identities at targets: an account must not be locked out by the checks that use it.

They are few and seldom written, so one lock holds them all: some transactions come to them twice (a batch of runs
counts them, then reopens SEVs, each of which allows trials), and no order of rows would hold over both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.domain.schedule import AUTH_FAILURES_TO_HALT
from sevtracker.domain.vocabulary import Reason
from sevtracker.store.tables import Check, Job, SignIn, table
from sevtracker.store.upsert import upsert

_I, _K, _J = table(SignIn), table(Check), table(Job)

#: An identity at a target.
Account = tuple[str, str]

#: For PostgreSQL's advisory lock: "sign-ins" in ASCII, read as a number, since it has to be some number.
_LOCK = int.from_bytes(b"signin")


def _hold(session: Session) -> None:
    """Nobody else writes sign-ins until the transaction ends. Comes after checks and SEVs: see docs/architecture.md."""
    if session.get_bind().dialect.name != "sqlite":
        session.connection().exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


@dataclass(frozen=True, slots=True)
class Use:
    """A check that signs in as ``account``. ``waits``: it has stopped, over failed sign-ins."""

    check_id: int
    account: Account
    waits: bool


def uses(session: Session, accounts: Collection[Account]) -> list[Use]:
    """The enabled checks that try the door as one of these, by id. (A control is not what a check stops for.)"""
    if not accounts:
        return []
    statement = (
        sa.select(_K.c.id, _K.c.identity, _K.c.target, _K.c.halted)
        .where(_K.c.target.in_({target for _, target in accounts}), _K.c.enabled)
        .where(_K.c.identity.in_({identity for identity, _ in accounts}))
        .order_by(_K.c.id)
    )
    found = session.connection().execute(statement)
    return [
        Use(row.id, (row.identity, row.target), row.halted is Reason.auth_failed)
        for row in found
        if (row.identity, row.target) in accounts
    ]


def halted(session: Session, accounts: Collection[Account]) -> set[Account]:
    """Those of these accounts that nobody tries, but for a trial."""
    if not accounts:
        return set()
    asked = sa.tuple_(_I.c.identity, _I.c.target).in_(sorted(accounts))
    rows = session.connection().execute(sa.select(_I.c.identity, _I.c.target).where(asked, _I.c.halted_at.is_not(None)))
    return {(row.identity, row.target) for row in rows}


@dataclass(frozen=True, slots=True)
class Stopped:
    """An identity that a check uses, and that is not tried at the check's target. ``waiting``: checks that stopped
    over it."""

    identity: str
    since: datetime
    waiting: int


def stopped(session: Session, check: Check) -> list[Stopped]:
    """Of the identity and the control of this check: who is not tried any more. One statement."""
    waiting = (
        sa.select(sa.func.count())
        .where(_K.c.identity == _I.c.identity, _K.c.target == _I.c.target)
        .where(_K.c.enabled, _K.c.halted == Reason.auth_failed)
        .scalar_subquery()
    )
    statement = sa.select(_I.c.identity, _I.c.halted_at, waiting).where(
        _I.c.target == check.target,
        _I.c.identity.in_([check.identity, check.control or check.identity]),
        _I.c.halted_at.is_not(None),
    )
    return [Stopped(*tuple(row)) for row in session.connection().execute(statement.order_by(_I.c.identity))]


def count(session: Session, failures: Mapping[Account, int], now: datetime) -> None:
    """Keep how many sign-ins have failed in a row; none: the account is alive. The caller holds the targets' lanes, and
    has locked its checks and SEVs."""
    if not failures:
        return
    _hold(session)
    connection = session.connection()
    alive = [account for account, number in failures.items() if not number]
    if alive:
        connection.execute(sa.delete(_I).where(sa.tuple_(_I.c.identity, _I.c.target).in_(sorted(alive))))
    rows = [
        {
            "identity": identity,
            "target": target,
            "failures": number,
            "halted_at": now if number >= AUTH_FAILURES_TO_HALT else None,
        }
        for (identity, target), number in sorted(failures.items())
        if number
    ]
    if rows:
        insert = upsert(session, _I)
        values = {
            "failures": insert.excluded.failures,
            "halted_at": sa.func.coalesce(_I.c.halted_at, insert.excluded.halted_at),
        }
        connection.execute(insert.on_conflict_do_update(index_elements=["identity", "target"], set_=values), rows)


def stop(session: Session, check_ids: Sequence[int]) -> None:
    """These checks (locked by the caller) wait until somebody mends their identity."""
    if check_ids:
        connection = session.connection()
        connection.execute(sa.update(_K).where(_K.c.id.in_(check_ids)).values(halted=Reason.auth_failed, due_at=None))
        connection.execute(sa.delete(_J).where(_J.c.check_id.in_(check_ids)))


def wake(session: Session, check_ids: Sequence[int], now: datetime) -> None:
    """These checks (locked by the caller) are due now: their identity is alive."""
    if check_ids:
        session.connection().execute(
            sa.update(_K).where(_K.c.id.in_(check_ids)).values(halted=None, auth_failures=0, due_at=now)
        )


def allow_trial(session: Session, check_ids: Sequence[int]) -> None:
    """Somebody asks for these checks (locked by the caller): the accounts that they use may be tried once more, and
    once only. One statement where nobody is locked out."""
    if not check_ids:
        return
    mine = sa.exists().where(
        _K.c.id.in_(check_ids),
        _K.c.target == _I.c.target,
        sa.or_(_K.c.identity == _I.c.identity, _K.c.control == _I.c.identity),
    )
    dead = sa.and_(_I.c.failures >= AUTH_FAILURES_TO_HALT, mine)
    connection = session.connection()
    if connection.execute(sa.select(_I.c.identity).where(dead).limit(1)).first() is not None:
        _hold(session)
        connection.execute(sa.update(_I).where(dead).values(failures=AUTH_FAILURES_TO_HALT - 1))
