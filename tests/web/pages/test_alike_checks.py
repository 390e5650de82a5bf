"""Two checks of one identity on one copy: wherever one of them is meant, a page says which."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.web.pages.conftest import Cast, text_of
from tests.web.world import World


@pytest.fixture
def number(world: World) -> int:
    """An exposed SEV with two checks that nobody named, on two pages of one copy."""
    world.dataset()
    assert [world.check("/"), world.check("/other")] == [1, 2]
    number = world.sev()
    world.drain()
    return number


def test_a_check_that_nobody_named_is_called_by_its_kind_and_where_it_looks(cast: Cast, number: int) -> None:
    said = text_of(cast.dana.open("/checks"))
    at = cast.world.target.url("/other").partition("://")[2]
    assert f"anonymous · http · {at} at primary check 2" in said


def test_the_headline_and_the_blockers_say_which_of_two_alike(cast: Cast, number: int) -> None:
    said = text_of(cast.dana.open(f"/sevs/{number}"))
    assert re.search(r"anonymous at events/primary \(check [12], http\), and 1 more last got in", said)
    assert "anonymous can still read events/primary (check 1, http)." in said
    assert "anonymous can still read events/primary (check 2, http)." in said
    assert "check 2 · http · " in said


def test_one_check_by_itself_needs_no_number(cast: Cast, world: World) -> None:
    world.dataset()
    world.check()
    number = world.sev()
    world.drain()
    said = text_of(cast.dana.open(f"/sevs/{number}"))
    assert "anonymous can still read events/primary." in said
    assert "anonymous at events/primary last got in" in said


def test_whoever_waives_one_of_two_alike_sees_which(cast: Cast, number: int) -> None:
    options = re.findall(r'<option value="\d:open"[^>]*>([^<]+)', cast.vera.open(f"/sevs/{number}"))
    assert len(set(options)) == 2
    assert cast.world.target.url("/other") in options[1]
    page = cast.vera.send(f"/sevs/{number}/waivers", check="2:open", reason="Monday", expires_at=_later(cast))
    said = text_of(page)
    assert "anonymous at events/primary (check 2, http), though its door is open." in said
    assert "Waiver anonymous at events/primary (check 2, http)" in said


def test_the_timeline_says_which_check_saw_it(cast: Cast, number: int) -> None:
    said = text_of(cast.dana.open(f"/sevs/{number}"))
    assert "anonymous at events/primary, check 1: open" in said
    assert "anonymous at events/primary, check 2: open" in said


def _later(cast: Cast) -> str:
    return f"{cast.world.runtime.clock.now() + timedelta(days=3):%Y-%m-%dT%H:%M}"
