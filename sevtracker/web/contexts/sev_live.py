"""The part of a SEV's page that changes by itself: state, matrix, blockers, patches, timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from sevtracker.domain.vocabulary import (
    Exposure,
    IdentityClass,
    PatchOutcome,
    Reason,
    Status,
    Verdict,
)
from sevtracker.web.contexts.base import Change


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two clocks and their difference. ``gap`` counts on while ``verified_closed_at`` is None."""

    filed_at: datetime
    detected_at: datetime
    exposed_from: datetime | None = None
    fix_claimed_at: datetime | None = None
    fix_claimed_after: timedelta | None = None
    verified_closed_at: datetime | None = None
    resolved_at: datetime | None = None
    gap: timedelta | None = None
    clock72: datetime | None = None
    aware_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BarSegment:
    """From ``since`` until ``until`` the SEV's exposure was this. Segments follow each other without a hole."""

    exposure: Exposure
    since: datetime
    until: datetime


MarkKind = Literal[
    "exposed_from", "detected", "filed", "patch", "open", "verified", "resolved", "reopened", "dismissed"
]


@dataclass(frozen=True, slots=True)
class BarMark:
    """A moment on the bar, e.g. ``patch 1 claimed``. ``seq`` deep-links the timeline entry. A dozen at most."""

    kind: MarkKind
    at: datetime
    label: str
    failed: bool = False
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class ExposureBar:
    """``ends_now``: the right end is the present, and moves."""

    start: datetime
    end: datetime
    segments: tuple[BarSegment, ...]
    marks: tuple[BarMark, ...] = ()
    ends_now: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """One vantage: a check of a copy by an identity. ``last_at`` None: has not run yet."""

    check: int
    exposure: Exposure
    verdict: Verdict | None = None
    reason: Reason | None = None
    last_at: datetime | None = None
    streak: int = 0
    needed: int = 0
    required: bool = True
    waived_until: datetime | None = None
    via: str = ""


@dataclass(frozen=True, slots=True)
class Hole:
    """A copy that no required check looks at as this identity class. ``attested_until``: people's word stands in."""

    identity_class: IdentityClass
    attested_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    identity: str
    identity_class: IdentityClass


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A copy. ``cells`` has one entry a column: the vantages there (several ways in), a hole, or nothing."""

    dataset: str
    copy: str
    cells: tuple[tuple[Cell, ...] | Hole, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    columns: tuple[MatrixColumn, ...] = ()
    rows: tuple[MatrixRow, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockerLine:
    """A blocker of the gate, in the gate's own words. ``waive``, ``attest``: the viewer may, for what it is about."""

    code: str
    message: str
    clears: str
    check: int | None = None
    place: str | None = None
    waive: bool = False
    attest: bool = False


@dataclass(frozen=True, slots=True)
class ExceptionLine:
    """What a SEV stands resolved without, or would be: a waived vantage, or a copy that is only attested."""

    about: str
    waived: bool
    until: datetime | None = None
    check: int | None = None


@dataclass(frozen=True, slots=True)
class WaiverLine:
    """``trouble``: why it counts for nothing, in words; empty: it is in force. ``over``: it was revoked, or expired."""

    id: int
    check: int
    about: str
    reason: str
    by: str
    at: datetime
    until: datetime
    knew_open: bool = False
    trouble: str = ""
    over: bool = False
    revocable: bool = False


@dataclass(frozen=True, slots=True)
class AttestationLine:
    """``signers``: name and time, the first made it. ``trouble``: what it lacks; empty: it holds."""

    id: int
    place: str
    statement: str
    evidence: str
    signers: tuple[tuple[str, datetime], ...]
    until: datetime
    trouble: str = ""
    over: bool = False
    signable: bool = False
    withdrawable: bool = False


@dataclass(frozen=True, slots=True)
class PatchLine:
    number: int
    summary: str
    outcome: PatchOutcome
    claimed_by: str
    claimed_at: datetime
    applied_at: datetime
    url: str = ""
    scope: tuple[str, ...] = ()
    failed_at: datetime | None = None
    #: The checks that saw it open after it had settled: number, and what each is called.
    failed_by: tuple[tuple[int, str], ...] = ()
    note: str = ""
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """An earlier text of a note."""

    text: str
    at: datetime
    by: str


EntryTone = Literal["plain", "bad", "good", "doubt", "patch"]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A ledger record, or a change of verdict, seen through the SEV. ``backdated``: recorded later than it happened."""

    seq: int
    kind: str
    at: datetime
    recorded_at: datetime
    actor: str
    machine: bool
    text: str
    tone: EntryTone = "plain"
    changes: tuple[Change, ...] = ()
    revisions: tuple[Revision, ...] = ()
    backdated: bool = False
    revisable: bool = False
    check: int | None = None
    run: int | None = None


@dataclass(frozen=True, slots=True)
class KindGroup:
    """A filter chip, e.g. *notes*. ``shown``: its entries are in the list. ``toggled``: ``kind=`` after a click."""

    name: str
    label: str
    count: int
    shown: bool = True
    toggled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """``kind`` empty: every group. ``hidden`` counts what the filters leave out. ``before``: the next page's cursor."""

    entries: tuple[TimelineEntry, ...] = ()
    groups: tuple[KindGroup, ...] = ()
    kind: tuple[str, ...] = ()
    by: Literal["all", "people", "machine"] = "all"
    order: Literal["newest", "oldest"] = "newest"
    hidden: int = 0
    total: int = 0
    before: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class SevLive:
    """The parts of a SEV's page that change by themselves. ``token`` names this very state."""

    token: str
    number: int
    key: str
    status: Status
    exposure: Exposure
    headline: str
    clocks: Clocks
    bar: ExposureBar
    matrix: Matrix = Matrix()
    blockers: tuple[BlockerLine, ...] = ()
    patches: tuple[PatchLine, ...] = ()
    timeline: Timeline = Timeline()
    exceptions: tuple[ExceptionLine, ...] = ()
    waivers: tuple[WaiverLine, ...] = ()
    attestations: tuple[AttestationLine, ...] = ()


@dataclass(frozen=True, slots=True)
class SevLivePage:
    template: ClassVar[str] = "sevs/_live.html"
    live: SevLive
