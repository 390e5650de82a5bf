"""The only place that reads the time. Everything inside is an aware datetime in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the runtime asks for the time. Tests pass their own."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def as_utc(moment: datetime) -> datetime:
    """``moment`` in UTC. Raises ValueError for a naive datetime: nobody knows which zone it meant."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("a time needs its UTC offset, for example 2026-06-18T09:10:00Z")
    return moment.astimezone(UTC)


def rfc3339(moment: datetime) -> str:
    """``2026-06-18T09:10:00.123456Z``: RFC 3339, UTC, microseconds always written (so texts sort as times do)."""
    return as_utc(moment).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
