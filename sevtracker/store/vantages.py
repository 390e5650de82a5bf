"""What checks mean for SEVs: the folded state of each (SEV, check). What it is folded from: ``stories``."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.clock import rfc3339
from sevtracker.domain.exposure import VantageState
from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Exposure, Level, Reason, Status, Verdict, Weight
from sevtracker.store.tables import (
    Check,
    Copy,
    Dataset,
    Sev,
    SevCheck,
    SevDataset,
    table,
)

_SC, _K, _D, _C, _S = table(SevCheck), table(Check), table(Dataset), table(Copy), table(Sev)

# ---- the state as JSON -------------------------------------------------------------------------------------------

_TIMES = frozenset(f.name for f in dataclasses.fields(VantageState) if "datetime" in str(f.type) and f.name != "swings")
_VERDICTS = frozenset({"last", "decisive"})
_FIELDS = frozenset(f.name for f in dataclasses.fields(VantageState))
_TUPLES = frozenset({"reproduced", "failed_patches", "open_by", "held", "settled"})


def encode(state: VantageState) -> dict[str, Any]:
    """The state as JSON: only what differs from a blank one."""
    found: dict[str, Any] = {}
    for f in dataclasses.fields(VantageState):
        value = getattr(state, f.name)
        if value is None or value == f.default:
            continue
        if f.name in _TIMES:
            value = rfc3339(value)
        elif f.name == "swings":
            value = [rfc3339(v) for v in value]
        found[f.name] = list(value) if isinstance(value, tuple) else value
    return found


def decode(document: Mapping[str, Any]) -> VantageState:
    """The state that ``encode`` wrote."""
    known = {name: value for name, value in document.items() if name in _FIELDS}
    state = VantageState(**{name: _decoded(name, value) for name, value in known.items()})
    if state.decisive is Verdict.open and not state.open_by:  # written before there was that field
        return dataclasses.replace(state, open_by=state.reproduced[-1:])
    return state


def _decoded(name: str, value: Any) -> Any:
    if name in _TIMES:
        return datetime.fromisoformat(value)
    if name in _VERDICTS:
        return Verdict(value)
    if name in _TUPLES:
        return tuple(value)
    return tuple(datetime.fromisoformat(v) for v in value) if name == "swings" else value


# ---- reading -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Vantage:
    """One check of one SEV, with its state. ``place`` is ``dataset/copy``.

    ``alike``: another check of the SEV has the same identity there, so these two words don't tell which one is meant.
    """

    sev_number: int
    check_id: int
    name: str
    kind: str
    dataset_id: int
    dataset: str
    copy_id: int
    copy: str
    identity: str
    required: bool
    enabled: bool
    weight: Weight
    revision: int
    last_run_id: int | None
    last_verdict: Verdict | None
    last_reason: Reason | None
    halted: Reason | None
    fingerprint: str
    retired: bool
    locator: str
    state: VantageState
    exposure: Exposure
    streak: int
    needed: int
    alike: bool = False

    @property
    def place(self) -> str:
        return f"{self.dataset}/{self.copy}"

    @property
    def which(self) -> str:
        """What tells it from others alike: empty where there are none."""
        return f" (check {self.check_id}, {self.kind})" if self.alike else ""

    @property
    def about(self) -> str:
        """How people call it: ``any-employee at mci-events/primary``, and which of those alike."""
        return f"{self.identity} at {self.place}{self.which}"

    @property
    def gates(self) -> bool:
        """Must it be seen closed before its SEVs can be resolved?"""
        return self.required and self.enabled and self.weight is not Weight.informs

    @property
    def counts(self) -> bool:
        """A disabled check is no vantage any more, unless its door is open, as far as we know."""
        return self.enabled or self.state.door_open

    @property
    def switched_off(self) -> bool:
        """Could it see its copy, but for being disabled?"""
        return not self.enabled and not self.retired and self.weight is Weight.decides


_STATE = [f.name for f in dataclasses.fields(Vantage)].index("state")


def of_sevs(session: Session, numbers: Sequence[int]) -> dict[int, list[Vantage]]:
    """The vantages of each SEV, by dataset, copy and check. One statement.

    A disabled check stays a vantage while its door is open, as far as we know.
    """
    return {number: [v for v in listed if v.counts] for number, listed in linked(session, numbers).items()}


def linked(session: Session, numbers: Sequence[int]) -> dict[int, list[Vantage]]:
    """As ``of_sevs``, with every check of the SEV: disabled and retired ones, too."""
    found: dict[int, list[Vantage]] = {number: [] for number in numbers}
    if not numbers:
        return found
    statement = (
        sa.select(
            _SC.c.sev_number,
            _SC.c.check_id,
            _K.c.name,
            _K.c.kind,
            _K.c.dataset_id,
            _D.c.slug,
            _K.c.copy_id,
            _C.c.slug,
            _K.c.identity,
            _K.c.required,
            _K.c.enabled,
            _K.c.weight,
            _K.c.revision,
            _K.c.last_run_id,
            _K.c.last_verdict,
            _K.c.last_reason,
            _K.c.halted,
            _K.c.fingerprint,
            _K.c.retired_at.is_not(None),
            _K.c.locator,
            _SC.c.state,
            _SC.c.exposure,
            _SC.c.streak,
            _SC.c.needed,
        )
        .join(_K, _K.c.id == _SC.c.check_id)
        .join(_D, _D.c.id == _K.c.dataset_id)
        .join(_C, _C.c.id == _K.c.copy_id)
        .where(_SC.c.sev_number.in_(numbers))
        .order_by(_D.c.slug, _C.c.id, _K.c.id)
    )
    for row in session.connection().execute(statement):
        values = list(row)
        values[_STATE] = decode(values[_STATE])
        vantage = Vantage(*values)
        found[vantage.sev_number].append(vantage)
    for seen in found.values():
        _tell_apart([v for v in seen if v.counts])
    return found


def _tell_apart(seen: Sequence[Vantage]) -> None:
    """Mark those that identity and place alone don't name."""
    count = Counter((v.identity, v.copy_id) for v in seen)
    for v in seen:
        v.alike = count[v.identity, v.copy_id] > 1


