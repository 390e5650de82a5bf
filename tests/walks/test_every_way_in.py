"""What remains open around a patched door, through the API of a tracker that lives, before real servers."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sevtracker.cli.demo.client import Api
from tests.checks.machine import STRANGER, needs_root, reachable_folder
from tests.checks.s3_server import BUCKET, S3Server, public, s3_server
from tests.servers import mariadb as mariadb_
from tests.servers import postgres as postgres_
from tests.walks.living import POLICY, Living, eventually, sev_when

pytestmark = pytest.mark.slow

STAFF, CONTROL, KEEPER = "walk_staff", "walk_privacy", "walk_keeper"
PASSWORD = "canary-password-Wk7"


@dataclass
class Street:
    """The tracker, and the doors along it. Everybody's names are this module's own."""

    tracker: Living
    dana: Api
    priya: Api
    vera: Api
    postgres: postgres_.PostgresServer
    mariadb: mariadb_.MariaDBServer
    s3: S3Server
    folder: Path
    database: str

    def pg(self, *statements: str) -> list[tuple[Any, ...]]:
        return self.postgres.execute(*statements, database=self.database)

    @property
    def pg_url(self) -> str:
        return f"postgresql://127.0.0.1:{self.postgres.port}/{self.database}"

    def dataset(self) -> str:
        slug = f"d-{secrets.token_hex(4)}"
        self.dana.post("/datasets", {"slug": slug, "name": slug})
        return slug

    def check(self, dataset: str, kind: str, identity: str, control: str | None = None, **params: Any) -> int:
        given = {"dataset": dataset, "kind": kind, "identity": identity, "control": control, "params": params}
        return int(self.dana.post("/checks", given)["id"])

    def seen(self, check: int, seconds: float = 60.0) -> Any:
        """The first run of a check."""
        runs: Callable[[], Any] = lambda: self.dana.get(f"/checks/{check}/runs")["items"]  # noqa: E731  # asked again
        return eventually(runs, seconds)[-1]

    def next(self, check: int) -> Any:
        """A run that was asked for now."""
        before = self.dana.get(f"/checks/{check}/runs?limit=1")["items"][0]["id"]
        self.dana.post(f"/checks/{check}/run")

        def newer() -> Any:
            [run] = self.dana.get(f"/checks/{check}/runs?limit=1")["items"]
            return run if run["id"] > before else None

        return eventually(newer)

    def becomes(self, check: int, verdict: str, seconds: float = 60.0) -> Any:
        """The newest run, once it has that verdict."""

        def look() -> Any:
            runs = self.dana.get(f"/checks/{check}/runs?limit=1")["items"]
            return runs[0] if runs and runs[0]["verdict"] == verdict else None

        return eventually(look, seconds)

    def file(self, dataset: str, level: str = "SEV3") -> int:
        return int(self.dana.post("/sevs", {"title": "Readable", "level": level, "datasets": [dataset]})["number"])

    def kinds(self, number: int) -> list[str]:
        return [item["kind"] for item in self.dana.get(f"/sevs/{number}/timeline?limit=400")["items"]]


def _config(street: dict[str, str]) -> str:
    places = f'["{street["pg"]}", "{street["my"]}", "{street["s3"]}"]'
    people = {"staff": STAFF, "control": CONTROL, "service": KEEPER}
    lines = [f'[targets]\nallow = {places}\npaths = ["{street["folder"]}"]']
    for cls, name in people.items():
        lines.append(
            f'[identities.{name}]\nclass = "{cls}"\nusername = "{name}"\npassword = "env:WALK_PASSWORD"\n'
            f"hosts = {places}"
        )
    lines.append('[identities.file-owner]\nclass = "control"\nusername = "root"')
    lines.append(f'[identities.stranger]\nclass = "staff"\nusername = "{STRANGER}"')
    return "\n".join(lines)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    postgres, mariadb = postgres_.new_server(), mariadb_.new_server()
    with s3_server(iam=False) as s3, reachable_folder() as folder:
        database = "hr"
        for name in (STAFF, CONTROL, KEEPER, "walk_other"):
            postgres.create_role(name, PASSWORD)
            mariadb.create_user(name, PASSWORD)
        postgres.create_database(database, owner="postgres")
        postgres.execute(f"GRANT CREATE ON DATABASE {database} TO {KEEPER}")
        postgres.execute(f"ALTER ROLE {postgres_.OWNER} NOCREATEROLE")  # before 16 it could grant itself everything
        mariadb.execute(f"GRANT ALL ON *.* TO '{KEEPER}'@'%' WITH GRANT OPTION")
        places = {
            "pg": f"127.0.0.1:{postgres.port}",
            "my": f"127.0.0.1:{mariadb.port}",
            "s3": f"127.0.0.1:{s3.port}",
            "folder": str(folder),
        }
        own = tmp_path_factory.mktemp("street")
        fast = POLICY.replace(
            "[policy.SEV1]", '[policy.SEV3]\ninterval = "1s"\nconsecutive = 3\nsoak = "2s"\n[policy.SEV1]'
        )
        tracker = Living(own, _config(places) + fast, {"WALK_PASSWORD": PASSWORD})
        tracker.start()
        people = {n: tracker.person(f"{n}@example.org", r) for n, r in
                  (("dana", "engineer"), ("priya", "engineer"), ("vera", "executive"))}  # fmt: skip
        try:
            yield Street(
                tracker, people["dana"], people["priya"], people["vera"], postgres, mariadb, s3, folder, database
            )
        finally:
            tracker.stop()
            postgres.stop()
            mariadb.stop()


def _schema(street: Street) -> str:
    """A schema with a table ``events`` that the control reads; everybody may look into the schema."""
    name = f"s_{secrets.token_hex(4)}"
    street.pg(
        f"CREATE SCHEMA {name}",
        f"GRANT USAGE ON SCHEMA {name} TO PUBLIC",
        f"CREATE TABLE {name}.events (id int, who text, at timestamptz DEFAULT now()) PARTITION BY RANGE (id)",
        f"CREATE TABLE {name}.events_low PARTITION OF {name}.events FOR VALUES FROM (0) TO (100)",
        f"INSERT INTO {name}.events VALUES (1, 'canary-row')",
        f"GRANT SELECT ON {name}.events TO {CONTROL}",
    )
    return name


def _grants(street: Street, schema: str, table: str = "events") -> int:
    return street.check(
        street.dataset(), "sql_grants", CONTROL, url=street.pg_url, table=f"{schema}.{table}", allowed_roles=[CONTROL]
    )


def test_a_view_of_its_owner_is_a_way_in_and_is_suggested_until_it_asks_for_the_readers_own_rights(
    street: Street,
) -> None:
    schema, dataset = _schema(street), street.dataset()
    street.pg(
        f"CREATE VIEW {schema}.by_day AS SELECT * FROM {schema}.events",
        f"GRANT SELECT ON {schema}.by_day TO {STAFF}, {CONTROL}",
    )
    table = street.check(dataset, "sql_read", STAFF, CONTROL, url=street.pg_url, table=f"{schema}.events")
    grants = street.check(
        dataset, "sql_grants", CONTROL, url=street.pg_url, table=f"{schema}.events", allowed_roles=[CONTROL]
    )
    number = street.file(dataset)
    assert street.becomes(table, "closed")["reason"] == "denied"
    assert street.becomes(grants, "open")["reason"] == "grant_found"
    [found] = [
        s for s in street.dana.get(f"/sevs/{number}")["suggestions"] if s["params"]["table"] == f"{schema}.by_day"
    ]
    assert (found["state"], found["identity"], found["kind"]) == ("proposed", STAFF, "sql_read")
    view = street.dana.post(f"/suggestions/{found['id']}/accept")["id"]
    assert street.becomes(view, "open")["reason"] == "row_read"
    sev = sev_when(street.dana, number, lambda s: s["exposure"] == "exposed")
    assert {b["check"] for b in sev["gate"]["blockers"] if b["code"] == "open"} == {grants, view}
    street.pg(f"ALTER VIEW {schema}.by_day SET (security_invoker = true)")
    assert street.next(view)["verdict"] == "closed"
    assert street.next(grants)["verdict"] == "closed"


@pytest.mark.parametrize(
    ("open_it", "shut_it"),
    [
        ("GRANT SELECT ON {s}.events_low TO {staff}", "REVOKE SELECT ON {s}.events_low FROM {staff}"),
        (
            "CREATE MATERIALIZED VIEW {s}.copy AS SELECT * FROM {s}.events; GRANT SELECT ON {s}.copy TO {staff}",
            "REVOKE SELECT ON {s}.copy FROM {staff}",
        ),
        ("GRANT pg_read_all_data TO {staff}", "REVOKE pg_read_all_data FROM {staff}"),
        (
            "CREATE ROLE readers_{s}; GRANT SELECT ON {s}.events TO readers_{s}; ALTER ROLE {staff} NOINHERIT;"
            " GRANT readers_{s} TO {staff}",
            "REVOKE readers_{s} FROM {staff}; ALTER ROLE {staff} INHERIT",
        ),
        (
            "CREATE FUNCTION {s}.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
            " AS 'SELECT count(*) FROM {s}.events'",
            "REVOKE EXECUTE ON FUNCTION {s}.peek() FROM PUBLIC",
        ),
        (
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT ON TABLES TO {staff}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {s} REVOKE SELECT ON TABLES FROM {staff}",
        ),
        ("GRANT SELECT (who) ON {s}.events TO {staff}", "REVOKE SELECT (who) ON {s}.events FROM {staff}"),
        ("GRANT SELECT ON {s}.events TO PUBLIC", "REVOKE SELECT ON {s}.events FROM PUBLIC"),
    ],
    ids=["partition", "matview", "pg_read_all_data", "set-role", "security-definer", "defaults", "column", "public"],
)
def test_grants_around_a_table_are_open_until_they_are_gone(street: Street, open_it: str, shut_it: str) -> None:
    schema = _schema(street)
    check = _grants(street, schema)
    assert street.becomes(check, "closed")["reason"] == "no_grant"
    street.pg(open_it.format(s=schema, staff=STAFF))
    assert (street.next(check)["verdict"], street.next(check)["reason"]) == ("open", "grant_found")
    street.pg(shut_it.format(s=schema, staff=STAFF))
    assert street.next(check)["verdict"] == "closed"


def test_a_session_from_before_a_global_revoke_reads_on_until_it_is_killed(street: Street) -> None:
    database = street.mariadb.create_database()
    name = database.rsplit("/", 1)[-1]
    street.mariadb.execute(
        f"CREATE TABLE {name}.events (id int, who text)",
        f"INSERT INTO {name}.events VALUES (1, 'canary-row')",
        f"GRANT SELECT ON *.* TO '{STAFF}'@'%'",
        f"GRANT SELECT ON {name}.* TO '{CONTROL}'@'%'",
    )
    place = {"url": f"mariadb://127.0.0.1:{street.mariadb.port}", "table": f"{name}.events"}
    dataset = street.dataset()
    held = street.check(dataset, "sql_read", STAFF, CONTROL, held=True, **place)
    fresh = street.check(dataset, "sql_read", STAFF, CONTROL, **place)
    street.becomes(held, "open")
    street.becomes(fresh, "open")
    street.mariadb.execute(f"REVOKE SELECT ON *.* FROM '{STAFF}'@'%'")
    assert street.next(fresh)["verdict"] == "closed"
    assert street.next(held)["verdict"] == "open"
    [(session,)] = street.mariadb.execute(
        f"SELECT id FROM information_schema.processlist WHERE user = '{STAFF}' ORDER BY id LIMIT 1"
    )
    street.mariadb.execute(f"KILL {session}")
    assert street.next(held)["verdict"] == "closed"


def test_one_object_stays_public_when_the_buckets_policy_is_gone(street: Street) -> None:
    for key in ("a.csv", "b.csv"):
        street.s3.put(key)
    street.s3.policy(public())
    shared = {
        "endpoint": street.s3.url,
        "bucket": BUCKET,
        "list": False,
        "versions": False,
        "acl": False,
        "policy": False,
    }
    dataset = street.dataset()
    checks = [street.check(dataset, "s3", "anonymous", CONTROL, key=key, **shared) for key in ("a.csv", "b.csv")]
    for check in checks:
        assert street.becomes(check, "open")["reason"] == "content_served"
    street.s3.s3.put_object_acl(Bucket=BUCKET, Key="b.csv", ACL="public-read")
    street.s3.s3.delete_bucket_policy(Bucket=BUCKET)
    assert [street.next(check)["verdict"] for check in checks] == ["closed", "open"]


@needs_root
def test_an_acl_lets_another_user_read_a_file_of_mode_0640(street: Street) -> None:
    file = street.folder / "rows.csv"
    file.write_text("canary")
    file.chmod(0o640)
    check = street.check(street.dataset(), "filesystem", "stranger", "file-owner", path=str(file), uid=STRANGER)
    assert street.becomes(check, "closed")["reason"] == "denied"
    _acl(file, STRANGER)
    assert street.next(check)["reason"] == "file_opened"
    os.removexattr(file, "system.posix_acl_access")
    assert street.next(check)["verdict"] == "closed"


def _acl(file: Path, uid: int) -> None:
    """What ``setfacl -m u:UID:r`` does, where that program isn't installed."""
    entries = [
        (0x01, 6, 0xFFFFFFFF),
        (0x02, 4, uid),
        (0x04, 4, 0xFFFFFFFF),
        (0x10, 4, 0xFFFFFFFF),
        (0x20, 0, 0xFFFFFFFF),
    ]
    packed = (2).to_bytes(4, "little")
    for tag, perm, who in entries:
        packed += tag.to_bytes(2, "little") + perm.to_bytes(2, "little") + who.to_bytes(4, "little")
    os.setxattr(file, "system.posix_acl_access", packed)


