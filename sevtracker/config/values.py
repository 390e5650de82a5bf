"""Values with their own spelling: durations, sizes, addresses, and lists that come as text."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

LevelName = Literal["SEV0", "SEV1", "SEV2", "SEV3", "SEV4"]
IdentityClassName = Literal["anonymous", "staff", "contractor", "service", "ex_member", "held_session", "control"]

MAX_PORT = 65535

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
#: Longer ones are mistakes, and could not be added to a date.
_LONGEST = timedelta(days=36500)
_DURATION = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(ms|[smhd])", re.ASCII)
_SIZE = re.compile(r"(\d{1,12})\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)?", re.ASCII)
_SIZE_UNITS = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def parse_duration(text: str) -> timedelta:
    """``90s 5m 24h 7d 0.5s 250ms`` as a timedelta. Raises ValueError for anything else, a bare number included."""
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError(f"expected a duration such as 90s, 5m, 24h, 7d, 0.5s or 250ms, not {text!r}")
    if float(match[1]) > _LONGEST / _UNITS[match[2]]:
        raise ValueError(f"expected a duration of at most {format_duration(_LONGEST)}, not {text!r}")
    return float(match[1]) * _UNITS[match[2]]


def format_duration(duration: timedelta) -> str:
    """The shortest text that ``parse_duration`` reads back as the same duration. Raises ValueError below zero."""
    if duration < timedelta(0):
        raise ValueError("a duration is never negative")
    if not duration:
        return "0s"
    for unit, size in _UNITS.items():
        if not duration % size and (unit != "ms" or duration < _UNITS["s"]):
            return f"{duration // size}{unit}"
    return f"{duration // _UNITS['s']}.{duration.microseconds:06}".rstrip("0") + "s"


def _duration(value: object) -> object:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, timedelta):
        return value
    raise ValueError('expected a duration in quotes with its unit, such as "90s", "5m", "24h" or "7d"')


def _not_negative(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("expected a duration of 0s or more")
    return value


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("expected a duration of more than 0s")
    return value


def _size(value: object) -> object:
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match:
        return int(match[1]) * _SIZE_UNITS[match[2] or "B"]
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError('expected a size such as 1000000, "500kB", "1MB" or "1MiB"')


def json_when_text(value: object) -> object:
    """Lists and tables have no other way through an environment variable than as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('expected a list or table (in an environment variable as JSON: ["a", "b"])') from None


def split_url(text: str, expected: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it validates it
    except ValueError:
        raise ValueError(f"expected {expected}") from None
    return parts


def _http_url(text: str) -> str:
    expected = "an http:// or https:// address"
    parts = split_url(text, expected)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"expected {expected}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("expected an address without a user name or password in it")
    return text


Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_not_negative)]
PositiveDuration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
Size = Annotated[int, BeforeValidator(_size), Field(gt=0)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
