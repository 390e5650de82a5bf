"""The traps of PostgreSQL, on a real one."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from sevtracker.checks.interface import Observation, Result
from sevtracker.domain.vocabulary import Phase
from tests.checks.people import create_roles
from tests.checks.sites import STAFF_SECRET, ShiftedClock, World, outcome
from tests.servers.postgres import PostgresServer


@dataclass
class Hr:
    """A database with a table of staff data, a role for everybody's employee, and the privacy team's."""

    server: PostgresServer
    database: str

    def run(self, *statements: str) -> None:
        self.server.execute(*statements, database=self.database)

    def look(
        self, table: str = "tracking.events", world: World | None = None, identity: str = "any-employee", **params: Any
    ) -> Observation:
        url = f"postgresql://127.0.0.1:{self.server.port}/{self.database}"
        return (world or World()).look("sql_read", {"url": url, "table": table, **params}, identity, "privacy-team")


@pytest.fixture
def hr(postgres: PostgresServer) -> Iterator[Hr]:
    create_roles(postgres)
    database = f"hr_{secrets.token_hex(4)}"
    postgres.create_database(database)
    made = Hr(postgres, database)
    made.run(
        "CREATE SCHEMA tracking",
        "CREATE TABLE tracking.events (id int, ssn text)",
        "INSERT INTO tracking.events VALUES (1, 'canary-078-05-1120')",
        "GRANT USAGE ON SCHEMA tracking TO any_employee, privacy_team",
        "GRANT SELECT ON tracking.events TO privacy_team",
    )
    yield made
    postgres.drop_database(database)


def test_a_revoke_from_the_role_while_public_still_reads_is_open(hr: Hr) -> None:
    hr.run("GRANT SELECT ON tracking.events TO any_employee, PUBLIC", "REVOKE ALL ON tracking.events FROM any_employee")
    assert outcome(hr.look()) == ("open", "row_read")


def test_a_table_without_any_grant_is_closed(hr: Hr) -> None:
    seen = hr.look()
    assert (outcome(seen), seen.control) == (("closed", "denied"), Result.got_in)
    assert [step.phase for step in seen.steps] == [Phase.connect, Phase.self_test, Phase.target, Phase.control]


def test_a_column_grant_that_was_left_is_open(hr: Hr) -> None:
    hr.run("GRANT SELECT (id) ON tracking.events TO any_employee")
    assert hr.look().verdict == "open"
    assert hr.look(sensitive_columns=["ssn"]).verdict == "open"


def test_a_sensitive_column_that_the_control_cannot_see_confirms_nothing(hr: Hr) -> None:
    assert outcome(hr.look(sensitive_columns=["ssn", "id"])) == ("closed", "denied")
    hr.run("ALTER TABLE tracking.events RENAME COLUMN ssn TO social")
    assert outcome(hr.look(sensitive_columns=["ssn"])) == ("inconclusive", "control_failed")


def test_row_level_security_that_returns_nothing_is_filtered_unless_it_is_the_fix(hr: Hr) -> None:
    hr.run(
        "GRANT SELECT ON tracking.events TO any_employee",
        "ALTER TABLE tracking.events ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY privacy ON tracking.events TO privacy_team USING (true)",
    )
    assert outcome(hr.look()) == ("inconclusive", "rls_filtered")
    assert outcome(hr.look(rls_is_fix=True)) == ("closed", "rls_denied")
    hr.run("CREATE POLICY own ON tracking.events TO any_employee USING (id = 1)")
    assert outcome(hr.look(rls_is_fix=True)) == ("open", "row_read")


def test_row_level_security_as_the_fix_needs_a_control_that_sees_a_row(hr: Hr) -> None:
    hr.run("GRANT SELECT ON tracking.events TO any_employee", "ALTER TABLE tracking.events ENABLE ROW LEVEL SECURITY")
    assert outcome(hr.look(rls_is_fix=True)) == ("inconclusive", "control_failed")


@pytest.mark.parametrize("rls_is_fix", [False, True])
def test_an_empty_table_proves_nothing(hr: Hr, rls_is_fix: bool) -> None:
    hr.run("TRUNCATE tracking.events", "GRANT SELECT ON tracking.events TO any_employee")
    assert outcome(hr.look(rls_is_fix=rls_is_fix)) == ("inconclusive", "empty")
    hr.run("REVOKE SELECT ON tracking.events FROM any_employee")
    assert outcome(hr.look(rls_is_fix=rls_is_fix)) == ("inconclusive", "empty")


def test_a_view_that_shows_a_person_no_rows_is_empty_although_the_control_sees_some(hr: Hr) -> None:
    hr.run(
        "CREATE VIEW tracking.mine AS SELECT * FROM tracking.events WHERE current_user = 'privacy_team'",
        "GRANT SELECT ON tracking.mine TO PUBLIC",
    )
    seen = hr.look("tracking.mine")
    assert (outcome(seen), seen.control) == (("inconclusive", "empty"), Result.got_in)


@pytest.mark.parametrize("table", ["tracking.event", "trackin.events", "Tracking.events"])
def test_a_misspelt_table_is_control_failed(hr: Hr, table: str) -> None:
    assert outcome(hr.look(table)) == ("inconclusive", "control_failed")


def test_a_renamed_table_is_control_failed(hr: Hr) -> None:
    hr.run("ALTER TABLE tracking.events RENAME TO events_2")
    assert outcome(hr.look()) == ("inconclusive", "control_failed")


def test_a_table_in_a_schema_without_usage_is_closed_only_while_it_exists(hr: Hr) -> None:
    hr.run("GRANT SELECT ON tracking.events TO any_employee", "REVOKE USAGE ON SCHEMA tracking FROM any_employee")
    assert outcome(hr.look()) == ("closed", "denied")
    assert outcome(hr.look("tracking.no_such")) == ("inconclusive", "control_failed")


def test_a_dead_password_is_auth_failed(hr: Hr) -> None:
    seen = hr.look(identity="dead-password")
    assert (outcome(seen), seen.steps[-1].phase) == (("inconclusive", "auth_failed"), Phase.self_test)


def test_connect_revoked_on_the_database_comes_before_the_target_and_is_no_denial(hr: Hr) -> None:
    hr.run(
        f"REVOKE CONNECT ON DATABASE {hr.database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {hr.database} TO privacy_team",
    )
    assert outcome(hr.look()) == ("inconclusive", "auth_failed")


def test_a_database_that_is_not_there_is_no_denial(hr: Hr) -> None:
    assert Hr(hr.server, "no_such_database").look().verdict == "inconclusive"


def test_tls_where_the_server_has_none_is_tls(hr: Hr) -> None:
    url = f"postgresql://127.0.0.1:{hr.server.port}/{hr.database}?sslmode=require"
    seen = World().look("sql_read", {"url": url, "table": "tracking.events"}, "any-employee", "privacy-team")
    assert outcome(seen) == ("inconclusive", "tls")


def test_a_locked_table_is_given_up_in_time(hr: Hr) -> None:
    hr.run("GRANT SELECT ON tracking.events TO any_employee")
    with psycopg.connect(hr.server.dsn(hr.database)) as holder:
        holder.execute("LOCK TABLE tracking.events IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        assert outcome(hr.look(timeout=1)) == ("inconclusive", "timeout")
        assert time.monotonic() - began < 3


def test_a_view_that_tries_to_write_cannot(hr: Hr) -> None:
    hr.run(
        "CREATE TABLE tracking.log (at timestamptz)",
        "CREATE FUNCTION tracking.wipe() RETURNS int LANGUAGE sql SECURITY DEFINER AS"
        " 'INSERT INTO tracking.log VALUES (now()); SELECT 1'",
        "CREATE VIEW tracking.trap AS SELECT tracking.wipe() AS x FROM tracking.events WHERE tracking.wipe() = 1",
        "GRANT SELECT ON tracking.trap TO PUBLIC",
    )
    assert outcome(hr.look("tracking.trap")) == ("inconclusive", "server_error")
    assert hr.server.execute("SELECT count(*) FROM tracking.log", database=hr.database) == [(0,)]


@pytest.mark.parametrize(
    ("written", "sql"),
    [
        ('tracking."; DROP TABLE tracking.events; --"', '"; DROP TABLE tracking.events; --"'),
        ('tracking."a""b.c"', '"a""b.c"'),
        ("tracking.Überwachung 100%s %(x)s", '"Überwachung 100%s %(x)s"'),
        ("tracking.select", '"select"'),
    ],
)
def test_any_name_is_quoted(hr: Hr, written: str, sql: str) -> None:
    hr.run(f'CREATE TABLE tracking.{sql} ("x\'y%s" int)', f"INSERT INTO tracking.{sql} VALUES (1)")
    hr.run(f"GRANT SELECT ON tracking.{sql} TO privacy_team")
    assert outcome(hr.look(written, sensitive_columns=["x'y%s"])) == ("closed", "denied")
    hr.run(f'GRANT SELECT ("x\'y%s") ON tracking.{sql} TO any_employee')
    assert hr.look(written, sensitive_columns=["x'y%s"]).verdict == "open"
    hr.run("SELECT 1 FROM tracking.events")


def test_a_clock_more_than_a_minute_off_makes_a_would_be_closed_clock_skew(hr: Hr) -> None:
    assert outcome(hr.look(world=World(clock=ShiftedClock(90)))) == ("inconclusive", "clock_skew")
    assert outcome(hr.look(world=World(clock=ShiftedClock(-90)))) == ("inconclusive", "clock_skew")
    assert outcome(hr.look(world=World(clock=ShiftedClock(30)))) == ("closed", "denied")
    hr.run("GRANT SELECT ON tracking.events TO any_employee")
    assert outcome(hr.look(world=World(clock=ShiftedClock(90)))) == ("open", "row_read")


def test_the_libpq_environment_is_not_used(hr: Hr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", STAFF_SECRET)
    monkeypatch.setenv("PGHOSTADDR", "169.254.169.254")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=tracking")
    assert outcome(hr.look(identity="dead-password")) == ("inconclusive", "auth_failed")
    assert outcome(hr.look()) == ("closed", "denied")


def test_a_session_leaves_nothing_behind_and_says_who_it_is(hr: Hr) -> None:
    hr.look()
    deadline = time.monotonic() + 5
    question = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{hr.database}' AND usename <> 'postgres'"
    while hr.server.execute(question) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_threads_do_not_mix_their_connections_up(hr: Hr) -> None:
    hr.run(
        "CREATE TABLE tracking.open (id int)",
        "INSERT INTO tracking.open VALUES (1)",
        "GRANT SELECT ON tracking.open TO PUBLIC",
    )
    found: list[tuple[str, str, str]] = []

    def work(table: str) -> None:
        found.extend((table, *outcome(hr.look(table))) for _ in range(8))

    threads = [threading.Thread(target=work, args=(t,)) for t in ("tracking.open", "tracking.events") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {("tracking.open", "open", "row_read"), ("tracking.events", "closed", "denied")}
    assert len(found) == 64


def test_a_stopped_and_a_full_server_are_unreachable(private_postgres: PostgresServer) -> None:
    private_postgres.create_role("any_employee", STAFF_SECRET.replace("'", "''"))
    url = f"postgresql://127.0.0.1:{private_postgres.port}/postgres"
    params = {"url": url, "table": "pg_catalog.pg_class"}
    holders = []
    with pytest.raises(psycopg.OperationalError):  # noqa: PT012  # until there is no place left
        while True:
            holders.append(psycopg.connect(private_postgres.superuser_dsn))
    assert outcome(World().look("sql_read", params, "any-employee")) == ("inconclusive", "unreachable")
    for holder in holders:
        holder.close()
    private_postgres.stop()
    assert outcome(World().look("sql_read", params, "any-employee")) == ("inconclusive", "unreachable")
