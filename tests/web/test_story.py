"""The story of the incident through the API, with checks that really run against a real HTTP server."""

from __future__ import annotations

import time

from sevtracker.worker.service import Worker
from tests.web.world import World


def _until(world: World, number: int, exposure: str) -> None:
    ends = time.monotonic() + 10
    while world.dana.get(f"/sevs/{number}")["exposure"] != exposure:
        assert time.monotonic() < ends, world.dana.get(f"/sevs/{number}")
        time.sleep(0.1)
        world.dana.post(f"/sevs/{number}/verify", status=202)
        world.drain()


def test_from_exposed_over_a_failed_patch_to_resolved_and_reopened(world: World) -> None:
    world.dataset(programme="mci")
    check = world.check()
    number = world.sev()
    world.drain()
    shown = world.dana.get(f"/sevs/{number}")
    assert shown["exposure"] == "exposed"
    assert shown["programmes"] == ["mci"]
    [vantage] = shown["vantages"]
    assert (vantage["check"], vantage["dataset"], vantage["copy"], vantage["identity"]) == (
        check,
        "events",
        "primary",
        "anonymous",
    )
    assert (vantage["verdict"], vantage["reason"], vantage["exposure"]) == ("open", "marker_found", "exposed")

    patch = world.dana.post(f"/sevs/{number}/patches", {"summary": "Revoked from one role"})
    assert patch == {"number": 1, "outcome": "untested"}
    world.drain()
    refused = world.dana.post(f"/sevs/{number}/resolve", {"summary": "Fixed"}, status=409)
    assert {b["code"] for b in refused["blockers"]} >= {"open"}
    assert all({"code", "message", "clears"} <= b.keys() for b in refused["blockers"])
    shown = world.dana.get(f"/sevs/{number}")
    assert [p["outcome"] for p in shown["patches"]] == ["failed"]
    assert not shown["gate"]["open"]
    kinds = [i["kind"] for i in world.dana.get(f"/sevs/{number}/timeline")["items"]]
    assert {"patch:claimed", "patch:failed", "gate:refused"} <= set(kinds)

    world.target.status = 403
    world.dana.post(f"/sevs/{number}/patches", {"summary": "Revoked from PUBLIC"})
    world.drain()
    _until(world, number, "verified")
    shown = world.dana.get(f"/sevs/{number}")
    assert shown["gate"] == {"open": True, "blockers": []}
    assert [p["outcome"] for p in shown["patches"]] == ["failed", "held"]
    gap = shown["clocks"]["false_fix_gap_s"]
    assert gap > 0
    assert shown["windows"][0]["until"] == shown["clocks"]["verified_closed_at"]

    worker = Worker(world.runtime)
    worker.start()
    try:
        first = world.dana.ask("POST", f"/sevs/{number}/resolve", {"summary": "Seen closed"}, key="resolve")
        again = world.dana.ask("POST", f"/sevs/{number}/resolve", {"summary": "Seen closed"}, key="resolve")
    finally:
        worker.stop()
    assert (first.status_code, again.status_code) == (200, 200), first.get_data(as_text=True)
    resolved = first.get_json()
    assert (resolved["status"], resolved["exposure"]) == ("resolved", "watching")
    assert [e["verdict"] for e in resolved["evidence"]] == ["closed"]
    assert again.get_json() == resolved
    assert again.headers["Idempotency-Replayed"] == "true"

    world.target.status = 200
    world.dana.post(f"/checks/{check}/run", status=202)
    world.drain()
    shown = world.dana.get(f"/sevs/{number}")
    assert (shown["status"], shown["exposure"], shown["reopens"]) == ("investigating", "exposed", 1)


def test_resolving_without_a_worker_ends_with_a_refusal_in_time(world: World) -> None:
    world.dataset()
    world.check()
    number = world.sev()
    world.drain()
    world.target.status = 403
    world.dana.post(f"/sevs/{number}/patches", {"summary": "Closed"})
    world.drain()
    _until(world, number, "verified")
    refused = world.dana.post(f"/sevs/{number}/resolve", {"summary": "Fixed"}, status=409)
    assert [b["code"] for b in refused["blockers"]] == ["inconclusive"]


def test_a_run_tells_what_happened_and_nothing_that_was_read(world: World) -> None:
    world.dataset()
    check = world.check()
    world.drain()
    [run] = world.dana.get(f"/checks/{check}/runs")["items"]
    assert (run["verdict"], run["reason"], run["revision"], run["trigger"]) == ("open", "marker_found", 1, "manual")
    assert run["duration_ms"] >= 0
    assert run["sev"] is None
    assert run["steps"]
