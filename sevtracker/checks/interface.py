"""What a check kind is. Built-in kinds and outsiders' come in by the same way: the entry point ``sevtracker.checks``.

A kind answers two questions and knows nothing of SEVs, schedules or databases of ours:

- ``locate(params)``: which place does this look at (for the guard, the fingerprint and the page)?
- ``attempt(params, access)``: does *this* identity get in there, right now?

Everything else (positive control, verdict, deadline, guard, storage) is done once, for every kind, in ``probing.py``.
How to write one: docs/checks/writing-a-kind.md.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from sevtracker.checks.keeping import Keeper
from sevtracker.checks.local import NOTHING_LOCAL, LocalRules
from sevtracker.checks.sealing import Sealer
from sevtracker.clock import Clock
from sevtracker.domain.vocabulary import Phase, Reason, Verdict, Weight


class CheckParams(BaseModel):
    """Parameters common to every kind. A kind adds its own fields; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Seconds that one attempt may take.
    timeout: float = Field(default=10.0, gt=0, le=60, allow_inf_nan=False)

    #: Fields that do not change what is proven, hence not part of the fingerprint.
    outside_fingerprint: ClassVar[frozenset[str]] = frozenset({"timeout"})
    #: Fields that say how an answer is judged, and not where it comes from: changing them points a check nowhere else.
    outside_place: ClassVar[frozenset[str]] = frozenset()
    #: Those of ``outside_place`` that a canary twin may have of its own all the same: lists of who, or what, is no open
    #: door. The open twin's has to hold all of the target's, so that the check is proven with the list that it has.
    twins_own: ClassVar[frozenset[str]] = frozenset()
    #: Those that say how a door is tried: a twin has to be tried in the same way, so it can't have them of its own.
    twins_fixed: ClassVar[frozenset[str]] = frozenset()
    #: What makes a judgement of ``outside_place`` looser, so that less counts as an open door: ``more`` or ``fewer``
    #: of a list, a switch that is ``on``, anything ``changed``. What a stricter definition saw open then has to be
    #: seen closed by it.
    loosened_by: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def loosened(cls, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
        """Is ``now`` looser than ``before`` in anything? Both as JSON has them."""
        return any(_looser(how, before.get(name), now.get(name)) for name, how in cls.loosened_by.items())


def _looser(how: str, before: Any, now: Any) -> bool:
    if how == "changed":
        return bool(before != now)
    if how == "on":
        return bool(now) and not before
    more, fewer = set(now or ()) - set(before or ()), set(before or ()) - set(now or ())
    return bool(more if how == "more" else fewer)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and port that a probe will connect to. ``host`` is a name or an address literal without brackets.

    ``database`` is for what can reach one database there and no other, as a PostgreSQL connection does.
    """

    host: str
    port: int
    database: str = ""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Pinned:
    """An address that the guard has validated. Connect to it and to nothing else."""

    address: str
    family: socket.AddressFamily
    port: int


#: Characters that a lane's name may have.
MAX_LANE = 300


@dataclass(frozen=True, slots=True)
class Locator:
    """Where a check looks, in words that are safe to store and show: never a credential.

    ``text`` is e.g. ``postgresql://db1:5432/hr tracking.events``; ``endpoints`` is what the guard has to allow.
    ``further``: places that the kind will ask ``Access.admit`` for, each with the parameter that names it; the guard
    judges them on saving. ``lane``: without endpoints, what is not to be looked at by two runs at once.
    """

    text: str
    endpoints: tuple[Endpoint, ...]
    further: tuple[tuple[str, Endpoint], ...] = ()
    lane: str = "local"


class Result(StrEnum):
    """What one identity met at the target."""

    got_in = "got_in"
    denied = "denied"  # a denial attributable to access control
    absent = "absent"  # nothing there for this identity (404, no such table): a denial only if the control gets in
    empty = "empty"  # let in, but nothing to read
    trouble = "trouble"  # anything else; never a denial


@dataclass(frozen=True, slots=True)
class Step:
    """One phase of an attempt, for the run's page. ``note`` is our own words; never text from the target."""

    phase: Phase
    ok: bool
    note: str
    ms: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A further way in that an attempt came across, as the check that would watch it.

    ``params`` as somebody would send them; ``identity`` None: whoever tries the other doors of that copy. ``why`` is
    one sentence of our own, which may name places (a schema, a view, a host) and never people or data. ``locator`` is
    filled in by the prober.
    """

    kind: str
    params: Mapping[str, Any]
    why: str
    identity: str | None = None
    locator: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a question is about, such as how long a door stood open. ``until`` None: it goes on."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """Who came in while the door was open, as far as a log tells. Counts are buckets (``bucket``), never exact.

    ``covered``: the stretches of the window that the log speaks for; what lies between them is unknown, never none.
    """

    principals: str
    accesses: str
    covered: tuple[Window, ...]
    complete: bool
    first_at: datetime | None = None
    last_at: datetime | None = None


def bucket(count: int) -> str:
    """A count as it may be stored: ``0``, ``1``, ``2-9``, ``10-99``, and so on by tens."""
    if count < 2:
        return str(max(count, 0))
    low = 10 ** (len(str(count)) - 1)
    return f"{max(low, 2)}-{low * 10 - 1}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one identity fared: ``result`` and ``reason``, the phase it ended in, and the steps taken.

    ``control``: for a kind that makes its own positive control within the attempt, how that went; then no control
    identity is asked. ``memory``: what the kind wants to be given at the check's next run (plain JSON, no data of the
    target); None leaves it as it was.
    """

    result: Result
    reason: Reason
    phase: Phase
    steps: tuple[Step, ...] = ()
    retry_after_s: float | None = None
    #: Seconds that the target's clock is ahead of ours, where it tells the time.
    skew_s: float | None = None
    control: Result | None = None
    suggestions: tuple[Suggestion, ...] = ()
    memory: Mapping[str, Any] | None = None
    impact: Impact | None = None


@dataclass(frozen=True, slots=True)
class TwinsSeen:
    """What a look at a check's canary twins brought. ``wrong``: why it is no proof, in our own words; None: it is."""

    wrong: str | None

    @property
    def proven(self) -> bool:
        return self.wrong is None


@dataclass(frozen=True, slots=True)
class Observation:
    """One run of a check, ready to be stored. Holds existence only: no row, body, DSN or driver text.

    ``twins`` None: nobody looked at them.
    """

    verdict: Verdict
    reason: Reason
    started_at: datetime
    duration_ms: float
    control: Result | None
    steps: tuple[Step, ...] = ()
    retry_after_s: float | None = None
    suggestions: tuple[Suggestion, ...] = ()
    memory: Mapping[str, Any] | None = None
    impact: Impact | None = None
    twins: TwinsSeen | None = None
    #: How many sign-ins of an identity have failed in a row, this run's included: of those where it changed that.
    failed_sign_ins: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Twins:
    """Two canaries beside a check's target, one open to its identity and one locked: each as the parameters in which it
    differs from the check's own. A check that tells them apart can tell whether its target is closed."""

    open: Mapping[str, Any]
    locked: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Definition:
    """A check as the prober needs it. ``params`` was validated by the kind's model when it was saved.

    ``memory``: what its last run asked to be given (of this very fingerprint). ``window``: the time that the SEVs of
    the check are about. ``proved_at``: when its twins were last told apart. ``failed_sign_ins``: how many have failed
    in a row at its target, by identity; whoever has too many is not tried. None of these is part of what a check is.
    """

    kind: str
    identity: str
    control: str | None
    params: Mapping[str, Any] = field(default_factory=dict)
    memory: Mapping[str, Any] | None = None
    window: Window | None = None
    twins: Twins | None = None
    proved_at: datetime | None = None
    failed_sign_ins: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Credentials:
    """An identity's secrets, resolved for one run. ``repr`` shows none of them."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    self_test_url: str | None = None
    self_test_marker: str | None = None
    #: The roles that it has to have in a database, just these; None: whatever it has.
    roles: tuple[str, ...] | None = None

    @property
    def has_secrets(self) -> bool:
        """Whether anything is sent that only this identity has."""
        return bool(self.password or self.token or self.headers)


@dataclass(frozen=True, slots=True)
class Access:
    """What one attempt gets: whose credentials, which validated addresses, and for how long.

    ``pins`` has one address for each of the locator's endpoints, in order. ``admit`` is the guard, bound to this
    identity, for a further place (a self-test on another host); it raises TargetRefused. ``timeout`` is in seconds.
    ``secret`` reads a secret reference that stands in the parameters (``env:NAME``); it raises ConfigError.
    ``local``: what the configuration allows on this machine. ``identity``: the name of the one who tries. ``keeper``
    holds what is to stay open until the next run; ``sealer`` seals what is to be remembered and is a number of theirs.
    """

    credentials: Credentials
    pins: tuple[Pinned, ...]
    timeout: float
    clock: Clock
    is_control: bool
    admit: Callable[[Endpoint], tuple[Pinned, ...]]
    secret: Callable[[str], str]
    memory: Mapping[str, Any] | None = None
    window: Window | None = None
    local: LocalRules = NOTHING_LOCAL
    identity: str = ""
    keeper: Keeper = field(default_factory=Keeper)
    sealer: Sealer = field(default_factory=Sealer)


ParamsT = TypeVar("ParamsT", bound=CheckParams)


class CheckKind(ABC, Generic[ParamsT]):
    """One kind of check. Instances hold no state: one is shared by every thread."""

    name: ClassVar[str]
    #: Part of the fingerprint: raise it when the same parameters come to prove something else.
    version: ClassVar[str] = "1"
    #: The identity needs a user name, since there is no anonymous way in.
    signs_in: ClassVar[bool] = False
    #: It makes its own positive control within the attempt (``Attempt.control``): no control identity is asked.
    own_control: ClassVar[bool] = False
    #: Its identity is who looks, and not somebody who must not get in.
    looks: ClassVar[bool] = False
    #: What its ``closed`` is worth to the resolve gate.
    weight: ClassVar[Weight] = Weight.decides
    #: ``attempt`` keeps to ``access.timeout`` by itself. When False, it runs in a thread that can be abandoned.
    bounded: ClassVar[bool] = False
    params: type[ParamsT]

    @abstractmethod
    def locate(self, params: ParamsT) -> Locator:
        """Where this looks. Pure: no network. Raises ValueError with a sentence that quotes no credential."""

    def refuse(self, params: ParamsT, local: LocalRules) -> Iterator[tuple[str, str]]:
        """What the configuration does not allow on the worker's own machine: (parameter, sentence) for each.

        Asked on saving and before every run, as the guard is for ``endpoints``. Pure.
        """
        yield from ()

    def needs_user_name(self, params: ParamsT, *, is_control: bool) -> bool:
        """Whether an identity without a user name is refused on saving, as the identity or as the control."""
        return self.signs_in

    @abstractmethod
    def attempt(self, params: ParamsT, access: Access) -> Attempt:
        """Try the door once, as ``access.credentials``. What it raises becomes ``plugin_error``."""
