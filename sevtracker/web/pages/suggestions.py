"""Ways in that came to light: made checks with one click, or dismissed with a reason."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import suggestions as acts
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import AcceptSuggestion, WithReason, parse
from sevtracker.errors import Conflict, InputError, NotFound
from sevtracker.store import suggestions
from sevtracker.store.suggestions import Line
from sevtracker.web import auth
from sevtracker.web.contexts import Form
from sevtracker.web.current import runtime
from sevtracker.web.pages import check_form, check_page, checks, forms
from sevtracker.web.pages.blueprint import SUGGESTION, pages
from sevtracker.web.pages.names import whole
from sevtracker.web.pages.showing import done, go, show
from sevtracker.web.permissions import allow


@pages.post(f"/suggestions/{SUGGESTION}/accept")
@allow(May.keep_checks)
def suggestion_accept(suggestion_id: int) -> AnyResponse:
    """Make it a check; where that takes more than a click, show the form for it, filled in."""
    line = _known(suggestion_id)
    given = AcceptSuggestion()
    vetted = acts.vet(runtime().probes, line, given)
    try:
        with runtime().work(auth.person()) as work:
            check = acts.accept(work, runtime().settings, runtime().probes, suggestion_id, given, vetted)
    except InputError as error:
        values = {"dataset": line.dataset, "copy": line.copy, "identity": line.identity, "required": "true"}
        typed = Form({**values, **forms.only(control=line.control), **check_form.values(line.params)})
        return show(checks.new_form(line.kind, forms.refused(error, typed)), 422)
    done("The check is added, and its first run is under way.")
    return go("pages.check_show", check_id=check.id)


@pages.post(f"/suggestions/{SUGGESTION}/dismiss")
@allow(May.keep_checks)
def suggestion_dismiss(suggestion_id: int) -> AnyResponse:
    line = _known(suggestion_id)
    try:
        given = parse(WithReason, {"reason": forms.text("reason")})
        with runtime().work(auth.person()) as work:
            acts.dismiss(work, suggestion_id, given)
    except (InputError, Conflict) as error:
        refused = {suggestion_id: forms.refused(error, forms.typed())}
        return show(check_page.build(line.check, dismissals=refused), forms.status_of(error))
    done("Dismissed, and on the record.")
    number = whole(forms.text("sev"))
    return go("pages.sev_show", number=number) if number else go("pages.check_show", check_id=line.check)


def _known(suggestion_id: int) -> Line:
    with runtime().read() as session:
        line = suggestions.by_id(session, suggestion_id)
    if line is None:
        raise NotFound(f"There is no suggestion {suggestion_id}.")
    return line
