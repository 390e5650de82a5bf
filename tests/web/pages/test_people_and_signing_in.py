"""Signing in and out, one-time links, people, tokens, the theme."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sevtracker.actions import people
from sevtracker.config import Identity
from sevtracker.store.people import everybody
from sevtracker.web.app import create_app
from sevtracker.web.pages import settings
from tests.servers.store import Dialect, StoreDatabases
from tests.web.pages.conftest import PASSWORD, Browser, Cast, give_password, text_of
from tests.web.world import environment, upgraded


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_back(cast: Cast) -> None:
    give_password(cast.world, "dana")
    answer = cast.nobody.client.get("/datasets?q=x")
    assert answer.headers["Location"] == "/sign-in?next=/datasets%3Fq%3Dx"
    page = cast.nobody.open("/sign-in", next="/datasets?q=x")
    assert 'name="next" value="/datasets?q=x"' in page
    fields = {"email": "Dana@Example.org ", "password": PASSWORD}
    assert cast.nobody.goes_to("/sign-in", **fields, next="/datasets?q=x") == "/datasets?q=x"
    cast.nobody.open("/datasets")


def test_signing_in_never_leads_to_another_site(cast: Cast) -> None:
    give_password(cast.world, "dana")
    for wanted in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        browser = Browser(cast.world.app.test_client(), cast.world)
        fields = {"email": "dana@example.org", "password": PASSWORD}
        assert browser.goes_to("/sign-in", **fields, next=wanted) == "/"


def test_a_wrong_password_is_told_without_saying_what_was_wrong_and_many_are_throttled(cast: Cast) -> None:
    give_password(cast.world, "dana")
    page = cast.nobody.send("/sign-in", 422, email="dana@example.org", password="wrong password")
    assert "Email and password do not match." in page
    assert 'value="dana@example.org"' in page
    assert "wrong password" not in page
    for _ in range(4):
        cast.nobody.send("/sign-in", 422, email="dana@example.org", password="wrong password")
    page = cast.nobody.send("/sign-in", 429, email="dana@example.org", password=PASSWORD)
    assert "Too many failed sign-ins." in page


def test_signing_out_ends_it(cast: Cast) -> None:
    cast.dana.open("/")
    cast.dana.send("/sign-out")
    assert cast.dana.client.get("/").status_code == 303


def test_a_form_without_the_sessions_token_changes_nothing(cast: Cast) -> None:
    cast.world.dataset()
    answer = cast.dana.client.post("/sevs", data={"title": "x", "level": "SEV3", "dataset": "events"})
    assert answer.status_code == 400


def test_an_admin_adds_somebody_who_sets_a_password_by_a_link_that_works_once(cast: Cast) -> None:
    page = cast.ada.send("/people", 200, name="New Person", email="new@example.org", role="engineer")
    found = re.search(r"(/set-password/[\w-]+)", page)
    assert found is not None
    path = found[1]
    assert "New Person" in cast.nobody.open(path)
    page = cast.nobody.send(path, 422, password="short", password_again="other")
    assert "characters or more" in page
    assert "These are not the same." in page
    assert "Welcome, New Person." in cast.nobody.send(path, password=PASSWORD, password_again=PASSWORD)
    cast.nobody.open("/account")
    assert "not good any more" in cast.dana.open(path, 404)
    cast.dana.send(path, 404, password=PASSWORD, password_again=PASSWORD)


def test_people_are_managed_by_admins_only(cast: Cast) -> None:
    assert "Deactivate" not in cast.dana.open("/people")
    cast.dana.send("/people", 403, name="X", email="x@example.org", role="admin")
    page = cast.ada.send("/people", 422, name="", email="no address", role="king")
    assert page.count('aria-invalid="true"') == 2
    assert 'value="no address"' in page
    assert "The role is changed." in cast.ada.send("/people/2/role", role="executive")
    assert cast.erik.client.get("/").status_code == 303
    assert "Deactivated." in cast.ada.send("/people/2/deactivate")
    assert "Activated." in cast.ada.send("/people/2/activate")
    assert "Nobody changes their own role" in cast.ada.send("/people/5/role", 409, role="engineer")
    assert "/set-password/" in cast.ada.send("/people/2/link", 200)
    cast.ada.send("/people/99/link", 404)


def test_a_token_is_shown_once_and_works_until_it_is_revoked(cast: Cast) -> None:
    page = cast.dana.send("/account/tokens", 200, name="deploy script")
    found = re.search(r"sev_[\w-]+", page)
    assert found is not None
    assert found[0] not in cast.dana.open("/account")
    headers = {"Authorization": f"Bearer {found[0]}"}
    client = cast.world.app.test_client()
    assert client.get("/api/v1/sevs", headers=headers).status_code == 200
    revoke = re.findall(r"/account/tokens/(\d+)/revoke", cast.dana.open("/account"))
    for token in revoke:
        cast.dana.send(f"/account/tokens/{token}/revoke")
    assert client.get("/api/v1/sevs", headers=headers).status_code == 401
    assert "This can't be empty." in text_of(cast.dana.send("/account/tokens", 422, name=""))


def test_the_password_is_changed_and_other_sessions_end(cast: Cast) -> None:
    give_password(cast.world, "vera")
    vera, elsewhere = (Browser(cast.world.app.test_client(), cast.world) for _ in range(2))
    for browser in (vera, elsewhere):
        browser.send("/sign-in", email="vera@example.org", password=PASSWORD)
    new = "another long password"
    page = vera.send("/account/password", 422, current="wrong", password=new, password_again=new)
    assert "This is not your present password." in page
    assert new not in page
    page = vera.send("/account/password", current=PASSWORD, password=new, password_again=new)
    assert "Your password is changed." in page
    assert elsewhere.client.get("/").status_code == 303


def test_the_theme_is_kept_in_a_cookie_and_leads_back(cast: Cast) -> None:
    assert cast.dana.goes_to("/theme", theme="dark", next="/checks?q=x") == "/checks?q=x"
    assert 'data-bs-theme="dark"' in cast.dana.open("/")
    assert cast.dana.goes_to("/theme", theme="pink", next="https://evil.example") == "/"
    assert "data-bs-theme" not in cast.dana.open("/")


def test_settings_show_references_and_no_secret(cast: Cast) -> None:
    page = cast.otto.open("/settings")
    assert "env:OWNER_TOKEN" in page
    assert "not-a-secret-for-tests" not in page
    cast.dana.open("/settings", 403)
    assert 'href="/settings"' not in cast.dana.open("/")


@pytest.mark.parametrize(
    ("roles", "shown"), [(None, "not set"), ((), "baseline: no role at all"), (("a", "b"), "baseline: just a, b")]
)
def test_settings_say_who_has_a_baseline(roles: tuple[str, ...] | None, shown: str) -> None:
    identity = Identity.model_validate({"class": "staff", "username": "u", "roles": roles})
    assert {row.key: row.value for row in settings._rows(identity, None)}["roles"] == shown


def test_the_first_link_makes_the_first_admin_and_nobody_else(
    store_databases: StoreDatabases, store_dialect: Dialect
) -> None:
    from sevtracker.config import load_settings
    from sevtracker.wiring import build

    runtime = build(load_settings(environment(store_databases.built(store_dialect, upgraded))))
    app = create_app(runtime)
    app.testing = True
    with runtime.work(None) as work:
        links = [people.first_link(work), people.first_link(work)]
    first = Browser(app.test_client(), None)  # type: ignore[arg-type]  # there is no cast yet
    assert "Nobody can sign in yet." in first.open("/sign-in")
    page = first.send(f"/welcome/{links[0]}", 422, name="", email="ada@x.example", password="p", password_again="q")
    assert 'value="ada@x.example"' in page
    given: dict[str, Any] = {"name": "Ada", "email": "ada@x.example", "password": PASSWORD, "password_again": PASSWORD}
    assert "You are the first admin." in first.send(f"/welcome/{links[0]}", **given)
    with runtime.read() as session:
        assert [(p.name, p.role) for p in everybody(session)] == [("Ada", "admin")]
    second = Browser(app.test_client(), None)  # type: ignore[arg-type]  # there is no cast
    for link in links:
        second.open(f"/welcome/{link}", 404)
        second.send(f"/welcome/{link}", 404, **{**given, "email": "eve@x.example"})
    runtime.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://sev:pass#word@db1:5432/sev", "postgresql+psycopg://sev:***@db1:5432/sev"),
        ("postgresql+psycopg://sev:pa/ss?word@db1/sev", "postgresql+psycopg://sev:***@db1/sev"),
        ("postgresql+psycopg://sev@db1/sev?password=word", "postgresql+psycopg://sev@db1/sev?…"),
        ("postgresql+psycopg:///sev?host=/run/pg&password=word", "postgresql+psycopg:///sev?…"),
        ("sqlite:////srv/sev.db", "sqlite:////srv/sev.db"),
    ],
)
def test_no_part_of_a_database_password_is_shown(url: str, shown: str) -> None:
    assert settings._said("url", url) == shown
