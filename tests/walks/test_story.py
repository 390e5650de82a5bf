"""The incident, lived through by the JSON API, against a real PostgreSQL: what the product promises, end to end."""

from __future__ import annotations

from typing import Any

import pytest

from sevtracker.cli.demo.client import Api
from tests.walks.conftest import Incident, Live
from tests.walks.living import Living, eventually, sev_when

pytestmark = pytest.mark.slow

ACTS = {
    "retest": {"reason": "I tried again: permission denied."},
    "access-review": {"reason": "No logs exist for the time."},
    "sessions-handled": {"reason": "All sessions were terminated."},
}


def registered(api: Api, incident: Incident, identities: tuple[str, ...] = ("employee", "ex-session")) -> list[int]:
    """The dataset with a check for each identity. Returns the checks' ids."""
    api.post("/datasets", {"slug": "mci-events", "name": "MCI events"})
    params = {"url": incident.url, "table": "tracking.events", "timeout": 5}
    return [
        api.post("/checks", {"dataset": "mci-events", "kind": "sql_read", "identity": who, "params": params})["id"]
        for who in identities
    ]


def filed(api: Api, level: str = "SEV1") -> int:
    sev = {"title": "Tracking database readable by all staff", "level": level, "datasets": ["mci-events"]}
    return int(api.post("/sevs", sev)["number"])


def kinds(api: Api, number: int) -> list[str]:
    return [item["kind"] for item in api.get(f"/sevs/{number}/timeline?limit=200")["items"]]


def verdicts(sev: Any) -> set[str]:
    return {vantage["verdict"] for vantage in sev["vantages"]}


def test_the_incident_from_filing_to_reopening(tracker: Living, incident: Incident) -> None:
    tracker.start()
    api = tracker.person()
    registered(api, incident)
    number = filed(api)
    path = f"/sevs/{number}"

    # Reproduced: every vantage got in.
    sev_when(api, number, lambda s: s["exposure"] == "exposed" and verdicts(s) == {"open"})

    # Patch 1 revokes from the role; PUBLIC still reads. It is shown to have failed within seconds.
    incident.run(f"REVOKE SELECT ON tracking.events FROM {incident.employee}")
    api.post(f"{path}/patches", {"summary": "Revoked from the role"})
    sev = sev_when(api, number, lambda s: s["patches"][0]["outcome"] == "failed", seconds=45)
    assert sev["exposure"] == "exposed"
    assert sev["clocks"]["fix_claimed_at"] is not None
    assert sev["clocks"]["verified_closed_at"] is None

    # Resolving is refused with every reason, and the refusal is on the timeline.
    answer = api.ask("POST", f"{path}/resolve", {"summary": "It was patched."})
    assert answer.status == 409
    assert {"open", "retest", "access_review", "sessions"} <= {b["code"] for b in answer.body["blockers"]}
    assert all(b["message"] and b["clears"] for b in answer.body["blockers"])
    assert "gate:refused" in kinds(api, number)
    assert api.get(path)["status"] == "patched"

    # Patch 2 revokes from PUBLIC: closed, again and again, over the soak.
    incident.run("REVOKE SELECT ON tracking.events FROM PUBLIC")
    api.post(f"{path}/patches", {"summary": "Revoked from PUBLIC"})
    sev_when(api, number, lambda s: verdicts(s) == {"closed"} and s["exposure"] == "verifying")
    sev = sev_when(api, number, lambda s: s["exposure"] == "verified")
    assert [p["outcome"] for p in sev["patches"]] == ["failed", "held"]
    assert sev["clocks"]["verified_closed_at"] is not None
    assert sev["clocks"]["false_fix_gap_s"] > 0

    # What people owe blocks still; then it is resolved, on a final run of every check.
    answer = api.ask("POST", f"{path}/resolve", {"summary": "Closed."})
    assert (answer.status, {b["code"] for b in answer.body["blockers"]}) == (
        409,
        {"retest", "access_review", "sessions"},
    )
    for act, body in ACTS.items():
        api.post(f"{path}/{act}", body)
    answer = api.ask("POST", f"{path}/resolve", {"summary": "No grant to PUBLIC any more."})
    assert answer.status == 200, answer.body
    assert api.get(path)["status"] == "resolved"
    resolved = [item for item in api.get(f"{path}/timeline?limit=200")["items"] if item["kind"] == "sev:resolved"]
    assert {e["verdict"] for e in resolved[0]["evidence"]} == {"closed"}

    # That night's re-grant is seen by the next watch run; nobody does anything.
    incident.run("GRANT SELECT ON ALL TABLES IN SCHEMA tracking TO PUBLIC")
    sev = sev_when(api, number, lambda s: s["status"] == "investigating", seconds=45)
    assert (sev["exposure"], sev["reopens"]) == ("exposed", 1)
    assert "sev:reopened" in kinds(api, number)

    # A later closed does not undo it.
    incident.run("REVOKE SELECT ON tracking.events FROM PUBLIC")
    sev = sev_when(api, number, lambda s: verdicts(s) == {"closed"})
    assert sev["status"] == "investigating"
    assert sev["exposure"] not in ("verified", "watching")

    told = tracker.cli("ledger", "verify")
    assert told.returncode == 0, told.stdout
    assert tracker.stop() == 0


def test_a_stopped_server_is_never_taken_for_a_closed_door(tracker: Living, incident: Incident) -> None:
    """A dropped connection, then no database by that name: inconclusive, and the exposure stays what was last known."""
    tracker.start()
    api = tracker.person()
    registered(api, incident, ("employee",))
    number = filed(api, "SEV3")
    sev_when(api, number, lambda s: s["exposure"] == "exposed")
    api.post(f"/sevs/{number}/patches", {"summary": "We switched something off"})
    incident.server.execute(f'ALTER DATABASE "{incident.database}" ALLOW_CONNECTIONS false')
    api.post(f"/sevs/{number}/verify")
    sev = sev_when(api, number, lambda s: verdicts(s) == {"inconclusive"}, seconds=45)
    assert sev["exposure"] == "exposed"
    assert sev["gate"]["open"] is False
    incident.server.execute(f'ALTER DATABASE "{incident.database}" ALLOW_CONNECTIONS true')


def test_a_first_start_creates_everything_and_greets_with_a_link_that_works_once(live: Live) -> None:
    tracker = live()
    greeting = tracker.start()
    assert tracker.url in greeting
    assert "/welcome/" in greeting
    assert (tracker.folder / "var" / "secret_key").stat().st_mode & 0o077 == 0
    tracker.person(role="admin")
    assert tracker.stop() == 0
    assert "/welcome/" not in tracker.start()
    assert tracker.stop() == 0


def test_an_idle_tracker_is_small(live: Live) -> None:
    """Goal: under 150 MB. The margin is for what other versions of Python and libraries bring."""
    tracker = live()
    tracker.start()
    api = tracker.person()
    for path in ("/me", "/sevs", "/datasets"):
        api.get(path)
    rss = eventually(tracker.rss_mb)
    tracker.stop()
    assert rss < 145
