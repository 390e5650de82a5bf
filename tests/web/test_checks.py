"""Datasets and checks through the API."""

from __future__ import annotations

from tests.web.world import World
from tests.worker.targets import MARKER


def test_a_dataset_without_copies_gets_a_primary_one(world: World) -> None:
    answer = world.dana.ask("POST", "/datasets", {"slug": "events", "name": "Events", "owner": "Priya"})
    assert (answer.status_code, answer.headers["Location"]) == (201, "/api/v1/datasets/events")
    assert [c["slug"] for c in answer.get_json()["copies"]] == ["primary"]
    assert world.dana.get("/datasets/events") == answer.get_json()
    world.dana.post("/datasets", {"slug": "events", "name": "Again"}, status=422)
    world.dana.get("/datasets/nope", status=404)


def test_datasets_are_listed_by_slug(world: World) -> None:
    for slug in ("b", "a", "c"):
        world.dataset(slug)
    first = world.dana.get("/datasets?limit=2")
    assert [d["slug"] for d in first["items"]] == ["a", "b"]
    assert [d["slug"] for d in world.dana.get(f"/datasets?cursor={first['next']}")["items"]] == ["c"]
    assert [d["slug"] for d in world.dana.get("/datasets?q=C")["items"]] == ["c"]


def test_another_copy_uncovers_the_datasets_sevs(world: World) -> None:
    world.dataset()
    world.check()
    number = world.sev()
    world.dana.post("/datasets/events/copies", {"slug": "backup", "kind": "backup"})
    assert "uncovered" in {b["code"] for b in world.dana.get(f"/sevs/{number}")["gate"]["blockers"]}


def test_a_check_says_where_it_looks_and_how_it_stands(world: World) -> None:
    world.dataset()
    params = {"url": world.target.url("/x"), "marker": MARKER}
    given = {"dataset": "events", "kind": "http", "identity": "anonymous", "control": "owner", "params": params}
    answer = world.dana.ask("POST", "/checks", given)
    made = answer.get_json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/checks/{made['id']}")
    assert (made["revision"], made["copy"], made["required"], made["verdict"]) == (1, "primary", True, None)
    world.drain()
    shown = world.dana.get(f"/checks/{made['id']}")
    assert (shown["verdict"], shown["reason"], shown["decisive"]) == ("open", "marker_found", "open")
    assert world.dana.get("/checks?dataset=events")["items"][0]["id"] == made["id"]
    assert world.dana.get("/checks?blind=true")["items"] == []


def test_a_check_of_the_only_copy_need_not_name_it(world: World) -> None:
    copies = [{"slug": "replica", "kind": "replica", "location": "db2"}]
    world.dana.post("/datasets", {"slug": "events", "name": "Events", "copies": copies})
    given = {"dataset": "events", "kind": "http", "identity": "anonymous", "params": {"url": world.target.url("/x")}}
    assert world.dana.post("/checks", given)["copy"] == "replica"
    named = world.dana.post("/checks", {**given, "copy": "primary"}, status=422)
    assert [e["field"] for e in named["errors"]] == ["copy"]


def test_a_wrong_filter_is_named_by_its_parameter(world: World) -> None:
    problem = world.dana.get("/sevs?status=reported&status=zz", status=422)
    assert [e["field"] for e in problem["errors"]] == ["status"]


def test_bad_params_are_named_each(world: World) -> None:
    world.dataset()
    given = {"dataset": "nope", "kind": "http", "identity": "who", "params": {"marker": MARKER, "colour": "red"}}
    problem = world.dana.post("/checks", given, status=422)
    assert {"params.url", "params.colour", "identity", "dataset"} <= {e["field"] for e in problem["errors"]}


def test_a_place_that_is_not_allowed_is_refused_on_saving(world: World) -> None:
    world.dataset()
    params = {"url": "http://169.254.169.254/latest", "marker": MARKER}
    given = {"dataset": "events", "kind": "http", "identity": "anonymous", "control": "owner", "params": params}
    problem = world.dana.post("/checks", given, status=422)
    assert "params.url" in [e["field"] for e in problem["errors"]]


def test_an_edit_makes_a_revision_and_hiding_an_open_door_is_refused(world: World) -> None:
    world.dataset()
    check = world.check()
    changed = world.dana.patch(f"/checks/{check}", {"name": "Front door"})
    assert (changed["revision"], changed["name"]) == (2, "Front door")
    world.drain()
    world.dana.patch(f"/checks/{check}", {"enabled": False}, status=409)
    world.dana.patch("/checks/99", {"enabled": False}, status=404)
    world.dana.post("/checks/99/run", status=404)
    world.dana.get("/checks/99/runs", status=404)


def test_runs_are_paged_newest_first(world: World) -> None:
    world.dataset()
    check = world.check()
    for _ in range(3):
        world.dana.post(f"/checks/{check}/run", status=202)
        world.drain()
    first = world.dana.get(f"/checks/{check}/runs?limit=2")
    rest = world.dana.get(f"/checks/{check}/runs?limit=2&cursor={first['next']}")
    ids = [r["id"] for r in first["items"] + rest["items"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3


def test_me_is_whom_the_token_speaks_for(world: World) -> None:
    me = world.otto.get("/me")
    assert (me["name"], me["role"], me["may"]) == ("Otto", "auditor", ["own_tokens", "read", "see_settings"])


def test_another_query_of_the_same_page_is_another_place(world: World) -> None:
    """The locator doesn't show a query, which may hold a token; a check that saw a door open is held to it anyhow."""
    world.dataset()
    check = world.check("/data?table=employees")
    world.drain()
    assert world.dana.get(f"/checks/{check}")["decisive"] == "open"
    elsewhere = {"url": world.target.url("/data?table=harmless"), "marker": MARKER}
    problem = world.dana.patch(f"/checks/{check}", {"params": elsewhere}, status=409)
    assert "pointing it elsewhere would hide" in problem["detail"]


def test_a_place_that_is_too_long_to_keep_is_refused_in_words(world: World) -> None:
    world.dataset()
    given = {"dataset": "events", "kind": "http", "identity": "anonymous"}
    problem = world.dana.post("/checks", {**given, "params": {"url": world.target.url("/" + "a" * 1100)}}, status=422)
    assert [e["field"] for e in problem["errors"]] == ["params.url"]
