"""Every route declares who may use it, and keeps to that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule

from sevtracker.actions.enforce import May, may
from sevtracker.web.permissions import Public, declared
from tests.servers.store import StoreDatabases
from tests.web.world import CAST, World, upgraded, world_on
from tests.worker.targets import Target

#: Stand-ins for the parts of addresses. Nothing has these numbers or names, so nothing happens.
PARTS = {
    "number": 999_999_999,
    "check_id": 999_999_999,
    "suggestion_id": 999_999_999,
    "waiver": 999_999_999,
    "word_id": 999_999_999,
    "attestation": 999_999_999,
    "run_id": 999_999_999,
    "proposal_id": 999_999_999,
    "person_id": 999_999_999,
    "token_id": 999_999_999,
    "seq": 999_999_999,
    "slug": "no-such-thing",
    "copy": "no-such-copy",
    "token": "no-such-token",
    "notice_id": "no-such-notice",
    "name": "no-such-file",
}


@pytest.fixture
def world(store_databases: StoreDatabases) -> Iterator[World]:
    """The whole web, over SQLite: routes are the same everywhere."""
    with world_on(store_databases.built("sqlite", upgraded), Target(port=1)) as world:
        yield world


def _rules(world: World) -> list[Rule]:
    return sorted(world.app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ())))


def test_every_route_declares_who_may_use_it(world: World) -> None:
    silent = [r.endpoint for r in _rules(world) if declared(world.app.view_functions[r.endpoint]) is None]
    assert silent == []


def test_what_anybody_may_says_why(world: World) -> None:
    for rule in _rules(world):
        what = declared(world.app.view_functions[rule.endpoint])
        assert not isinstance(what, Public) or len(what.why) > 10, rule.endpoint


def test_only_what_has_to_be_is_public(world: World) -> None:
    found = {r.endpoint for r in _rules(world) if isinstance(declared(world.app.view_functions[r.endpoint]), Public)}
    allowed = {
        "static",
        "api.openapi",
        "operations.healthz",
        "operations.readyz",
        "operations.metrics",
        "pages.sign_in",
        "pages.sign_in_submit",
        "pages.sign_out",
        "pages.welcome",
        "pages.welcome_submit",
        "pages.set_password",
        "pages.set_password_submit",
        "pages.theme",
    }
    assert found <= allowed


@pytest.mark.parametrize("who", [None, *CAST])
def test_every_route_of_the_api_keeps_to_its_declaration(world: World, who: str | None) -> None:
    for rule in _rules(world):
        what = declared(world.app.view_functions[rule.endpoint])
        if not rule.endpoint.startswith("api.") or not isinstance(what, May):
            continue
        built = rule.build({name: PARTS[name] for name in rule.arguments})
        assert built is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            headers = {} if who is None else {"Authorization": f"Bearer {world.cast[who].token}"}
            answer = world.app.test_client().open(built[1], method=method, headers=headers, json={})
            if who is None:
                assert answer.status_code == 401, (method, rule.rule)
            elif may(CAST[who], what):
                assert answer.status_code in (200, 202, 404, 422), (method, rule.rule, answer.data)
            else:
                assert answer.status_code == 403, (method, rule.rule)


def test_every_page_is_closed_to_who_is_not_signed_in(world: World) -> None:
    for rule in _rules(world):
        if not rule.endpoint.startswith("pages.") or not isinstance(
            declared(world.app.view_functions[rule.endpoint]), May
        ):
            continue
        built = rule.build({name: PARTS[name] for name in rule.arguments})
        assert built is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = world.app.test_client().open(built[1], method=method)
            assert answer.status_code == 303, (method, rule.rule)
            assert answer.headers["Location"].startswith("/sign-in"), (method, rule.rule)
