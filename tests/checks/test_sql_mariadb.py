"""The traps of MariaDB, on a real one."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sevtracker.checks.interface import Observation, Result
from tests.checks.people import create_users
from tests.checks.sites import STAFF_SECRET, ShiftedClock, World, outcome
from tests.servers.mariadb import MariaDBServer


@dataclass
class Hr:
    """A database with a table of staff data, and an employee of its own: users and grants are the whole server's."""

    server: MariaDBServer
    schema: str
    employee: str

    def run(self, *statements: str) -> None:
        names = {"HR": f"`{self.schema}`", "STAFF": f"'{self.employee}'@'%'"}
        self.server.execute(*(re.sub(r"\bHR\b|\bSTAFF\b", lambda m: names[m[0]], text) for text in statements))

    def look(
        self, table: str = "events", world: World | None = None, identity: str = "any-employee", **params: Any
    ) -> Observation:
        name = table if "." in table else f"{self.schema}.{table}"
        told = {"url": f"mariadb://127.0.0.1:{self.server.port}", "table": name, **params}
        world = world or World()
        for name in ("any-employee", "dead-password"):
            world.identities[name] = world.identities[name].model_copy(update={"username": self.employee})
        return world.look("sql_read", told, identity, "privacy-team")


@pytest.fixture
def hr(mariadb: MariaDBServer) -> Iterator[Hr]:
    made = Hr(mariadb, f"hr_{secrets.token_hex(4)}", f"staff_{secrets.token_hex(4)}")
    create_users(mariadb, {made.employee: STAFF_SECRET})
    made.run(
        "CREATE DATABASE HR",
        "CREATE TABLE HR.events (id int, ssn text)",
        "INSERT INTO HR.events VALUES (1, 'canary-078-05-1120')",
        "GRANT SELECT ON HR.* TO 'privacy_team'@'%'",
    )
    yield made
    made.run("DROP USER STAFF", "DROP DATABASE HR")


def test_a_table_revoke_under_a_database_grant_is_open(hr: Hr) -> None:
    hr.run("GRANT SELECT ON HR.events TO STAFF", "GRANT SELECT ON HR.* TO STAFF")
    hr.run("REVOKE SELECT ON HR.events FROM STAFF")
    assert outcome(hr.look()) == ("open", "row_read")


def test_no_right_at_all_in_the_database_is_closed(hr: Hr) -> None:
    seen = hr.look()
    assert (outcome(seen), seen.control) == (("closed", "denied"), Result.got_in)


def test_a_right_on_another_table_only_is_closed(hr: Hr) -> None:
    hr.run("CREATE TABLE HR.other (id int)", "GRANT SELECT ON HR.other TO STAFF")
    assert outcome(hr.look()) == ("closed", "denied")


@pytest.mark.parametrize("table", ["event", "no_such_db.events"])
def test_a_misspelt_table_is_inconclusive_although_the_server_says_denied(hr: Hr, table: str) -> None:
    hr.run("CREATE TABLE HR.other (id int)", "GRANT SELECT ON HR.other TO STAFF")
    assert outcome(hr.look(table)) == ("inconclusive", "control_failed")


def test_a_missing_table_where_the_identity_may_read_everything_is_inconclusive(hr: Hr) -> None:
    hr.run("GRANT SELECT ON HR.* TO STAFF")
    assert outcome(hr.look("event")) == ("inconclusive", "control_failed")


def test_a_column_grant_that_was_left_is_open(hr: Hr) -> None:
    hr.run("GRANT SELECT (ssn) ON HR.events TO STAFF")
    assert hr.look(sensitive_columns=["ssn"]).verdict == "open"
    assert hr.look().verdict == "open"


def test_an_insensitive_column_grant_is_still_a_row(hr: Hr) -> None:
    hr.run("GRANT SELECT (id) ON HR.events TO STAFF")
    assert hr.look(sensitive_columns=["ssn"]).verdict == "open"


def test_an_empty_table_proves_nothing(hr: Hr) -> None:
    hr.run("TRUNCATE TABLE HR.events", "GRANT SELECT ON HR.* TO STAFF")
    assert outcome(hr.look()) == ("inconclusive", "empty")


def test_a_dead_password_says_access_denied_and_is_none(hr: Hr) -> None:
    assert outcome(hr.look(identity="dead-password")) == ("inconclusive", "auth_failed")


def test_a_locked_account_is_auth_failed(hr: Hr) -> None:
    hr.run("ALTER USER STAFF ACCOUNT LOCK")
    try:
        assert outcome(hr.look()) == ("inconclusive", "auth_failed")
    finally:
        hr.run("ALTER USER STAFF ACCOUNT UNLOCK")


def test_tls_where_the_server_has_none_is_tls(hr: Hr) -> None:
    assert outcome(hr.look(url=f"mariadb://127.0.0.1:{hr.server.port}/?sslmode=require")) == ("inconclusive", "tls")


def test_a_locked_table_is_given_up_in_time(hr: Hr) -> None:
    hr.run("GRANT SELECT ON HR.* TO STAFF")
    holder = hr.server._connect()
    try:
        holder.cursor().execute(f"LOCK TABLES `{hr.schema}`.events WRITE")
        began = time.monotonic()
        assert outcome(hr.look(timeout=1)) == ("inconclusive", "timeout")
        assert time.monotonic() - began < 3
    finally:
        holder.close()


@pytest.mark.parametrize(
    ("written", "sql"), [('"`; DROP TABLE x; -- "', "```; DROP TABLE x; -- `"), ("Ü 100%s", "`Ü 100%s`")]
)
def test_any_name_is_quoted(hr: Hr, written: str, sql: str) -> None:
    name = written if written.startswith('"') else f'"{written}"'
    if sql.endswith(" `"):  # MariaDB allows no name that ends with a space
        sql, name = sql[:-2] + "`", name[:-2] + '"'
    hr.run(f"CREATE TABLE HR.{sql} (`x'y%s` int)", f"INSERT INTO HR.{sql} VALUES (1)")
    table = f"{hr.schema}.{name}"
    assert outcome(hr.look(table, sensitive_columns=["x'y%s"])) == ("closed", "denied")
    hr.run(f"GRANT SELECT ON HR.{sql} TO STAFF")
    assert outcome(hr.look(table, sensitive_columns=["x'y%s"])) == ("open", "row_read")


def test_a_clock_more_than_a_minute_off_makes_a_would_be_closed_clock_skew(hr: Hr) -> None:
    for ahead in (90, -90):
        assert outcome(hr.look(world=World(clock=ShiftedClock(ahead)))) == ("inconclusive", "clock_skew")
    assert outcome(hr.look(world=World(clock=ShiftedClock(-30)))) == ("closed", "denied")
    hr.run("GRANT SELECT ON HR.events TO STAFF")
    assert outcome(hr.look(world=World(clock=ShiftedClock(-90)))) == ("open", "row_read")
