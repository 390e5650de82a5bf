"""A programme: its state, the SEVs on its datasets, the datasets."""

from __future__ import annotations

from flask import Response

from sevtracker.actions.enforce import May
from sevtracker.errors import NotFound
from sevtracker.store import datasets, sevs
from sevtracker.web import auth
from sevtracker.web.contexts import ProgrammeShow
from sevtracker.web.current import runtime
from sevtracker.web.pages.blueprint import pages
from sevtracker.web.pages.datasets import rows
from sevtracker.web.pages.names import sev_refs
from sevtracker.web.pages.showing import show
from sevtracker.web.permissions import allow

MOST_DATASETS, MOST_SEVS = 200, 50


@pages.get("/programmes/<slug>")
@allow(May.read)
def programme_show(slug: str) -> Response:
    viewer = auth.person().viewer
    with runtime().read() as session:
        programme = datasets.programme(session, slug)
        if programme is None:
            raise NotFound(f"There is no programme {slug!r}.")
        belonging = rows(session, viewer, datasets.listing(session, limit=MOST_DATASETS, programme=slug))
        filed = sevs.listing(session, viewer, sevs.Filters(programme=slug), limit=MOST_SEVS)
    page = ProgrammeShow(
        slug=slug,
        name=programme.name,
        state=programme.state,
        paused=programme.state != "running",
        since=programme.created_at,
        datasets=belonging,
        sevs=sev_refs(filed),
    )
    return show(page)