def test_a_pause_is_proven_only_while_another_producer_goes_on(street: Street) -> None:
    schema = f"s_{secrets.token_hex(4)}"
    street.pg(f"CREATE SCHEMA {schema}", f"GRANT USAGE ON SCHEMA {schema} TO {CONTROL}")
    for table in ("events", "heartbeat"):
        street.pg(
            f"CREATE TABLE {schema}.{table} (at timestamptz DEFAULT clock_timestamp())",
            f"INSERT INTO {schema}.{table} DEFAULT VALUES",
            f"GRANT SELECT ON {schema}.{table} TO {CONTROL}",
        )
    check = street.check(
        street.dataset(),
        "collection_stopped",
        CONTROL,
        url=street.pg_url,
        table=f"{schema}.events",
        time_columns=["at"],
        control_table=f"{schema}.heartbeat",
        control_columns=["at"],
        normal_interval="1s",
    )
    street.seen(check)
    writers = [_writing(street, f"{schema}.events"), _writing(street, f"{schema}.heartbeat")]
    try:
        assert eventually(lambda: street.next(check)["reason"] == "still_collecting", 30)
        writers[0].terminate()
        writers[0].wait()
        assert eventually(lambda: street.next(check)["verdict"] == "closed", 60)
        writers[1].terminate()
        writers[1].wait()
        assert eventually(lambda: street.next(check)["reason"] == "control_failed", 60)
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()


