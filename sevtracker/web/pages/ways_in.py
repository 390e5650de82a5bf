"""Ways in that came to light, as a SEV's page and a check's page show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sevtracker.actions.enforce import May, may
from sevtracker.store.suggestions import Line
from sevtracker.web import auth
from sevtracker.web.contexts import Form, Found, WaysIn


def build(lines: Sequence[Line], refused: Mapping[int, Form] | None = None) -> WaysIn:
    """What came to light, for whoever looks."""
    found = tuple(
        Found(
            id=line.id,
            why=line.why,
            kind=line.kind,
            place=f"{line.dataset}/{line.copy}",
            locator=line.locator,
            identity=line.identity,
            check=line.check,
            last_at=line.last_at,
            state=line.state,
            reason=line.reason,
            decided_by=line.decided_by or "",
            became=line.became,
        )
        for line in lines
    )
    return WaysIn(found, may(auth.person().role, May.keep_checks), refused or {})
