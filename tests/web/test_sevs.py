"""SEVs through the API: filing, finding, reading, changing."""

from __future__ import annotations

import pytest

from sevtracker.store.tables import Check, Run
from tests.web.world import World


def test_a_filed_sev_is_found_at_its_location(world: World) -> None:
    world.dataset()
    given = {
        "title": "Events readable",
        "level": "SEV1",
        "datasets": ["events"],
        "exposed_from": "2026-06-18T09:10:00+02:00",
    }
    answer = world.dana.ask("POST", "/sevs", given)
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/api/v1/sevs/1"
    filed = answer.get_json()
    assert (filed["number"], filed["key"], filed["status"], filed["exposure"]) == (1, "SEV-1", "reported", "unverified")
    assert filed["exposed_from"] == "2026-06-18T07:10:00Z"
    shown = world.dana.get("/sevs/1")
    assert {name: shown[name] for name in filed} == filed
    assert world.dana.get("/sevs")["items"] == [filed]


def test_filing_names_every_bad_field_at_once(world: World) -> None:
    given = {"title": " ", "level": "SEV9", "datasets": [], "exposed_from": "2026-06-18T09:10:00", "colour": "red"}
    problem = world.dana.post("/sevs", given, status=422)
    assert {e["field"] for e in problem["errors"]} == {"title", "level", "datasets", "exposed_from", "colour"}


def test_filing_about_a_dataset_that_nobody_registered_names_it(world: World) -> None:
    world.dataset()
    problem = world.dana.post("/sevs", {"title": "x", "level": "SEV3", "datasets": ["events", "nope"]}, status=422)
    assert [e["field"] for e in problem["errors"]] == ["datasets.1"]


def test_what_the_checks_know_already_is_in_the_answer_to_filing(world: World) -> None:
    world.dataset()
    world.check()
    world.drain()
    filed = world.dana.post("/sevs", {"title": "x", "level": "SEV3", "datasets": ["events"]})
    assert filed["exposure"] == "exposed"


def test_a_list_goes_on_where_its_cursor_points(world: World) -> None:
    world.dataset()
    for _ in range(5):
        world.sev()
    first = world.dana.get("/sevs?limit=2")
    second = world.dana.get(f"/sevs?limit=2&cursor={first['next']}")
    third = world.dana.get(f"/sevs?limit=2&cursor={second['next']}")
    assert [[s["number"] for s in page["items"]] for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert third["next"] is None


def test_filters_of_one_kind_mean_any_of_them_and_of_several_all(world: World) -> None:
    world.dataset(programme="mci")
    world.dataset("other")
    world.sev(level="SEV1", title="Tracking database open")
    world.sev(level="SEV2", title="Export bucket listed")
    world.sev(level="SEV3", datasets=["other"], title="Cache readable")

    def numbers(query: str) -> list[int]:
        return [s["number"] for s in world.dana.get(f"/sevs?{query}")["items"]]

    assert numbers("level=SEV1&level=SEV3") == [3, 1]
    assert numbers("level=SEV1&level=SEV3&dataset=other") == [3]
    assert numbers("programme=mci") == [2, 1]
    assert numbers("status=reported") == [3, 2, 1]
    assert numbers("exposure=exposed") == []
    assert numbers("q=bucket") == [2]
    assert numbers("q=SEV-1") == [1]
    assert numbers("q=%27%22%3B--") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=c2V2czotMQ", "cursor"),
        ("status=open", "status"),
        ("level=SEV9", "level"),
        ("colour=red", "colour"),
        ("limit=1&limit=2", "limit"),
        ("dataset=%00", "dataset"),
        ("q=%00", "q"),
    ],
)
def test_a_bad_query_parameter_is_named(world: World, query: str, field: str) -> None:
    problem = world.dana.get(f"/sevs?{query}", status=422)
    assert [e["field"] for e in problem["errors"]] == [field]


def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    world.dataset()
    for _ in range(2):
        world.sev()
    cursor = world.dana.get("/sevs?limit=1")["next"]
    world.dana.get(f"/checks?cursor={cursor}", status=422)


