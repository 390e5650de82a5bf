"""How pages call things, and small values that several of them show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from sevtracker.config import Settings
from sevtracker.domain.vocabulary import IdentityClass
from sevtracker.store import checks, sevs
from sevtracker.web.contexts import CheckLine, Cursor, SevRef

T = TypeVar("T")

#: How many earlier pages a cursor remembers.
_DEEPEST = 60
_BETWEEN = "~"


def key(number: int) -> str:
    """``SEV-7``."""
    return f"SEV-{number}"


def class_of(settings: Settings, identity: str) -> IdentityClass:
    """The class of an identity. One that is not configured any more says nothing about who it is."""
    known = settings.identities.get(identity)
    return IdentityClass(known.cls) if known else IdentityClass.service


def sev_refs(found: Iterable[sevs.Line]) -> tuple[SevRef, ...]:
    """SEVs as other pages list them."""
    return tuple(
        SevRef(
            number=line.number,
            key=key(line.number),
            title=line.title,
            level=line.level,
            status=line.status,
            exposure=line.exposure,
            filed_at=line.reported_at,
            exceptions=line.exceptions,
        )
        for line in found
    )


def proofs_since(settings: Settings, now: datetime) -> datetime:
    """A proof by canary twins from before this does not count any more."""
    return now - settings.policy.proof_valid


def check_line(line: checks.Line, settings: Settings, proven: bool) -> CheckLine:
    """A check as pages list it."""
    return CheckLine(
        id=line.id,
        name=line.name,
        kind=line.kind,
        place=f"{line.dataset}/{line.copy}",
        identity=line.identity,
        identity_class=class_of(settings, line.identity),
        required=line.required,
        enabled=line.enabled,
        verdict=line.last_verdict,
        reason=line.last_reason,
        last_at=line.last_at,
        proven=proven,
    )


def whole(text: str, most: int = 10) -> int | None:
    """``text`` as a number of fewer than ``most`` plain digits; None for anything else. (``"²".isdigit()`` is true.)"""
    return int(text) if text.isascii() and text.isdigit() and len(text) < most else None


# ---- paging ------------------------------------------------------------------------------------------------------


def trail(cursor: str | None) -> list[str]:
    """Where each page so far began, the present one last. The first page has none."""
    return [part for part in (cursor or "").split(_BETWEEN) if part][-_DEEPEST:]


def numbers(cursor: str | None) -> list[int]:
    """``trail`` of a list that goes by a number."""
    return [found for part in trail(cursor) if (found := whole(part)) is not None]


def paged(rows: Sequence[T], limit: int, cursor: str | None, last: Sequence[str]) -> tuple[Sequence[T], Cursor]:
    """The first ``limit`` of ``rows`` (one more was asked for), and the cursors beside them.

    A cursor is the trail of the pages before, so that *newer* leads back the way one came, under any filter.
    ``last`` is the key of the last row shown, if there is one.
    """
    so_far = trail(cursor)
    older = _BETWEEN.join([*so_far, *last]) if len(rows) > limit and last else None
    newer = _BETWEEN.join(so_far[:-1]) or _BETWEEN if so_far else None
    return rows[:limit], Cursor(newer, older)