def _writing(street: Street, table: str) -> subprocess.Popen[bytes]:
    """A producer of its own process: a row every 50 ms."""
    import sys

    script = (
        "import psycopg, sys, time\n"
        "with psycopg.connect(sys.argv[1], autocommit=True) as c:\n"
        "    while True:\n"
        "        c.execute(f'INSERT INTO {sys.argv[2]} DEFAULT VALUES')\n"
        "        time.sleep(0.05)\n"
    )
    return subprocess.Popen([sys.executable, "-c", script, street.postgres.dsn(street.database), table])


# ---- proof, guards, waivers --------------------------------------------------------------------------------------


def _closed_table(street: Street) -> tuple[str, str, int]:
    """A dataset whose table was never open to staff. (schema, dataset, check)"""
    schema, dataset = _schema(street), street.dataset()
    check = street.check(dataset, "sql_read", STAFF, CONTROL, url=street.pg_url, table=f"{schema}.events")
    street.becomes(check, "closed")
    return schema, dataset, check


def test_what_was_only_ever_closed_is_unproven_until_twins_prove_it(street: Street) -> None:
    _, dataset, check = _closed_table(street)
    number = street.file(dataset)
    street.dana.post(f"/sevs/{number}/patches", {"summary": "Never open, they say"})
    sev = sev_when(street.dana, number, lambda s: s["exposure"] == "unproven")
    assert "unproven" in {b["code"] for b in sev["gate"]["blockers"]}
    street.priya.post(f"/checks/{check}/twins", {"keeper": KEEPER})
    sev = sev_when(street.dana, number, lambda s: s["exposure"] == "verified", 60)
    assert sev["vantages"][0]["proven"]
    assert street.priya.post(f"/sevs/{number}/resolve", {"summary": "Proven on twins."})["status"] == "resolved"


