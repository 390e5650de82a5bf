"""Waivers and attestations through the API: given, listed, taken back, and told wherever the SEV is."""

from __future__ import annotations

from typing import Any

import pytest

from sevtracker.worker.service import Worker
from tests.web.world import Api, World

WHY = {"reason": "the host is gone until Monday"}
WORD = {"dataset": "events", "copy": "tape", "statement": "locked away", "evidence": "https://wiki.example/tape"}


@pytest.fixture
def number(world: World) -> int:
    """A SEV whose one check sees the door open, patched by Dana; the tape has no check."""
    world.dataset(copies=[{"slug": "primary"}, {"slug": "tape"}])
    world.check()
    number = world.sev()
    world.dana.post(f"/sevs/{number}/patches", {"summary": "Revoked"})
    world.drain()
    return number


def resolved_by(api: Api, world: World, number: int) -> Any:
    """The answer to resolving, with a worker that makes the final runs."""
    threads = Worker(world.runtime).dispatcher
    threads.start()
    try:
        return api.post(f"/sevs/{number}/resolve", {"summary": "As closed as it gets"}, status=200)
    finally:
        threads.stop(5.0)


def codes(world: World, number: int) -> list[str]:
    return [b["code"] for b in world.dana.get(f"/sevs/{number}")["gate"]["blockers"]]


def test_a_waiver_is_answered_listed_and_told_on_the_sev(world: World, number: int) -> None:
    made = world.vera.post(f"/sevs/{number}/waivers", {"check": 1, "days": 3, **WHY})
    assert (made["id"], made["check"], made["knew_open"], made["in_force"], made["trouble"]) == (1, 1, True, True, None)
    assert made["granted_by"]["name"] == "Vera"
    assert made["expires_at"].endswith("Z")
    assert world.dana.get(f"/sevs/{number}/waivers") == {"items": [made], "next": None}
    shown = world.dana.get(f"/sevs/{number}")
    assert shown["waivers"] == [made]
    assert shown["vantages"][0]["waived_until"] == made["expires_at"]
    assert shown["vantages"][0]["exposure"] == "exposed"
    [exception] = shown["exceptions"]
    assert (exception["kind"], exception["check"], exception["place"]) == ("waiver", 1, "events/primary")
    assert codes(world, number) == ["uncovered"]


def test_an_attestation_is_signed_by_two_and_listed(world: World, number: int) -> None:
    made = world.erik.post(f"/sevs/{number}/attestations", WORD)
    assert (made["dataset"], made["copy"], made["in_force"]) == ("events", "tape", False)
    assert made["trouble"] == "needs two different people"
    [blocker] = [b for b in world.dana.get(f"/sevs/{number}")["gate"]["blockers"] if b["code"] == "attestation"]
    assert blocker["place"] == "events/tape"
    signed = world.vera.post(f"/sevs/{number}/attestations/1/sign", {}, status=200)
    assert [s["person"]["name"] for s in signed["signatures"]] == ["Erik", "Vera"]
    assert (signed["in_force"], signed["trouble"]) == (True, None)
    assert world.dana.get(f"/sevs/{number}")["attestations"] == [signed]
    assert world.dana.get(f"/sevs/{number}/attestations")["items"] == [signed]
    world.vera.post(f"/sevs/{number}/attestations/1/sign", {}, status=409)


def test_a_sev_that_is_resolved_with_exceptions_says_so_everywhere_and_is_reopened_at_their_end(
    world: World, number: int
) -> None:
    world.vera.post(f"/sevs/{number}/waivers", {"check": 1, **WHY})
    world.erik.post(f"/sevs/{number}/attestations", WORD)
    world.vera.post(f"/sevs/{number}/attestations/1/sign", {}, status=200)
    answer = resolved_by(world.erik, world, number)
    assert (answer["status"], answer["resolved_with_exception"], answer["exception_count"]) == ("resolved", True, 2)
    shown = world.dana.get(f"/sevs/{number}")
    assert [e["kind"] for e in shown["exceptions"]] == ["waiver", "attestation"]
    assert (shown["exposure"], shown["resolved_with_exception"]) == ("exposed", True)
    assert world.dana.get("/sevs?q=readable")["items"][0]["exception_count"] == 2
    told = world.dana.get(f"/sevs/{number}/timeline?kind=sev:resolved")["items"][0]["sentence"]
    assert told == ("Resolved with 2 exceptions: anonymous at events/primary (waived), events/tape (attested).")
    ended = world.vera.post(f"/sevs/{number}/waivers/1/revoke", {"reason": "no more"}, status=200)
    assert (ended["in_force"], ended["trouble"], ended["revoked_by"]["name"]) == (False, "was revoked", "Vera")
    shown = world.dana.get(f"/sevs/{number}")
    assert (shown["status"], shown["resolved_with_exception"]) == ("investigating", False)
    assert [e["kind"] for e in shown["exceptions"]] == ["attestation"]


def test_the_author_of_the_patch_gets_403_and_the_timeline_has_it(world: World, number: int) -> None:
    world.vera.post(f"/sevs/{number}/patches", {"summary": "Mine"})
    problem = world.vera.post(f"/sevs/{number}/waivers", {"check": 1, **WHY}, status=403, key="k")
    assert "Somebody else" in problem["detail"]
    world.dana.post(f"/sevs/{number}/attestations", WORD, status=403)
    kinds = [i["kind"] for i in world.dana.get(f"/sevs/{number}/timeline")["items"]]
    assert kinds.count("waiver:refused") == kinds.count("attestation:refused") == 1
    world.vera.post(f"/sevs/{number}/waivers", {"check": 1, **WHY}, status=403, key="k")  # not kept: asked again


