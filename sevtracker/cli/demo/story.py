"""The incident: a patch within hours that did not close the access, and nobody knew for days. Here it takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sevtracker.cli.demo.browser import HEADER
from sevtracker.cli.demo.narrator import Narrator
from sevtracker.cli.demo.parts import Stage, Tempo
from sevtracker.cli.demo.postgres import DATABASE, TABLE

REVOKE_FROM_ROLE = "REVOKE SELECT ON tracking.events FROM employee"
REVOKE_FROM_PUBLIC = "REVOKE SELECT ON tracking.events FROM PUBLIC"
GRANT_AGAIN = "GRANT SELECT ON ALL TABLES IN SCHEMA tracking TO PUBLIC"


def play(on: Stage, tempo: Tempo, tell: Narrator) -> int:
    """Live through it. Returns the SEV's number. Raises NotSeen, or Refused for an answer that should not be."""
    story = _Story(on, tempo, tell)
    story.filed()
    story.first_patch()
    story.refused()
    story.second_patch()
    story.resolved()
    story.granted_again()
    return story.number


class _Story:
    def __init__(self, on: Stage, tempo: Tempo, tell: Narrator) -> None:
        self._on, self._api, self._tempo, self._tell = on, on.api, tempo, tell
        self.number = 0

    # ---- looking ---------------------------------------------------------------------------------------------

    def _sev(self) -> Any:
        return self._api.get(f"/sevs/{self.number}")

    def _expects(self, what: str, true: Callable[[Any], object]) -> Any:
        def look() -> Any:
            sev = self._sev()
            return sev if true(sev) else None

        return self._tell.expects(what, look, self._tempo.patience)

    def _path(self) -> str:
        return f"/sevs/{self.number}"

    # ---- chapters --------------------------------------------------------------------------------------------

    def filed(self) -> None:
        tell, on = self._tell, self._on
        tell.chapter("Everybody can read the tracking database")
        tell.says(
            f"PostgreSQL on 127.0.0.1:{on.postgres.port} holds {TABLE}, 500 rows about employees. A data browser on"
            f" 127.0.0.1:{on.browser.port} serves the same table. Both are real, and every role can read them."
        )
        self._api.post(
            "/datasets", {"slug": "mci-events", "name": "MCI tracking events", "owner": "Privacy", "programme": "mci"}
        )
        where = {"dataset": "mci-events", "control": "privacy-team"}
        sql = {
            "kind": "sql_read",
            "params": {"url": f"postgresql://127.0.0.1:{on.postgres.port}/{DATABASE}", "table": TABLE},
        }
        web = {"kind": "http", "params": {"url": f"http://127.0.0.1:{on.browser.port}/events.csv", "marker": HEADER}}
        for identity, way in (("employee", sql), ("employee", web), ("ex-session", sql)):
            check = self._api.post("/checks", {**where, **way, "identity": identity})
            tell.says(f"Check {check['id']}: can {identity} get in by {way['kind']}? privacy-team is the control.")
        filed = self._api.post(
            "/sevs",
            {
                "title": "Tracking database readable by all staff",
                "level": "SEV1",
                "datasets": ["mci-events"],
                "summary": "Noticed while debugging a dashboard. Any employee can select from it.",
            },
        )
        self.number = filed["number"]
        tell.says(f"Dana files {filed['key']}, a SEV1. Watch it live (the link signs you in, once):")
        tell.lists([on.signin, f"{on.url}/sevs/{self.number}"])
        self._expects(
            "reproduced: all three vantages got in",
            lambda sev: [v["verdict"] for v in sev["vantages"]] == ["open"] * 3 and sev["exposure"] == "exposed",
        )
        tell.rests(12)

    def first_patch(self) -> None:
        tell = self._tell
        tell.chapter("Patch 1: revoked from the role, while PUBLIC still reads")
        self._on.postgres.execute(REVOKE_FROM_ROLE)
        patch = self._api.post(f"{self._path()}/patches", {"summary": REVOKE_FROM_ROLE})
        tell.says("The team reports it as fixed. sevtracker does not take anybody's word for it.")
        self._expects(
            f"patch {patch['number']} has failed: seen open after it had settled",
            lambda sev: sev["patches"][0]["outcome"] == "failed" and sev["exposure"] == "exposed",
        )
        tell.rests(8)

    def refused(self) -> None:
        tell = self._tell
        tell.chapter("Somebody tries to resolve it all the same")
        answer = self._api.ask("POST", f"{self._path()}/resolve", {"summary": "Patched this morning."})
        blockers = answer.body.get("blockers", []) if isinstance(answer.body, dict) else []
        tell.expects(f"refused with {len(blockers)} blockers", lambda: answer.status == 409 and blockers, 0)
        tell.lists(b["message"] for b in blockers)
        tell.expects("the refusal is on the timeline", lambda: self._has("gate:refused"), self._tempo.patience)
        tell.rests(8)

    def _has(self, kind: str) -> bool:
        page = self._api.get(f"{self._path()}/timeline?limit=100")
        return any(item["kind"] == kind for item in page["items"])

    def second_patch(self) -> None:
        tell = self._tell
        tell.chapter("Patch 2: revoked from PUBLIC")
        self._on.postgres.execute(REVOKE_FROM_PUBLIC)
        self._api.post(f"{self._path()}/patches", {"summary": REVOKE_FROM_PUBLIC})
        self._expects(
            "all three vantages are denied, while the control still gets in",
            lambda sev: [v["verdict"] for v in sev["vantages"]] == ["closed"] * 3,
        )
        needed = self._sev()["vantages"][0]["needed"]
        tell.says(
            f"One closed proves nothing. It takes {needed} in a row over {self._tempo.soak:g} seconds (24 h in life)."
        )
        sev = self._expects("verified closed", lambda sev: sev["exposure"] == "verified")
        gap = sev["clocks"].get("false_fix_gap_s")
        if gap is not None:
            tell.says(f"The false-fix gap, between the claim and the closed door: {gap:.1f} seconds.")
        tell.rests(8)

    def resolved(self) -> None:
        tell, path = self._tell, self._path()
        tell.chapter("What people owe before it is resolved")
        answer = self._api.ask("POST", f"{path}/resolve", {"summary": "Closed."})
        owed = {b["code"] for b in answer.body.get("blockers", [])} if isinstance(answer.body, dict) else set()
        tell.expects(
            f"refused until it is done: {', '.join(sorted(owed))}",
            lambda: answer.status == 409 and owed == {"retest", "access_review", "sessions"},
            0,
        )
        self._api.post(f"{path}/retest", {"reason": "Dana tried again with her own account: permission denied."})
        self._api.post(f"{path}/access-review", {"reason": "No access logs exist for the time. Stated as such."})
        self._api.post(f"{path}/sessions-handled", {"reason": "Terminated 14 open sessions and 3 cursors."})
        answer = self._api.ask("POST", f"{path}/resolve", {"summary": "PUBLIC has no grant any more; verified."})
        tell.expects("resolved, on a last run of every check", lambda: answer.status == 200, 0)
        self._expects("the watch goes on", lambda sev: sev["status"] == "resolved" and sev["exposure"] == "watching")
        tell.rests(10)

    def granted_again(self) -> None:
        tell = self._tell
        tell.chapter("That night, a job grants everything to PUBLIC again")
        self._on.postgres.execute(GRANT_AGAIN)
        self._expects(
            "reopened by the next watch run; nobody had to notice",
            lambda sev: sev["status"] == "investigating" and sev["exposure"] == "exposed" and sev["reopens"] == 1,
        )
        tell.expects("it says so on the timeline", lambda: self._has("sev:reopened"), self._tempo.patience)
