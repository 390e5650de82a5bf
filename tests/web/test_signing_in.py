"""Two ways in that never mix: sessions for pages, tokens for scripts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sevtracker.actions import people
from sevtracker.actions.inputs import ChangePerson, NewPerson
from sevtracker.domain.vocabulary import Role
from sevtracker.store.people import tokens_of
from sevtracker.store.work import Person
from sevtracker.web.security import safe_next
from tests.web.world import World

PASSWORD = "correct horse battery"


@pytest.fixture
def sam(world: World) -> Person:
    """Somebody with a password."""
    with world.runtime.work(None) as work:
        given = NewPerson(email="sam@example.org", name="Sam", role=Role.engineer, password=PASSWORD)
        row = people.add(work, given).person
    return Person(row.id or 0, row.pid, row.role, "web")


def csrf(client: FlaskClient) -> str:
    """The token of the sign-in form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").get_data(as_text=True))
    assert found
    return found.group(1)


def sign_in(client: FlaskClient, password: str = PASSWORD, next: str = "/") -> TestResponse:
    data = {"email": "sam@example.org", "password": password, "next": next, "csrf_token": csrf(client)}
    return client.post("/sign-in", data=data)


def test_signing_in_opens_the_pages_and_only_those(world: World, sam: Person) -> None:
    client = world.app.test_client()
    assert client.get("/").status_code == 303
    assert sign_in(client).status_code == 303
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/me").status_code == 401


def test_the_session_cookie_is_for_the_browser_alone(world: World, sam: Person) -> None:
    cookies = sign_in(world.app.test_client()).headers.getlist("Set-Cookie")
    [cookie] = [c for c in cookies if c.startswith("sevtracker=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Expires=" in cookie


def test_a_token_does_not_open_pages(world: World) -> None:
    answer = world.app.test_client().get("/", headers={"Authorization": f"Bearer {world.dana.token}"})
    assert answer.status_code == 303
    assert "/sign-in" in answer.headers["Location"]


def test_a_post_without_the_sessions_token_is_refused(world: World, sam: Person) -> None:
    answer = world.app.test_client().post("/sign-in", data={"email": "sam@example.org", "password": PASSWORD})
    assert answer.status_code == 400


def test_a_session_ends_with_the_persons_access_and_with_a_new_password(world: World, sam: Person) -> None:
    client = world.app.test_client()
    sign_in(client)
    with world.runtime.work(sam) as work:
        people.change_password(work, PASSWORD, "another long one")
    assert client.get("/").status_code == 303
    assert sign_in(client, "another long one").status_code == 303
    with world.runtime.work(None) as work:
        work.person = Person(0, world.ada.pid, Role.admin, "cli")
        people.change(work, sam.id, ChangePerson(active=False))
    assert client.get("/").status_code == 303


def test_a_session_ends_after_its_hours(world: World, sam: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.app.test_client()
    sign_in(client)
    later = world.runtime.clock.now() + timedelta(hours=world.runtime.settings.auth.session_hours, seconds=1)
    monkeypatch.setattr(type(world.runtime.clock), "now", lambda _: later)
    assert client.get("/").status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\n/evil",
        " /x",
    ],
)
def test_nobody_is_sent_to_another_site(world: World, sam: Person, wanted: str) -> None:
    assert safe_next(wanted) == "/"
    assert sign_in(world.app.test_client(), next=wanted).headers["Location"] == "/"


def test_somebody_who_was_sent_to_sign_in_comes_back(world: World) -> None:
    assert safe_next("/sevs/7?kind=patch:") == "/sevs/7?kind=patch:"
    answer = world.app.test_client().get("/?q=a%26b")
    assert answer.headers["Location"] == "/sign-in?next=/%3Fq%3Da%2526b"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer nope", "Bearer " + "x" * 5000])
def test_without_a_valid_token_the_api_says_so(world: World, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = world.app.test_client().get("/api/v1/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.mimetype == "application/problem+json"


def test_a_revoked_token_and_one_of_somebody_without_access_are_not_valid(world: World, sam: Person) -> None:
    with world.runtime.work(None) as work:
        row = people._person(work, sam.id)
        secret = people.create_token(work, row, "script")
    headers = {"Authorization": f"Bearer {secret}"}
    client = world.app.test_client()
    assert client.get("/api/v1/me", headers=headers).status_code == 200
    with world.runtime.read() as session:
        [token] = tokens_of(session, sam.id)
    with world.runtime.work(sam) as work:
        people.revoke_token(work, token.id or 0)
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_a_tokens_use_is_written_down_once_a_minute(world: World) -> None:
    me = world.dana.get("/me")
    with world.runtime.read() as session:
        [token] = tokens_of(session, me["id"])
    assert token.last_used_at is not None
    with world.statements() as counted:
        world.dana.get("/me")
    assert not [sent for sent in counted.sent if sent.startswith("UPDATE")]


def test_answers_carry_the_headers(world: World, sam: Person) -> None:
    client = world.app.test_client()
    page, api = client.get("/sign-in"), world.dana.ask("GET", "/me")
    for answer in (page, api):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in answer.headers
    secure = client.get("/sign-in", base_url="https://sev.example")
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=")
