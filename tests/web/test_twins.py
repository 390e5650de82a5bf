"""Canary twins through the API: named, shown, refused by their field, made and dropped by who may."""

from __future__ import annotations

from typing import Any

from tests.web.world import World


def twins(world: World, **more: Any) -> dict[str, Any]:
    return {"open": {"url": world.target.url("/open")}, "locked": {"url": world.target.url("/locked")}, **more}


def test_twins_are_named_shown_changed_and_taken_away(world: World) -> None:
    world.dataset()
    check = world.check(twins=twins(world))
    shown = world.dana.get(f"/checks/{check}")["twins"]
    assert shown == {**twins(world), "keeper": None, "proved_at": None, "wrong": None}
    other = twins(world, locked={"url": world.target.url("/shut")})
    changed = world.dana.patch(f"/checks/{check}", {"twins": other})
    assert (changed["revision"], changed["twins"]["locked"]) == (2, other["locked"])
    assert world.dana.patch(f"/checks/{check}", {"name": "Front"})["twins"]["open"] == other["open"]
    assert world.dana.patch(f"/checks/{check}", {"twins": None})["twins"] is None


def test_twins_elsewhere_or_at_the_target_are_refused_by_their_field(world: World) -> None:
    world.dataset()
    target = {"url": world.target.url("/")}
    elsewhere = {"url": world.target.url("/open", host=2)}
    for given, field in (
        (twins(world, open=elsewhere), "twins.open.url"),
        (twins(world, locked=target), "twins.locked.url"),
        (twins(world, locked={"url": "ftp://x"}), "twins.locked.url"),
        (twins(world, open={"url": world.target.url("/open"), "marker": "another"}), "twins.open.marker"),
        (twins(world, third={}), "twins.third"),
    ):
        body = {
            "dataset": "events",
            "kind": "http",
            "identity": "anonymous",
            "control": "owner",
            "params": target,
            "twins": given,
        }
        problem = world.dana.post("/checks", body, status=422)
        assert [e["field"] for e in problem["errors"]] == [field]


def test_pages_that_differ_by_their_query_are_two_places(world: World) -> None:
    world.dataset()
    by_query = {which: {"url": world.target.url(f"/?canary={which}")} for which in ("open", "locked")}
    assert world.check(twins=by_query)


def test_a_port_has_no_other_place_to_be_its_twin(world: World) -> None:
    world.dataset()
    params = {"host": "127.0.0.1", "port": world.target.port}
    given = {"dataset": "events", "kind": "tcp", "identity": "anonymous", "control": "owner", "params": params}
    for differing in ("timeout", "port", "control_port"):
        both = {"open": {differing: 1}, "locked": {differing: 2}}
        problem = world.dana.post("/checks", {**given, "twins": both}, status=422)
        assert [e["field"] for e in problem["errors"]][:1] == [f"twins.open.{differing}"]


def test_a_locked_site_shows_what_was_wrong_with_its_twins(world: World) -> None:
    """The site denies everything, its open twin, too."""
    world.dataset()
    check = world.check(twins=twins(world))
    world.target.status = 403
    world.drain()
    shown = world.dana.get(f"/checks/{check}")
    assert shown["verdict"] == "closed"
    assert shown["twins"]["wrong"] == "the open twin was closed (denied), and should be open: this is no proof"
    [run] = world.dana.get(f"/checks/{check}/runs")["items"]
    assert [step["phase"] for step in run["steps"]][-1] == "twins"


def test_who_may_not_keep_checks_makes_no_twins(world: World) -> None:
    world.dataset()
    check = world.check()
    world.otto.post(f"/checks/{check}/twins", {"keeper": "owner"}, status=403)
    world.otto.post(f"/checks/{check}/twins/drop", status=403)
    world.dana.post("/checks/99/twins", {"keeper": "owner"}, status=404)
    world.dana.post(f"/checks/{check}/twins", {}, status=422)
    problem = world.dana.post(f"/checks/{check}/twins", {"keeper": "owner"}, status=409)
    assert "by hand" in problem["detail"]
    problem = world.dana.post(f"/checks/{check}/twins/drop", status=409)
    assert "made by sevtracker" in problem["detail"]


def test_a_keeper_is_somebody_configured_and_not_the_one_who_must_not_get_in(world: World) -> None:
    world.dataset()
    params = {"endpoint": world.target.url("").rstrip("/"), "bucket": "events", "key": "x"}
    given = {"dataset": "events", "kind": "s3", "identity": "anonymous", "control": "owner", "params": params}
    check = world.dana.post("/checks", given)["id"]
    for keeper in ("nobody", "anonymous"):
        problem = world.dana.post(f"/checks/{check}/twins", {"keeper": keeper}, status=422)
        assert [e["field"] for e in problem["errors"]] == ["keeper"]
