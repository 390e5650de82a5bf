"""``sql_read`` by maps of the configuration: what they decide, and what they never do."""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sevtracker.checks.interface import Locator, Observation
from sevtracker.checks.probing import environment_from
from sevtracker.checks.sql import mapped as mapped_room
from sevtracker.checks.sql.denials import mapped
from sevtracker.checks.sql.dialects import broken_dialects
from sevtracker.checks.sql.places import sql_place
from sevtracker.checks.sql.twins import SqlTwins
from sevtracker.checks.sql_read import SqlReadParams
from sevtracker.checks.twins.making import NotMade, Order
from sevtracker.clock import SystemClock
from sevtracker.config import Dialect, Settings
from tests.checks.dialects import COCKROACH, MARIA, rules, world
from tests.checks.people import create_roles
from tests.checks.sites import STAFF_SECRET, ShiftedClock, World, outcome
from tests.checks.test_validation import valid, wrong
from tests.servers.postgres import PostgresServer

URL = "cockroach://127.0.0.1:26257/hr"


@dataclass
class Hr:
    """A locked table of staff data on a real PostgreSQL, which a map calls ``cockroach``."""

    server: PostgresServer
    database: str

    def run(self, *statements: str) -> None:
        self.server.execute(*statements, database=self.database)

    def look(self, world_: World | None = None, identity: str = "any-employee", **params: Any) -> Observation:
        url = f"cockroach://127.0.0.1:{self.server.port}/{self.database}"
        told = {"url": url, "table": "tracking.events", **params}
        return (world_ or world()).look("sql_read", told, identity, "privacy-team")

    def by(self, identity: str = "any-employee", **changed: Any) -> Observation:
        """By a map with some keys changed."""
        return self.look(World(local=rules(cockroach={**COCKROACH, **changed})), identity)


@pytest.fixture
def hr(postgres: PostgresServer) -> Iterator[Hr]:
    create_roles(postgres)
    made = Hr(postgres, f"hr_{secrets.token_hex(4)}")
    postgres.create_database(made.database)
    made.run(
        "CREATE SCHEMA tracking",
        "CREATE TABLE tracking.events (id int, ssn text)",
        "INSERT INTO tracking.events VALUES (1, 'canary-078-05-1120')",
        "GRANT USAGE ON SCHEMA tracking TO any_employee, privacy_team",
        "GRANT SELECT ON tracking.events TO privacy_team",
    )
    yield made
    postgres.drop_database(made.database)


# --- At the target ---------------------------------------------------------------------------------------------------


def test_a_listed_code_is_a_denial(hr: Hr) -> None:
    assert outcome(hr.look()) == ("closed", "denied")


def test_the_same_answer_is_none_when_the_map_does_not_list_its_code(hr: Hr) -> None:
    assert outcome(hr.by(denied=["99999"])) == ("inconclusive", "server_error")


@pytest.mark.parametrize(
    "path", ["orig.args.0", "orig.nothing", "orig.args.7", "orig.diag.message_primary", "orig.sqlstate.x"]
)
def test_a_place_without_a_code_makes_no_denial(hr: Hr, path: str) -> None:
    assert hr.by(code=path).verdict.value == "inconclusive"


def test_the_first_place_that_has_a_code_counts(hr: Hr) -> None:
    assert outcome(hr.by(code=["orig.args.0", "orig.nothing.0", "orig.sqlstate"])) == ("closed", "denied")


def test_a_code_for_absent_is_closed_as_hidden_only_as_the_control_gets_in(hr: Hr) -> None:
    assert outcome(hr.by(denied=["99999"], absent=["42501"])) == ("closed", "hidden")


def test_a_column_that_was_left_is_open(hr: Hr) -> None:
    assert outcome(hr.look(sensitive_columns=["id", "ssn"])) == ("closed", "denied")
    hr.run("GRANT SELECT (ssn) ON tracking.events TO any_employee")
    assert outcome(hr.look(sensitive_columns=["id", "ssn"])) == ("open", "row_read")


def test_a_column_that_was_renamed_proves_nothing(hr: Hr) -> None:
    assert outcome(hr.look(sensitive_columns=["social"])) == ("inconclusive", "control_failed")


def test_no_row_is_empty_even_where_a_policy_filters(hr: Hr) -> None:
    hr.run("GRANT SELECT ON tracking.events TO any_employee", "ALTER TABLE tracking.events ENABLE ROW LEVEL SECURITY")
    assert outcome(hr.look(rls_is_fix=True)) == ("inconclusive", "empty")


def test_what_the_map_begins_with_holds_for_the_question(hr: Hr) -> None:
    hr.run("GRANT SELECT ON tracking.events TO any_employee")
    assert outcome(hr.by(begin=["SET LOCAL statement_timeout = '5s'"])) == ("open", "row_read")
    hr.run(
        "CREATE FUNCTION tracking.slow() RETURNS boolean LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(20); RETURN true; END'",
        "ALTER TABLE tracking.events ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY slow ON tracking.events USING (tracking.slow())",
    )
    assert outcome(hr.by(begin=["SET LOCAL statement_timeout = '300ms'"])) == ("inconclusive", "timeout")


