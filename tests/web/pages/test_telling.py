"""What a SEV's page, a check's proposals and the list of SEVs tell somebody who is new to them."""

from __future__ import annotations

import pytest

from sevtracker.domain.vocabulary import Level, Status
from sevtracker.store.tables import Sev
from tests.web.pages.conftest import Cast, text_of
from tests.web.world import World
from tests.worker.targets import MARKER


@pytest.fixture
def number(world: World) -> int:
    """An exposed SEV with one check."""
    world.dataset()
    world.check()
    number = world.sev()
    world.drain()
    return number


@pytest.fixture
def failed(world: World, number: int) -> int:
    """The same, with a patch of Dana's that did not hold."""
    world.dana.post(f"/sevs/{number}/patches", {"summary": "Mine"})
    world.drain()
    return number


def test_what_was_reproduced_is_not_asked_for_again(cast: Cast, number: int) -> None:
    said = text_of(cast.dana.open(f"/sevs/{number}", filed=1))
    assert "Reproduced: a check saw it open" in said
    assert "Reproduce it" not in said


def test_a_hole_is_the_next_step_once_it_is_reproduced(cast: Cast, world: World, number: int) -> None:
    cast.dana.send("/datasets/events/copies", slug="tape", kind="backup", location="")
    said = text_of(cast.dana.open(f"/sevs/{number}", filed=1))
    assert "Point a check at events/tape" in said
    assert "Reproduce it" not in said


def test_a_failed_patch_says_which_check_saw_it(cast: Cast, failed: int) -> None:
    page = cast.dana.open(f"/sevs/{failed}")
    said = text_of(page)
    assert "Patch 1 failed: anonymous at events/primary saw the door open after it had settled." in said
    assert 'id="pf-1-1" href="/checks/1">anonymous at events/primary</a>' in page


def test_a_resolved_sev_shows_no_streak(cast: Cast, world: World, number: int) -> None:
    world.target.status = 403
    world.dana.post(f"/sevs/{number}/patches", {"summary": "Closed"})
    world.drain()
    assert 'class="pips"' in cast.dana.open(f"/sevs/{number}")
    with world.runtime.work(None) as work:
        sev = work.session.get_one(Sev, number)
        sev.status, sev.resolved_at = Status.resolved, work.now
    page = cast.dana.open(f"/sevs/{number}")
    assert 'class="pips"' not in page
    assert "1/2" not in text_of(page)


def test_an_exception_says_what_would_change_it_and_not_to_log_a_patch(cast: Cast, world: World, number: int) -> None:
    world.vera.post(f"/sevs/{number}/waivers", {"check": 1, "reason": "x", "open": True})
    with world.runtime.work(None) as work:
        sev = work.session.get_one(Sev, number)
        sev.status, sev.resolved_at = Status.resolved, work.now
        sev.exceptions, sev.excepted = 1, {"checks": [1], "places": []}
    said = text_of(cast.dana.open(f"/sevs/{number}"))
    assert "an exception that ends without having been made good" in said
    assert "Close it and log the patch" not in said


def test_a_changed_check_is_told_with_its_values(cast: Cast, world: World, number: int) -> None:
    params = {"url": world.target.url("/"), "marker": "another marker"}
    twins = {"open": {"url": world.target.url("/a")}, "locked": {"url": world.target.url("/b")}}
    world.erik.patch("/checks/1", {"params": params, "twins": twins})
    said = text_of(cast.dana.open(f"/sevs/{number}"))
    assert f"marker {MARKER} became another marker".replace(" became", "") in said.replace(" became", "")
    assert f"open twin none url = {world.target.url('/a')}" in said
    assert "fingerprint" not in said


def test_a_refused_change_is_told_with_its_values_and_an_approved_one_with_who_proposed_it(
    cast: Cast, world: World, failed: int
) -> None:
    world.target.status = 403
    world.erik.post("/checks/1/run", status=202)
    world.drain()
    params = {"url": world.target.url("/"), "marker": "another marker"}
    world.dana.patch("/checks/1", {"params": params}, status=403)
    said = text_of(cast.erik.open(f"/sevs/{failed}"))
    assert f"marker {MARKER} another marker" in said
    world.erik.post("/checks/1/proposals/1/approve", {"reason": "Seen"}, status=200)
    assert "proposed by Dana" in text_of(cast.erik.open(f"/sevs/{failed}"))


def test_a_proposal_says_whose_it_is_and_that_an_open_door_stands_against_it(cast: Cast, failed: int) -> None:
    cast.world.dana.patch("/checks/1", {"required": False}, status=403)
    own, others = (text_of(browser.open("/checks/1")) for browser in (cast.dana, cast.erik))
    assert "Dana yours" in own
    assert "You proposed this" in own
    assert "Dana yours" not in others
    assert "Approve" in others
    assert "This check last saw the door open. While that stands, nobody's approval disables it" in others


def test_a_filter_that_names_nothing_is_told(cast: Cast, number: int) -> None:
    said = text_of(cast.dana.open("/sevs", q="level:SEV9"))
    assert f"There is no level SEV9, so that narrows nothing. There are {', '.join(Level)}." in said
    assert "There is no status solved" in text_of(cast.dana.open("/sevs?status=solved"))
    assert "There is no" not in text_of(cast.dana.open("/sevs", q="level:sev3"))
    assert "No SEV matches" in text_of(cast.dana.open("/sevs", q="level:sev1"))


def test_the_form_of_a_dataset_says_what_a_programme_is_called(cast: Cast) -> None:
    assert "Its short name: lower case, digits and dashes." in text_of(cast.dana.open("/datasets/new"))


def test_roles_say_what_they_may_do_about_waivers_and_proposals(cast: Cast) -> None:
    said = text_of(cast.ada.open("/people"))
    assert "grants and revokes waivers" in said
    assert "decides on what others propose of a check" in said
