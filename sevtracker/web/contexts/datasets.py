"""Datasets, their copies and checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sevtracker.domain.vocabulary import (
    Exposure,
    IdentityClass,
    Reason,
    Verdict,
)
from sevtracker.web.contexts.base import EMPTY_FORM, ONE_PAGE, Cursor, Form, Option, ProgrammeRef, SevRef


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
    cursor: Cursor = ONE_PAGE
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
    """``form``: what was typed into one of its two forms, and refused."""

    slug: str
    kind: str
    location: str
    checks: tuple[CheckLine, ...] = ()
    form: Form = EMPTY_FORM


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
    #: Slug and time.
    retired: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetEdit:
    """``slug`` None: a new dataset."""

    template: ClassVar[str] = "datasets/edit.html"
    slug: str | None = None
    name: str = ""
    form: Form = EMPTY_FORM
    programmes: tuple[Option, ...] = ()
    classifications: tuple[str, ...] = ()
