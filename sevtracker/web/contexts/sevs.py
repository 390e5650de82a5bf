"""The list of SEVs, and filing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, NamedTuple

from sevtracker.domain.vocabulary import (
    LEVEL_DEFINITIONS,
    Exposure,
    Level,
    Status,
)
from sevtracker.web.contexts.base import EMPTY_FORM, ONE_PAGE, Cursor, Form, Option


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
    #: What was asked for and is no such thing, in words.
    unknown: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return bool(
            self.unknown or self.q or self.status or self.level or self.exposure or self.dataset or self.programme
        )

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
    cursor: Cursor = ONE_PAGE


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
