"""People's word on SEVs: acts owed before resolving, waivers, attestations. Read together, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sevtracker.domain.vocabulary import ACTIVE, WATCHED
from sevtracker.store import tables
from sevtracker.store.tables import AttestationSignature, Check, Patch, Sev, SevAct, SevCheck, table

_A, _W, _T, _S = table(SevAct), table(tables.Waiver), table(tables.Attestation), table(AttestationSignature)
_L, _V, _P = table(SevCheck), table(Sev), table(Patch)


@dataclass(frozen=True, slots=True)
class Waived:
    """A waiver that nobody revoked. ``told``: its expiry is on the record."""

    id: int
    check_id: int
    fingerprint: str
    granted_by: int
    until: datetime
    knew_open: bool
    told: bool


@dataclass(slots=True)
class Attested:
    """What people said of a copy, and did not withdraw. ``signed_by`` are their ids; ``told`` as of a waiver."""

    id: int
    copy_id: int
    evidence: str
    made_at: datetime
    until: datetime
    told: bool
    signed_by: tuple[int, ...] = ()


@dataclass(slots=True)
class Words:
    """All of it on one SEV. ``acts``: when each kind was recorded last. ``waivers``: by check. ``any``: was there
    ever a waiver or an attestation, whatever became of it?"""

    acts: dict[str, datetime] = field(default_factory=dict)
    waivers: dict[int, list[Waived]] = field(default_factory=dict)
    attestations: list[Attested] = field(default_factory=list)
    any: bool = False


def given(session: Session, numbers: Sequence[int]) -> dict[int, Words]:
    """People's word on each of these SEVs, oldest first."""
    found = {number: Words() for number in numbers}
    if not numbers:
        return found
    signed: dict[int, list[int]] = {}
    for row in session.connection().execute(_GIVEN, {"numbers": list(numbers)}):
        mine = found[row.sev_number]
        mine.any = mine.any or row.what != "act"
        if row.what == "act":
            mine.acts[row.text] = row.at
        elif row.over:
            continue
        elif row.what == "waiver":
            waived = Waived(row.id, row.ref, row.text, row.who, row.until, bool(row.flag), bool(row.told))
            mine.waivers.setdefault(row.ref, []).append(waived)
        elif row.what == "attestation":
            mine.attestations.append(Attested(row.id, row.ref, row.text, row.at, row.until, bool(row.told)))
        else:
            signed.setdefault(row.id, []).append(row.who)
    for words in found.values():
        for attested in words.attestations:
            attested.signed_by = tuple(signed.get(attested.id, ()))
    return found


def _given() -> sa.CompoundSelect[Any]:
    """Rows of (what, sev_number, id, ref, who, text, at, until, flag, told, over). Built once."""
    asked: sa.BindParameter[Any] = sa.bindparam("numbers", expanding=True)
    moment = _A.c.at.type
    none, no = sa.literal(None, moment), sa.literal(False)
    nothing = sa.literal(0)
    parts: list[sa.Select[Any]] = [
        sa.select(
            *(sa.literal("act").label("what"), _A.c.sev_number, _A.c.id, nothing.label("ref"), nothing.label("who")),
            *(_A.c.kind.label("text"), _A.c.at, none.label("until"), no.label("flag"), no.label("told")),
            no.label("over"),
        ).where(_A.c.sev_number.in_(asked)),
        sa.select(
            *(sa.literal("waiver"), _W.c.sev_number, _W.c.id, _W.c.check_id, _W.c.granted_by, _W.c.fingerprint),
            *(_W.c.granted_at, _W.c.expires_at, _W.c.knew_open, _W.c.told, _W.c.revoked_at.is_not(None)),
        ).where(_W.c.sev_number.in_(asked)),
        sa.select(
            *(sa.literal("attestation"), _T.c.sev_number, _T.c.id, _T.c.copy_id, nothing, _T.c.evidence),
            *(_T.c.made_at, _T.c.expires_at, no, _T.c.told, _T.c.withdrawn_at.is_not(None)),
        ).where(_T.c.sev_number.in_(asked)),
        sa.select(
            *(sa.literal("signature"), _T.c.sev_number, _S.c.attestation_id, nothing, _S.c.person_id, sa.literal("")),
            *(_S.c.at, none, no, no, no),
        )
        .join(_T, _T.c.id == _S.c.attestation_id)
        .where(_T.c.sev_number.in_(asked)),
    ]
    return sa.union_all(*parts).order_by("at", "id")