def test_only_what_is_sent_is_changed(world: World) -> None:
    world.dataset()
    number = world.sev(summary="As found")
    changed = world.dana.patch(f"/sevs/{number}", {"level": "SEV2", "commander": "vera@example.org"})
    assert (changed["level"], changed["status"]) == ("SEV2", "investigating")
    shown = world.dana.get(f"/sevs/{number}")
    assert (shown["summary"], shown["commander"]["name"]) == ("As found", "Vera")
    world.dana.patch(f"/sevs/{number}", {"commander": "nobody@example.org"}, status=422)
    world.dana.patch(f"/sevs/{number}", {"title": None}, status=422)
    world.dana.patch(f"/sevs/{number}", {"number": 9}, status=422)


def test_a_timeline_reads_as_sentences_and_pages_both_ways(world: World) -> None:
    world.dataset()
    number = world.sev(summary="Seen by accident")
    note = world.dana.post(f"/sevs/{number}/notes", {"text": "Called the owner", "at": "2026-06-18T09:10:00Z"})
    world.dana.post(f"/sevs/{number}/verify", status=202)
    items = world.dana.get(f"/sevs/{number}/timeline")["items"]
    assert [item["kind"] for item in items] == ["sev:filed", "note:added", "sev:verify_asked"]
    assert items[0]["text"].startswith("Events readable by all")
    assert items[1]["id"] == note["id"]
    assert (items[1]["at"], items[1]["text"]) == ("2026-06-18T09:10:00Z", "Called the owner")
    assert items[1]["actor"] == {"pid": world.dana.pid, "name": "Dana", "role": "engineer", "via": "api"}
    assert items[2]["text"] == items[2]["sentence"] == "All checks asked for (0)."
    newest = world.dana.get(f"/sevs/{number}/timeline?order=newest&limit=2")
    older = world.dana.get(f"/sevs/{number}/timeline?order=newest&limit=2&cursor={newest['next']}")
    assert [i["seq"] for i in newest["items"] + older["items"]] == [i["seq"] for i in reversed(items)]
    assert [i["kind"] for i in world.dana.get(f"/sevs/{number}/timeline?kind=note:")["items"]] == ["note:added"]


def test_what_is_owed_is_recorded_and_only_the_reporter_retests(world: World) -> None:
    world.dataset()
    number = world.sev(level="SEV1")
    for act in ("access-review", "sessions-handled", "retest"):
        world.dana.post(f"/sevs/{number}/{act}", {"evidence": "Looked, nobody came in"})
    world.erik.post(f"/sevs/{number}/retest", {"evidence": "Tried as well"}, status=403)
    world.dana.post(f"/sevs/{number}/retest", {}, status=422)
    codes = {b["code"] for b in world.dana.get(f"/sevs/{number}")["gate"]["blockers"]}
    assert codes == {"uncovered", "no_check", "no_patch"}


def test_a_duplicate_is_dismissed_and_can_be_reopened(world: World) -> None:
    world.dataset()
    first, second = world.sev(), world.sev()
    world.dana.post(f"/sevs/{second}/dismiss", {"reason": "Same", "duplicate_of": first}, status=200)
    assert world.dana.get(f"/sevs/{second}")["duplicate_of"] == first
    world.dana.post(f"/sevs/{second}/notes", {"text": "still here"})
    world.dana.post(f"/sevs/{second}/patches", {"summary": "x"}, status=409)
    assert world.dana.post(f"/sevs/{second}/reopen", {"reason": "It isn't"}, status=200)["status"] == "investigating"
    world.dana.post(f"/sevs/{second}/close", {"reason": "x"}, status=409)


def test_impact_is_told_in_buckets_with_what_the_log_speaks_for(world: World) -> None:
    """As a kind that reads access logs leaves it with its run."""
    world.dataset()
    world.check()
    number = world.sev()
    world.drain()
    assert world.dana.get(f"/sevs/{number}")["impact"] == []
    told = {
        "principals": "2-9",
        "accesses": "10-99",
        "complete": False,
        "first_at": "2026-06-18T09:00:00.000000Z",
        "last_at": None,
        "covered": [{"since": "2026-06-18T08:00:00.000000Z", "until": None}],
    }
    with world.runtime.work(None) as work:
        work.session.get_one(Run, work.session.get_one(Check, 1).last_run_id).impact = told
    [impact] = world.dana.get(f"/sevs/{number}")["impact"]
    assert {name: impact[name] for name in ("check", "dataset", "copy", "principals", "accesses", "complete")} == {
        "check": 1,
        "dataset": "events",
        "copy": "primary",
        "principals": "2-9",
        "accesses": "10-99",
        "complete": False,
    }
    assert impact["covered"] == [{"since": "2026-06-18T08:00:00Z", "until": None}]
