"""The home page: what is exposed now, and what cannot be seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sevtracker.domain.vocabulary import (
    Exposure,
    Level,
    Reason,
    Status,
)


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