def test_an_edit_mid_soak_voids_proof_and_streak(street: Street) -> None:
    schema, dataset, check = _closed_table(street)
    street.pg(f"GRANT SELECT ON {schema}.events TO {STAFF}")
    number = street.file(dataset)
    sev_when(street.dana, number, lambda s: s["exposure"] == "exposed")
    street.pg(f"REVOKE SELECT ON {schema}.events FROM {STAFF}")
    street.dana.post(f"/sevs/{number}/patches", {"summary": "Revoked"})
    sev_when(street.dana, number, lambda s: s["vantages"][0]["streak"] >= 1)
    answer = street.priya.ask("PATCH", f"/checks/{check}", {"params": {
        "url": street.pg_url, "table": f"{schema}.events", "sensitive_columns": ["who"]}})  # fmt: skip
    assert answer.status == 200, answer.body
    sev_when(street.dana, number, lambda s: s["exposure"] == "unproven")
    assert "check:changed" in street.kinds(number)


def test_who_logged_the_patch_cannot_touch_its_check_and_the_attempt_is_on_the_record(street: Street) -> None:
    schema, dataset, check = _closed_table(street)
    street.pg(f"GRANT SELECT ON {schema}.events TO {STAFF}")
    number = street.file(dataset)
    sev_when(street.dana, number, lambda s: s["exposure"] == "exposed")
    street.pg(f"REVOKE SELECT ON {schema}.events FROM {STAFF}")
    street.dana.post(f"/sevs/{number}/patches", {"summary": "Revoked"})
    sev_when(street.dana, number, lambda s: s["vantages"][0]["verdict"] == "closed")
    for method, path, body in (
        ("PATCH", f"/checks/{check}", {"required": False}),
        ("PATCH", f"/checks/{check}", {"enabled": False}),
        ("PATCH", f"/checks/{check}", {"params": {"url": street.pg_url, "table": "tracking.nowhere"}}),
        ("DELETE", f"/checks/{check}", None),
    ):
        answer = street.dana.ask(method, path, body)
        assert answer.status == 403, (method, body, answer.body)
    assert street.kinds(number).count("check:change_refused") == 4
    assert street.dana.get(f"/checks/{check}")["enabled"]
    waiting = [p for p in street.priya.get(f"/checks/{check}/proposals")["items"] if p["state"] == "proposed"]
    assert len(waiting) == 1
    street.priya.post(f"/checks/{check}/proposals/{waiting[0]['id']}/deny", {"reason": "It judges your patch."})
    assert street.dana.get(f"/checks/{check}")["enabled"]


