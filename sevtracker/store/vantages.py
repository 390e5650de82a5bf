"""What checks mean for SEVs: the folded state of each (SEV, check), and the events that it is folded from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.clock import rfc3339
from sevtracker.domain.exposure import Edited, Event, Patched, Ran, TwinsProven, VantageState
from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Exposure, Level, Reason, Status, Verdict
from sevtracker.store.tables import (
    Check,
    CheckProof,
    CheckRevision,
    Copy,
    Dataset,
    Patch,
    Run,
    Sev,
    SevCheck,
    SevDataset,
    table,
)

_SC, _K, _D, _C, _S = table(SevCheck), table(Check), table(Dataset), table(Copy), table(Sev)

# ---- the state as JSON -------------------------------------------------------------------------------------------

_TIMES = frozenset(f.name for f in dataclasses.fields(VantageState) if "datetime" in str(f.type) and f.name != "swings")
_VERDICTS = frozenset({"last", "decisive"})
_TUPLES = frozenset({"reproduced", "failed_patches"})


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
    return VantageState(**{name: _decoded(name, value) for name, value in document.items()})


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
    """One check of one SEV, with its state. ``place`` is ``dataset/copy``."""

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
    revision: int
    last_run_id: int | None
    last_verdict: Verdict | None
    last_reason: Reason | None
    halted: Reason | None
    state: VantageState
    exposure: Exposure
    streak: int
    needed: int

    @property
    def place(self) -> str:
        return f"{self.dataset}/{self.copy}"


def of_sevs(session: Session, numbers: Sequence[int]) -> dict[int, list[Vantage]]:
    """The vantages of each SEV, by dataset, copy and check. One statement.

    A disabled check stays a vantage while the last that it saw was an open door.
    """
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
            _K.c.revision,
            _K.c.last_run_id,
            _K.c.last_verdict,
            _K.c.last_reason,
            _K.c.halted,
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
        values[16] = decode(values[16])
        vantage = Vantage(*values)
        if vantage.enabled or vantage.state.decisive is Verdict.open:
            found[vantage.sev_number].append(vantage)
    return found


@dataclass(frozen=True, slots=True)
class Link:
    """What a SEV that still needs a check asks of it."""

    sev_number: int
    check_id: int
    level: Level
    status: Status
    resolved_at: datetime | None
    state: VantageState


def links_of(session: Session, check_ids: Sequence[int]) -> dict[int, list[Link]]:
    """The SEVs, active or watched, that look through each of these checks. One statement."""
    found: dict[int, list[Link]] = {}
    if not check_ids:
        return found
    statement = (
        sa.select(_SC.c.sev_number, _SC.c.check_id, _S.c.level, _S.c.status, _S.c.resolved_at, _SC.c.state)
        .join(_S, _S.c.number == _SC.c.sev_number)
        .where(_SC.c.check_id.in_(check_ids), _S.c.status.in_(sorted(ACTIVE | WATCHED)))
        .order_by(_SC.c.sev_number)
    )
    for row in session.connection().execute(statement):
        found.setdefault(row.check_id, []).append(Link(*row[:5], decode(row.state)))
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


def link_new(session: Session, number: int | None = None, check_id: int | None = None) -> list[tuple[int, int]]:
    """Link checks to the SEVs of their datasets where that isn't done yet, for one SEV or for one check.

    A new check is linked to every SEV that isn't dismissed. Returns the new (SEV, check) pairs, with blank states.
    """
    connection = session.connection()
    statement, value = (_OF_SEV, number) if check_id is None else (_OF_CHECK, check_id)
    pairs = [(int(row[0]), int(row[1])) for row in connection.execute(statement, {"asked": value})]
    if pairs:
        blank = {"state": {}, "exposure": Exposure.unverified, "streak": 0, "needed": 0}
        connection.execute(sa.insert(_SC), [{"sev_number": s, "check_id": c, **blank} for s, c in pairs])
    return pairs


# ---- the events that a state is folded from ----------------------------------------------------------------------


def stories(
    session: Session, sev: Sev, check_ids: Sequence[int], window: Any
) -> dict[int, tuple[VantageState, list[Event]]]:
    """For each check: the state that its story starts from, and the events of the story, for this SEV.

    The story starts ``window`` before the SEV was reported, or at its first patch if that was earlier. From before
    that, only two things count: which definitions had been reproduced, and what was seen last.
    """
    if not check_ids:
        return {}
    connection = session.connection()
    patches = _patches(connection, sev)
    since = min([sev.reported_at - window, *(p.at for p, _ in patches)])
    dataset_of = dict(connection.execute(sa.select(_K.c.id, _D.c.slug).join(_D).where(_K.c.id.in_(check_ids))).all())
    starts: dict[int, VantageState] = {}
    events: dict[int, list[Event]] = {check_id: [] for check_id in check_ids}
    fingerprints = _revisions(connection, check_ids, events)
    _proofs(connection, check_ids, since, starts, events)
    _runs(connection, check_ids, since, fingerprints, events)
    for check_id in check_ids:
        for patch, scope in patches:
            in_scope = not scope or dataset_of[check_id] in scope
            events[check_id].append(dataclasses.replace(patch, in_scope=in_scope))
    return {check_id: (starts.get(check_id, VantageState()), events[check_id]) for check_id in check_ids}


def _patches(connection: sa.Connection, sev: Sev) -> list[tuple[Patched, list[str]]]:
    p = table(Patch)
    statement = sa.select(p.c.number, p.c.applied_at, p.c.datasets).where(p.c.sev_number == sev.number)
    return [(Patched(row.applied_at, row.number), row.datasets) for row in connection.execute(statement)]


def _revisions(
    connection: sa.Connection, check_ids: Sequence[int], events: dict[int, list[Event]]
) -> dict[tuple[int, int], str]:
    r = table(CheckRevision)
    statement = sa.select(r.c.check_id, r.c.revision, r.c.at, r.c.fingerprint).where(r.c.check_id.in_(check_ids))
    fingerprints = {}
    for row in connection.execute(statement.order_by(r.c.revision)):
        fingerprints[row.check_id, row.revision] = row.fingerprint
        events[row.check_id].append(Edited(row.at, row.fingerprint))
    return fingerprints


def _proofs(
    connection: sa.Connection,
    check_ids: Sequence[int],
    since: datetime,
    starts: dict[int, VantageState],
    events: dict[int, list[Event]],
) -> None:
    p = table(CheckProof)
    statement = sa.select(p.c.check_id, p.c.fingerprint, p.c.how, p.c.at).where(p.c.check_id.in_(check_ids))
    for row in connection.execute(statement.order_by(p.c.at)):
        if row.how == "twins":
            events[row.check_id].append(TwinsProven(row.at, row.fingerprint))
        elif row.at < since:
            start = starts.get(row.check_id, VantageState())
            starts[row.check_id] = dataclasses.replace(start, reproduced=(*start.reproduced, row.fingerprint))


def _runs(
    connection: sa.Connection,
    check_ids: Sequence[int],
    since: datetime,
    fingerprints: Mapping[tuple[int, int], str],
    events: dict[int, list[Event]],
) -> None:
    r = table(Run)
    columns = (r.c.id, r.c.check_id, r.c.started_at, r.c.verdict, r.c.revision)
    for check_id in check_ids:
        before = (
            sa.select(*columns)
            .where(r.c.check_id == check_id, r.c.started_at < since, r.c.verdict != Verdict.inconclusive)
            .order_by(r.c.started_at.desc())
            .limit(1)
        )
        within = sa.select(*columns).where(r.c.check_id == check_id, r.c.started_at >= since)
        rows = [row for statement in (before, within) for row in connection.execute(statement)]
        for row in sorted(rows, key=lambda row: row.id):  # as they were stored, whatever the clock did meanwhile
            fingerprint = fingerprints[row.check_id, row.revision]
            events[row.check_id].append(Ran(row.started_at, row.verdict, fingerprint))