_GIVEN = _given()


# ---- told in full ------------------------------------------------------------------------------------------------


def waivers_of(session: Session, number: int, *, limit: int, before: int | None = None) -> list[tables.Waiver]:
    """The SEV's waivers, whatever became of them, newest first; those below id ``before``."""
    below = [] if before is None else [col(tables.Waiver.id) < before]
    statement = select(tables.Waiver).where(col(tables.Waiver.sev_number) == number, *below)
    return list(session.exec(statement.order_by(col(tables.Waiver.id).desc()).limit(limit)))


class Signed(NamedTuple):
    """An attestation with those who stand for it, the first of them first."""

    attestation: tables.Attestation
    signatures: tuple[AttestationSignature, ...]


def attestations_of(session: Session, number: int, *, limit: int, before: int | None = None) -> list[Signed]:
    """The SEV's attestations, whatever became of them, newest first; those below id ``before``. One statement."""
    below = [] if before is None else [_T.c.id < before]
    newest = sa.select(_T.c.id).where(_T.c.sev_number == number, *below).order_by(_T.c.id.desc()).limit(limit)
    statement = (
        select(tables.Attestation, AttestationSignature)
        .join(AttestationSignature, col(AttestationSignature.attestation_id) == col(tables.Attestation.id))
        .where(col(tables.Attestation.id).in_(newest))
        .order_by(col(tables.Attestation.id).desc(), col(AttestationSignature.at))
    )
    found: dict[int, Signed] = {}
    for made, signature in session.exec(statement):
        known = found.get(made.id or 0, Signed(made, ()))
        found[made.id or 0] = Signed(made, (*known.signatures, signature))
    return list(found.values())


# ---- writing, and one question -----------------------------------------------------------------------------------


def signers(session: Session, attestation_id: int) -> set[int]:
    """Who stands for an attestation, by id."""
    statement = sa.select(_S.c.person_id).where(_S.c.attestation_id == attestation_id)
    return set(session.connection().execute(statement).scalars())


def expiry_told(session: Session, waivers: Sequence[int], attestations: Sequence[int]) -> None:
    """Remember that the expiry of these is on the record."""
    for of, ids in ((_W, waivers), (_T, attestations)):
        if ids:
            session.connection().execute(sa.update(of).where(of.c.id.in_(ids)).values(told=True))


def covered_everywhere(session: Session, check: Check, now: datetime) -> bool:
    """Does a waiver that knew of the open door cover this check, as it is now, on every SEV that looks through it?

    On every one that is active or watched; there has to be one. A waiver of an author of its SEV's patches is none.
    """
    wrote = sa.exists().where(_P.c.sev_number == _W.c.sev_number, _P.c.author_id == _W.c.granted_by)
    covering = sa.exists().where(
        *(_W.c.sev_number == _L.c.sev_number, _W.c.check_id == check.id, _W.c.fingerprint == check.fingerprint),
        *(_W.c.knew_open, _W.c.revoked_at.is_(None), _W.c.expires_at > now, ~wrote),
    )
    statement = (
        sa.select(sa.func.count(), sa.func.sum(sa.case((covering, 1), else_=0)))
        .select_from(_L.join(_V, _V.c.number == _L.c.sev_number))
        .where(_L.c.check_id == check.id, _V.c.status.in_(sorted(ACTIVE | WATCHED)))
    )
    looking, covered = session.connection().execute(statement).one()
    return bool(looking) and looking == covered
