"""What the API answers. Field names are a contract: they may grow, never change."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sevtracker.domain.gate import Code
from sevtracker.domain.vocabulary import (
    Exposure,
    Level,
    PatchOutcome,
    ProposalState,
    Reason,
    Role,
    Status,
    SuggestionState,
    Trigger,
    Verdict,
    Weight,
)


class Answered(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True)


# ---- problems ----------------------------------------------------------------------------------------------------


class BadField(Answered):
    field: str
    message: str


class Blocker(Answered):
    """A reason of the gate, and what would clear it. `place` is `dataset/copy`."""

    code: Code
    message: str
    clears: str
    check: int | None = None
    place: str | None = None


class Problem(Answered):
    """RFC 9457. A 422 has `errors`, a refused resolution `blockers`, a refused change that waits its `proposal`."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[BadField] | None = None
    blockers: list[Blocker] | None = None
    proposal: int | None = None


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
    """`retired_at`: since when it is gone; no SEV filed after that asks for it."""

    slug: str
    kind: str
    location: str
    retired_at: datetime | None


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
    """A check and how it stands. `halted` says why it stopped by itself, if it did; `retired_at`, that it is gone."""

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
    retired_at: datetime | None


class CheckPage(Answered):
    items: list[CheckLine]
    next: str | None


class Suggestion(Answered):
    """A way in that a run came across: `check` is the one that did, `became` the check that it was made."""

    id: int
    dataset: str
    copy_: str = Field(serialization_alias="copy")
    check: int
    kind: str
    identity: str
    control: str | None
    params: dict[str, Any]
    locator: str
    why: str
    state: SuggestionState
    first_at: datetime
    last_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str
    became: int | None


class SuggestionPage(Answered):
    items: list[Suggestion]
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
    """A check with its definition. Secrets are not part of it: an identity's name stands for them.

    `weight`: what its closed is worth to the gate. `suggestions`: further ways in that its runs came across.
    """

    params: dict[str, Any]
    twins: Twins | None
    fingerprint: str
    created_at: datetime
    weight: Weight
    suggestions: list[Suggestion]


class Who(Answered):
    """Somebody, by name, and as the ledger knows them."""

    pid: str
    name: str


class Proposal(Answered):
    """A change of a check that was refused to who asked for it. `change`: the fields it would set, as PATCH takes them;
    `revision`: the one it was made against."""

    id: int
    check: int
    revision: int
    change: dict[str, Any]
    retires: bool
    reason: str
    state: ProposalState
    proposed_at: datetime
    proposed_by: Who
    decided_at: datetime | None
    decided_by: Who | None
    decision: str


class ProposalPage(Answered):
    items: list[Proposal]
    next: str | None


class Step(Answered):
    phase: str
    ok: bool
    note: str
    ms: float


class Run(Answered):
    """A run: existence only, never what was read. `sev` asked for it, where the reader may know of that SEV.

    `impact`, where the kind tells: who came in while the door was open, in buckets, and how far the log speaks.
    """

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
    impact: dict[str, Any] | None


class RunPage(Answered):
    items: list[Run]
    next: str | None


class RunQueued(Answered):
    """The run is queued; it appears among the check's runs."""

    check: int
    queued: bool = True


# ---- SEVs --------------------------------------------------------------------------------------------------------


class SevLine(Answered):
    """A SEV as lists show it. `exception_count`: how many vantages it stands resolved without, waived or attested."""

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
    resolved_with_exception: bool
    exception_count: int
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
    waived_until: datetime | None


class Impact(Answered):
    """What a check read from an access log about who came in. Counts are buckets such as `2-9`.

    `covered`: the stretches of the exposure window that the log speaks for; the rest is unknown, never none.
    """

    check: int
    dataset: str
    copy_: str = Field(serialization_alias="copy")
    run: int
    at: datetime
    verdict: Verdict
    reason: Reason
    principals: str
    accesses: str
    complete: bool
    first_at: datetime | None
    last_at: datetime | None
    covered: list[dict[str, datetime | None]]


class Gate(Answered):
    open: bool
    blockers: list[Blocker]


class Waiver(Answered):
    """An executive's word that one check may be passed over for a while. `trouble`: why it does not count, if so.

    `knew_open`: the check saw the door open when it was granted. A door that opens later is not covered.
    """

    id: int
    check: int
    reason: str
    knew_open: bool
    in_force: bool
    trouble: str | None
    granted_by: PersonRef | None
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: PersonRef | None


class WaiverPage(Answered):
    items: list[Waiver]
    next: str | None


class Signature(Answered):
    person: PersonRef | None
    at: datetime


class Attestation(Answered):
    """People's word on a copy that no probe can reach. It takes two; `trouble` says what is missing, if anything."""

    id: int
    dataset: str
    copy_: str = Field(serialization_alias="copy")
    statement: str
    evidence: str
    in_force: bool
    trouble: str | None
    signatures: list[Signature]
    made_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: PersonRef | None


class AttestationPage(Answered):
    items: list[Attestation]
    next: str | None


class Exempt(Answered):
    """What the SEV stands resolved without; of one with work still owed, what resolving it now would do without."""

    kind: Literal["waiver", "attestation"]
    check: int | None
    place: str
    identity: str | None
    until: datetime | None


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
    suggestions: list[Suggestion]
    impact: list[Impact]
    gate: Gate
    waivers: list[Waiver]
    attestations: list[Attestation]
    exceptions: list[Exempt]


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
