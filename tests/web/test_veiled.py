"""What a check tells because of a SEV that the reader may not know of."""

from __future__ import annotations

from sevtracker.store.tables import Check, Run
from tests.web.world import World

TOLD = {
    "principals": "1",
    "accesses": "1",
    "complete": True,
    "first_at": None,
    "last_at": None,
    "covered": [{"since": "2026-06-08T09:00:00.000000Z", "until": None}],
}


def test_impact_tells_a_restricted_sevs_time_to_nobody_who_may_not_know_of_it(world: World) -> None:
    world.dataset()
    world.check()
    hidden, known = world.sev(restricted=True), world.sev()
    world.drain()
    with world.runtime.work(None) as work:
        work.session.get_one(Run, work.session.get_one(Check, 1).last_run_id).impact = TOLD
    mine = world.dana.get("/checks/1/runs")["items"][0]
    assert mine["impact"]["principals"] == "1"
    assert mine["steps"]
    theirs = world.cast["erik"].get("/checks/1/runs")["items"][0]
    assert (theirs["impact"], theirs["steps"]) == (None, [])
    assert [i["principals"] for i in world.dana.get(f"/sevs/{hidden}")["impact"]] == ["1"]
    assert world.cast["erik"].get(f"/sevs/{known}")["impact"] == []


def test_a_proposal_about_a_restricted_sevs_check_is_known_to_and_decided_by_who_knows_of_it(world: World) -> None:
    world.dataset()
    world.check()
    number = world.sev(restricted=True)
    world.drain()
    world.target.status = 403
    world.dana.post(f"/sevs/{number}/patches", {"summary": "Revoked"})
    world.drain()
    asked = world.dana.ask("PATCH", "/checks/1", {"required": False, "reason": "in the way of payroll"})
    assert asked.status_code == 403
    proposal = asked.get_json()["proposal"]
    path = f"/checks/1/proposals/{proposal}"
    assert [p["id"] for p in world.dana.get("/checks/1/proposals")["items"]] == [proposal]
    assert world.cast["erik"].get("/checks/1/proposals")["items"] == []
    world.cast["erik"].post(f"{path}/approve", {}, status=404)
    world.cast["erik"].post(f"{path}/deny", {"reason": "no"}, status=404)
    assert [p["id"] for p in world.cast["vera"].get("/checks/1/proposals")["items"]] == [proposal]
    world.cast["vera"].post(f"{path}/deny", {"reason": "It judges your patch."}, status=200)
