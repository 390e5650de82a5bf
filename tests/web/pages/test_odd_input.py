"""What no browser sends by itself: a page answers it in words, on both databases."""

from __future__ import annotations

import pytest

from tests.web.pages.conftest import Cast
from tests.web.world import World


@pytest.mark.parametrize(
    "path",
    [
        "/sevs?cursor=%C2%B2",
        "/checks?cursor=1~%C2%B2",
        "/sevs/1?before=%C2%B2",
    ],
)
def test_a_digit_that_is_no_number_is_ignored(cast: Cast, world: World, path: str) -> None:
    world.dataset()
    world.sev()
    cast.dana.open(path)


def test_a_commander_who_is_no_number_is_nobody(cast: Cast, world: World) -> None:
    world.dataset()
    world.sev()
    shown = cast.dana.send("/sevs/1/edit", 422, title="T", level="SEV2", commander="²")
    assert "This is no e-mail address." in shown


@pytest.mark.parametrize(
    "path",
    ["/sevs?dataset=%00", "/datasets?q=a%00b", "/datasets/%00", "/programmes/%00", "/checks/new?dataset=%00"],
)
def test_a_nul_in_an_address_is_refused(cast: Cast, path: str) -> None:
    assert "NUL" in cast.dana.open(path, 400)


def test_a_nul_in_a_form_is_refused_also_before_signing_in(cast: Cast) -> None:
    assert "NUL" in cast.nobody.send("/sign-in", 400, email="a\0b@example.org", password="x")