# --- Before the target -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["self_test", "clock"])
def test_a_denial_of_the_maps_own_statements_is_none_of_the_door(hr: Hr, key: str) -> None:
    seen = hr.by(**{key: "SELECT 1 FROM pg_authid"})
    assert outcome(seen) == ("inconclusive", "server_error")
    assert seen.steps[-1].note == "a statement of the dialect's map failed (42501)"
    assert outcome(hr.by(begin=["SELECT 1 FROM pg_authid"])) == ("inconclusive", "server_error")
    assert outcome(hr.by(begin=["SET SESSION AUTHORIZATION nobody_here"])) == ("inconclusive", "server_error")


def test_a_database_that_is_not_there_is_no_denial(hr: Hr) -> None:
    other = f"cockroach://127.0.0.1:{hr.server.port}/elsewhere"
    assert outcome(hr.look(url=other)) == ("inconclusive", "auth_failed")


def test_a_clock_that_is_off_is_seen_where_the_map_asks_for_it(hr: Hr) -> None:
    ahead = ShiftedClock(ahead=120)
    assert outcome(hr.look(world(clock=ahead))) == ("inconclusive", "clock_skew")
    silent = rules(cockroach={**COCKROACH, "clock": None})
    assert outcome(hr.look(World(local=silent, clock=ahead))) == ("closed", "denied")


def test_a_baseline_is_compared_by_the_maps_statement_or_not_at_all(hr: Hr) -> None:
    settled = world()
    settled.identities["any-employee"] = settled.identities["any-employee"].model_copy(update={"roles": ()})
    assert outcome(hr.look(settled)) == ("closed", "denied")
    settled.local = rules(cockroach={**COCKROACH, "roles": None})
    assert outcome(hr.look(settled)) == ("inconclusive", "identity_drift")
    role = f"reporting_{secrets.token_hex(4)}"
    hr.run(f"CREATE ROLE {role}")
    settled.local = rules(cockroach={**COCKROACH, "roles": f"SELECT '{role}'"})
    assert outcome(hr.look(settled)) == ("inconclusive", "identity_drift")


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


def test_a_server_that_hangs_is_given_up_in_time_and_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_room, "_MOST_LEFT", 2)
    with silent() as port:
        params = {"url": f"maria_generic://127.0.0.1:{port}", "table": "a.b", "timeout": 0.3}
        took = []
        for _ in range(3):
            began = time.monotonic()
            assert outcome(world().look("sql_read", params, "any-employee", "privacy-team")) == (
                "inconclusive",
                "timeout",
            )
            took.append(time.monotonic() - began)
    assert all(0.25 < seconds < 2 for seconds in took[:2])
    assert took[2] < 0.25  # two are left behind: a third is not begun
    for event in list(mapped_room._left):
        assert event.wait(10)


