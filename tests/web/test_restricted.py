"""A restricted SEV leaves no trace for those who may not know of it: no list, search, count, number or word."""

from __future__ import annotations

import json

import pytest

from tests.web.world import World

SECRET = "Zanzibar"


@pytest.fixture
def hidden(world: World) -> int:
    """Dana's restricted SEV, on a dataset that Erik works with too, with a check that ran for it."""
    world.dataset(programme="mci")
    number = world.sev(restricted=True, title=f"{SECRET} leak")
    world.check()
    world.dana.post(f"/sevs/{number}/verify", status=202)
    world.drain()
    return number


@pytest.mark.parametrize("who", ["erik", "ada"])
def test_who_does_not_belong_to_it_finds_no_trace(world: World, hidden: int, who: str) -> None:
    api = world.cast[who]
    for path in ("/sevs", f"/sevs?q={SECRET}", "/sevs?q=SEV-1", "/sevs?dataset=events", "/sevs?status=reported"):
        assert api.get(path) == {"items": [], "next": None}
    assert api.get("/datasets/events")["sevs"] == []
    told = json.dumps(
        [api.get("/datasets/events"), api.get("/checks"), api.get("/checks/1/runs"), api.get("/datasets")]
    )
    assert SECRET not in told
    [run] = api.get("/checks/1/runs")["items"]
    assert (run["sev"], run["patch"], run["trigger"]) == (None, None, "schedule")
    [run] = world.dana.get("/checks/1/runs")["items"]
    assert (run["sev"], run["trigger"]) == (hidden, "verify")


@pytest.mark.parametrize("who", ["erik", "ada"])
def test_a_hidden_sev_and_one_that_does_not_exist_answer_the_same(world: World, hidden: int, who: str) -> None:
    api = world.cast[who]
    asked = [
        ("GET", "", None),
        ("GET", "/timeline", None),
        ("PATCH", "", {"title": "x"}),
        ("POST", "/notes", {"text": "x"}),
        ("POST", "/patches", {"summary": "x"}),
        ("POST", "/verify", None),
        ("POST", "/resolve", {"summary": "x"}),
        ("POST", "/reopen", {"reason": "x"}),
        ("POST", "/dismiss", {"reason": "x"}),
        ("POST", "/close", {"reason": "x"}),
        ("POST", "/access-review", {"reason": "x"}),
        ("POST", "/sessions-handled", {"reason": "x"}),
        ("POST", "/retest", {"reason": "x"}),
    ]
    volatile = {"X-Request-Id"}
    for method, path, body in asked:
        there = api.ask(method, f"/sevs/{hidden}{path}", body)
        nowhere = api.ask(method, f"/sevs/7{path}", body)
        assert there.status_code == nowhere.status_code
        assert there.status_code in (403, 404)
        assert there.data.replace(f"SEV-{hidden}".encode(), b"SEV-7") == nowhere.data
        assert {k: v for k, v in there.headers if k not in volatile} == {
            k: v for k, v in nowhere.headers if k not in volatile
        }


@pytest.mark.parametrize("who", ["dana", "vera", "otto"])
def test_the_reporter_executives_and_auditors_see_it(world: World, hidden: int, who: str) -> None:
    api = world.cast[who]
    assert [s["number"] for s in api.get(f"/sevs?q={SECRET}")["items"]] == [hidden]
    assert api.get(f"/sevs/{hidden}")["restricted"] is True
    assert [s["number"] for s in api.get("/datasets/events")["sevs"]] == [hidden]


def test_added_people_and_the_commander_see_it_until_they_are_taken_off(world: World, hidden: int) -> None:
    world.dana.patch(f"/sevs/{hidden}", {"members": ["erik@example.org"]})
    assert [m["name"] for m in world.erik.get(f"/sevs/{hidden}")["members"]] == ["Erik"]
    world.dana.patch(f"/sevs/{hidden}", {"members": []})
    world.erik.get(f"/sevs/{hidden}", status=404)
    world.dana.patch(f"/sevs/{hidden}", {"commander": "erik@example.org"})
    world.erik.get(f"/sevs/{hidden}")


def test_a_duplicate_does_not_name_the_restricted_one(world: World, hidden: int) -> None:
    number = world.sev()
    world.dana.post(f"/sevs/{number}/dismiss", {"reason": "Same", "duplicate_of": hidden}, status=200)
    assert world.dana.get(f"/sevs/{number}")["duplicate_of"] == hidden
    assert world.erik.get(f"/sevs/{number}")["duplicate_of"] is None
    told = json.dumps(world.erik.get(f"/sevs/{number}/timeline"))
    assert f"SEV-{hidden}" not in told
    assert '"duplicate_of": null' in told
    assert f"SEV-{hidden}" in json.dumps(world.dana.get(f"/sevs/{number}/timeline"))


def test_a_duplicate_cannot_be_used_to_ask_whether_a_number_exists(world: World, hidden: int) -> None:
    number = world.sev(by="erik")
    answers = {
        world.erik.ask("POST", f"/sevs/{number}/dismiss", {"reason": "x", "duplicate_of": other}).data
        for other in (hidden, 99)
    }
    assert len(answers) == 1


def test_figures_do_not_count_it(world: World, hidden: int) -> None:
    world.sev(level="SEV2")
    told = world.app.test_client().get("/metrics").get_data(as_text=True)
    counts = [line for line in told.splitlines() if line.startswith("sevtracker_sevs{")]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in counts) == 1


def test_a_repeated_request_is_not_answered_to_who_was_taken_off_meanwhile(world: World, hidden: int) -> None:
    world.dana.patch(f"/sevs/{hidden}", {"members": ["erik@example.org"]})
    note = (f"/sevs/{hidden}/notes", {"text": "mine"})
    world.erik.post(*note, key="k")
    world.erik.post(*note, key="k")
    world.dana.patch(f"/sevs/{hidden}", {"members": []})
    world.erik.post(*note, key="k", status=404)
