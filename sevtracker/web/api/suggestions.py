"""Ways in that runs came across: made checks, or dismissed with a reason."""

from __future__ import annotations

from sevtracker.actions import suggestions as acts
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import AcceptSuggestion, Slug, WithReason
from sevtracker.domain.vocabulary import SuggestionState
from sevtracker.errors import NotFound
from sevtracker.store import checks, suggestions
from sevtracker.store.session import Session
from sevtracker.store.work import Work
from sevtracker.web.api import models, reading, views
from sevtracker.web.api.reading import Nothing, Paging
from sevtracker.web.api.routes import Call, Routes, answer
from sevtracker.web.idempotency import Answer

routes = Routes("Suggestions")


class Find(Paging):
    """What to find: those for one dataset, in one state."""

    dataset: Slug | None = None
    state: SuggestionState | None = None


@routes.get("/suggestions", takes=Find, gives=models.SuggestionPage)
def find(call: Call[Find]) -> Answer:
    """Find suggestions, by id."""
    asked = call.given
    after = reading.number("suggestions", asked.cursor)
    with call.runtime.read() as session:
        found = suggestions.listing(
            session, limit=asked.limit + 1, after=after, dataset=asked.dataset, state=asked.state
        )
    shown = found[: asked.limit]
    going_on = shown[-1].id if len(found) > len(shown) else None
    items = [views.suggestion(one) for one in shown]
    return answer(models.SuggestionPage(items=items, next=reading.cursor("suggestions", going_on)))


@routes.get("/suggestions/<number:suggestion_id>", gives=models.Suggestion)
def show(call: Call[Nothing], suggestion_id: int) -> Answer:
    """A suggestion, and what became of it."""
    with call.runtime.read() as session:
        return answer(views.suggestion(_known(session, suggestion_id)))


@routes.post(
    "/suggestions/<number:suggestion_id>/accept",
    may=May.keep_checks,
    takes=AcceptSuggestion,
    gives=models.Check,
    status=201,
    location="/api/v1/checks/{id}",
)
def accept(call: Call[AcceptSuggestion], suggestion_id: int) -> Answer:
    """Make it a check. It runs at once."""
    with call.runtime.read() as session:
        line = _known(session, suggestion_id)
    vetted = acts.vet(call.runtime.probes, line, call.given)

    def act(work: Work) -> Answer:
        row = acts.accept(work, call.settings, call.runtime.probes, suggestion_id, call.given, vetted)
        place = checks.place(work.session, row.id or 0)
        return answer(views.check(row, place.dataset, place.copy), 201)

    return call.once(act)


@routes.post(
    "/suggestions/<number:suggestion_id>/dismiss", may=May.keep_checks, takes=WithReason, gives=models.Suggestion
)
def dismiss(call: Call[WithReason], suggestion_id: int) -> Answer:
    """Say why nobody has to look there. It is on the record."""

    def act(work: Work) -> Answer:
        acts.dismiss(work, suggestion_id, call.given)
        return answer(views.suggestion(_known(work.session, suggestion_id)))

    return call.once(act)


def _known(session: Session, suggestion_id: int) -> suggestions.Line:
    line = suggestions.by_id(session, suggestion_id)
    if line is None:
        raise NotFound(f"There is no suggestion {suggestion_id}.")
    return line