def test_nothing_of_a_driver_is_told_or_logged(hr: Hr, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    seen = [
        hr.look(),
        hr.look(identity="dead-password"),
        hr.by(denied=["99999"]),
        hr.by(begin=["SELECT 'canary' FROM x"]),
    ]
    seen.append(hr.by(connect_args={"no_such_argument": 1}))
    told = f"{seen} {caplog.text}"
    for word in ("canary", STAFF_SECRET, "permission denied", "password authentication", "no_such_argument"):
        assert word not in told


# --- Codes -----------------------------------------------------------------------------------------------------------


class Told(Exception):
    """An exception as drivers have them."""


@pytest.mark.parametrize(
    ("path", "args", "code"),
    [
        ("orig.args.0", (229, b"The SELECT permission was denied"), "229"),
        ("orig.args.0.0", ((18456, b"Login failed"),), "18456"),
        ("orig.args.0.C", ({"S": "ERROR", "C": "42501"},), "42501"),
        ("orig.args.0", ("permission denied for 078-05-1120",), ""),
        ("orig.args.0", (True,), ""),
        ("orig.args.0", (b"229",), ""),
        ("orig.args.0.C", ({"S": "ERROR"},), ""),
        ("orig.args.1", (229,), ""),
    ],
)
def test_a_code_is_a_short_word_or_a_number(path: str, args: tuple[Any, ...], code: str) -> None:
    dialect = Dialect.model_validate({"driver": "x+y", "code": path, "denied": ["1"], "self_test": "SELECT 1"})
    assert mapped(dialect).code_of(Told(*args)) == code


# --- On saving -------------------------------------------------------------------------------------------------------


def test_a_dialect_of_the_configuration_can_be_saved() -> None:
    found = valid("sql_read", {"url": URL, "table": "tracking.events"}, "any-employee", world=world())
    assert found.locator.text == f"{URL} tracking.events"
    assert (found.target_key, found.control) == ("127.0.0.1:26257", "privacy-team")


def test_an_unknown_one_is_told_which_there_are() -> None:
    params = {"url": "mssql://127.0.0.1:1433/hr", "table": "dbo.events"}
    found = wrong("sql_read", params, "any-employee", world=world())
    assert set(found) == {"params.url"}
    assert "no dialect mssql" in found["params.url"]
    for scheme in ("postgresql://", "mysql://", "mariadb://", "cockroach://", "maria_generic://"):
        assert scheme in found["params.url"]
    seen = world().look("sql_read", params, "any-employee", "privacy-team")
    assert outcome(seen) == ("inconclusive", "blocked_by_policy")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "cockroach://127.0.0.1/hr",
            "cockroach://:26257/hr",
            "cockroach:///hr",
            "cockroach+psycopg://127.0.0.1:26257/hr",
        ),
        *("cockroach://127.0.0.1:26257/hr?sslmode=require", "cockroach://127.0.0.1:26257/hr?host=169.254.169.254"),
        *(
            "cockroach://u:canary@127.0.0.1:26257/hr",
            "cockroach://127.0.0.1:26257/host=db2",
            "cockroach://127.1:26257/hr",
        ),
        *("cockroach://127.0.0.1:26257/hr)(HOST=canary", "cockroach://127.0.0.1:26257/hr;server=canary"),
    ],
)
def test_odd_urls_of_a_dialect_are_refused_and_not_quoted(url: str) -> None:
    found = wrong("sql_read", {"url": url, "table": "a.b"}, "any-employee", world=world())
    assert set(found) == {"params.url"}
    assert "canary" not in found["params.url"]


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "[::ffff:a9fe:a9fe]"])
def test_the_guard_stands_before_a_dialect_too(host: str) -> None:
    params = {"url": f"cockroach://{host}:26257/hr", "table": "a.b"}
    assert "params.url" in wrong("sql_read", params, "any-employee", world=world())
    seen = world().look("sql_read", params, "any-employee", "privacy-team")
    assert outcome(seen) == ("inconclusive", "blocked_by_policy")


def test_no_session_is_held_there() -> None:
    found = wrong("sql_read", {"url": URL, "table": "a.b", "held": True}, "any-employee", world=world())
    assert found == {"params.url": "Sessions are held in PostgreSQL, MySQL and MariaDB only."}


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("sql_grants", {"table": "a.b", "allowed_roles": []}),
        ("disclosure", {"table": "a.b", "disclosed": []}),
        ("access_log", {"table": "a.b", "columns": {"principal": "u", "at": "t"}, "allowed_principals": []}),
        (
            "collection_stopped",
            {"table": "a.b", "time_columns": ["t"], "control_table": "a.c", "normal_interval": "1h"},
        ),
    ],
)
def test_other_kinds_know_the_built_in_ones_only(kind: str, params: dict[str, Any]) -> None:
    found = wrong(kind, {"url": URL, **params}, "any-employee", world=world())
    assert "PostgreSQL, MySQL and MariaDB only" in found["params.url"]


def test_no_twins_are_made_there() -> None:
    params = SqlReadParams(url=URL, table="a.b")
    place = Locator(URL, (sql_place(URL).endpoint,))
    order = Order(1, "mark", "sql_read", params, place, "any-employee", "privacy-team", "keeper")
    with pytest.raises(NotMade, match="PostgreSQL, MySQL and MariaDB only"):
        SqlTwins().make(order, world().environment)


# --- Drivers that are not there --------------------------------------------------------------------------------------


def test_a_driver_that_is_missing_is_named_with_what_to_install_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    maps = {
        "here": COCKROACH,
        "mssql": {**MARIA, "driver": "mssql+pymssql"},
        "flake": {**MARIA, "driver": "snowflake", "package": "snowflake-sqlalchemy"},
        "odd": {**MARIA, "driver": "nothing+nowhere"},
    }
    settings = Settings.model_validate({"targets": {"dialects": maps}})
    local = environment_from(settings, SystemClock()).local
    assert set(local.dialects) == set(maps)
    assert set(local.broken) == {"mssql", "flake", "odd"}
    assert "install pymssql" in local.broken["mssql"]
    assert "install snowflake-sqlalchemy" in local.broken["flake"]
    assert "dialect mssql can't be used" in caplog.text
    found = wrong(
        "sql_read", {"url": "mssql://127.0.0.1:1433/hr", "table": "a.b"}, "any-employee", world=World(local=local)
    )
    assert "install pymssql" in found["params.url"]
    valid("sql_read", {"url": "here://127.0.0.1:1433/hr", "table": "a.b"}, "any-employee", world=World(local=local))


def test_every_driver_that_is_there_is_fine() -> None:
    assert broken_dialects(rules(a=COCKROACH, b=MARIA).dialects) == {}
