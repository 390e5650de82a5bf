"""An executive accepts a check's new definition, through the API and on the check's page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.pages.conftest import Cast, cast, text_of
from tests.web.world import World

__all__ = ["cast"]

GIVEN = {"reason": "People were told.", "evidence_url": "https://wiki.example/told"}


@pytest.fixture
def mended(world: World) -> World:
    """Check 1 saw its door open; Dana told it of the sign-in page since, and it says closed."""
    world.dataset()
    world.check()
    world.sev()
    world.drain()
    params = world.dana.get("/checks/1")["params"]
    world.dana.patch("/checks/1", {"params": {**params, "login_signature": "Sign in"}, "reason": "It is public."})
    world.target.status = 403
    world.drain()
    return world


def codes(world: World) -> list[tuple[str, Any]]:
    return [(b["code"], b.get("check")) for b in world.dana.get("/sevs/1")["gate"]["blockers"]]


def test_the_gate_names_the_way_out_and_the_way_out_is_there(mended: World) -> None:
    [told] = [b for b in mended.dana.get("/sevs/1")["gate"]["blockers"] if b["code"] == "unproven"]
    assert "saw this door open and was changed since" in told["message"]
    assert "an executive accepts the new definition" in told["clears"]
    for _ in range(2):
        assert mended.vera.post("/checks/1/accept", {**GIVEN, "revision": 2}, status=200, key="k")["revision"] == 2
    [told] = [b for b in mended.dana.get("/sevs/1")["gate"]["blockers"] if b["code"] == "unproven"]
    assert "has never seen this door open" in told["message"], "it still has to be proven"
    [record] = mended.dana.get("/sevs/1/timeline?kind=check:definition_accepted")["items"]
    assert record["facts"]["changed"]["login_signature"]["new"] == "Sign in"
    assert mended.vera.post("/checks/1/accept", GIVEN, status=409)["detail"].startswith("There is nothing to accept")


def test_what_is_wrong_is_named_and_others_may_not(mended: World) -> None:
    problem = mended.vera.post("/checks/1/accept", {"evidence_url": "http://wiki.example"}, status=422)
    assert [e["field"] for e in problem["errors"]] == ["reason", "evidence_url"]
    for who in ("dana", "otto", "ada"):
        mended.cast[who].post("/checks/1/accept", GIVEN, status=403)
    mended.vera.post("/checks/1/accept", {**GIVEN, "revision": 1}, status=409)
    mended.vera.post("/checks/7/accept", GIVEN, status=404)


def test_an_executive_who_logged_the_patch_is_refused_on_the_record(mended: World) -> None:
    mended.vera.post("/sevs/1/patches", {"summary": "Mine"})
    assert "Another executive" in mended.vera.post("/checks/1/accept", GIVEN, status=403)["detail"]
    assert len(mended.dana.get("/sevs/1/timeline?kind=check:acceptance_refused")["items"]) == 1


HELD = "An earlier revision saw the door open. Until that one sees it closed"


def test_the_form_is_shown_to_an_executive_while_it_applies(mended: World, cast: Cast) -> None:
    seen = cast.dana.open("/checks/1")
    assert "Accept what it judges by now" not in seen
    assert HELD in text_of(seen)
    page = cast.vera.open("/checks/1")
    assert "Accept what it judges by now" in page
    assert "Revision 1 saw the door open" in text_of(page)
    typed = {"reason": "People were told, all of them.", "evidence_url": "http://wiki.example", "revision": "2"}
    again = cast.vera.send("/checks/1/accept", 422, **typed)
    assert "People were told, all of them." in again
    assert "https://" in text_of(again)
    cast.dana.send("/checks/1/accept", 403, **{**typed, **GIVEN})
    said = text_of(cast.vera.send("/checks/1/accept", **{**typed, **GIVEN}))
    assert "Accepted. It still has to be proven" in said
    assert "Accept what it judges by now" not in said
    assert HELD not in said
    assert "nothing to accept" in text_of(cast.vera.send("/checks/1/accept", 409, **GIVEN))


def test_its_own_editor_is_shown_no_form(world: World, cast: Cast) -> None:
    world.dataset()
    world.check()
    world.drain()
    params = world.dana.get("/checks/1")["params"]
    world.vera.patch("/checks/1", {"params": {**params, "login_signature": "Sign in"}})
    world.target.status = 403
    world.drain()
    assert "Accept what it judges by now" not in cast.vera.open("/checks/1")
    refused = text_of(cast.vera.send("/checks/1/accept", 403, **GIVEN))
    assert "You changed this check since it saw the door open" in refused