def test_taking_the_open_check_away_clears_nothing_and_a_waiver_ends(street: Street) -> None:
    schema, dataset, check = _closed_table(street)
    street.pg(f"GRANT SELECT ON {schema}.events TO {STAFF}")
    extra = street.check(dataset, "sql_read", "walk_keeper", CONTROL, url=street.pg_url, table=f"{schema}.events")
    number = street.file(dataset)
    sev_when(street.dana, number, lambda s: s["exposure"] == "exposed")
    assert street.priya.ask("DELETE", f"/checks/{check}").status == 409
    assert street.priya.ask("PATCH", f"/checks/{check}", {"enabled": False}).status == 409
    street.dana.post(f"/sevs/{number}/patches", {"summary": "One of two doors"})
    sev = sev_when(street.dana, number, lambda s: {v["verdict"] for v in s["vantages"]} == {"open", "closed"})
    assert "open" in {b["code"] for b in sev["gate"]["blockers"]}
    assert street.dana.ask("POST", f"/sevs/{number}/waivers", {"check": check, "reason": "x", "days": 1}).status == 403
    assert extra
    waived = street.vera.ask(
        "POST", f"/sevs/{number}/waivers", {"check": check, "reason": "The reader is our auditor.", "days": 1}
    )
    assert waived.status == 201, waived.body
    sev = street.dana.get(f"/sevs/{number}")
    assert sev["exposure"] == "exposed"
    assert "open" not in {b["code"] for b in sev["gate"]["blockers"]}
    street.vera.post(f"/sevs/{number}/waivers/{waived.body['id']}/revoke", {"reason": "It was not."})
    sev = street.dana.get(f"/sevs/{number}")
    assert "open" in {b["code"] for b in sev["gate"]["blockers"]}
