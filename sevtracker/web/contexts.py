"""What each page is given: one frozen dataclass a page, plain values only. The class names its template.

A door reads through store, builds one of these and hands it to ``rendering.render(page, chrome)``. Templates see two
names, ``page`` and ``chrome``; a name that is missing fails (StrictUndefined). Every datetime is aware UTC;
``chrome.now`` is the only *now*. A form that was refused is shown again by the same page with ``Form`` filled in, so
that nothing typed is lost.

Endpoints (the templates build every link by them; (P) = POST, answered by a redirect or by the page again with 422):

==============================  ==========================================  ==========================================
endpoint                        path                                        renders, or fields it takes
==============================  ==========================================  ==========================================
pages.home                      /                                           Home
pages.home_live                 /live?since=TOKEN                           HomeLivePage, or 204 when unchanged
pages.alarms_seen (P)           /alarms/seen                                notices (ids, with blanks between)
pages.sev_list                  /sevs?q&status&level&exposure&dataset       SevList
                                &programme&cursor (repeatable)
pages.sev_new                   /sevs/new?title&level&dataset&...           SevNew (any field prefills)
pages.sev_file (P)              /sevs                                       title, dataset[], new_dataset_slug,
                                                                            new_dataset_name, level, exposed_from,
                                                                            detected_at, summary, restricted
pages.sev_show                  /sevs/N?kind&by&order&before&revise&filed   SevShow
                                &waive&attest&revoke&sign&withdraw
pages.sev_live                  /sevs/N/live?since=TOKEN&kind&by&order      SevLivePage, or 204 when unchanged
pages.sev_edit (P)              /sevs/N/edit                                title, level, commander, summary,
                                                                            exposed_from, aware_at, restricted
pages.sev_note (P)              /sevs/N/notes                               text, at
pages.sev_note_revise (P)       /sevs/N/notes/SEQ                           text
pages.sev_patch (P)             /sevs/N/patches                             summary, url, applied_at, datasets[]
pages.sev_verify (P)            /sevs/N/verify                              (none: every check runs now)
pages.sev_resolving             /sevs/N/resolve                             SevResolve
pages.sev_resolve (P)           /sevs/N/resolve                             summary; 409 renders SevResolve
pages.sev_reopen (P)            /sevs/N/reopen                              reason
pages.sev_dismiss (P)           /sevs/N/dismiss                             reason, duplicate_of
pages.sev_close (P)             /sevs/N/close                               reason
pages.sev_retest (P)            /sevs/N/retest                              evidence
pages.sev_access_review (P)     /sevs/N/access-review                       evidence, no_logs
pages.sev_sessions (P)          /sevs/N/sessions-handled                    evidence
pages.sev_viewer_add (P)        /sevs/N/viewers                             email
pages.sev_viewer_remove (P)     /sevs/N/viewers/remove                      person
pages.sev_waive (P)             /sevs/N/waivers                             check (ID:open or ID:shut), reason,
                                                                            expires_at
pages.sev_waiver_revoke (P)     /sevs/N/waivers/ID/revoke                   reason
pages.sev_attest (P)            /sevs/N/attestations                        place, statement, evidence, expires_at
pages.sev_attestation_sign (P)  /sevs/N/attestations/ID/sign                reason
pages.sev_attestation_withdraw  /sevs/N/attestations/ID/withdraw            reason
(P)
pages.dataset_list              /datasets?q&cursor                          DatasetList
pages.dataset_new               /datasets/new                               DatasetEdit (page.slug None)
pages.dataset_add (P)           /datasets                                   slug, name, owner, programme,
                                                                            classification, description,
                                                                            disclosed_fields
pages.dataset_show              /datasets/SLUG                              DatasetShow
pages.dataset_edit              /datasets/SLUG/edit                         DatasetEdit
pages.dataset_save (P)          /datasets/SLUG/edit                         as dataset_add, without slug
pages.copy_add (P)              /datasets/SLUG/copies                       slug, kind, location
pages.check_list                /checks?q&verdict&cursor                    CheckList
pages.check_new                 /checks/new?kind&dataset&copy&identity      CheckEdit (page.check None)
pages.check_add (P)             /checks                                     kind, dataset, copy, identity, control,
                                                                            name, required, params.NAME
pages.check_show                /checks/ID?before                           CheckShow
pages.check_edit                /checks/ID/edit                             CheckEdit
pages.check_save (P)            /checks/ID/edit                             as check_add without kind and place,
                                                                            and reason
pages.check_run (P)             /checks/ID/run                              (none: runs now)
pages.check_disable (P)         /checks/ID/disable                          reason
pages.check_enable (P)          /checks/ID/enable                           (none)
pages.run_show                  /checks/ID/runs/RUN                         RunShow
pages.programme_show            /programmes/SLUG                            ProgrammeShow
pages.sign_in                   /sign-in?next                               SignIn
pages.sign_in_submit (P)        /sign-in                                    email, password, next
pages.sign_out (P)              /sign-out
pages.welcome                   /welcome/TOKEN                              Welcome
pages.welcome_submit (P)        /welcome/TOKEN                              name, email, password, password_again
pages.set_password              /set-password/TOKEN                         SetPassword
pages.set_password_submit (P)   /set-password/TOKEN                         password, password_again
pages.account                   /account                                    Account
pages.account_password (P)      /account/password                           current, password, password_again
pages.token_create (P)          /account/tokens                             name; renders Account with new_token
pages.token_revoke (P)          /account/tokens/ID/revoke
pages.people                    /people                                     People
pages.person_add (P)            /people                                     name, email, role; renders People with link
pages.person_role (P)           /people/ID/role                             role
pages.person_deactivate (P)     /people/ID/deactivate
pages.person_activate (P)       /people/ID/activate
pages.person_link (P)           /people/ID/link                             renders People with link
pages.settings                  /settings                                   Settings
pages.theme (P)                 /theme                                      theme (auto, light, dark), next
static                          /static/NAME?v=HASH                         (mounted by ``rendering.install``)
==============================  ==========================================  ==========================================

Times typed into ``exposed_from``, ``detected_at``, ``at``, ``applied_at`` and ``expires_at`` come as
``YYYY-MM-DDTHH:MM`` and mean UTC; the form says so beside the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Literal, NamedTuple, Protocol

from sevtracker.domain.vocabulary import (
    LEVEL_DEFINITIONS,
    Exposure,
    IdentityClass,
    Level,
    PatchOutcome,
    Phase,
    Reason,
    Role,
    Status,
    SuggestionState,
    Trigger,
    Verdict,
)

Theme = Literal["auto", "light", "dark"]


class PageContext(Protocol):
    """Any page: a value that knows its template."""

    @property
    def template(self) -> str: ...


# ---- shared ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in."""

    id: int
    name: str
    email: str
    role: Role


