"""The buttons on a check's page that make its canary twins, and drop them."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import twins as acts
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import MakeTwins, parse
from sevtracker.errors import Conflict, InputError
from sevtracker.web import auth
from sevtracker.web.current import runtime
from sevtracker.web.pages import check_page, forms
from sevtracker.web.pages.blueprint import CHECK, pages
from sevtracker.web.pages.showing import done, go, show
from sevtracker.web.permissions import allow


@pages.post(f"/checks/{CHECK}/twins")
@allow(May.keep_checks)
def check_twins_make(check_id: int) -> AnyResponse:
    try:
        keeper = parse(MakeTwins, {"keeper": forms.text("keeper")}).keeper
        _save(check_id, acts.make_at_target(runtime(), auth.person(), check_id, keeper))
    except (InputError, Conflict) as error:
        shown = forms.refused(error, forms.typed())
        return show(check_page.build(check_id, twins_form=shown), forms.status_of(error))
    done("The twins are made, and a run is under way. It looks at them once it has seen the door closed.")
    return go("pages.check_show", check_id=check_id)


@pages.post(f"/checks/{CHECK}/twins/drop")
@allow(May.keep_checks)
def check_twins_drop(check_id: int) -> AnyResponse:
    try:
        _save(check_id, acts.drop_at_target(runtime(), auth.person(), check_id))
    except (InputError, Conflict) as error:
        shown = forms.refused(error, forms.typed())
        return show(check_page.build(check_id, twins_form=shown), forms.status_of(error))
    done("The twins are dropped. What they proved is void.")
    return go("pages.check_show", check_id=check_id)


def _save(check_id: int, what: acts.Done) -> None:
    with runtime().work(auth.person()) as work:
        acts.save(work, runtime(), check_id, what)