_LOOKING = (
    sa.select(
        sa.literal(0).label("sev_number"),
        _K.c.id,
        _K.c.name,
        _K.c.kind,
        _K.c.dataset_id,
        _D.c.slug,
        _K.c.copy_id,
        _C.c.slug,
        _K.c.identity,
        _K.c.required,
        _K.c.enabled,
        _K.c.weight,
        _K.c.revision,
        _K.c.last_run_id,
        _K.c.last_verdict,
        _K.c.last_reason,
        _K.c.halted,
        _K.c.fingerprint,
        _K.c.retired_at.is_not(None),
        _K.c.locator,
        _K.c.target,
    )
    .join(_D, _D.c.id == _K.c.dataset_id)
    .join(_C, _C.c.id == _K.c.copy_id)
    .where(_K.c.dataset_id.in_(sa.bindparam("dataset_ids", expanding=True)))
    .order_by(_K.c.id)
    .with_for_update(of=_K)
)


def looking(session: Session, dataset_ids: Sequence[int]) -> list[tuple[Vantage, str]]:
    """The checks of these datasets as vantages of a SEV that is being filed, with their targets; blank still.

    Locks them, in the order of their ids. One statement, built once: filing is a hot path.
    """
    rows = session.connection().execute(_LOOKING, {"dataset_ids": list(dataset_ids)})
    found = []
    for row in rows:
        values = list(row)
        target = str(values.pop())
        blank: dict[str, Any] = {"state": VantageState(), "exposure": Exposure.unverified, "streak": 0, "needed": 0}
        found.append((Vantage(*values, **blank), target))
    return found


@dataclass(frozen=True, slots=True)
class Link:
    """What a SEV that still needs a check asks of it. ``excepted``: it was resolved without it."""

    sev_number: int
    check_id: int
    level: Level
    status: Status
    resolved_at: datetime | None
    excepted: bool
    state: VantageState


