"""When a table has stopped growing, and when that is not known: on a real PostgreSQL and a real MariaDB."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from sevtracker.checks.interface import Definition, Observation, Result
from sevtracker.checks.sealing import Sealer
from sevtracker.checks.validation import validate
from sevtracker.errors import InputError
from tests.checks.people import create_roles, create_users
from tests.checks.producers import Producers
from tests.checks.sites import STAFF_SECRET, RememberingWorld, ShiftedClock, World, outcome
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer

TOO_FEW = ("inconclusive", "too_few_samples")
CHANGED = ("inconclusive", "target_changed")
GROWS = ("open", "still_collecting")


@dataclass
class Collected:
    """A table that is collected into, and a heartbeat."""

    server: Any
    url: str
    schema: str
    database: str
    employee: str
    producers: Producers
    world: RememberingWorld = field(default_factory=lambda: RememberingWorld(clock=ShiftedClock()))

    @property
    def on_postgresql(self) -> bool:
        return isinstance(self.server, PostgresServer)

    def run(self, *statements: str) -> None:
        told = [
            text.replace("EVENTS", f"{self.schema}.events").replace("BEAT", f"{self.schema}.beat")
            for text in statements
        ]
        if self.on_postgresql:
            self.server.execute(*told, database=self.database)
        else:
            self.server.execute(*told)

    def look(self, interval: str = "30s", **params: Any) -> Observation:
        told = {
            "url": self.url,
            "table": f"{self.schema}.events",
            "control_table": f"{self.schema}.beat",
            "normal_interval": interval,
            "timeout": 5,
            **params,
        }
        who = self.world.identities["any-employee"]
        self.world.identities["any-employee"] = who.model_copy(update={"username": self.employee})
        return self.world.look("collection_stopped", told, "any-employee")

    def later(self, seconds: float) -> None:
        assert isinstance(self.world.clock, ShiftedClock)
        self.world.clock.ahead += seconds


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sevtracker.checks.collection_stopped._PATIENCE", 0.25)


@pytest.fixture
def on_postgresql(postgres: PostgresServer) -> Iterator[Collected]:
    create_roles(postgres)
    database = f"hr_{secrets.token_hex(4)}"
    postgres.create_database(database)
    insert = "INSERT INTO tracking.{} VALUES (1, CURRENT_TIMESTAMP(6))"
    producers = Producers(postgres, main=insert.format("events"), control=insert.format("beat"), database=database)
    url = f"postgresql://127.0.0.1:{postgres.port}/{database}"
    made = Collected(postgres, url, "tracking", database, "any_employee", producers)
    made.run(
        "CREATE SCHEMA tracking",
        "CREATE TABLE EVENTS (id int, at timestamptz)",
        "CREATE TABLE BEAT (id int, at timestamptz)",
        "INSERT INTO EVENTS VALUES (1, CURRENT_TIMESTAMP(6))",
        "INSERT INTO BEAT VALUES (1, CURRENT_TIMESTAMP(6))",
        "GRANT USAGE ON SCHEMA tracking TO any_employee",
        "GRANT SELECT ON ALL TABLES IN SCHEMA tracking TO any_employee",
    )
    yield made
    producers.stop()
    postgres.drop_database(database)


@pytest.fixture
def on_mariadb(mariadb: MariaDBServer) -> Iterator[Collected]:
    schema, employee = f"hr_{secrets.token_hex(4)}", f"staff_{secrets.token_hex(4)}"
    create_users(mariadb, {employee: STAFF_SECRET})
    insert = f"INSERT INTO {schema}.{{}} VALUES (1, CURRENT_TIMESTAMP(6))"
    producers = Producers(mariadb, main=insert.format("events"), control=insert.format("beat"))
    made = Collected(mariadb, f"mariadb://127.0.0.1:{mariadb.port}", schema, schema, employee, producers)
    made.run(
        f"CREATE DATABASE {schema}",
        "CREATE TABLE EVENTS (id int, at datetime(6))",
        "CREATE TABLE BEAT (id int, at datetime(6))",
        "INSERT INTO EVENTS VALUES (1, CURRENT_TIMESTAMP(6))",
        "INSERT INTO BEAT VALUES (1, CURRENT_TIMESTAMP(6))",
        f"GRANT SELECT ON EVENTS TO '{employee}'@'%'",
        f"GRANT SELECT ON BEAT TO '{employee}'@'%'",
    )
    yield made
    producers.stop()
    mariadb.execute(f"DROP USER '{employee}'@'%'", f"DROP DATABASE {schema}")


@pytest.fixture(params=["on_postgresql", "on_mariadb"])
def table(request: pytest.FixtureRequest) -> Collected:
    made: Collected = request.getfixturevalue(request.param)
    return made


# ---- open ----


def test_a_table_that_grows_during_the_first_look_is_open(table: Collected) -> None:
    table.producers.start()
    assert outcome(table.look()) == GROWS


def test_a_row_that_came_in_since_the_last_look_is_open(table: Collected) -> None:
    assert outcome(table.look()) == TOO_FEW
    table.later(200)
    table.run("INSERT INTO EVENTS VALUES (2, CURRENT_TIMESTAMP(6))")
    assert outcome(table.look()) == GROWS
    assert outcome(table.look()) == TOO_FEW


def test_growth_of_which_nobody_knows_when_it_was_is_not_held_against_a_patch(table: Collected) -> None:
    table.look()
    table.run("INSERT INTO EVENTS VALUES (2, CURRENT_TIMESTAMP(6))")
    table.later(301)
    assert outcome(table.look()) == TOO_FEW
    table.later(60)
    table.run("INSERT INTO EVENTS VALUES (3, CURRENT_TIMESTAMP(6))")
    assert outcome(table.look()) == GROWS


def test_of_a_slow_table_two_intervals_are_a_moment(table: Collected) -> None:
    table.look("10m")
    table.run("INSERT INTO EVENTS VALUES (2, CURRENT_TIMESTAMP(6))")
    table.later(1000)
    assert outcome(table.look("10m")) == GROWS


def test_a_row_that_is_written_over_and_over_is_open(table: Collected) -> None:
    table.look()
    if not table.on_postgresql:
        time.sleep(1.1)  # it tells whole seconds
    table.run("UPDATE EVENTS SET id = id + 1")
    assert outcome(table.look()) == GROWS


def test_old_rows_that_are_deleted_do_not_hide_new_ones(table: Collected) -> None:
    table.run(
        "INSERT INTO EVENTS VALUES (2, CURRENT_TIMESTAMP(6))", "INSERT INTO EVENTS VALUES (3, CURRENT_TIMESTAMP(6))"
    )
    table.look(time_columns=["at"])
    table.run("DELETE FROM EVENTS", "INSERT INTO EVENTS VALUES (4, CURRENT_TIMESTAMP(6))")
    assert outcome(table.look(time_columns=["at"])) == GROWS


def test_without_counting_the_newest_time_tells(table: Collected) -> None:
    told: dict[str, Any] = {"time_columns": ["at"], "count": False, "control_columns": ["at"]}
    assert outcome(table.look(**told)) == TOO_FEW
    table.run("INSERT INTO EVENTS VALUES (2, CURRENT_TIMESTAMP(6))")
    assert outcome(table.look(**told)) == GROWS


def test_a_partition_is_part_of_its_table(on_postgresql: Collected) -> None:
    on_postgresql.run(
        "DROP TABLE EVENTS",
        "CREATE TABLE EVENTS (id int, at timestamptz) PARTITION BY LIST (id)",
        "CREATE TABLE tracking.one PARTITION OF EVENTS FOR VALUES IN (1)",
        "INSERT INTO EVENTS VALUES (1, CURRENT_TIMESTAMP(6))",
        "GRANT SELECT ON EVENTS TO any_employee",
    )
    on_postgresql.look()
    on_postgresql.run("UPDATE tracking.one SET at = CURRENT_TIMESTAMP(6)")
    assert outcome(on_postgresql.look()) == GROWS


# ---- closed ----


def test_two_normal_intervals_without_growth_are_a_pause_while_the_heartbeat_goes_on(table: Collected) -> None:
    table.producers.start("control")
    seen = table.look("0.1s", time_columns=["at"])
    assert (outcome(seen), seen.control) == (("closed", "collection_stopped"), Result.got_in)
    for _ in range(20):
        seen = table.look("0.1s", time_columns=["at"])
    assert outcome(seen) == ("closed", "collection_stopped")


def test_a_pause_is_seen_over_several_runs(table: Collected) -> None:
    table.producers.start("control")
    assert outcome(table.look("25s")) == TOO_FEW
    table.later(30)
    assert outcome(table.look("25s")) == TOO_FEW
    table.later(21)  # 51 s, and the clocks still agree to a minute
    assert outcome(table.look("25s")) == ("closed", "collection_stopped")


def test_where_the_heartbeat_stopped_too_nothing_is_known(table: Collected) -> None:
    seen = table.look("0.1s")
    assert (outcome(seen), seen.control) == (("inconclusive", "control_failed"), Result.trouble)


def test_a_heartbeat_from_before_the_last_two_intervals_is_none(table: Collected) -> None:
    table.producers.start("control")
    assert outcome(table.look("0.1s")) == ("closed", "collection_stopped")
    table.producers.stop("control")
    time.sleep(1.1)  # PostgreSQL tells of writes up to a second late
    table.look("0.1s")
    time.sleep(0.25)
    assert outcome(table.look("0.1s")) == ("inconclusive", "control_failed")


def test_however_often_somebody_asks_an_old_heartbeat_is_forgotten(table: Collected) -> None:
    table.producers.start("control")
    assert outcome(table.look("0.1s")) == ("closed", "collection_stopped")
    table.producers.stop("control")
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        last = outcome(table.look("0.1s"))
    assert last == ("inconclusive", "control_failed")


# ---- not known ----


def test_a_table_that_shrank_is_looked_at_anew(table: Collected) -> None:
    table.look()
    table.run("DELETE FROM EVENTS")
    assert outcome(table.look()) == CHANGED
    assert outcome(table.look()) == TOO_FEW


def test_an_emptied_table_is_looked_at_anew(table: Collected) -> None:
    table.look()
    table.run("TRUNCATE TABLE EVENTS")
    assert outcome(table.look()) == CHANGED


def test_another_table_of_the_same_name_is_looked_at_anew(table: Collected) -> None:
    table.look()
    if not table.on_postgresql:
        time.sleep(1.1)  # it tells whole seconds
    grant = f"GRANT SELECT ON EVENTS TO {table.employee if table.on_postgresql else repr(table.employee)}"
    table.run("DROP TABLE EVENTS", "CREATE TABLE EVENTS (id int)", grant, *("INSERT INTO EVENTS VALUES (1)",) * 2)
    assert outcome(table.look()) == CHANGED


def test_who_may_not_read_learns_nothing(table: Collected) -> None:
    table.run(f"REVOKE SELECT ON EVENTS FROM {table.employee if table.on_postgresql else repr(table.employee)}")
    assert outcome(table.look()) == ("inconclusive", "not_permitted")


def test_a_heartbeat_that_may_not_be_read_is_none(table: Collected) -> None:
    table.run(f"REVOKE SELECT ON BEAT FROM {table.employee if table.on_postgresql else repr(table.employee)}")
    assert outcome(table.look("0.1s")) == ("inconclusive", "control_failed")
    table.producers.start("main")
    assert outcome(table.look("0.1s")) == GROWS


def test_a_missing_column_or_control_table_closes_nothing(table: Collected) -> None:
    table.producers.start("control")
    assert outcome(table.look("0.1s", time_columns=["missing"])) == ("inconclusive", "control_failed")
    missing = f"{table.schema}.missing"
    assert outcome(table.look("0.1s", control_table=missing)) == ("inconclusive", "control_failed")


def test_a_table_that_cannot_be_counted_in_time_is_a_timeout(on_postgresql: Collected) -> None:
    with psycopg.connect(on_postgresql.server.dsn(on_postgresql.database)) as connection:
        connection.execute("LOCK TABLE tracking.events IN ACCESS EXCLUSIVE MODE")
        assert outcome(on_postgresql.look(timeout=1)) == ("inconclusive", "timeout")


def test_a_clock_that_went_back_makes_looking_start_anew(table: Collected) -> None:
    table.later(50)
    table.look("20s")
    table.later(-50)
    table.run("INSERT INTO EVENTS VALUES (2, CURRENT_TIMESTAMP(6))")
    assert outcome(table.look("20s")) == TOO_FEW


# ---- what is kept ----


def test_what_is_remembered_tells_no_number_and_no_time_of_theirs(on_postgresql: Collected) -> None:
    on_postgresql.run("INSERT INTO EVENTS SELECT 1, '1987-06-05' FROM generate_series(1, 41410)")
    seen = on_postgresql.look(time_columns=["at"])
    kept = json.dumps([dict(seen.memory or {}), [step.note for step in seen.steps]])
    assert "41411" not in kept
    assert set(seen.memory or {}) == {"sealed"}


def test_what_another_key_sealed_is_not_read(table: Collected) -> None:
    table.look()
    table.run("INSERT INTO EVENTS VALUES (2, CURRENT_TIMESTAMP(6))")
    table.world.sealer = Sealer("another secret key")
    assert outcome(table.look()) == TOO_FEW


@pytest.mark.parametrize("memory", [{}, {"sealed": 1}, {"sealed": "x"}, {"samples": []}])
def test_a_memory_that_nobody_wrote_is_none(on_postgresql: Collected, memory: dict[str, Any]) -> None:
    on_postgresql.world.memories.clear()
    told = {"url": on_postgresql.url, "table": "tracking.events", "control_table": "tracking.beat"}
    world = World()
    seen = world.look(
        "collection_stopped", {**told, "normal_interval": "30s", "timeout": 5}, "any-employee", memory=memory
    )
    assert outcome(seen) == TOO_FEW


# ---- parameters ----


def saved(**params: Any) -> dict[str, Any]:
    told = {
        "url": "postgresql://127.0.0.1/hr",
        "table": "tracking.events",
        "control_table": "tracking.beat",
        "normal_interval": "1m",
        **params,
    }
    environment = World().environment
    return validate(environment.kinds, environment, Definition("collection_stopped", "any-employee", None, told)).params


@pytest.mark.parametrize(("given", "kept"), [("60s", "1m"), (60, "1m"), (0.5, "500ms"), ("1.5h", "90m")])
def test_an_interval_is_kept_in_one_way(given: object, kept: str) -> None:
    assert saved(normal_interval=given)["normal_interval"] == kept


@pytest.mark.parametrize(
    "wrong",
    [
        {"normal_interval": "soon"},
        {"normal_interval": 0},
        {"normal_interval": True},
        {"normal_interval": "0s"},
        {"normal_interval": float("nan")},
        {"control_table": "tracking.events"},
        {"count": False},
        {"table": "events"},
        {"time_columns": [""]},
    ],
)
def test_what_could_tell_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        saved(**wrong)


def test_one_column_is_right_enough(table: Collected) -> None:
    who = table.employee if table.on_postgresql else repr(table.employee)
    table.run(
        *(
            text
            for name in ("EVENTS", "BEAT")
            for text in (f"REVOKE SELECT ON {name} FROM {who}", f"GRANT SELECT (at) ON {name} TO {who}")
        )
    )
    table.producers.start("control")
    assert outcome(table.look("0.1s", time_columns=["at"])) == ("closed", "collection_stopped")
