"""People, their sign-in links, tokens and failed sign-ins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sevtracker.domain.vocabulary import Role
from sevtracker.store.tables import ApiToken, Person, SevMember, SigninFailure, SigninLink, table

_P, _T, _F = table(Person), table(ApiToken), table(SigninFailure)


def by_id(session: Session, person_id: int) -> Person | None:
    return session.get(Person, person_id)


class Signed(NamedTuple):
    """Somebody who is signed in, as every page needs them."""

    id: int
    pid: str
    name: str
    email: str
    role: Role
    active: bool
    session_epoch: int


_SIGNED = sa.select(*(_P.c[name] for name in Signed._fields)).where(_P.c.id == sa.bindparam("asked"))


def signed(session: Session, person_id: int) -> Signed | None:
    """Who has this id: one plain statement, as every page asks it."""
    row = session.connection().execute(_SIGNED, {"asked": person_id}).first()
    return Signed(*row) if row else None


def by_email(session: Session, email: str) -> Person | None:
    return session.exec(select(Person).where(col(Person.email) == email.strip().lower())).first()


def everybody(session: Session) -> list[Person]:
    """All people, by name."""
    return list(session.exec(select(Person).order_by(col(Person.name), col(Person.id))))


def anybody(session: Session) -> bool:
    """Is there anybody who can sign in at all?"""
    return session.connection().execute(sa.select(_P.c.id).limit(1)).first() is not None


def names(session: Session, pids: Iterable[str]) -> dict[str, str]:
    """Names by pseudonym."""
    wanted = sorted(set(pids))
    if not wanted:
        return {}
    rows = session.connection().execute(sa.select(_P.c.pid, _P.c.name).where(_P.c.pid.in_(wanted)))
    return {row.pid: row.name for row in rows}


def named(session: Session, ids: Iterable[int | None]) -> dict[int, Person]:
    """People by id."""
    wanted = sorted({i for i in ids if i is not None})
    if not wanted:
        return {}
    return {int(p.id or 0): p for p in session.exec(select(Person).where(col(Person.id).in_(wanted)))}


# ---- tokens ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token speaks for."""

    token_id: int
    last_used_at: datetime | None
    id: int
    pid: str
    role: Role


_BEARER = (
    sa.select(_T.c.id, _T.c.last_used_at, _P.c.id, _P.c.pid, _P.c.role)
    .join(_P, _P.c.id == _T.c.person_id)
    .where(_T.c.token_hash == sa.bindparam("token_hash"), _T.c.revoked_at.is_(None), _P.c.active)
)


def bearer(session: Session, token_hash: str) -> Bearer | None:
    """Whom this token speaks for, if it is valid: not revoked, of an active person. One statement, built once."""
    row = session.connection().execute(_BEARER, {"token_hash": token_hash}).first()
    return Bearer(*row) if row else None


def tokens_of(session: Session, person_id: int) -> list[ApiToken]:
    """A person's tokens, newest first."""
    statement = select(ApiToken).where(col(ApiToken.person_id) == person_id).order_by(col(ApiToken.id).desc())
    return list(session.exec(statement))


def token_used(session: Session, token_id: int, at: datetime) -> None:
    session.connection().execute(sa.update(_T).where(_T.c.id == token_id).values(last_used_at=at))


def token(session: Session, token_id: int) -> ApiToken | None:
    return session.get(ApiToken, token_id)


# ---- signing in --------------------------------------------------------------------------------------------------


def link(session: Session, token_hash: str) -> SigninLink | None:
    """A one-time link, locked until the transaction ends, so that it works once."""
    statement = select(SigninLink).where(col(SigninLink.token_hash) == token_hash).with_for_update()
    return session.exec(statement).first()


def failures_since(session: Session, subjects: Sequence[str], since: datetime) -> dict[str, list[datetime]]:
    """The failed sign-ins of each subject since then, oldest first."""
    statement = sa.select(_F.c.subject, _F.c.at).where(_F.c.subject.in_(subjects), _F.c.at > since).order_by(_F.c.at)
    found: dict[str, list[datetime]] = {}
    for row in session.connection().execute(statement):
        found.setdefault(row.subject, []).append(row.at)
    return found


def add_failures(session: Session, subjects: Sequence[str], at: datetime) -> None:
    session.connection().execute(sa.insert(_F), [{"subject": s, "at": at} for s in subjects])


def forget_failures(session: Session, before: datetime) -> None:
    """Drop failed sign-ins from before then."""
    session.connection().execute(sa.delete(_F).where(_F.c.at <= before))


def clear_failures(session: Session, subject: str) -> None:
    """A good sign-in ends the count of its own subject."""
    session.connection().execute(sa.delete(_F).where(_F.c.subject == subject))


# ---- whom a page names -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody that a page names, or offers to choose. ``added``: to the SEV that was asked for."""

    id: int
    pid: str
    name: str
    email: str
    role: Role
    active: bool
    added: bool


def around(session: Session, sev: int, ids: Iterable[int], pids: Iterable[str], *, choices: int) -> list[Named]:
    """Everybody whom the page of a SEV names, and up to ``choices`` people who could command it. One statement."""
    m = table(SevMember)
    named_ = sa.or_(_P.c.id.in_(sorted(set(ids))), _P.c.pid.in_(sorted(set(pids))), m.c.sev_number.is_not(None))
    offered = sa.and_(_P.c.active, _P.c.role.in_((Role.engineer, Role.executive)))
    wanted = sa.or_(named_, offered) if choices else named_
    statement = (
        sa.select(_P.c.id, _P.c.pid, _P.c.name, _P.c.email, _P.c.role, _P.c.active, m.c.sev_number.is_not(None), named_)
        .outerjoin(m, sa.and_(m.c.person_id == _P.c.id, m.c.sev_number == sev))
        .where(wanted)
        .order_by(sa.case((named_, 0), else_=1), _P.c.name, _P.c.id)
        .limit(choices + 1000)
    )
    rows = session.connection().execute(statement).all()
    offered_rows = [row for row in rows if not row[7]][:choices]
    return [Named(*row[:7]) for row in (*(row for row in rows if row[7]), *offered_rows)]
