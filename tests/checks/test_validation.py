"""Saving a check: every bad field is named at once, and what is saved is canonical."""

from __future__ import annotations

from typing import Any

import pytest

from sevtracker.checks.interface import Definition
from sevtracker.checks.probing import Validated, validate
from sevtracker.errors import InputError
from tests.checks.sites import World, cast, person

URL = "http://127.0.0.1:8080/people"
PG = "postgresql://127.0.0.1:5432/hr"


def valid(
    kind: str,
    params: dict[str, Any],
    identity: str = "anonymous",
    control: str | None = None,
    world: World | None = None,
) -> Validated:
    environment = (world or World()).environment
    return validate(environment.kinds, environment, Definition(kind, identity, control, params))


def wrong(*args: Any, **kwargs: Any) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        valid(*args, **kwargs)
    return {error.field: error.message for error in caught.value.errors}


def test_a_good_http_check() -> None:
    found = valid("http", {"url": "HTTP://127.0.0.1:8080/people?token=abc", "marker": "x"})
    assert found.locator.text == "GET http://127.0.0.1:8080/people?…"
    assert (found.target_key, found.control) == ("127.0.0.1:8080", "privacy-team")
    assert found.params == {
        "url": "http://127.0.0.1:8080/people?token=abc",
        "method": "GET",
        "marker": "x",
        "signin_hosts": [],
        "timeout": 10.0,
    }


def test_a_good_sql_check() -> None:
    found = valid("sql_read", {"url": PG, "table": "tracking.events"}, "any-employee")
    assert found.locator.text == "postgresql://127.0.0.1:5432/hr tracking.events"
    assert found.control == "privacy-team"
    assert found.params["rls_is_fix"] is False


def test_every_bad_field_is_named_at_once() -> None:
    params = {"url": "ftp://x/", "method": "POST", "timeout": 61, "what": 1}
    assert set(wrong("http", params, "nobody", "nobody-else")) == {
        *("identity", "control", "params.url", "params.method", "params.timeout", "params.what"),
    }
    assert set(wrong("sql_read", {}, "any-employee")) == {"params.url", "params.table"}


def test_an_unknown_kind_is_named_beside_the_rest() -> None:
    found = wrong("htp", {}, "nobody")
    assert set(found) == {"kind", "identity"}
    assert {"http", "sql_read"} <= set(found["kind"].rstrip(".").replace(":", ",").split(", "))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "people",
            "//127.0.0.1/",
            "http://",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "http://127.0.0.1:99999/",
        ),
        *("http://u:canary@127.0.0.1/", "http://canary@127.0.0.1/", "http://127.0.0.1/#canary", "http://127.0.0.1:x/"),
        *("http://0x7f.1/", "http://2130706433/", "http://127.1/", "http://[::1%25lo]/", "http://127.0.0.1%2f@x/"),
        *("http://127.0.0.1\\@evil.example/", "http://127.0.0.1/\r\nX: y", "http://127.0.0.1/a b", "http://[::1/"),
    ],
)
def test_odd_urls_are_refused_and_not_quoted(url: str) -> None:
    found = wrong("http", {"url": url})
    assert set(found) == {"params.url"}
    assert "canary" not in found["params.url"]
    assert not found["params.url"].startswith("Value error")


@pytest.mark.parametrize(
    "url",
    [
        *("", "hr", "sqlite:///x.db", "postgresql+asyncpg://127.0.0.1/hr", "oracle://127.0.0.1/x", "postgresql:///hr"),
        *("postgresql://u:canary@127.0.0.1/hr", "postgresql://canary@127.0.0.1/hr", "postgresql://@127.0.0.1/hr"),
        *("postgresql://127.0.0.1/hr?host=169.254.169.254", "postgresql://127.0.0.1/hr?password=canary"),
        *(
            "postgresql://127.0.0.1/hr?options=-c%20x",
            "mysql://127.0.0.1/?unix_socket=/tmp/x",
            "mysql://127.0.0.1/?ssl_ca=/x",
        ),
        *(
            "postgresql://127.0.0.1",
            "postgresql://127.0.0.1:0/hr",
            "postgresql://127.0.0.1:70000/hr",
            "postgresql://a,b/hr",
        ),
        *(
            "postgresql://127.0.0.1/hr?sslmode=maybe",
            "postgresql://127.0.0.1/hr?sslmode=require&sslmode=disable",
            "mysql://127.1/",
        ),
    ],
)
def test_odd_database_urls_are_refused_and_not_quoted(url: str) -> None:
    found = wrong("sql_read", {"url": url, "table": "a.b"}, "any-employee")
    assert set(found) == {"params.url"}
    assert "canary" not in found["params.url"]


