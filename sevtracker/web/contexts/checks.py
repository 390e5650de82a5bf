"""Checks, their runs, and editing them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from sevtracker.domain.vocabulary import (
    Phase,
    Reason,
    Trigger,
    Verdict,
)
from sevtracker.web.contexts.base import EMPTY_FORM, ONE_PAGE, Change, Cursor, Form, Option, SevRef
from sevtracker.web.contexts.datasets import CheckLine
from sevtracker.web.contexts.sev import NO_WAYS_IN, WaysIn


@dataclass(frozen=True, slots=True)
class CheckList:
    template: ClassVar[str] = "checks/list.html"
    rows: tuple[CheckLine, ...]
    q: str = ""
    verdict: str = ""
    cursor: Cursor = ONE_PAGE
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
    """A change that was refused to who asked for it. ``against``: the revision that it would change. ``mine``: the
    viewer asked for it."""

    id: int
    by: str
    at: datetime
    against: int
    changes: tuple[Change, ...]
    reason: str = ""
    retires: bool = False
    may_decide: bool = False
    mine: bool = False
    form: Form = EMPTY_FORM


@dataclass(frozen=True, slots=True)
class Acceptable:
    """What an executive may accept: how the present definition differs from revision ``since``, which saw the door
    open."""

    since: int
    changes: tuple[Change, ...]
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

    ``proposals``: those that wait. ``acceptable``: what the viewer may accept of its definition, as an executive.
    ``refused``: what was refused just now. ``more_revisions``: older than those shown.
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
    ways_in: WaysIn = NO_WAYS_IN
    retired_at: datetime | None = None
    proposals: tuple[CheckProposal, ...] = ()
    refused: str = ""
    more_revisions: int = 0
    twins_form: Form = EMPTY_FORM
    acceptable: Acceptable | None = None
    target: str = ""
    halted: bool = False
    #: The kind makes its own: no control identity is asked.
    own_control: bool = False
    means: str = ""
    #: The last that it could tell is an open door: whatever would hide that is refused, approved or not.
    door_open: bool = False
    #: Its identity is who looks, and not who must not get in.
    looks: bool = False
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
    example: str = ""


@dataclass(frozen=True, slots=True)
class KindChoices:
    """Kinds whose ``closed`` is worth the same to the gate."""

    title: str
    means: str
    kinds: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class CheckEdit:
    """A new check (``check`` None; without ``kind`` the page asks for it first), or an edit of one.

    ``gates_own_patch``: the viewer wrote the patch that this check gates, so some fields are refused for them.
    """

    template: ClassVar[str] = "checks/edit.html"
    kinds: tuple[KindChoices, ...] = ()
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
    #: The identity is who looks; the kind makes its own control, so none is asked for.
    looks: bool = False
    own_control: bool = False

    @property
    def identity_label(self) -> str:
        return "Signs in as" if self.looks else "As (must not get in)"

    @property
    def labels(self) -> dict[str, str]:
        """What the page calls each field, for the list of errors."""
        fixed = {
            "dataset": "Dataset",
            "copy": "Copy",
            "identity": self.identity_label,
            "control": "Positive control",
            "name": "Name",
        }
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
