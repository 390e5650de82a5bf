"""Programmes, people, accounts, settings, errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sevtracker.domain.vocabulary import (
    Role,
)
from sevtracker.web.contexts.base import EMPTY_FORM, Form, SevRef
from sevtracker.web.contexts.datasets import DatasetRow


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
