"""The settings in force, read only. A secret is told by its reference, or by that there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from flask import Response
from pydantic import BaseModel, SecretStr

from sevtracker.actions.enforce import May
from sevtracker.config import Settings, is_secret_reference
from sevtracker.domain.spans import span
from sevtracker.web.contexts import SettingGroup, SettingRow
from sevtracker.web.contexts import Settings as SettingsPage
from sevtracker.web.current import runtime
from sevtracker.web.pages.blueprint import pages
from sevtracker.web.pages.showing import show
from sevtracker.web.permissions import allow

_UNSET = "not set"
_USER = re.compile(r"([^:/]*)(:[^@]*)?@")


@pages.get("/settings")
@allow(May.see_settings)
def settings() -> Response:
    return show(SettingsPage(tuple(_groups(runtime().settings))))


def _groups(found: Settings) -> Iterator[SettingGroup]:
    defaults = Settings()
    for name in type(found).model_fields:
        section = getattr(found, name)
        if isinstance(section, BaseModel):
            if rows := tuple(_rows(section, getattr(defaults, name))):
                yield SettingGroup(name, rows)
        elif isinstance(section, Mapping):
            for key, part in section.items():
                yield SettingGroup(f"{name}.{key}", tuple(_rows(part, getattr(defaults, name).get(key))))


def _rows(section: BaseModel, defaults: BaseModel | None, above: str = "") -> Iterator[SettingRow]:
    """``defaults``: the same section as it is when nothing is configured; None where there is none by default."""
    for name, info in type(section).model_fields.items():
        value, key = getattr(section, name), above + (info.alias or name)
        usual = info.default if defaults is None else getattr(defaults, name)
        if isinstance(value, BaseModel):
            yield from _rows(value, usual if isinstance(usual, BaseModel) else None, f"{key}.")
        else:
            source = "default" if value == usual else "configuration"
            yield SettingRow(key, _said(name, value), source, info.description or "")


def _said(name: str, value: Any) -> str:
    if name == "roles" and value is not None:
        return f"baseline: just {', '.join(value)}" if value else "baseline: no role at all"
    match value:
        case None | "" | () | {}:
            return _UNSET
        case SecretStr():
            return "set, not shown"
        case bool():
            return "yes" if value else "no"
        case timedelta() if value < timedelta(seconds=10):
            return f"{value.total_seconds():g} s"
        case timedelta():
            return span(value)
        case Mapping():
            return ", ".join(f"{key}: {_header(text)}" for key, text in value.items())
        case list() | tuple():
            return ", ".join(_said(name, item) for item in value)
        case BaseModel():
            return " ".join(f"{row.key} {row.value}" for row in _rows(value, None) if row.value != _UNSET)
    text = str(value)
    if name in ("url", "migrate_url"):
        return _without_password(text)
    return _header(text) if name in ("password", "token") else text


def _header(text: Any) -> str:
    """A reference may be shown; anything else may be the secret itself."""
    return text if isinstance(text, str) and is_secret_reference(text) else "set, not shown"


def _without_password(url: str) -> str:
    """Neither password nor query (drivers take passwords from there, too), taken apart as SQLAlchemy does: a password
    may have any character but ``@``."""
    scheme, _, rest = url.partition("://")
    found = _USER.match(rest)
    place, query, _ = (rest[found.end() :] if found else rest).partition("?")
    user = f"{found[1]}{':***' if found[2] else ''}@" if found else ""
    return f"{scheme}://{user}{place}{'?…' if query else ''}"
