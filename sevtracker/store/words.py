"""People's word on SEVs: acts owed before resolving, waivers, attestations. Read together, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.domain.gate import Waiver
from sevtracker.store import tables
from sevtracker.store.tables import AttestationSignature, SevAct, table

_A, _W, _T, _S = table(SevAct), table(tables.Waiver), table(tables.Attestation), table(AttestationSignature)


@dataclass(slots=True)
class Attested:
    """What people said of a copy. ``until`` is when it was withdrawn, if it was; ``signed_by`` are their ids."""

    id: int
    copy_id: int
    evidence: str
    made_at: datetime
    until: datetime
    signed_by: tuple[int, ...] = ()


@dataclass(slots=True)
class Words:
    """All of it on one SEV. ``acts``: when each kind was recorded last. ``waivers``: by check."""

    acts: dict[str, datetime] = field(default_factory=dict)
    waivers: dict[int, Waiver] = field(default_factory=dict)
    attestations: list[Attested] = field(default_factory=list)


def given(session: Session, numbers: Sequence[int]) -> dict[int, Words]:
    """People's word on each of these SEVs, oldest first."""
    found = {number: Words() for number in numbers}
    if not numbers:
        return found
    signed: dict[int, list[int]] = {}
    for row in session.connection().execute(_GIVEN, {"numbers": list(numbers)}):
        mine = found[row.sev_number]
        if row.what == "act":
            mine.acts[row.text] = row.at
        elif row.what == "waiver":
            _waive(mine.waivers, row.ref, Waiver(row.until, bool(row.flag)))
        elif row.what == "attestation":
            mine.attestations.append(Attested(row.id, row.ref, row.text, row.at, row.until))
        else:
            signed.setdefault(row.id, []).append(row.ref)
    for words in found.values():
        for attested in words.attestations:
            attested.signed_by = tuple(signed.get(attested.id, ()))
    return found


def _waive(waivers: dict[int, Waiver], check_id: int, waiver: Waiver) -> None:
    known = waivers.get(check_id)
    if known is None or known.until <= waiver.until:
        waivers[check_id] = waiver


def _given() -> sa.CompoundSelect[Any]:
    """Rows of (what, sev_number, id, ref, text, at, until, flag). Built once."""
    asked: sa.BindParameter[Any] = sa.bindparam("numbers", expanding=True)
    moment = _A.c.at.type
    none, no = sa.literal(None, moment), sa.literal(False)
    nothing = sa.literal(0)
    parts: list[sa.Select[Any]] = [
        sa.select(
            *(sa.literal("act").label("what"), _A.c.sev_number, _A.c.id, nothing.label("ref"), _A.c.kind.label("text")),
            *(_A.c.at, none.label("until"), no.label("flag")),
        ).where(_A.c.sev_number.in_(asked)),
        sa.select(
            *(sa.literal("waiver"), _W.c.sev_number, _W.c.id, _W.c.check_id, sa.literal(""), _W.c.granted_at),
            *(sa.func.coalesce(_W.c.revoked_at, _W.c.expires_at), _W.c.knew_open),
        ).where(_W.c.sev_number.in_(asked)),
        sa.select(
            *(sa.literal("attestation"), _T.c.sev_number, _T.c.id, _T.c.copy_id, _T.c.evidence, _T.c.made_at),
            *(sa.func.coalesce(_T.c.withdrawn_at, _T.c.expires_at), no),
        ).where(_T.c.sev_number.in_(asked)),
        sa.select(
            *(sa.literal("signature"), _T.c.sev_number, _S.c.attestation_id, _S.c.person_id, sa.literal("")),
            *(_S.c.at, none, no),
        )
        .join(_T, _T.c.id == _S.c.attestation_id)
        .where(_T.c.sev_number.in_(asked)),
    ]
    return sa.union_all(*parts).order_by("at", "id")


_GIVEN = _given()