@dataclass(frozen=True, slots=True)
class Flash:
    """One sentence about what just happened. ``tone``: ``done`` or ``problem``."""

    tone: Literal["done", "problem"]
    text: str


@dataclass(frozen=True, slots=True)
class Chrome:
    """What surrounds every page. ``path``: where a small form such as the theme's returns to; ``q``: the search box."""

    now: datetime
    viewer: Viewer | None = None
    theme: Theme = "auto"
    path: str = "/"
    q: str = ""
    flashes: tuple[Flash, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select, a radio or a checkbox group."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed, and what is wrong with it. ``chosen`` holds the fields that take several values."""

    values: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def value(self, name: str, default: str = "") -> str:
        return self.values.get(name, default)

    def error(self, name: str) -> str:
        return self.errors.get(name, "")

    def has(self, name: str, option: str) -> bool:
        return option in self.chosen.get(name, ()) or self.values.get(name) == option


EMPTY_FORM = Form()


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the list goes on. ``newer`` and ``older`` are opaque; None: this is the end."""

    newer: str | None = None
    older: str | None = None


@dataclass(frozen=True, slots=True)
class SevRef:
    """A SEV as other pages list it."""

    number: int
    key: str
    title: str
    level: Level
    status: Status
    exposure: Exposure
    filed_at: datetime
    exceptions: int = 0


@dataclass(frozen=True, slots=True)
class ProgrammeRef:
    slug: str
    name: str
    paused: bool = False


# ---- home --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HomeSev:
    """An active SEV, or a resolved one whose watch went blind. ``clock72`` is the deadline of the 72 hours, if it runs.

    ``gap`` is the false-fix gap, counting while ``verified_closed_at`` hasn't come; None before a patch is claimed.
    """

    number: int
    key: str
    title: str
    level: Level
    status: Status
    exposure: Exposure
    filed_at: datetime
    exposed_since: datetime | None = None
    last_open_at: datetime | None = None
    blockers: int = 0
    failed_patches: tuple[int, ...] = ()
    gap: timedelta | None = None
    streak: int = 0
    needed: int = 0
    clock72: datetime | None = None
    commander: str | None = None
    restricted: bool = False
    exceptions: int = 0


@dataclass(frozen=True, slots=True)
class PausedProgramme:
    slug: str
    name: str
    paused_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class BlindCheck:
    """A check whose runs say nothing any more."""

    id: int
    name: str
    place: str
    identity: str
    reason: Reason
    since: datetime
    sev: int | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that must not stay unseen, such as *patch unverified*. ``sev`` links it; ``ids`` go off with it."""

    title: str
    text: str
    at: datetime
    sev: int | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HomeLive:
    """The part of home that changes by itself. ``exposed`` and ``closing`` are ordered by harm, worst first."""

    token: str
    exposed: tuple[HomeSev, ...] = ()
    closing: tuple[HomeSev, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    paused: tuple[PausedProgramme, ...] = ()
    blind: tuple[BlindCheck, ...] = ()
    watching: int = 0
    checks: int = 0
    last_run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """``first_step``: there is no SEV yet, so the page teaches how to begin; the two counts say what exists already."""

    template: ClassVar[str] = "home/home.html"
    live: HomeLive
    first_step: bool = False
    datasets: int = 0


@dataclass(frozen=True, slots=True)
class HomeLivePage:
    template: ClassVar[str] = "home/_live.html"
    live: HomeLive


# ---- SEV list and filing -----------------------------------------------------------------------------------------


class SevRow(NamedTuple):
    """One row. ``datasets`` is already joined for reading. (A tuple: there are many, remembered by value.)"""

    number: int
    key: str
    title: str
    level: Level
    status: Status
    exposure: Exposure
    filed_at: datetime
    datasets: str = ""
    restricted: bool = False
    exceptions: int = 0


@dataclass(frozen=True, slots=True)
class SevFilters:
    q: str = ""
    status: tuple[Status, ...] = ()
    level: tuple[Level, ...] = ()
    exposure: tuple[Exposure, ...] = ()
    dataset: str = ""
    programme: str = ""

    @property
    def any(self) -> bool:
        return bool(self.q or self.status or self.level or self.exposure or self.dataset or self.programme)

    def query(self) -> dict[str, str | list[str]]:
        """As arguments of ``url_for``, for paging within the same filters."""
        given: dict[str, str | list[str]] = {
            "q": self.q,
            "status": [str(s) for s in self.status],
            "level": [str(v) for v in self.level],
            "exposure": [str(e) for e in self.exposure],
            "dataset": self.dataset,
            "programme": self.programme,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class SevList:
    template: ClassVar[str] = "sevs/list.html"
    rows: tuple[SevRow, ...]
    filters: SevFilters = SevFilters()
    datasets: tuple[Option, ...] = ()
    programmes: tuple[Option, ...] = ()
    cursor: Cursor = Cursor()


@dataclass(frozen=True, slots=True)
class DatasetOption:
    slug: str
    name: str
    programme: str = ""
    copies: int = 0
    checks: int = 0


@dataclass(frozen=True, slots=True)
class SevNew:
    template: ClassVar[str] = "sevs/new.html"
    datasets: tuple[DatasetOption, ...]
    form: Form = EMPTY_FORM
    levels: Mapping[Level, str] = field(default_factory=lambda: LEVEL_DEFINITIONS)


# ---- SEV page ----------------------------------------------------------------------------------------------------


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
    note: str = ""
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A fact of a record: ``new`` alone, or ``old`` -> ``new``."""

    label: str
    new: str
    old: str | None = None


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
    ways_in: WaysIn = WaysIn()
    impact: tuple[ImpactLine, ...] = ()
    words: WordForms = WordForms()

    def form(self, name: str) -> Form:
        return self.forms.get(name, EMPTY_FORM)


@dataclass(frozen=True, slots=True)
class SevLivePage:
    template: ClassVar[str] = "sevs/_live.html"
    live: SevLive


@dataclass(frozen=True, slots=True)
class FinalRun:
    """A required check as the final run sees it. ``verdict`` None: it will run when *resolve* is pressed. ``waived``:
    whatever it says then."""

    check: int
    place: str
    identity: str
    verdict: Verdict | None = None
    reason: Reason | None = None
    at: datetime | None = None
    waived: bool = False


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


# ---- datasets ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DatasetRow:
    slug: str
    name: str
    owner: str
    programme: str
    copies: int
    checks: int
    open_sevs: int
    exposure: Exposure | None = None
    uncovered: int = 0


@dataclass(frozen=True, slots=True)
class DatasetList:
    template: ClassVar[str] = "datasets/list.html"
    rows: tuple[DatasetRow, ...]
    q: str = ""
    cursor: Cursor = Cursor()
    may_add: bool = False


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A check with its latest verdict."""

    id: int
    name: str
    kind: str
    place: str
    identity: str
    identity_class: IdentityClass
    required: bool
    enabled: bool = True
    verdict: Verdict | None = None
    reason: Reason | None = None
    last_at: datetime | None = None
    proven: bool = False


@dataclass(frozen=True, slots=True)
class CopyBlock:
    slug: str
    kind: str
    location: str
    checks: tuple[CheckLine, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetShow:
    template: ClassVar[str] = "datasets/show.html"
    slug: str
    name: str
    owner: str
    programme: ProgrammeRef | None
    classification: str
    description: str
    disclosed_fields: tuple[str, ...]
    copies: tuple[CopyBlock, ...]
    sevs: tuple[SevRef, ...] = ()
    may_edit: bool = False
    copy_kinds: tuple[str, ...] = ()
    copy_form: Form = EMPTY_FORM


@dataclass(frozen=True, slots=True)
class DatasetEdit:
    """``slug`` None: a new dataset."""

    template: ClassVar[str] = "datasets/edit.html"
    slug: str | None = None
    name: str = ""
    form: Form = EMPTY_FORM
    programmes: tuple[Option, ...] = ()
    classifications: tuple[str, ...] = ()


# ---- checks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckList:
    template: ClassVar[str] = "checks/list.html"
    rows: tuple[CheckLine, ...]
    q: str = ""
    verdict: str = ""
    cursor: Cursor = Cursor()
    may_add: bool = False


@dataclass(frozen=True, slots=True)
class RunLine:
    id: int
    verdict: Verdict
    reason: Reason
    started_at: datetime
    duration_ms: float
    control: str
    revision: int
    trigger: Trigger
    sev: int | None = None
    patch: int | None = None


@dataclass(frozen=True, slots=True)
class CheckRevision:
    number: int
    at: datetime
    by: str
    changes: tuple[Change, ...] = ()
    reason: str = ""
    voids_proof: bool = False


@dataclass(frozen=True, slots=True)
class CheckProposal:
    """A change that was refused to who asked for it. ``against``: the revision that it would change."""

    id: int
    by: str
    at: datetime
    against: int
    changes: tuple[Change, ...]
    reason: str = ""
    retires: bool = False
    may_decide: bool = False
    form: Form = EMPTY_FORM


@dataclass(frozen=True, slots=True)
class ProofShown:
    """How the present definition was seen to tell open from closed: at its target, or on canary twins until they
    ``ended``. ``twins``: where they are; ``wrong``: why their last look was no proof; ``keeper``: who made them for us.
    ``can_be_made``: by us, as one of ``keepers``. ``decides``: a check of this kind can prove a door closed at all.
    """

    seen_open_at: datetime | None = None
    twins_at: datetime | None = None
    twins_until: datetime | None = None
    ended: bool = False
    wrong: str = ""
    twins: tuple[Change, ...] = ()
    keeper: str = ""
    can_be_made: bool = False
    decides: bool = True
    keepers: tuple[Option, ...] = ()

    @property
    def on_twins(self) -> bool:
        """Proven on canary twins, as of now."""
        return self.twins_at is not None and not self.ended


@dataclass(frozen=True, slots=True)
class Lockout:
    """Somebody whom a check uses, and who is not tried at its target since so many sign-ins failed."""

    identity: str
    since: datetime
    is_control: bool
    others_waiting: int = 0


@dataclass(frozen=True, slots=True)
class CheckShow:
    """``strip``: oldest first, at most 120 runs; ``runs``: newest first. ``queued``: a run is under way.

    ``proposals``: those that wait. ``refused``: what was refused just now. ``more_revisions``: older than those shown.
    """

    template: ClassVar[str] = "checks/show.html"
    check: CheckLine
    locator: str
    control: str | None
    interval: timedelta
    next_run_at: datetime | None
    revision: int
    definition: tuple[Change, ...]
    strip: tuple[RunLine, ...]
    runs: tuple[RunLine, ...]
    revisions: tuple[CheckRevision, ...]
    dataset: str
    copy: str
    proof: ProofShown
    sevs: tuple[SevRef, ...] = ()
    queued: bool = False
    may_edit: bool = False
    may_run: bool = False
    before: str | None = None
    disable_form: Form = EMPTY_FORM
    ways_in: WaysIn = WaysIn()
    retired_at: datetime | None = None
    proposals: tuple[CheckProposal, ...] = ()
    refused: str = ""
    more_revisions: int = 0
    twins_form: Form = EMPTY_FORM
    target: str = ""
    halted: bool = False
    lockouts: tuple[Lockout, ...] = ()


@dataclass(frozen=True, slots=True)
class ParamField:
    """One parameter of a kind, as a form field. The input's name is ``params.NAME``."""

    name: str
    label: str
    help: str = ""
    type: Literal["text", "url", "number", "bool", "list", "select", "textarea"] = "text"
    required: bool = False
    value: str = ""
    error: str = ""
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckEdit:
    """A new check (``check`` None; without ``kind`` the page asks for it first), or an edit of one.

    ``gates_own_patch``: the viewer wrote the patch that this check gates, so some fields are refused for them.
    """

    template: ClassVar[str] = "checks/edit.html"
    kinds: tuple[Option, ...] = ()
    kind: str | None = None
    check: int | None = None
    name: str = ""
    params: tuple[ParamField, ...] = ()
    datasets: tuple[Option, ...] = ()
    copies: tuple[Option, ...] = ()
    identities: tuple[Option, ...] = ()
    form: Form = EMPTY_FORM
    gates_own_patch: bool = False
    #: Who made the check's twins for us: then they can't be named here.
    twins_keeper: str = ""
    twin_example: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """What the page calls each field, for the list of errors."""
        fixed = {"dataset": "Dataset", "copy": "Copy", "identity": "As", "control": "Positive control", "name": "Name"}
        fixed |= {"twins.open": "Open twin", "twins.locked": "Locked twin", "reason": "Why"}
        return {**fixed, **{f"params.{p.name}": p.label for p in self.params}}


@dataclass(frozen=True, slots=True)
class PhaseStep:
    """One step of a run in plain words. ``who`` is the identity it acted as. ``ok`` None: the run did not get to it."""

    phase: Phase
    ok: bool | None
    note: str
    ms: float
    who: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """Whether a run counted towards a SEV's streak. ``because``: why not; empty if it did."""

    sev: int
    because: str = ""


@dataclass(frozen=True, slots=True)
class RunShow:
    template: ClassVar[str] = "checks/run.html"
    check: CheckLine
    run: RunLine
    steps: tuple[PhaseStep, ...]
    meaning: str
    changes: str = ""
    counts: tuple[Counted, ...] = ()


# ---- programmes, people, account, the rest -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProgrammeShow:
    template: ClassVar[str] = "programmes/show.html"
    slug: str
    name: str
    state: str
    paused: bool
    since: datetime | None
    description: str = ""
    datasets: tuple[DatasetRow, ...] = ()
    sevs: tuple[SevRef, ...] = ()


@dataclass(frozen=True, slots=True)
class SignIn:
    template: ClassVar[str] = "auth/sign_in.html"
    next: str = ""
    form: Form = EMPTY_FORM
    local: bool = True
    other_label: str = ""
    other_url: str = ""


@dataclass(frozen=True, slots=True)
class Welcome:
    """First run: the one-time link that creates the first admin."""

    template: ClassVar[str] = "auth/welcome.html"
    token: str
    form: Form = EMPTY_FORM
    password_min: int = 12


@dataclass(frozen=True, slots=True)
class SetPassword:
    template: ClassVar[str] = "auth/set_password.html"
    token: str
    name: str
    email: str
    form: Form = EMPTY_FORM
    password_min: int = 12


@dataclass(frozen=True, slots=True)
class TokenLine:
    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """``new_token`` is shown this once and never again."""

    template: ClassVar[str] = "auth/account.html"
    tokens: tuple[TokenLine, ...] = ()
    new_token: str = ""
    new_token_name: str = ""
    password_form: Form = EMPTY_FORM
    token_form: Form = EMPTY_FORM
    local: bool = True
    password_min: int = 12


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: int
    name: str
    email: str
    role: Role
    active: bool = True
    has_password: bool = True


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """Shown once, to whoever made it."""

    name: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class People:
    template: ClassVar[str] = "people/list.html"
    rows: tuple[PersonRow, ...]
    may_manage: bool = False
    form: Form = EMPTY_FORM
    link: OneTimeLink | None = None


@dataclass(frozen=True, slots=True)
class SettingRow:
    """``source``: ``default``, the file's name or the environment variable's. Of a secret, the reference only."""

    key: str
    value: str
    source: str = "default"
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class SettingGroup:
    name: str
    rows: tuple[SettingRow, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    template: ClassVar[str] = "settings/show.html"
    groups: tuple[SettingGroup, ...]


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """``title`` and ``detail`` are safe to show. ``request_id`` finds the log line; ``retry_after`` is in seconds."""

    template: ClassVar[str] = "errors/error.html"
    status: int
    title: str
    detail: str
    request_id: str = ""
    retry_after: int | None = None
