"""No password, row, body, DSN or driver text leaves the checks room: everything it says is searched for canaries."""

from __future__ import annotations

import logging
import secrets

import pytest

from sevtracker.checks.identities import Identities
from tests.checks.people import create_roles, create_users
from tests.checks.sites import CONTROL_SECRET, ENVIRON, STAFF_SECRET, World, cast, everyone, serve, site
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer

BODY = b"canary-body-555"


def words(world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], *seen: object) -> str:
    output = capfd.readouterr()
    everything = repr(seen) + caplog.text + output.out + output.err + repr(world.environment)
    for canary in (STAFF_SECRET, CONTROL_SECRET, ENVIRON["WRONG_SECRET"], "canary", "any_employee"):
        assert canary not in everything
    return everything


def test_http_keeps_nothing(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    world = World()
    with site() as running:
        params = {"url": running.url(), "marker": "canary-body"}
        seen = []
        for answer in (
            everyone(200, BODY),
            serve(200, BODY + b"x"),
            serve(302, Location="http://canary/"),
            serve(500, BODY),
        ):
            running.answer = answer
            seen += [world.look("http", params, who, "privacy-site") for who in ("anonymous", "any-employee")]
    assert len(words(world, caplog, capfd, *seen)) > 100


@pytest.mark.parametrize("table", ["canary_s.events", "canary_s.missing", "canary_s.trap"])
def test_postgresql_keeps_nothing(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], table: str
) -> None:
    caplog.set_level(logging.DEBUG)
    create_roles(postgres)
    database = f"hr_{secrets.token_hex(4)}"
    postgres.create_database(database)
    postgres.execute(
        "CREATE SCHEMA canary_s",
        "CREATE TABLE canary_s.events (ssn text)",
        "INSERT INTO canary_s.events VALUES ('canary-078')",
        "CREATE VIEW canary_s.trap AS SELECT ssn::int AS x FROM canary_s.events WHERE ssn::int > 0",
        "GRANT USAGE ON SCHEMA canary_s TO PUBLIC",
        "GRANT SELECT ON canary_s.trap TO PUBLIC",
        database=database,
    )
    world = World()
    params = {"url": f"postgresql://127.0.0.1:{postgres.port}/{database}", "table": table}
    seen = [world.look("sql_read", params, who, "privacy-team") for who in ("any-employee", "dead-password")]
    postgres.drop_database(database)
    words(world, caplog, capfd, *seen)


def test_mariadb_keeps_nothing(
    mariadb: MariaDBServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    create_users(mariadb)
    world = World()
    params = {"url": f"mariadb://127.0.0.1:{mariadb.port}", "table": "canary_db.canary_table"}
    words(world, caplog, capfd, *[world.look("sql_read", params, who, "privacy-team") for who in cast()])


def test_identities_show_names_only() -> None:
    identities = Identities(cast(), ENVIRON)
    shown = repr(identities) + repr(identities.credentials("any-employee"))
    assert STAFF_SECRET not in shown
    assert "privacy-team" in shown
