"""What the API answers. Field names are a contract: they may grow, never change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sevtracker.domain.gate import Code
from sevtracker.domain.vocabulary import (
    Exposure,
    Level,
    PatchOutcome,
    Reason,
    Role,
    Status,
    Trigger,
    Verdict,
)


class Answered(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True)


# ---- problems ----------------------------------------------------------------------------------------------------


class BadField(Answered):
    field: str
    message: str


class Blocker(Answered):
    """A reason of the gate, and what would clear it."""

    code: Code
    message: str
    clears: str
    check: int | None = None


class Problem(Answered):
    """RFC 9457. A 422 has `errors`, a refused resolution `blockers`."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[BadField] | None = None
    blockers: list[Blocker] | None = None


# ---- people ------------------------------------------------------------------------------------------------------


class PersonRef(Answered):
    """Somebody, by name. The ledger knows them by `pid`."""

    id: int
    pid: str
    name: str
    email: str


class Me(Answered):
    """Whom the token speaks for."""

    id: int
    pid: str
    name: str
    email: str
    role: Role
    may: list[str]


# ---- datasets and checks -----------------------------------------------------------------------------------------


class Copy(Answered):
    slug: str
    kind: str
    location: str


class DatasetLine(Answered):
    slug: str
    name: str
    owner: str
    programme: str | None
    classification: str
    description: str
    copy_count: int
    check_count: int
    open_check_count: int


class DatasetPage(Answered):
    items: list[DatasetLine]
    next: str | None


class CheckLine(Answered):
    """A check and how it stands. `halted` says why it stopped by itself, if it did."""

    id: int
    name: str
    dataset: str
    copy_: str = Field(serialization_alias="copy")
    kind: str
    identity: str
    control: str | None
    required: bool
    enabled: bool
    revision: int
    locator: str
    verdict: Verdict | None
    reason: Reason | None
    decisive: Verdict | None
    last_at: datetime | None
    due_at: datetime | None
    halted: Reason | None


class CheckPage(Answered):
    items: list[CheckLine]
    next: str | None


class Twins(Answered):
    """Canary twins: the parameters in which each differs from the check's own. `keeper` made them, if we did.

    `proved_at`: when the check last told them apart; `wrong`: why it did not, the last time that it looked.
    """

    open: dict[str, Any]
    locked: dict[str, Any]
    keeper: str | None
    proved_at: datetime | None
    wrong: str | None


class Check(CheckLine):
    """A check with its definition. Secrets are not part of it: an identity's name stands for them."""

    params: dict[str, Any]
    twins: Twins | None
    fingerprint: str
    created_at: datetime


class Step(Answered):
    phase: str
    ok: bool
    note: str
    ms: float


class Run(Answered):
    """A run: existence only, never what was read. `sev` asked for it, where the reader may know of that SEV."""

    id: int
    check: int
    verdict: Verdict
    reason: Reason
    started_at: datetime
    duration_ms: int
    control: str | None
    revision: int
    trigger: Trigger
    sev: int | None
    patch: int | None
    steps: list[Step]


class RunPage(Answered):
    items: list[Run]
    next: str | None


class RunQueued(Answered):
    """The run is queued; it appears among the check's runs."""

    check: int
    queued: bool = True


# ---- SEVs --------------------------------------------------------------------------------------------------------


class SevLine(Answered):
    """A SEV as lists show it."""

    number: int
    key: str
    title: str
    level: Level
    status: Status
    exposure: Exposure
    exposure_since: datetime
    restricted: bool
    datasets: list[str]
    blockers: int
    reopens: int
    reported_at: datetime
    detected_at: datetime
    exposed_from: datetime | None
    fix_claimed_at: datetime | None
    verified_closed_at: datetime | None
    resolved_at: datetime | None


class SevPage(Answered):
    items: list[SevLine]
    next: str | None


class Clocks(Answered):
    """The SEV's clocks. `false_fix_gap_s`: from claimed fixed to verified closed, counting until that comes."""

    reported_at: datetime
    detected_at: datetime
    exposed_from: datetime | None
    aware_at: datetime | None
    fix_claimed_at: datetime | None
    verified_closed_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    reopened_at: datetime | None
    false_fix_gap_s: float | None
    notify_by: datetime | None


class Window(Answered):
    """How long a dataset was exposed. `until` is null while nobody has seen it closed."""

    dataset: str
    since: datetime | None
    until: datetime | None
    last_seen_open: datetime | None


class Patch(Answered):
    number: int
    summary: str
    url: str
    datasets: list[str]
    author: PersonRef | None
    claimed_at: datetime
    applied_at: datetime
    outcome: PatchOutcome
    failed_at: datetime | None


class Vantage(Answered):
    """One check of the SEV: what it saw last, and how far its streak got."""

    check: int
    name: str
    kind: str
    dataset: str
    copy_: str = Field(serialization_alias="copy")
    identity: str
    required: bool
    enabled: bool
    verdict: Verdict | None
    reason: Reason | None
    exposure: Exposure
    streak: int
    needed: int
    last_at: datetime | None
    last_open_at: datetime | None
    proven: bool
    halted: Reason | None


class Gate(Answered):
    open: bool
    blockers: list[Blocker]


class Sev(SevLine):
    """A SEV with all that is known of it."""

    summary: str
    reporter: PersonRef | None
    commander: PersonRef | None
    members: list[PersonRef]
    programmes: list[str]
    duplicate_of: int | None
    clocks: Clocks
    windows: list[Window]
    patches: list[Patch]
    vantages: list[Vantage]
    gate: Gate


class Actor(Answered):
    pid: str
    name: str
    role: str
    via: str


class TimelineItem(Answered):
    """A record of the ledger, seen through the SEV."""

    seq: int
    id: str
    kind: str
    at: datetime
    recorded_at: datetime
    actor: Actor
    text: str
    sentence: str
    facts: dict[str, Any]
    evidence: list[dict[str, Any]]


class TimelinePage(Answered):
    items: list[TimelineItem]
    next: str | None


class Noted(Answered):
    """The note's record."""

    id: str


class PatchLogged(Answered):
    number: int
    outcome: PatchOutcome


class ChecksQueued(Answered):
    """These checks run now."""

    checks: list[int]


class Recorded(Answered):
    """An act is on the record."""

    kind: str
    at: datetime


class Evidence(Answered):
    run: int
    revision: int
    verdict: Verdict
    at: datetime


class Resolution(SevLine):
    """Resolved, on this evidence."""

    evidence: list[Evidence]


class Dataset(DatasetLine):
    """A dataset with its copies, its checks, and the newest SEVs that the reader may know of."""

    disclosed_fields: list[str] | None
    created_at: datetime
    copies: list[Copy]
    checks: list[CheckLine]
    sevs: list[SevLine]
