"""One's own account: password and API tokens. A new token is shown once, in the answer to the form that made it."""

from __future__ import annotations

from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import people as acts
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import PASSWORD_MIN, NewToken, parse
from sevtracker.errors import InputError, NotSignedIn
from sevtracker.store import people
from sevtracker.web import auth
from sevtracker.web.contexts import EMPTY_FORM, Account, Form, TokenLine
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms
from sevtracker.web.pages.auth import SECRETS, new_password
from sevtracker.web.pages.blueprint import TOKEN, pages
from sevtracker.web.pages.showing import done, go, show
from sevtracker.web.permissions import allow


@pages.get("/account")
@allow(May.own_tokens)
def account() -> Response:
    return show(_page())


def _page(
    *, new_token: str = "", name: str = "", password_form: Form = EMPTY_FORM, token_form: Form = EMPTY_FORM
) -> Account:
    with runtime().read() as session:
        tokens = people.tokens_of(session, auth.person().id)
    lines = (TokenLine(t.id or 0, t.name, t.created_at, t.last_used_at) for t in tokens if t.revoked_at is None)
    return Account(tuple(lines), new_token, name, password_form, token_form, password_min=PASSWORD_MIN)


@pages.post("/account/password")
@allow(May.own_tokens)
def account_password() -> AnyResponse:
    try:
        password = new_password()
        with runtime().work(auth.person()) as work:
            person = acts.change_password(work, forms.text("current"), password)
    except InputError as error:
        shown = forms.refused(error, forms.typed(secret=SECRETS), {"old": "current"})
        return show(_page(password_form=shown), 422)
    auth.begin_session(person)
    done("Your password is changed. Everywhere else you are signed out.")
    return go("pages.account")


@pages.post("/account/tokens")
@allow(May.own_tokens)
def token_create() -> AnyResponse:
    me = auth.account()
    if me is None:
        raise NotSignedIn("Sign in first.")
    try:
        given = parse(NewToken, {"name": forms.text("name")})
        with runtime().work(me.person) as work:
            secret = acts.create_token(work, me.row, given.name)
    except InputError as error:
        return show(_page(token_form=forms.refused(error, forms.typed())), 422)
    return show(_page(new_token=secret, name=given.name))


@pages.post(f"/account/tokens/{TOKEN}/revoke")
@allow(May.own_tokens)
def token_revoke(token_id: int) -> AnyResponse:
    with runtime().work(auth.person()) as work:
        acts.revoke_token(work, token_id)
    done("Revoked. It lets nobody in any more.")
    return go("pages.account")
