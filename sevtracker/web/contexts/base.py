"""What every page shares: who looks, forms, references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from sevtracker.domain.vocabulary import (
    Exposure,
    Level,
    Role,
    Status,
)

Theme = Literal["auto", "light", "dark"]


class PageContext(Protocol):
    """Any page: a value that knows its template."""

    @property
    def template(self) -> str: ...


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


#: All there is fits on one page.
ONE_PAGE = Cursor()


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


@dataclass(frozen=True, slots=True)
class Change:
    """A fact of a record: ``new`` alone, or ``old`` -> ``new``."""

    label: str
    new: str
    old: str | None = None
