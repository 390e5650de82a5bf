"""Who the token speaks for."""

from __future__ import annotations

from sevtracker.actions.enforce import PERMISSIONS
from sevtracker.errors import NotSignedIn
from sevtracker.store import people
from sevtracker.web.api import models
from sevtracker.web.api.reading import Nothing
from sevtracker.web.api.routes import Call, Routes, answer
from sevtracker.web.idempotency import Answer

routes = Routes("Me")


@routes.get("/me", gives=models.Me)
def whoami(call: Call[Nothing]) -> Answer:
    """Whom this token speaks for, and what they may do."""
    with call.runtime.read() as session:
        row = people.by_id(session, call.person.id)
    if row is None:
        raise NotSignedIn("This token speaks for nobody any more.")
    return answer(
        models.Me(
            id=row.id or 0,
            pid=row.pid,
            name=row.name,
            email=row.email,
            role=row.role,
            may=sorted(PERMISSIONS[row.role]),
        )
    )
