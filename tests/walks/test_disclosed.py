"""A column that nobody was told about, then people are told: open, closed but blocked, accepted, proven, resolved.

Through the API of a tracker that lives, on a real PostgreSQL.
"""

from __future__ import annotations

import pytest

from tests.walks.conftest import Incident, Live
from tests.walks.living import POLICY, sev_when

pytestmark = pytest.mark.slow

FAST = POLICY.replace("[policy]", '[policy]\nprove_every = "1s"').replace("SEV1", "SEV3")
TOLD = {"reason": "Everybody was told on Monday.", "evidence_url": "https://wiki.example/told"}


def test_an_undisclosed_column_is_disclosed_accepted_proven_and_resolved(live: Live, incident: Incident) -> None:
    incident.run(
        f"REVOKE ALL ON tracking.events FROM PUBLIC, {incident.employee}",
        "CREATE SCHEMA canaries",
        "CREATE TABLE canaries.more (id int, employee_email text, nobody_was_told int)",
        "CREATE TABLE canaries.told (id int, employee_email text)",
        f"CREATE SCHEMA sensors; CREATE TABLE sensors.doors AS TABLE tracking.events; GRANT SELECT ON sensors.doors TO"
        f" {incident.privacy}; GRANT USAGE ON SCHEMA sensors TO PUBLIC; GRANT SELECT ON sensors.doors TO PUBLIC",
    )
    tracker = live(incident.config, incident.environment, FAST)
    tracker.start()
    dana, vera = tracker.person(), tracker.person("vera@example.org", "executive")
    dana.post("/datasets", {"slug": "events", "name": "Events"})
    people = {"dataset": "events", "identity": "employee"}
    params = {"url": incident.url, "table": "tracking.events", "disclosed": ["id"]}
    check = dana.post("/checks", {**people, "kind": "disclosure", "params": params})["id"]
    door = {"url": incident.url, "table": "sensors.doors"}
    dana.post("/checks", {**people, "control": "privacy-team", "kind": "sql_read", "params": door})
    number = dana.post("/sevs", {"title": "Undisclosed", "level": "SEV3", "datasets": ["events"]})["number"]
    sev = sev_when(dana, number, lambda s: [v["verdict"] for v in s["vantages"]] == ["open", "open"])
    assert [b["code"] for b in sev["gate"]["blockers"] if b.get("check") == check] == ["open"]
    assert vera.ask("POST", f"/checks/{check}/accept", TOLD).status == 409, "an open is nobody's to accept"

    # The door is shut, and people are told: the list grows, and the check says closed. That alone takes nothing back.
    incident.run("REVOKE SELECT ON sensors.doors FROM PUBLIC")
    twins = {"open": {"table": "canaries.more"}, "locked": {"table": "canaries.told"}}
    longer = {**params, "disclosed": ["id", "employee_email"]}
    assert dana.ask("PATCH", f"/checks/{check}", {"params": longer, "twins": twins, "reason": "Told."}).status == 200
    dana.post(f"/sevs/{number}/patches", {"summary": "Revoked, and told everybody"})
    sev = sev_when(dana, number, lambda s: s["exposure"] == "unproven")
    [blocker] = [b for b in sev["gate"]["blockers"] if b.get("check") == check and b["code"] == "unproven"]
    assert "saw this door open and was changed since" in blocker["message"]
    assert "an executive accepts the new definition" in blocker["clears"]
    assert dana.ask("POST", f"/checks/{check}/accept", TOLD).status == 403

    # Accepted, it is proven by its twins as any other is; then it soaks.
    assert vera.ask("POST", f"/checks/{check}/accept", TOLD).status == 200
    sev_when(dana, number, lambda s: s["exposure"] == "verified")
    answer = dana.ask("POST", f"/sevs/{number}/resolve", {"summary": "Revoked and disclosed."})
    assert answer.status == 200, answer.body
    told = {item["kind"]: item for item in dana.get(f"/sevs/{number}/timeline?limit=200")["items"]}
    changed = told["check:definition_accepted"]["facts"]["changed"]
    assert changed == {"disclosed": {"old": ["id"], "new": ["id", "employee_email"]}}
    assert {"twins:proven", "sev:resolved"} <= told.keys()

    # One more column is one more open: nothing that was accepted covers it.
    incident.run("ALTER TABLE tracking.events ADD COLUMN mood text")
    sev_when(dana, number, lambda s: s["status"] == "investigating" and s["exposure"] == "exposed")
