"""Columns that nobody was told about, on a real PostgreSQL and a real MariaDB."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sevtracker.checks.interface import Observation, Result
from tests.checks.people import create_roles, create_users
from tests.checks.sites import STAFF_SECRET, World, outcome
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer

ALL = ("closed", "all_disclosed")
MORE = ("open", "undisclosed")


@dataclass
class Schema:
    """A schema of its own, and an employee without any right in it."""

    server: Any
    url: str
    name: str
    database: str
    employee: str

    def run(self, *statements: str) -> None:
        told = [text.replace("HR.", f"{self.name}.").replace("STAFF", self.employee) for text in statements]
        self.server.execute(*told, **({} if isinstance(self.server, MariaDBServer) else {"database": self.database}))

    def look(self, *disclosed: str, table: str = "events") -> Observation:
        world = World()
        who = world.identities["any-employee"]
        world.identities["any-employee"] = who.model_copy(update={"username": self.employee.strip("'")})
        told = {"url": self.url, "table": f"{self.name}.{table}", "disclosed": disclosed}
        return world.look("disclosure", told, "any-employee")


@pytest.fixture
def pg(postgres: PostgresServer) -> Iterator[Schema]:
    create_roles(postgres)
    database = f"hr_{secrets.token_hex(4)}"
    postgres.create_database(database)
    made = Schema(postgres, f"postgresql://127.0.0.1:{postgres.port}/{database}", "tracking", database, "any_employee")
    made.run("CREATE SCHEMA tracking", "CREATE TABLE HR.events (id int, who text)")
    yield made
    postgres.drop_database(database)


@pytest.fixture
def maria(mariadb: MariaDBServer) -> Iterator[Schema]:
    name, employee = f"hr_{secrets.token_hex(4)}", f"staff_{secrets.token_hex(4)}"
    create_users(mariadb, {employee: STAFF_SECRET})
    made = Schema(mariadb, f"mariadb://127.0.0.1:{mariadb.port}", name, name, f"'{employee}'")
    made.run(f"CREATE DATABASE {name}", "CREATE TABLE HR.events (id int, who text)")
    yield made
    made.run("DROP USER STAFF", f"DROP DATABASE {name}")


def test_on_postgresql_columns_are_told_without_any_right_on_them(pg: Schema) -> None:
    seen = pg.look("id", "who")
    assert (outcome(seen), seen.control) == (ALL, Result.got_in)
    assert outcome(pg.look("id")) == MORE


@pytest.mark.parametrize("column", ["mood text", "twice int GENERATED ALWAYS AS (id * 2) STORED", '"Odd.Name" jsonb'])
def test_a_new_column_of_any_sort_is_open(pg: Schema, column: str) -> None:
    pg.run(f"ALTER TABLE HR.events ADD COLUMN {column}")
    seen = pg.look("id", "who")
    assert outcome(seen) == MORE
    assert column.split(maxsplit=1)[0].strip('"') in seen.steps[-1].note


def test_a_dropped_column_is_not_live(pg: Schema) -> None:
    pg.run("ALTER TABLE HR.events ADD COLUMN mood text", "ALTER TABLE HR.events DROP COLUMN mood")
    assert outcome(pg.look("id", "who", "mood")) == ALL


def test_case_matters_where_the_database_says_so(pg: Schema, maria: Schema) -> None:
    maria.run("GRANT SELECT ON HR.events TO STAFF")
    assert outcome(pg.look("ID", "who")) == MORE
    assert outcome(maria.look("ID", "who")) == ALL


def test_views_and_partitioned_tables_have_columns_too(pg: Schema) -> None:
    pg.run("CREATE VIEW HR.seen AS SELECT id, who, now() AS at FROM HR.events")
    pg.run("CREATE TABLE HR.parts (id int, mood text) PARTITION BY LIST (id)")
    assert outcome(pg.look("id", "who", table="seen")) == MORE
    assert outcome(pg.look("id", "mood", table="parts")) == ALL


def test_a_table_without_a_column_shows_nothing(pg: Schema) -> None:
    pg.run("CREATE TABLE HR.bare ()")
    seen = pg.look("id", table="bare")
    assert (outcome(seen), seen.control) == (("inconclusive", "control_failed"), Result.trouble)


def test_a_few_columns_are_named_and_the_others_counted(pg: Schema) -> None:
    pg.run(*(f"ALTER TABLE HR.events ADD COLUMN more_{n} int" for n in range(7)))
    note = pg.look("id", "who").steps[-1].note
    assert note == "of 9 columns, not disclosed: more_0, more_1, more_2, more_3, more_4, and 2 more"


@pytest.mark.parametrize("what", ["*.*", "HR.*", "HR.events"])
def test_on_mariadb_a_right_on_the_whole_table_tells_all(maria: Schema, what: str) -> None:
    maria.run(f"GRANT SELECT ON {what} TO STAFF")
    assert outcome(maria.look("id", "who")) == ALL
    maria.run("ALTER TABLE HR.events ADD COLUMN mood text INVISIBLE")
    assert outcome(maria.look("id", "who")) == MORE
    maria.run(f"REVOKE SELECT ON {what} FROM STAFF")


def test_on_mariadb_rights_on_columns_never_tell_all(maria: Schema) -> None:
    maria.run("GRANT SELECT (id) ON HR.events TO STAFF")
    assert outcome(maria.look("id", "who")) == ("inconclusive", "not_permitted")
    maria.run("GRANT SELECT (who) ON HR.events TO STAFF", "ALTER TABLE HR.events ADD COLUMN mood text INVISIBLE")
    assert outcome(maria.look("id", "who")) == ("inconclusive", "not_permitted")


def test_on_mariadb_no_right_at_all_is_no_answer(maria: Schema) -> None:
    assert outcome(maria.look("id", "who")) == ("inconclusive", "not_permitted")


def test_no_row_is_read(pg: Schema) -> None:
    """A view whose every row fails to be computed has its columns told all the same."""
    pg.run("INSERT INTO HR.events VALUES (0, 'x')", "CREATE VIEW HR.trap AS SELECT 1 / id AS id FROM HR.events")
    pg.run("GRANT USAGE ON SCHEMA tracking TO STAFF", "GRANT SELECT ON HR.trap TO STAFF")
    assert outcome(pg.look("id", table="trap")) == ALL


def test_on_mariadb_a_missing_table_is_no_answer(maria: Schema) -> None:
    maria.run("GRANT SELECT ON HR.* TO STAFF")
    assert outcome(maria.look("id", table="missing")) == ("inconclusive", "control_failed")