def links_of(session: Session, check_ids: Sequence[int]) -> dict[int, list[Link]]:
    """The SEVs, active or watched, that look through each of these checks. One statement."""
    found: dict[int, list[Link]] = {}
    if not check_ids:
        return found
    statement = (
        sa.select(
            _SC.c.sev_number, _SC.c.check_id, _S.c.level, _S.c.status, _S.c.resolved_at, _S.c.excepted, _SC.c.state
        )
        .join(_S, _S.c.number == _SC.c.sev_number)
        .where(_SC.c.check_id.in_(check_ids), _S.c.status.in_(sorted(ACTIVE | WATCHED)))
        .order_by(_SC.c.sev_number)
    )
    for row in session.connection().execute(statement):
        excepted = row.check_id in (row.excepted or {}).get("checks", ())
        found.setdefault(row.check_id, []).append(Link(*row[:5], excepted, decode(row.state)))
    return found


def sevs_of_checks(session: Session, check_ids: Sequence[int]) -> list[int]:
    """The numbers of the SEVs, active or watched, that look through these checks."""
    statement = (
        sa.select(_SC.c.sev_number)
        .join(_S, _S.c.number == _SC.c.sev_number)
        .where(_SC.c.check_id.in_(check_ids), _S.c.status.in_(sorted(ACTIVE | WATCHED)))
        .distinct()
    )
    return [int(n) for n in session.connection().execute(statement).scalars()]


def checks_of_sevs(session: Session, numbers: Sequence[int]) -> list[int]:
    """The ids of all checks that these SEVs look through, in order."""
    statement = sa.select(_SC.c.check_id).where(_SC.c.sev_number.in_(numbers)).distinct().order_by(_SC.c.check_id)
    return [int(n) for n in session.connection().execute(statement).scalars()]


# ---- writing -----------------------------------------------------------------------------------------------------


def save(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of ``sev_number, check_id`` and any of ``state, exposure, streak, needed, until``, all the same."""
    listed = [dict(row) for row in rows]
    if not listed:
        return
    statement = sa.update(_SC).where(_SC.c.sev_number == sa.bindparam("_sev"), _SC.c.check_id == sa.bindparam("_check"))
    session.connection().execute(
        statement, [{"_sev": row.pop("sev_number"), "_check": row.pop("check_id"), **row} for row in listed]
    )


_SD = table(SevDataset)
_INSERT = sa.insert(_SC)
_MISSING = (
    sa.select(_SD.c.sev_number, _K.c.id)
    .join(_K, _K.c.dataset_id == _SD.c.dataset_id)
    .where(~sa.exists().where(_SC.c.sev_number == _SD.c.sev_number, _SC.c.check_id == _K.c.id))
    .order_by(_SD.c.sev_number, _K.c.id)
)
_OF_SEV = _MISSING.where(_SD.c.sev_number == sa.bindparam("asked"))
_OF_CHECK = _MISSING.join(_S, _S.c.number == _SD.c.sev_number).where(
    _K.c.id == sa.bindparam("asked"), _S.c.status != Status.dismissed
)


def link(session: Session, number: int, rows: Iterable[Mapping[str, Any]]) -> None:
    """Link checks to a SEV that was just filed: rows of ``check_id, state, exposure, streak, needed, until``."""
    listed = [{"sev_number": number, **row} for row in rows]
    if listed:
        session.connection().execute(_INSERT, listed)


def link_new(session: Session, number: int | None = None, check_id: int | None = None) -> list[tuple[int, int]]:
    """Link checks to the SEVs of their datasets where that isn't done yet, for one SEV or for one check.

    A new check is linked to every SEV that isn't dismissed. Returns the new (SEV, check) pairs, with blank states.
    """
    connection = session.connection()
    statement, value = (_OF_SEV, number) if check_id is None else (_OF_CHECK, check_id)
    pairs = [(int(row[0]), int(row[1])) for row in connection.execute(statement, {"asked": value})]
    if pairs:
        blank = {"state": {}, "exposure": Exposure.unverified, "streak": 0, "needed": 0}
        connection.execute(_INSERT, [{"sev_number": s, "check_id": c, **blank} for s, c in pairs])
    return pairs
