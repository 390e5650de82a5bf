"""People: who can sign in, as what; for admins, adding them and their one-time links."""

from __future__ import annotations

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import people as acts
from sevtracker.actions.enforce import May, may
from sevtracker.actions.inputs import ChangePerson, NewPerson, parse
from sevtracker.domain.vocabulary import Role
from sevtracker.errors import Conflict, InputError, NotFound
from sevtracker.store import people
from sevtracker.web import auth
from sevtracker.web.contexts import EMPTY_FORM, Form, OneTimeLink, People, PersonRow
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms
from sevtracker.web.pages.blueprint import PERSON
from sevtracker.web.pages.blueprint import pages as rooms
from sevtracker.web.pages.showing import done, go, show
from sevtracker.web.permissions import allow


@rooms.get("/people", endpoint="people")
@allow(May.read)
def people_() -> Response:
    return show(_page())


def _page(form: Form = EMPTY_FORM, link: OneTimeLink | None = None) -> People:
    with runtime().read() as session:
        everybody = people.everybody(session)
    rows = tuple(
        PersonRow(p.id or 0, p.name, p.email, p.role, p.active, has_password=p.password_hash is not None)
        for p in everybody
    )
    return People(rows, may(auth.person().role, May.manage_people), form, link)


@rooms.post("/people")
@allow(May.manage_people)
def person_add() -> AnyResponse:
    try:
        given = parse(NewPerson, {name: forms.text(name) for name in ("name", "email", "role")})
        with runtime().work(auth.person()) as work:
            added = acts.add(work, given)
    except InputError as error:
        return show(_page(forms.refused(error, forms.typed())), 422)
    return show(_page(link=_link(given.name, added.link_token or "")))


def _link(name: str, token: str) -> OneTimeLink:
    """With the address that people reach us by, not the one that this request came to."""
    url = runtime().settings.server.public_url + url_for("pages.set_password", token=token)
    return OneTimeLink(name, url, runtime().clock.now() + acts.LINK_VALID)


@rooms.post(f"/people/{PERSON}/link")
@allow(May.manage_people)
def person_link(person_id: int) -> AnyResponse:
    with runtime().work(auth.person()) as work:
        token = acts.link_for(work, person_id)
        person = people.by_id(work.session, person_id)
        if person is None:
            raise NotFound("There is no such person.")
        name = person.name
    return show(_page(link=_link(name, token)))


@rooms.post(f"/people/{PERSON}/role")
@allow(May.manage_people)
def person_role(person_id: int) -> AnyResponse:
    return _change(person_id, {"role": forms.text("role")}, "The role is changed. They have to sign in again.")


@rooms.post(f"/people/{PERSON}/deactivate")
@allow(May.manage_people)
def person_deactivate(person_id: int) -> AnyResponse:
    return _change(person_id, {"active": False}, "Deactivated. They are signed out, and their tokens let nobody in.")


@rooms.post(f"/people/{PERSON}/activate")
@allow(May.manage_people)
def person_activate(person_id: int) -> AnyResponse:
    return _change(person_id, {"active": True}, "Activated. They can sign in again.")


def _change(person_id: int, raw: dict[str, str | bool], said: str) -> AnyResponse:
    try:
        given = parse(ChangePerson, raw)
        with runtime().work(auth.person()) as work:
            acts.change(work, person_id, given)
    except (InputError, Conflict) as error:
        problem = "There is no such role." if isinstance(error, InputError) else str(error)
        return show(_page(Form({"role": Role.engineer}, problem=problem)), forms.status_of(error))
    done(said)
    return go("pages.people")
