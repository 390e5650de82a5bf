"""A restricted SEV leaves no trace on any page of somebody who may not know of it."""

from __future__ import annotations

import pytest

from tests.web.pages.conftest import Cast, text_of
from tests.web.world import World

SECRET = "Zanzibar"


@pytest.fixture
def number(world: World) -> int:
    world.dataset(programme="mci")
    world.check()
    number = world.sev(title=f"{SECRET} leak", restricted=True)
    world.dana.post(f"/sevs/{number}/patches", {"summary": f"{SECRET} patch"})
    world.drain()
    return number


def test_no_page_mentions_it_to_others(cast: Cast, number: int) -> None:
    paths = ("/", "/live", "/sevs", f"/sevs?q={SECRET}", "/sevs?q=1", "/datasets", "/datasets/events", "/checks")
    for path in (*paths, "/checks/1", "/checks/1/runs/1", "/programmes/mci", "/sevs/new", "/people"):
        page = cast.erik.open(path)
        assert f"{SECRET} " not in page, path  # as its title and its patch begin; the word alone is what was searched
        assert "SEV-1" not in page, path
        assert f'href="/sevs/{number}' not in page, path


def test_its_address_is_one_where_nothing_is(cast: Cast, number: int) -> None:
    for path in ("/sevs/{}", "/sevs/{}/live", "/sevs/{}/resolve"):
        assert text_of(cast.erik.open(path.format(number), 404)).replace(f"SEV-{number}", "SEV-99") == text_of(
            cast.erik.open(path.format(99), 404)
        )
    for act in ("notes", "patches", "edit", "verify", "resolve", "dismiss", "reopen", "close", "viewers", "retest"):
        fields = {"text": "x", "summary": "x", "reason": "x", "email": "erik@example.org", "evidence": "x"}
        cast.erik.send(f"/sevs/{number}/{act}", 404, **fields)
        cast.erik.send(f"/sevs/{number}/{act}", 404, text="", summary="", reason="", email="")


def test_home_counts_it_for_those_who_may_know(cast: Cast, number: int) -> None:
    assert "1 exposed" in cast.dana.open("/")
    assert "Nothing is filed" in cast.erik.open("/")
    for who in (cast.vera, cast.otto):
        assert SECRET in who.open("/")


def test_people_are_added_and_removed(cast: Cast, number: int) -> None:
    page = cast.dana.send(f"/sevs/{number}/viewers", 422, email="nobody@example.org")
    assert "There is nobody with this e-mail address." in page
    assert 'value="nobody@example.org"' in page
    assert "erik@example.org can see this SEV now." in cast.dana.send(
        f"/sevs/{number}/viewers", email="erik@example.org"
    )
    assert SECRET in cast.erik.open(f"/sevs/{number}")
    assert "Removed" in cast.dana.send(f"/sevs/{number}/viewers/remove", person="2")
    cast.erik.open(f"/sevs/{number}", 404)


def test_a_duplicate_of_it_does_not_name_it_to_others(cast: Cast, world: World, number: int) -> None:
    public = world.sev(title="Seen by all")
    cast.dana.send(f"/sevs/{public}/dismiss", reason="The same.", duplicate_of=f"SEV-{number}")
    for path in (f"/sevs/{public}", f"/sevs/{public}/live"):
        assert f"SEV-{number}" in text_of(cast.dana.open(path))
        assert f"SEV-{number}" not in cast.erik.open(path)
        assert f"/sevs/{number}" not in cast.erik.open(path)
