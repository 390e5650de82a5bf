"""A SEV's page around its live part, and the page that asks to resolve it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from sevtracker.domain.vocabulary import (
    Exposure,
    Level,
    Reason,
    Status,
    SuggestionState,
    Verdict,
)
from sevtracker.web.contexts.base import EMPTY_FORM, Form, Option, ProgrammeRef
from sevtracker.web.contexts.sev_live import (
    AttestationLine,
    BlockerLine,
    ExceptionLine,
    SevLive,
    TimelineEntry,
    WaiverLine,
)


@dataclass(frozen=True, slots=True)
class WordForms:
    """What may be waived (``ID:open`` or ``ID:shut``) and attested (``dataset/copy``), with what the address chose.

    ``revoke``, ``sign``, ``withdraw``: the one that this page asks about, if it asks.
    """

    checks: tuple[Option, ...] = ()
    places: tuple[Option, ...] = ()
    check: str = ""
    place: str = ""
    waive_until: str = ""
    attest_until: str = ""
    revoke: WaiverLine | None = None
    sign: AttestationLine | None = None
    withdraw: AttestationLine | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person owes by level: ``retest``, ``access_review``, ``sessions``."""

    code: Literal["retest", "access_review", "sessions"]
    done_at: datetime | None = None
    done_by: str = ""
    evidence: str = ""
    stale: bool = False
    may: bool = True


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do after filing, first of them *reproduce it*."""

    text: str
    why: str
    href: str
    done: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class SevMay:
    """What the viewer may do here now: by role, person and status."""

    edit: bool = False
    note: bool = False
    patch: bool = False
    verify: bool = False
    resolve: bool = False
    reopen: bool = False
    dismiss: bool = False
    close: bool = False
    viewers: bool = False


@dataclass(frozen=True, slots=True)
class SevFacts:
    """What people filed; changes only by a form of this page."""

    title: str
    level: Level
    summary: str
    reporter: str
    commander: str | None = None
    commander_id: int | None = None
    programmes: tuple[ProgrammeRef, ...] = ()
    datasets: tuple[Option, ...] = ()
    restricted: bool = False
    viewers: tuple[Person, ...] = ()
    resolution: str = ""
    dismissed_because: str = ""
    duplicate_of: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A way in that came to light. ``check`` came across it; ``became``: the check that it was made."""

    id: int
    why: str
    kind: str
    place: str
    locator: str
    identity: str
    check: int
    last_at: datetime
    state: SuggestionState = SuggestionState.proposed
    reason: str = ""
    decided_by: str = ""
    became: int | None = None


@dataclass(frozen=True, slots=True)
class WaysIn:
    """What came to light beside the checks there are. ``forms``: refused dismissals, by suggestion."""

    found: tuple[Found, ...] = ()
    may_decide: bool = False
    forms: Mapping[int, Form] = field(default_factory=dict)

    @property
    def proposed(self) -> tuple[Found, ...]:
        return tuple(one for one in self.found if one.state is SuggestionState.proposed)

    @property
    def dismissed(self) -> tuple[Found, ...]:
        return tuple(one for one in self.found if one.state is SuggestionState.dismissed)

    def form(self, suggestion: int) -> Form:
        return self.forms.get(suggestion, EMPTY_FORM)


NO_WAYS_IN = WaysIn()


@dataclass(frozen=True, slots=True)
class Stretch:
    """From then to then; None: not bounded there."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ImpactLine:
    """What one check read from a log. ``covered``: what the log speaks for."""

    check: int
    name: str
    place: str
    run: int
    at: datetime
    says: str
    complete: bool
    first_at: datetime | None = None
    last_at: datetime | None = None
    covered: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class SevShow:
    """``forms``: those refused: ``patch note edit retest access_review sessions reopen dismiss close viewer waive
    attest revoke sign withdraw``."""

    template: ClassVar[str] = "sevs/show.html"
    live: SevLive
    facts: SevFacts
    may: SevMay = SevMay()
    acts: tuple[Act, ...] = ()
    people: tuple[Option, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    forms: Mapping[str, Form] = field(default_factory=dict)
    revising: TimelineEntry | None = None
    ways_in: WaysIn = NO_WAYS_IN
    impact: tuple[ImpactLine, ...] = ()
    words: WordForms = WordForms()

    def form(self, name: str) -> Form:
        return self.forms.get(name, EMPTY_FORM)


@dataclass(frozen=True, slots=True)
class FinalRun:
    """A required check as the final run sees it. ``verdict`` None: it will run when *resolve* is pressed. ``waived``:
    whatever it says then. ``via``: which check that is."""

    check: int
    place: str
    identity: str
    verdict: Verdict | None = None
    reason: Reason | None = None
    at: datetime | None = None
    waived: bool = False
    via: str = ""


@dataclass(frozen=True, slots=True)
class SevResolve:
    """``refused``: the answer to an attempt (409). Blockers without it: what would refuse one now."""

    template: ClassVar[str] = "sevs/resolve.html"
    number: int
    key: str
    title: str
    level: Level
    status: Status
    exposure: Exposure
    blockers: tuple[BlockerLine, ...] = ()
    final_runs: tuple[FinalRun, ...] = ()
    refused: bool = False
    form: Form = EMPTY_FORM
    deadline: timedelta = timedelta(seconds=30)
    exceptions: tuple[ExceptionLine, ...] = ()
