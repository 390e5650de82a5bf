"""SEVs: file, find, read, change."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sevtracker.actions import sevs as acts
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import ChangeSev, FileSev, Line, Slug
from sevtracker.domain.vocabulary import Exposure, Level, Status
from sevtracker.errors import NotFound
from sevtracker.store import sevs, timeline
from sevtracker.store.session import Session
from sevtracker.store.tables import Sev
from sevtracker.store.work import Viewer, Work
from sevtracker.web.api import models, reading, views
from sevtracker.web.api.reading import Nothing, Paging
from sevtracker.web.api.routes import Call, Routes, answer
from sevtracker.web.idempotency import Answer

routes = Routes("SEVs")


Prefix = Annotated[str, Field(pattern="^[a-z_]{1,32}:?[a-z_]{0,32}$")]


class Find(Paging):
    """What to find. A filter that is given several times means any of its values."""

    status: Annotated[tuple[Status, ...], Field(max_length=20)] = ()
    level: Annotated[tuple[Level, ...], Field(max_length=20)] = ()
    exposure: Annotated[tuple[Exposure, ...], Field(max_length=20)] = ()
    dataset: Slug | None = None
    programme: Slug | None = None
    q: Annotated[Line, Field(max_length=200)] = ""


class Timeline(Paging):
    """Which part of the timeline: oldest first, unless `order` is `newest`. `kind` is a prefix such as `patch:`."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    order: Annotated[str, Field(pattern="^(oldest|newest)$")] = "oldest"
    kind: Annotated[tuple[Prefix, ...], Field(max_length=20)] = ()


def visible(session: Session, viewer: Viewer, number: int) -> Sev:
    """The SEV. Raises NotFound, with the same words whether it doesn't exist or may not be known of."""
    found = sevs.find(session, number, viewer)
    if found is None:
        raise NotFound(f"There is no SEV-{number}.")
    return found


def line(work: Work, number: int) -> models.SevLine:
    """A SEV as it stands in this transaction."""
    return views.sev_line(stored_line(work, number))


def stored_line(work: Work, number: int) -> sevs.Line:
    work.session.flush()
    return sevs.line(work.session, number, [d.slug for d in sevs.datasets_of(work.session, [number])[number]])


@routes.post(
    "/sevs",
    may=May.work_on_sevs,
    takes=FileSev,
    gives=models.SevLine,
    status=201,
    location="/api/v1/sevs/{number}",
)
def file(call: Call[FileSev]) -> Answer:
    """File a SEV. Its checks run at once."""

    def act(work: Work) -> Answer:
        return answer(views.sev_line(acts.filed(work, call.settings, call.given)), 201)

    return call.once(act)


@routes.get("/sevs", takes=Find, gives=models.SevPage)
def find(call: Call[Find]) -> Answer:
    """Find SEVs, newest first."""
    asked = call.given
    filters = sevs.Filters(
        statuses=asked.status,
        levels=asked.level,
        exposures=asked.exposure,
        dataset=asked.dataset,
        programme=asked.programme,
        text=asked.q or None,
    )
    before = reading.number("sevs", asked.cursor)
    with call.runtime.read() as session:
        found = sevs.listing(session, call.viewer, filters, limit=asked.limit + 1, before=before)
    shown = found[: asked.limit]
    going_on = shown[-1].number if len(found) > len(shown) else None
    return answer(models.SevPage(items=[views.sev_line(one) for one in shown], next=reading.cursor("sevs", going_on)))


@routes.get("/sevs/<number:number>", gives=models.Sev)
def show(call: Call[Nothing], number: int) -> Answer:
    """Everything that is known of a SEV: clocks, windows, patches, vantages, and what blocks resolving it."""
    with call.runtime.read() as session:
        found = visible(session, call.viewer, number)
        return answer(views.sev(session, call.viewer, call.settings, found, call.runtime.clock.now()))


@routes.patch("/sevs/<number:number>", may=May.work_on_sevs, takes=ChangeSev, gives=models.SevLine)
def change(call: Call[ChangeSev], number: int) -> Answer:
    """Change fields of a SEV; what is left out stays."""
    with call.runtime.work(call.person) as work:
        acts.change(work, call.settings, number, call.given)
        return answer(line(work, number))


@routes.get("/sevs/<number:number>/timeline", takes=Timeline, gives=models.TimelinePage)
def show_timeline(call: Call[Timeline], number: int) -> Answer:
    """A SEV's timeline: its records in the ledger."""
    asked = call.given
    newest = asked.order == "newest"
    what = f"timeline-{asked.order}"
    at = reading.number(what, asked.cursor)
    with call.runtime.read() as session:
        visible(session, call.viewer, number)
        found = timeline.of_sev(
            session,
            number,
            limit=asked.limit + 1,
            after=None if newest else at,
            before=at if newest else None,
            newest_first=newest,
            kinds=asked.kind,
        )
        shown = timeline.discreet(session, call.viewer, found[: asked.limit])
    going_on = shown[-1].seq if len(found) > len(shown) else None
    return answer(
        models.TimelinePage(items=[views.timeline_item(item) for item in shown], next=reading.cursor(what, going_on))
    )
