"""The form on a check's page by which an executive accepts what it judges by now."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import accepting
from sevtracker.actions.enforce import Denied, May
from sevtracker.actions.inputs import AcceptDefinition, parse
from sevtracker.errors import Conflict, InputError, NotPermitted
from sevtracker.web import auth
from sevtracker.web.contexts import EMPTY_FORM
from sevtracker.web.current import runtime
from sevtracker.web.pages import check_page, forms
from sevtracker.web.pages.blueprint import CHECK, pages
from sevtracker.web.pages.showing import done, go, show
from sevtracker.web.permissions import allow


@pages.post(f"/checks/{CHECK}/accept")
@allow(May.accept_definitions)
def check_accept(check_id: int) -> AnyResponse:
    raw = {"reason": forms.text("reason"), "evidence_url": forms.text("evidence_url").strip()}
    try:
        given = parse(AcceptDefinition, raw | forms.only(revision=forms.text("revision")))
        with runtime().work(auth.person()) as work:
            found = accepting.accept(work, runtime().settings, runtime().probes, check_id, given)
    except (InputError, Conflict) as error:
        page = check_page.build(check_id, accept_form=forms.refused(error, forms.typed()))
        if page.acceptable is None:  # it does not apply any more, and so the form is gone
            page = check_page.build(check_id, refused=str(error))
        return show(page, forms.status_of(error))
    if isinstance(found, Denied):
        refused = f"{found.why} The attempt is recorded."
        return show(check_page.build(check_id, EMPTY_FORM, refused=refused), forms.status_of(NotPermitted(found.why)))
    done("Accepted. It still has to be proven, and to see the door closed for long enough.")
    return go("pages.check_show", check_id=check_id)
