"""Refused changes of checks, and the second person's word on them, through the API."""

from __future__ import annotations

import pytest

from tests.web.world import World


@pytest.fixture
def patched(world: World) -> World:
    """Dana's patch on SEV 1, which check 1 judges: closed since."""
    world.dataset()
    world.check()
    world.sev()
    world.drain()
    world.target.status = 403
    world.dana.post("/sevs/1/patches", {"summary": "Mine"})
    world.drain()
    return world


def test_its_author_is_told_that_it_waits_for_a_second_person(patched: World) -> None:
    problem = patched.dana.patch("/checks/1", {"enabled": False, "reason": "It annoys."}, status=403)
    assert problem["type"] == "urn:sevtracker:problem:not-permitted"
    assert problem["proposal"] == 1
    assert "recorded" in problem["detail"]
    assert "second person" in problem["detail"]
    [waits] = patched.otto.get("/checks/1/proposals")["items"]
    assert (waits["state"], waits["change"], waits["proposed_by"]["name"]) == ("proposed", {"enabled": False}, "Dana")
    assert (waits["revision"], waits["reason"], waits["decided_by"]) == (1, "It annoys.", None)
    told = patched.dana.get("/sevs/1/timeline?kind=check:change_refused")["items"]
    assert [(item["facts"]["proposal"], item["text"]) for item in told] == [(1, told[0]["text"])]


def test_a_second_persons_approval_makes_it_once(patched: World) -> None:
    patched.dana.patch("/checks/1", {"required": False}, status=403)
    patched.dana.post("/checks/1/proposals/1/approve", {}, status=403)
    patched.otto.post("/checks/1/proposals/1/approve", {}, status=403)
    for _ in range(2):
        answer = patched.erik.post("/checks/1/proposals/1/approve", {"reason": "Seen"}, status=200, key="k")
        assert (answer["required"], answer["revision"]) == (False, 2)
    patched.erik.post("/checks/1/proposals/1/approve", {}, status=409)
    [was] = patched.dana.get("/checks/1/proposals")["items"]
    assert (was["state"], was["decided_by"]["name"], was["decision"]) == ("approved", "Erik", "Seen")


def test_a_refused_approval_is_not_kept_under_its_key(patched: World) -> None:
    patched.dana.patch("/checks/1", {"required": False}, status=403)
    patched.target.status = 200
    patched.erik.post("/checks/1/run", status=202)
    patched.drain()
    problem = patched.erik.post("/checks/1/proposals/1/approve", {}, status=409, key="again")
    assert "recorded" in problem["detail"]
    patched.target.status = 403
    patched.erik.post("/checks/1/run", status=202)
    patched.drain()
    assert patched.erik.post("/checks/1/proposals/1/approve", {}, status=200, key="again")["required"] is False


def test_denying_needs_a_reason(patched: World) -> None:
    patched.dana.patch("/checks/1", {"required": False}, status=403)
    patched.erik.post("/checks/1/proposals/1/deny", {}, status=422)
    assert patched.erik.post("/checks/1/proposals/1/deny", {"reason": "No."}, status=200)["required"] is True
    patched.erik.post("/checks/1/proposals/7/deny", {"reason": "No."}, status=404)
    patched.erik.post("/checks/1/proposals/7/approve", {}, status=404)
    patched.erik.get("/checks/7/proposals", status=404)


def test_proposals_are_paged(patched: World) -> None:
    for _ in range(3):
        patched.dana.patch("/checks/1", {"required": False}, status=403)
    first = patched.dana.get("/checks/1/proposals?limit=2")
    rest = patched.dana.get(f"/checks/1/proposals?limit=2&cursor={first['next']}")
    assert [p["id"] for p in first["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next"] is None


def test_deleting_a_check_retires_it(patched: World) -> None:
    assert patched.dana.ask("DELETE", "/checks/1").status_code == 403
    answer = patched.erik.ask("DELETE", "/checks/1", {"reason": "The copy is gone."}).get_json()
    assert answer["enabled"] is False
    assert answer["retired_at"]
    assert patched.dana.get("/checks")["items"] == []
    assert patched.dana.get("/checks/1")["retired_at"]
    assert patched.dana.get("/checks/1/runs")["items"]
    assert patched.erik.ask("DELETE", "/checks/1?reason=Again").status_code == 409
    patched.erik.patch("/checks/1", {"enabled": True}, status=409)
    patched.erik.post("/checks/1/run", status=409)
    assert patched.erik.ask("DELETE", "/checks/1?colour=red").status_code == 422


def test_deleting_an_open_vantage_does_not_clear_it(world: World) -> None:
    world.dataset()
    world.check()
    world.sev()
    world.drain()
    answer = world.dana.ask("DELETE", "/checks/1")
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
    assert world.dana.get("/sevs/1")["exposure"] == "exposed"
    assert world.dana.get("/sevs/1/timeline?kind=check:change_refused")["items"]