@pytest.mark.parametrize("table", ["events", "", ".", "a.", ".b", "a.b.c", '"a.b', "a.b\0", 'a."b'])
def test_a_table_is_schema_dot_table(table: str) -> None:
    assert set(wrong("sql_read", {"url": PG, "table": table}, "any-employee")) == {"params.table"}


def test_what_head_cannot_see_is_refused() -> None:
    assert "HEAD" in wrong("http", {"url": URL, "method": "HEAD", "marker": "x"})["params"]
    assert "HEAD" in wrong("http", {"url": URL, "method": "HEAD", "login_signature": "x"})["params"]


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://169.254.169.254/", "http://nowhere.invalid/"])
def test_the_guard_stands_at_saving_too(url: str) -> None:
    assert set(wrong("http", {"url": url}, control="privacy-team")) >= {"params.url"}


def test_an_identity_is_refused_where_its_secrets_may_not_go() -> None:
    world = World(identities=cast(["db1:5432"]))
    assert set(wrong("http", {"url": URL}, "any-employee", "privacy-team", world=world)) == {"identity", "control"}


def test_sql_needs_an_identity_with_a_user_name() -> None:
    assert "username" in wrong("sql_read", {"url": PG, "table": "a.b"}, "anonymous")["identity"]


def test_the_control_is_somebody_else() -> None:
    assert set(wrong("http", {"url": URL}, "any-employee", "any-employee")) == {"control"}


def test_a_self_test_outside_the_allow_list_or_the_identitys_hosts_is_refused() -> None:
    world = World(allow=["127.0.0.1:8080", "127.0.0.1:9090"])
    for name, url in (("a", "http://10.0.0.1/me"), ("b", "http://127.0.0.1:9090/me")):
        world.identities[name] = person("staff", ["127.0.0.1:8080"], token="env:T", self_test_url=url)
        assert "self_test_url" in wrong("http", {"url": URL}, name, world=world)["identity"]


def test_the_control_is_chosen_only_when_there_is_no_choice() -> None:
    world = World()
    world.identities["second"] = person("control", token="env:T")
    assert valid("http", {"url": URL}, world=world).control is None
    world.identities["second"] = person("control", ["elsewhere:1"], token="env:T")
    assert valid("http", {"url": URL}, world=world).control == "privacy-team"
    assert valid("http", {"url": URL}, "privacy-team", world=world).control is None


def test_the_fingerprint_changes_with_what_is_proven_and_with_nothing_else() -> None:
    base = valid("http", {"url": URL}).fingerprint
    assert len(base) == 64
    same: list[dict[str, Any]] = [
        {"url": URL, "timeout": 5},
        {"url": URL, "method": "GET"},
        {"url": "HTTP://127.0.0.1:8080/people"},
    ]
    assert {valid("http", params).fingerprint for params in same} == {base}
    assert valid("http", {"url": URL}, control="privacy-site").fingerprint == base
    others: list[dict[str, Any]] = [
        {"url": URL + "?a=1"},
        {"url": URL + "?a=2"},
        {"url": URL, "marker": "x"},
        {"url": URL, "method": "HEAD"},
    ]
    found = {valid("http", params).fingerprint for params in others} | {
        valid("http", {"url": URL}, "any-employee").fingerprint
    }
    assert len(found | {base}) == 6
