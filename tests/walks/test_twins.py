"""Four checks that never saw their door open, on four real kinds of targets: unproven, then proven on canary twins."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from sevtracker.cli.demo.client import Api
from tests.checks.s3_server import BUCKET, KEY, S3Server, s3_server
from tests.checks.sites import CONTROL_SECRET, ROWS, Asked, Reply, Site, site
from tests.servers.mariadb import MariaDBServer
from tests.walks.conftest import Incident, Live
from tests.walks.living import POLICY, Living, eventually, sev_when

pytestmark = pytest.mark.slow

#: A week is six seconds.
FAST = POLICY.replace("[policy]", '[policy]\nproof_valid = "6s"\nprove_every = "1s"').replace("SEV1", "SEV3")
PASSWORD = "canary-password-of-mariadb"
LAX = {"list": False, "versions": False, "acl": False, "policy": False}


@pytest.fixture
def bucket() -> Iterator[S3Server]:
    with s3_server(iam=False) as running:
        running.put()
        yield running


@pytest.fixture
def pages() -> Iterator[Site]:
    """``/people`` and ``/canary/locked`` are for the control; ``/canary/open`` is for all."""

    def answer(asked: Asked) -> Reply:
        allowed = asked.path == "/canary/open" or asked.is_control
        return (200, {}, ROWS) if allowed else (403, {}, b"no")

    with site() as running:
        running.answer = answer
        yield running


@pytest.fixture
def locked_mariadb(private_mariadb: MariaDBServer) -> MariaDBServer:
    server = private_mariadb
    for user in ("staff", "control", "keeper"):
        server.create_user(user, PASSWORD)
    server.execute(
        "CREATE DATABASE hr",
        "CREATE TABLE hr.events (id int)",
        "INSERT INTO hr.events VALUES (1)",
        "GRANT SELECT ON hr.events TO 'control'@'%'",
        "GRANT CREATE, DROP, SELECT, INSERT ON sevtracker_twins.* TO 'keeper'@'%' WITH GRANT OPTION",
    )
    return server


@pytest.fixture
def locked_postgres(incident: Incident) -> Iterator[Incident]:
    keeper = f"keeper_{secrets.token_hex(4)}"
    incident.passwords[keeper] = PASSWORD
    incident.server.create_role(keeper, PASSWORD)
    incident.run(
        f"REVOKE ALL ON tracking.events FROM PUBLIC, {incident.employee}",
        f"GRANT CREATE ON DATABASE {incident.database} TO {keeper}",
    )
    yield incident
    incident.run(f"DROP OWNED BY {keeper}")
    incident.server.execute(f"DROP ROLE {keeper}")


def _identity(name: str, word: str, place: str, **told: str) -> str:
    lines = [f'[identities.{name}]\nclass = "{word}"\nhosts = ["{place}"]']
    return "\n".join([*lines, *(f'{key} = "{value}"' for key, value in told.items())])


@pytest.fixture
def tracker(
    live: Live, locked_postgres: Incident, locked_mariadb: MariaDBServer, bucket: S3Server, pages: Site
) -> Living:
    """Knows all four targets. Not started yet."""
    postgres, keeper = locked_postgres, next(r for r in locked_postgres.passwords if r.startswith("keeper"))
    places = [f"127.0.0.1:{port}" for port in (postgres.server.port, locked_mariadb.port, bucket.port, pages.port)]
    config = postgres.config.replace(f'allow = ["{places[0]}"]', f"allow = {places}".replace("'", '"'))
    more = [_identity("pg-keeper", "service", places[0], username=keeper, password="env:MARIA")]
    more += [
        _identity(f"maria-{user}", word, places[1], username=user, password="env:MARIA")
        for user, word in (("staff", "staff"), ("control", "control"), ("keeper", "service"))
    ]
    more += [
        _identity("s3-control", "control", places[2], username="privacy_team", password="env:CONTROL_SECRET"),
        _identity("s3-keeper", "service", places[2], username="admin", password="env:CONTROL_SECRET"),
        _identity("site-control", "control", places[3], token="env:CONTROL_SECRET"),
    ]
    environment = {**postgres.environment, "MARIA": PASSWORD, "CONTROL_SECRET": CONTROL_SECRET}
    return live("\n".join([config, *more]), environment, FAST)


def _check(api: Api, dataset: str, **given: Any) -> int:
    api.post("/datasets", {"slug": dataset, "name": dataset})
    return int(api.post("/checks", {"dataset": dataset, **given})["id"])


def _filed(api: Api, dataset: str) -> int:
    given = {"title": f"{dataset} may be readable by all staff", "level": "SEV3", "datasets": [dataset]}
    return int(api.post("/sevs", given)["number"])


def codes(sev: Any) -> set[str]:
    return {blocker["code"] for blocker in sev["gate"]["blockers"]}


def test_only_ever_closed_is_unproven_until_canary_twins_prove_it(
    tracker: Living, locked_postgres: Incident, locked_mariadb: MariaDBServer, bucket: S3Server, pages: Site
) -> None:
    tracker.start()
    api = tracker.person()
    maria = f"mariadb://127.0.0.1:{locked_mariadb.port}"
    people = {"identity": "employee", "control": "privacy-team"}
    checks = {
        "postgres": _check(
            api, "postgres", kind="sql_read", params={"url": locked_postgres.url, "table": "tracking.events"}, **people
        ),
        "mariadb": _check(
            api,
            "mariadb",
            kind="sql_read",
            identity="maria-staff",
            control="maria-control",
            params={"url": maria, "table": "hr.events"},
        ),
        "s3": _check(
            api,
            "s3",
            kind="s3",
            identity="anonymous",
            control="s3-control",
            params={"endpoint": bucket.url, "bucket": BUCKET, "key": KEY, **LAX},
        ),
        "http": _check(
            api,
            "http",
            kind="http",
            identity="anonymous",
            control="site-control",
            params={"url": pages.url("/people"), "marker": "MARKER-41"},
        ),
    }
    sevs = {name: _filed(api, name) for name in checks}
    for number in sevs.values():
        api.post(f"/sevs/{number}/patches", {"summary": "Revoked"})

    # Closed, again and again, and none of it proves anything: the checks never saw their doors open.
    for name, number in sevs.items():
        sev = sev_when(api, number, lambda s: s["exposure"] == "unproven")
        assert "unproven" in codes(sev)
        assert len(api.get(f"/checks/{checks[name]}/runs")["items"]) >= 1
        refused = api.ask("POST", f"/sevs/{number}/resolve", {"summary": "It was patched."})
        assert (refused.status, "unproven" in {b["code"] for b in refused.body["blockers"]}) == (409, True)

    # Twins: made by a keeper, on the command line or through the API; named by hand on the site.
    made = tracker.cli("twins", "make", str(checks["postgres"]), "--keeper", "pg-keeper", "--json")
    assert made.returncode == 0, made.stderr
    assert PASSWORD not in made.stdout + made.stderr
    for name, keeper in (("mariadb", "maria-keeper"), ("s3", "s3-keeper")):
        assert api.post(f"/checks/{checks[name]}/twins", {"keeper": keeper})["twins"]["keeper"] == keeper
    refused = api.ask("POST", f"/checks/{checks['http']}/twins", {"keeper": "site-control"})
    assert (refused.status, "by hand" in refused.body["detail"]) == (409, True)
    elsewhere = {"open": {"url": "http://127.0.0.1:1/open"}, "locked": {"url": pages.url("/canary/locked")}}
    refused = api.ask("PATCH", f"/checks/{checks['http']}", {"twins": elsewhere})
    assert refused.status == 422
    assert [e["field"] for e in refused.body["errors"]] == ["twins.open.url"]
    by_hand = {"open": {"url": pages.url("/canary/open")}, "locked": {"url": pages.url("/canary/locked")}}
    assert api.ask("PATCH", f"/checks/{checks['http']}", {"twins": by_hand}).status == 200

    # Proven, verified, resolved; and the proof is renewed while the watch goes on.
    for name, number in sevs.items():
        sev_when(api, number, lambda s: s["exposure"] == "verified")
        answer = api.ask("POST", f"/sevs/{number}/resolve", {"summary": "No grant is left."})
        assert answer.status == 200, (name, answer.body)
        kinds = [item["kind"] for item in api.get(f"/sevs/{number}/timeline?limit=200")["items"]]
        assert "twins:proven" in kinds
    first = api.get(f"/checks/{checks['postgres']}")["twins"]["proved_at"]
    eventually(lambda: api.get(f"/checks/{checks['postgres']}")["twins"]["proved_at"] != first)

    # A locked twin that somebody opens proves nothing any more; the target's verdict is its own.
    locked_postgres.run(f"GRANT SELECT ON sevtracker_twins.locked_{checks['postgres']} TO {locked_postgres.employee}")
    shown = eventually(lambda: (c := api.get(f"/checks/{checks['postgres']}"))["twins"]["wrong"] and c)
    assert "the locked twin was open" in shown["twins"]["wrong"]
    assert shown["verdict"] == "closed"
    [run] = api.get(f"/checks/{checks['postgres']}/runs?limit=1")["items"]
    assert [step["ok"] for step in run["steps"] if step["phase"] == "twins"] == [True, False]

    # Dropped, they leave nothing behind.
    assert tracker.cli("twins", "drop", str(checks["postgres"])).returncode == 0
    left = "SELECT 1 FROM pg_namespace WHERE nspname = 'sevtracker_twins'"
    assert locked_postgres.server.execute(left, database=locked_postgres.database) == []
    assert tracker.cli("twins", "drop", str(checks["mariadb"])).returncode == 0
    assert locked_mariadb.execute("SHOW TABLES IN sevtracker_twins") == []
    assert api.ask("POST", f"/checks/{checks['s3']}/twins/drop").status == 200
    assert [one["Key"] for one in bucket.s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [KEY]
    again = tracker.cli("twins", "drop", str(checks["s3"]))
    assert (again.returncode, "made by sevtracker" in again.stderr) == (1, True)
    assert tracker.stop() == 0
    _no_secret_is_kept(tracker)


def test_a_proof_that_is_not_renewed_ends(live: Live, locked_postgres: Incident) -> None:
    keeper = next(role for role in locked_postgres.passwords if role.startswith("keeper"))
    place = f"127.0.0.1:{locked_postgres.server.port}"
    identity = _identity("pg-keeper", "service", place, username=keeper, password=f"env:PW_{keeper.upper()}")
    tracker = live("\n".join([locked_postgres.config, identity]), locked_postgres.environment, FAST)
    tracker.start()
    api = tracker.person()
    params = {"url": locked_postgres.url, "table": "tracking.events"}
    check = _check(api, "postgres", kind="sql_read", identity="employee", control="privacy-team", params=params)
    number = _filed(api, "postgres")
    api.post(f"/sevs/{number}/patches", {"summary": "Revoked"})
    api.post(f"/checks/{check}/twins", {"keeper": "pg-keeper"})
    sev_when(api, number, lambda s: s["exposure"] == "verified")
    locked_postgres.run(f"DROP TABLE sevtracker_twins.open_{check}")
    sev = sev_when(api, number, lambda s: s["exposure"] == "unproven", seconds=30)
    assert "unproven" in codes(sev)
    assert sev["vantages"][0]["verdict"] == "closed"
    api.post(f"/checks/{check}/twins", {"keeper": "pg-keeper"})
    sev_when(api, number, lambda s: s["exposure"] == "verified")
    assert tracker.stop() == 0


def _no_secret_is_kept(tracker: Living) -> None:
    canaries = [PASSWORD, CONTROL_SECRET]
    kept = {str(path): path.read_bytes() for path in tracker.folder.rglob("*") if path.is_file()}
    kept.pop(str(tracker.file))
    assert [name for name, content in kept.items() for canary in canaries if canary.encode() in content] == []
