"""A check's end, for a while or for good, and the second person's word on changes that were refused."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import checks as acts
from sevtracker.actions import proposals as second
from sevtracker.actions.enforce import May
from sevtracker.actions.guarding import Refused
from sevtracker.actions.inputs import ChangeCheck, MayReason, WithReason, parse
from sevtracker.errors import Conflict, InputError, NotFound, NotPermitted
from sevtracker.store import proposals
from sevtracker.web import auth
from sevtracker.web.contexts import Form
from sevtracker.web.current import runtime
from sevtracker.web.pages import check_page, forms
from sevtracker.web.pages.blueprint import CHECK, PROPOSAL, pages
from sevtracker.web.pages.checks import change, found
from sevtracker.web.pages.showing import done, go, show
from sevtracker.web.permissions import allow


@pages.post(f"/checks/{CHECK}/disable")
@allow(May.keep_checks)
def check_disable(check_id: int) -> AnyResponse:
    try:
        given = parse(WithReason, {"reason": forms.text("reason")})
        answer = change(found(check_id), ChangeCheck(enabled=False, reason=given.reason))
    except (InputError, Conflict) as error:
        return show(check_page.build(check_id, forms.refused(error, forms.typed())), forms.status_of(error))
    return _shown(check_id, answer, "Disabled. It looks no more.")


@pages.post(f"/checks/{CHECK}/retire")
@allow(May.keep_checks)
def check_retire(check_id: int) -> AnyResponse:
    try:
        given = parse(WithReason, {"reason": forms.text("reason")})
        with runtime().work(auth.person()) as work:
            answer = acts.retire(work, runtime().settings, runtime().probes, check_id, given.reason)
    except (InputError, Conflict) as error:
        return show(check_page.build(check_id, forms.refused(error, forms.typed())), forms.status_of(error))
    return _shown(check_id, answer, "Retired. What it was and saw is kept.")


@pages.post(f"/checks/{CHECK}/enable")
@allow(May.keep_checks)
def check_enable(check_id: int) -> AnyResponse:
    return _shown(check_id, change(found(check_id), ChangeCheck(enabled=True)), "Enabled. A run is under way.")


def _shown(check_id: int, answer: object, said: str) -> AnyResponse:
    """The check's page: with what was done, or with what was refused and the words that were typed."""
    if isinstance(answer, Refused):
        typed = Form(forms.typed().values, problem="" if answer.proposal else answer.message)
        refused = answer.message if answer.proposal else ""
        return show(check_page.build(check_id, typed, refused=refused), forms.status_of(answer.why))
    done(said)
    return go("pages.check_show", check_id=check_id)


# ---- the second person -------------------------------------------------------------------------------------------


@pages.post(f"/checks/{CHECK}/proposals/{PROPOSAL}/approve")
@allow(May.keep_checks)
def proposal_approve(check_id: int, proposal_id: int) -> AnyResponse:
    check = found(check_id)
    with runtime().read() as session:
        proposal = proposals.by_id(session, check_id, proposal_id)
    if proposal is None:
        raise NotFound(f"Check {check_id} has no proposal {proposal_id}.")
    probes = runtime().probes
    vetted = acts.vet(probes, second.meant(check, proposal))
    try:
        given = parse(MayReason, {"reason": forms.text("reason")})
        with runtime().work(auth.person()) as work:
            answer = second.approve(work, runtime().settings, probes, check_id, proposal_id, given.reason, vetted)
    except (InputError, Conflict) as error:
        return _undecided(check_id, proposal_id, forms.refused(error, forms.typed()), forms.status_of(error))
    if isinstance(answer, Refused):
        typed = Form(forms.typed().values, problem=answer.message)
        return _undecided(check_id, proposal_id, typed, forms.status_of(answer.why))
    done(f"Approved. The check is at revision {answer.revision} now.")
    return go("pages.check_show", check_id=check_id)


@pages.post(f"/checks/{CHECK}/proposals/{PROPOSAL}/deny")
@allow(May.keep_checks)
def proposal_deny(check_id: int, proposal_id: int) -> AnyResponse:
    try:
        given = parse(WithReason, {"reason": forms.text("reason")})
        with runtime().work(auth.person()) as work:
            second.deny(work, check_id, proposal_id, given.reason)
    except (InputError, Conflict, NotPermitted) as error:
        return _undecided(check_id, proposal_id, forms.refused(error, forms.typed()), forms.status_of(error))
    done("Denied. The check stays as it is.")
    return go("pages.check_show", check_id=check_id)


def _undecided(check_id: int, proposal_id: int, form: Form, status: int) -> AnyResponse:
    """The check's page with the proposal's form as it was typed. One that was decided meanwhile is not there."""
    said = form.problem or "Not decided yet. Nothing you typed is lost."
    return show(check_page.build(check_id, refused=said, deciding={proposal_id: form}), status)
