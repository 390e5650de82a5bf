"""Canary twins in PostgreSQL and MariaDB: made by a keeper, told apart by the check, dropped without a trace."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sevtracker.checks.environment import ProbeEnvironment
from sevtracker.checks.interface import Definition, Observation, Twins
from sevtracker.checks.probing import probe
from sevtracker.checks.registry import load_kinds
from sevtracker.checks.twins.makers import maker_for
from sevtracker.checks.twins.making import Made, NotMade, Order
from tests.checks.people import create_roles, create_users
from tests.checks.sites import CONTROL_SECRET, STAFF_SECRET, World, cast, outcome, person
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer

KEEPER_SECRET = "canary-keeper-Zq5"


@dataclass
class Target:
    """A locked table in a real database, who tries it, and a keeper with the rights that docs/checks/twins.md asks for.

    ``tables`` lists what is in the twins' schema; ``run`` is somebody with all rights. The check's number is this
    test's own: databases are shared.
    """

    url: str
    table: str
    run: Callable[..., list[tuple[Any, ...]]]
    tables: Callable[[], set[str]]
    world: World = field(default_factory=World)
    check: int = field(default_factory=lambda: 1 + secrets.randbelow(2**31 - 2))
    mark: str = "canary twin of a check of this test"

    @property
    def environment(self) -> ProbeEnvironment:
        return self.world.environment

    def params(self, **more: Any) -> dict[str, Any]:
        return {"url": self.url, "table": self.table, **more}

    def order(self, keeper: str = "keeper", control: str | None = "privacy-team", **more: Any) -> Order:
        kind = load_kinds()["sql_read"]
        params = kind.params.model_validate(self.params(**more))
        return Order(self.check, self.mark, "sql_read", params, kind.locate(params), "any-employee", control, keeper)

    def make(self, **more: Any) -> Made:
        return maker_for("sql_read").make(self.order(**more), self.environment)

    def drop(self, made: Made) -> None:
        maker_for("sql_read").drop(self.order(), made.readers, self.environment)

    def look(self, twins: Twins | None, proved_at: datetime | None = None, **more: Any) -> Observation:
        definition = Definition("sql_read", "any-employee", "privacy-team", self.params(**more))
        return probe(replace(definition, twins=twins, proved_at=proved_at), self.environment)

    @property
    def names(self) -> set[str]:
        return {f"open_{self.check}", f"locked_{self.check}"}


def _world(monkeypatch: pytest.MonkeyPatch, staff: str, control: str, keeper: str) -> World:
    monkeypatch.setitem(__import__("tests.checks.sites", fromlist=["ENVIRON"]).ENVIRON, "KEEPER_SECRET", KEEPER_SECRET)
    identities = {
        **cast(),
        "any-employee": person("staff", username=staff, password="env:STAFF_SECRET"),
        "privacy-team": person("control", username=control, password="env:CONTROL_SECRET"),
        "keeper": person("service", username=keeper, password="env:KEEPER_SECRET"),
        "far-keeper": person("service", ("10.1.1.1:5432",), username=keeper, password="env:KEEPER_SECRET"),
        "staff-again": person("staff", username=staff, password="env:STAFF_SECRET"),
        "dead-keeper": person("service", username=keeper, password="env:WRONG_SECRET"),
    }
    return World(identities=identities)


@pytest.fixture
def in_postgres(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    create_roles(postgres)
    mark = secrets.token_hex(4)
    database, keeper = f"hr_{mark}", f"keeper_{mark}"
    postgres.create_role(keeper, KEEPER_SECRET)
    postgres.create_database(database)

    def run(*statements: str) -> list[tuple[Any, ...]]:
        return postgres.execute(*statements, database=database)

    run(
        f"GRANT CREATE ON DATABASE {database} TO {keeper}",
        "CREATE SCHEMA tracking",
        "CREATE TABLE tracking.events (id int, ssn text)",
        "INSERT INTO tracking.events VALUES (1, 'canary-078-05-1120')",
        "GRANT USAGE ON SCHEMA tracking TO any_employee, privacy_team",
        "GRANT SELECT ON tracking.events TO privacy_team",
    )
    listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'sevtracker_twins'"
    yield Target(
        f"postgresql://127.0.0.1:{postgres.port}/{database}",
        "tracking.events",
        run,
        lambda: {row[0] for row in run(listed)},
        _world(monkeypatch, "any_employee", "privacy_team", keeper),
    )
    postgres.drop_database(database)
    postgres.execute(f"DROP ROLE {keeper}")


@pytest.fixture
def in_mariadb(mariadb: MariaDBServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    mark = secrets.token_hex(4)
    schema, staff, control, keeper = (f"{name}_{mark}" for name in ("hr", "staff", "control", "keeper"))
    create_users(mariadb, {staff: STAFF_SECRET, control: CONTROL_SECRET, keeper: KEEPER_SECRET})
    mariadb.execute(
        f"CREATE DATABASE {schema}",
        f"CREATE TABLE {schema}.events (id int, ssn text)",
        f"INSERT INTO {schema}.events VALUES (1, 'canary-078-05-1120')",
        f"GRANT SELECT ON {schema}.events TO '{control}'@'%'",
        "CREATE DATABASE IF NOT EXISTS sevtracker_twins",
        f"GRANT CREATE, DROP, SELECT, INSERT ON sevtracker_twins.* TO '{keeper}'@'%' WITH GRANT OPTION",
    )
    listed = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'sevtracker_twins'"
    found = Target(
        f"mariadb://127.0.0.1:{mariadb.port}",
        f"{schema}.events",
        mariadb.execute,
        lambda: {row[0] for row in mariadb.execute(listed)},
        _world(monkeypatch, staff, control, keeper),
    )
    yield found
    mariadb.drop_database(schema)
    for name in found.names:
        mariadb.execute(f"DROP TABLE IF EXISTS sevtracker_twins.{name}")
    for user in (staff, control, keeper):
        mariadb.execute(f"DROP USER '{user}'@'%'")


@pytest.fixture(params=["postgres", "mariadb"])
def target(request: pytest.FixtureRequest) -> Target:
    made: Target = request.getfixturevalue(f"in_{request.param}")
    return made


def notes(seen: Observation) -> list[str]:
    return [step.note for step in seen.steps if step.phase == "twins"]


def test_a_closed_with_twins_that_are_told_apart_is_proven(target: Target) -> None:
    made = target.make()
    assert target.names <= target.tables()
    seen = target.look(made.twins)
    assert outcome(seen) == ("closed", "denied")
    assert seen.twins is not None
    assert seen.twins.proven, seen.twins.wrong
    assert notes(seen) == ["the open twin was open (row read)", "the locked twin was closed (denied)"]


def test_sensitive_columns_are_part_of_the_twins(target: Target) -> None:
    odd = 'odd "na`me%s'
    columns = ["id", "ssn", odd]
    target.run(
        f"ALTER TABLE {target.table} ADD COLUMN "
        + ('`odd "na``me%s` text' if "maria" in target.url else '"odd ""na`me%s" text')
    )
    made = target.make(sensitive_columns=columns)
    seen = target.look(made.twins, sensitive_columns=columns)
    assert outcome(seen) == ("closed", "denied")
    assert seen.twins is not None
    assert seen.twins.proven, seen.twins.wrong


def test_what_was_made_holds_one_random_row_and_no_data_of_the_target(target: Target) -> None:
    target.make(sensitive_columns=["ssn"])
    for name in target.names:
        [row] = target.run(f"SELECT * FROM sevtracker_twins.{name}")
        assert len(row[0]) == 32
        assert row[1] is None


def test_making_them_again_replaces_them_and_dropping_removes_exactly_them(target: Target) -> None:
    made = target.make()
    assert target.make().twins == made.twins
    others = target.tables() - target.names
    target.drop(made)
    assert target.tables() == others
    target.drop(made)  # nothing is there any more, and that is all right


def test_a_locked_twin_that_is_open_gives_no_proof(target: Target) -> None:
    made = target.make()
    target.run(f"GRANT SELECT ON sevtracker_twins.locked_{target.check} TO {_grantee(target, made)}")
    seen = target.look(made.twins)
    assert outcome(seen) == ("closed", "denied"), "the target's verdict is its own"
    assert seen.twins is not None
    assert seen.twins.wrong == "the locked twin was open (row read), and should be closed: this is no proof"


def test_an_open_twin_that_is_locked_gives_no_proof_and_spares_the_other_a_look(target: Target) -> None:
    made = target.make()
    target.run(f"REVOKE SELECT ON sevtracker_twins.open_{target.check} FROM {_grantee(target, made)}")
    seen = target.look(made.twins)
    assert notes(seen) == ["the open twin was closed (denied), and should be open: this is no proof"]


def test_twins_that_are_gone_give_no_proof(target: Target) -> None:
    made = target.make()
    target.drop(made)
    seen = target.look(made.twins)
    assert seen.twins is not None
    assert not seen.twins.proven


def test_twins_are_looked_at_after_a_closed_only_and_when_their_proof_grows_old(target: Target) -> None:
    made, now = target.make(), datetime.now(UTC)
    assert target.look(made.twins, now - timedelta(hours=23)).twins is None
    assert target.look(made.twins, now - timedelta(hours=25)).twins is not None
    assert target.look(made.twins, now + timedelta(days=2)).twins is not None, "a clock that jumped"
    target.run(f"GRANT SELECT ON {target.table} TO {_grantee(target, made)}")
    seen = target.look(made.twins)
    assert (outcome(seen), seen.twins) == (("open", "row_read"), None)


def test_a_table_that_is_not_ours_is_left_alone(target: Target) -> None:
    made = target.make()
    before = target.run(f"SELECT * FROM sevtracker_twins.open_{target.check}")
    target.mark = "another tracker's"
    with pytest.raises(NotMade, match="that this tracker did not make"):
        target.make()
    with pytest.raises(NotMade, match="that this tracker did not make"):
        target.drop(made)
    assert target.run(f"SELECT * FROM sevtracker_twins.open_{target.check}") == before


@pytest.mark.parametrize(
    ("keeper", "said"),
    [
        ("far-keeper", "hosts do not hold"),
        ("dead-keeper", "could not sign in"),
        ("staff-again", "the same account"),
        ("anonymous", "could not sign in"),
    ],
)
def test_a_keeper_who_cannot_be_one_is_told_why(target: Target, keeper: str, said: str) -> None:
    with pytest.raises(NotMade, match=said):
        target.make(keeper=keeper)
    assert not target.names & target.tables()


def test_a_check_without_a_control_gets_no_twins(target: Target) -> None:
    with pytest.raises(NotMade, match="no control"):
        target.make(control=None)


def test_no_keeper_goes_where_the_guard_lets_nobody(target: Target) -> None:
    target.world.allow = ("10.0.0.1:1",)
    with pytest.raises(NotMade, match=r"not in targets\.allow"):
        target.make()


def test_no_secret_and_no_text_of_the_server_is_in_an_error(target: Target) -> None:
    target.run(*_taken_from_the_keeper(target))
    with pytest.raises(NotMade) as refused:
        target.make()
    assert "It lacks the right to" in str(refused.value)
    assert "permission denied" not in str(refused.value)
    assert KEEPER_SECRET not in str(refused.value)
    assert not target.names & target.tables(), "all of it, or nothing"


def _taken_from_the_keeper(target: Target) -> list[str]:
    keeper = target.world.identities["keeper"].username
    if "maria" in target.url:
        return [f"REVOKE GRANT OPTION ON sevtracker_twins.* FROM '{keeper}'@'%'"]
    return [f"REVOKE CREATE ON DATABASE {target.url.rpartition('/')[2]} FROM {keeper}"]


def _grantee(target: Target, made: Made) -> str:
    user, _, host = made.readers[0].rpartition("@")
    return f"'{user}'@'{host}'" if "maria" in target.url else made.readers[0]


# ---- PostgreSQL --------------------------------------------------------------------------------------------------


def test_the_schema_goes_with_the_last_twin(in_postgres: Target) -> None:
    made = in_postgres.make()
    in_postgres.drop(made)
    assert in_postgres.run("SELECT 1 FROM pg_namespace WHERE nspname = 'sevtracker_twins'") == []


def test_a_schema_with_something_else_in_it_stays(in_postgres: Target) -> None:
    made = in_postgres.make()
    in_postgres.run("CREATE VIEW sevtracker_twins.other AS SELECT 1")
    in_postgres.drop(made)
    assert in_postgres.run("SELECT 1 FROM pg_namespace WHERE nspname = 'sevtracker_twins'") == [(1,)]


def test_default_rights_do_not_open_the_locked_twin(in_postgres: Target) -> None:
    keeper = in_postgres.world.identities["keeper"].username
    in_postgres.run(f"ALTER DEFAULT PRIVILEGES FOR ROLE {keeper} GRANT SELECT ON TABLES TO PUBLIC, any_employee")
    seen = in_postgres.look(in_postgres.make().twins)
    assert seen.twins is not None
    assert seen.twins.proven, seen.twins.wrong


def test_an_identity_that_reads_every_table_gets_no_twins(in_postgres: Target) -> None:
    reader = f"reads_all_{in_postgres.check}"
    in_postgres.run(f"CREATE ROLE {reader} LOGIN IN ROLE pg_read_all_data PASSWORD '{KEEPER_SECRET}'")
    in_postgres.world.identities["any-employee"] = person("staff", username=reader, password="env:KEEPER_SECRET")
    with pytest.raises(NotMade, match="No table can be locked to it"):
        in_postgres.make()
    assert in_postgres.tables() == set(), "all of it, or nothing"
    in_postgres.run(f"DROP ROLE {reader}")


# ---- MariaDB -----------------------------------------------------------------------------------------------------


def test_no_right_outlives_the_tables(in_mariadb: Target) -> None:
    in_mariadb.drop(in_mariadb.make())
    left = "SELECT Table_name FROM mysql.tables_priv WHERE Db = 'sevtracker_twins'"
    assert not in_mariadb.names & {row[0] for row in in_mariadb.run(left)}
