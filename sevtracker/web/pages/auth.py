"""Signing in and out, and the one-time links: the first admin's welcome, and setting a password."""

from __future__ import annotations

from math import ceil

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import people as acts
from sevtracker.actions.inputs import PASSWORD_MIN, NewPassword, NewPerson, parse
from sevtracker.domain.vocabulary import Role
from sevtracker.errors import FieldError, InputError, NotSignedIn, Throttled
from sevtracker.store import people
from sevtracker.store.tables import Person, SigninLink
from sevtracker.web import auth
from sevtracker.web.contexts import EMPTY_FORM, ErrorPage, Form, SetPassword, SignIn, Welcome
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms
from sevtracker.web.pages.blueprint import pages
from sevtracker.web.pages.showing import done, go, off_to, show
from sevtracker.web.permissions import public
from sevtracker.web.security import safe_next

SECRETS = ("password", "password_again", "current")
_WRONG = "Email and password do not match."
_NOBODY = "Nobody can sign in yet. Open the one-time link that the first start printed; it makes the first account."


# ---- in and out --------------------------------------------------------------------------------------------------


@pages.get("/sign-in")
@public("it is the way in")
def sign_in() -> AnyResponse:
    after = safe_next(request.args.get("next"))
    if auth.account() is not None:
        return off_to(after)
    with runtime().read() as session:
        form = EMPTY_FORM if people.anybody(session) else Form(problem=_NOBODY)
    return show(SignIn(after if after != "/" else "", form))


@pages.post("/sign-in")
@public("it is the way in")
def sign_in_submit() -> AnyResponse:
    after = safe_next(forms.text("next"))
    email, password = forms.text("email").strip()[:254], forms.text("password")[:1000]
    try:
        with runtime().work(None) as work:
            person = acts.sign_in(work, runtime().settings.auth, email, password, request.remote_addr or "")
    except Throttled as error:
        answer = _again(after, str(error), 429)
        answer.headers["Retry-After"] = str(ceil(error.retry_after))
        return answer
    if person is None:
        return _again(after, _WRONG, 422)
    auth.begin_session(person)
    return off_to(after)


def _again(after: str, problem: str, status: int) -> Response:
    typed = forms.typed(secret=SECRETS)
    return show(SignIn(after if after != "/" else "", Form(typed.values, problem=problem)), status)


@pages.post("/sign-out")
@public("whoever is not signed in is out already")
def sign_out() -> AnyResponse:
    auth.end_session()
    return go("pages.sign_in")


# ---- one-time links ----------------------------------------------------------------------------------------------


@pages.get("/welcome/<token>")
@public("the link itself is what lets in")
def welcome(token: str) -> Response:
    with runtime().read() as session:
        link = people.link(session, acts.fingerprint(token))
        good = acts.link_is_good(link, runtime().clock.now()) and not people.anybody(session)
    return show(Welcome(token, password_min=PASSWORD_MIN)) if good else _no_link()


@pages.post("/welcome/<token>")
@public("the link itself is what lets in")
def welcome_submit(token: str) -> AnyResponse:
    raw = {name: forms.text(name) for name in ("name", "email", "password")} | {"role": Role.admin}
    try:
        given, _ = forms.together(lambda: parse(NewPerson, raw), same_twice)
        with runtime().work(None) as work:
            person = acts.welcome(work, token, given)  # type: ignore[arg-type]  # ``together`` keeps no types apart
    except InputError as error:
        shown = forms.refused(error, forms.typed(secret=SECRETS))
        return show(Welcome(token, shown, PASSWORD_MIN), 422)
    except NotSignedIn:
        return _no_link()
    auth.begin_session(person)
    done("You are the first admin. Add the others, then register what could leak.")
    return go("pages.people")


@pages.get("/set-password/<token>")
@public("the link itself is what lets in")
def set_password(token: str) -> Response:
    person = _of_link(token)
    return show(SetPassword(token, person.name, person.email, password_min=PASSWORD_MIN)) if person else _no_link()


@pages.post("/set-password/<token>")
@public("the link itself is what lets in")
def set_password_submit(token: str) -> AnyResponse:
    person = _of_link(token)
    if person is None:
        return _no_link()
    try:
        password = new_password()
        with runtime().work(None) as work:
            person = acts.set_password(work, token, password)
    except InputError as error:
        shown = forms.refused(error, forms.typed(secret=SECRETS))
        return show(SetPassword(token, person.name, person.email, shown, PASSWORD_MIN), 422)
    except NotSignedIn:
        return _no_link()
    auth.begin_session(person)
    done(f"Welcome, {person.name}.")
    return go("pages.home")


def _of_link(token: str) -> Person | None:
    """Whose password this link sets, if it is good."""
    with runtime().read() as session:
        link: SigninLink | None = people.link(session, acts.fingerprint(token))
        if link is None or link.person_id is None or not acts.link_is_good(link, runtime().clock.now()):
            return None
        person = people.by_id(session, link.person_id)
    return person if person is not None and person.active else None


def _no_link() -> Response:
    """One answer for a link that was used, has run out, or never was."""
    detail = "This link was used already, has expired, or never was. An admin can make another one."
    return show(ErrorPage(404, "This link is not good any more", detail), 404)


# ---- a new password ----------------------------------------------------------------------------------------------


def same_twice() -> None:
    """Raises InputError unless the password was typed the same twice."""
    if forms.text("password") != forms.text("password_again"):
        raise InputError(FieldError("password_again", "These are not the same."))


def new_password() -> str:
    """The new password that was typed. Raises InputError."""
    wanted = forms.together(lambda: parse(NewPassword, {"password": forms.text("password")}), same_twice)
    return str(getattr(wanted[0], "password", ""))