@pytest.mark.parametrize("who", ["dana", "erik", "otto", "ada"])
def test_who_is_no_executive_waives_nothing(world: World, number: int, who: str) -> None:
    world.cast[who].post(f"/sevs/{number}/waivers", {"check": 1, **WHY}, status=403)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"check", "reason"}),
        ({"check": 1}, {"reason"}),
        ({"check": 9, **WHY}, {"check"}),
        ({"check": 1, "days": 31, **WHY}, {"days"}),
        ({"check": 1, "expires_at": "2199-01-01T00:00:00Z", **WHY}, {"expires_at"}),
        ({"check": 1, "expires_at": "2020-01-01T00:00:00Z", **WHY}, {"expires_at"}),
        ({"check": 1, "expires_at": "tomorrow", **WHY}, {"expires_at"}),
        ({"check": 1, "colour": "red", **WHY}, {"colour"}),
    ],
)
def test_what_is_wrong_with_a_waiver_is_named(world: World, number: int, body: Any, fields: set[str]) -> None:
    problem = world.vera.post(f"/sevs/{number}/waivers", body, status=422)
    assert {e["field"] for e in problem["errors"]} == fields


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"evidence": None}, {"evidence"}),
        ({"evidence": ""}, {"evidence"}),
        ({"statement": ""}, {"statement"}),
        ({"dataset": "other"}, {"dataset"}),
        ({"copy": "other", "statement": ""}, {"copy", "statement"}),
        ({"expires_at": "2199-01-01T00:00:00Z"}, {"expires_at"}),
    ],
)
def test_what_is_wrong_with_an_attestation_is_named(world: World, number: int, changed: Any, fields: set[str]) -> None:
    problem = world.erik.post(f"/sevs/{number}/attestations", {**WORD, **changed}, status=422)
    assert {e["field"] for e in problem["errors"]} == fields


def test_repeated_with_a_key_it_has_one_effect(world: World, number: int) -> None:
    body = {"check": 1, **WHY}
    first = world.vera.post(f"/sevs/{number}/waivers", body, key="w")
    assert world.vera.post(f"/sevs/{number}/waivers", body, key="w") == first
    made = world.erik.post(f"/sevs/{number}/attestations", WORD, key="a")
    assert world.erik.post(f"/sevs/{number}/attestations", WORD, key="a") == made
    signed = world.vera.post(f"/sevs/{number}/attestations/1/sign", {}, status=200, key="s")
    assert world.vera.post(f"/sevs/{number}/attestations/1/sign", {}, status=200, key="s") == signed
    ended = world.vera.post(f"/sevs/{number}/waivers/1/revoke", {"reason": "x"}, status=200, key="r")
    assert world.vera.post(f"/sevs/{number}/waivers/1/revoke", {"reason": "x"}, status=200, key="r") == ended
    shown = world.dana.get(f"/sevs/{number}")
    assert (len(shown["waivers"]), len(shown["attestations"])) == (1, 1)


def test_a_restricted_sev_is_404_for_who_may_not_know_of_it(world: World, number: int) -> None:
    hidden = world.sev(restricted=True)
    for path in ("waivers", "attestations"):
        world.erik.get(f"/sevs/{hidden}/{path}", status=404)
    world.erik.post(f"/sevs/{hidden}/attestations", WORD, status=404)
    world.erik.post(f"/sevs/{hidden}/attestations/1/sign", {}, status=404)
    world.erik.post(f"/sevs/{hidden}/attestations/1/withdraw", {"reason": "x"}, status=404)


def test_lists_go_on_where_their_cursor_points(world: World, number: int) -> None:
    for _ in range(3):
        world.vera.post(f"/sevs/{number}/waivers", {"check": 1, **WHY})
        world.erik.post(f"/sevs/{number}/attestations", WORD)
    for path in ("waivers", "attestations"):
        first = world.dana.get(f"/sevs/{number}/{path}?limit=2")
        second = world.dana.get(f"/sevs/{number}/{path}?limit=2&cursor={first['next']}")
        assert [[i["id"] for i in page["items"]] for page in (first, second)] == [[3, 2], [1]]
        assert second["next"] is None


def test_who_signed_or_an_executive_withdraws(world: World, number: int) -> None:
    world.erik.post(f"/sevs/{number}/attestations", WORD)
    world.dana.post(f"/sevs/{number}/attestations/1/withdraw", {"reason": "x"}, status=403)
    gone = world.erik.post(f"/sevs/{number}/attestations/1/withdraw", {"reason": "It was read"}, status=200)
    assert (gone["trouble"], gone["withdrawn_by"]["name"]) == ("was withdrawn", "Erik")
    world.vera.post(f"/sevs/{number}/attestations/1/sign", {}, status=409)
    assert codes(world, number).count("attestation") == 0


def test_two_statements_more_tell_of_all_of_it(world: World, number: int) -> None:
    world.dana.get(f"/sevs/{number}")
    with world.statements() as before:
        world.dana.get(f"/sevs/{number}")
    for _ in range(4):
        world.vera.post(f"/sevs/{number}/waivers", {"check": 1, **WHY})
        world.erik.post(f"/sevs/{number}/attestations", WORD)
    with world.statements() as after:
        world.dana.get(f"/sevs/{number}")
    assert len(after) == len(before) + 2, after.sent
