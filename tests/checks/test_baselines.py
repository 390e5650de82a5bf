"""Who an identity is, by its configuration and by the target: with other rights it proves nothing, either way."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from sevtracker.checks.interface import Observation
from sevtracker.config import Identity
from sevtracker.domain.vocabulary import Phase
from tests.checks.people import create_users
from tests.checks.sites import CONTROL_SECRET, STAFF_SECRET, Site, World, outcome, person, site
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer

DRIFT = ("inconclusive", "identity_drift")


@dataclass
class Hr:
    """A table, an employee, a control, and three roles: ``A`` is in ``B``; ``C`` by itself."""

    server: PostgresServer | MariaDBServer
    mark: str

    @property
    def is_postgres(self) -> bool:
        return isinstance(self.server, PostgresServer)

    def named(self, text: str) -> str:
        """``A``, ``B``, ``C``, STAFF, OWNER and HR as they are called on the server."""
        at = "" if self.is_postgres else "@'%'"
        words = {n: f"{n.lower()}_{self.mark}" for n in "ABC"}
        words |= {"STAFF": f"staff_{self.mark}{at}", "OWNER": f"owner_{self.mark}{at}", "HR": f"hr_{self.mark}"}
        return " ".join(words.get(word, word) for word in text.split())

    def run(self, *statements: str) -> None:
        self.server.execute(*map(self.named, statements))

    def look(self, roles: Sequence[str] | None = None, owner_roles: Sequence[str] | None = None) -> Observation:
        world, family = World(), "postgresql" if self.is_postgres else "mariadb"
        told: tuple[tuple[str, str, Sequence[str] | None], ...] = (
            ("staff", "env:STAFF_SECRET", roles),
            ("owner", "env:CONTROL_SECRET", owner_roles),
        )
        for name, password, baseline in told:
            mine = None if baseline is None else [self.named(role) for role in baseline]
            world.identities[name] = person("staff", username=f"{name}_{self.mark}", password=password, roles=mine)
        url = f"{family}://127.0.0.1:{self.server.port}{'/postgres' if self.is_postgres else ''}"
        return world.look("sql_read", {"url": url, "table": f"hr_{self.mark}.events"}, "staff", "owner")


@pytest.fixture(params=["postgresql", "mariadb"])
def hr(request: pytest.FixtureRequest) -> Iterator[Hr]:
    server = request.getfixturevalue({"postgresql": "postgres"}.get(request.param, "mariadb"))
    made = Hr(server, secrets.token_hex(4))
    people = {f"staff_{made.mark}": STAFF_SECRET, f"owner_{made.mark}": CONTROL_SECRET}
    if isinstance(server, PostgresServer):
        for name, secret in people.items():
            server.create_role(name, secret.replace("'", "''"))
    else:
        create_users(server, people)
    made.run(*(f"CREATE ROLE {name}" for name in "ABC"), "GRANT A TO B", "CREATE SCHEMA HR")
    schema = f"hr_{made.mark}"
    made.run(f"CREATE TABLE {schema}.events (id int)", f"INSERT INTO {schema}.events VALUES (1)")
    if made.is_postgres:
        made.run("GRANT USAGE ON SCHEMA HR TO STAFF , OWNER")
    made.run(f"GRANT SELECT ON {schema}.events TO OWNER")
    yield made
    made.run(f"DROP TABLE {schema}.events", "DROP SCHEMA HR")
    made.run(*(f"DROP {'ROLE' if made.is_postgres else 'USER'} {name}" for name in ("STAFF", "OWNER")))
    made.run(*(f"DROP ROLE {name}" for name in "BAC"))


def test_without_a_baseline_nothing_is_compared(hr: Hr) -> None:
    hr.run("GRANT C TO STAFF")
    assert outcome(hr.look()) == ("closed", "denied")


def test_just_the_roles_of_the_baseline_direct_and_through_others(hr: Hr) -> None:
    assert outcome(hr.look([])) == ("closed", "denied")
    hr.run("GRANT B TO STAFF")
    assert outcome(hr.look(["A", "B"], [])) == ("closed", "denied")


@pytest.mark.parametrize(
    ("baseline", "note"),
    [
        ([], "the identity has 2-9 roles more and 0 fewer than its baseline"),
        (["B"], "the identity has 1 role more and 0 fewer than its baseline"),
        (["A", "B", "C"], "the identity has 0 roles more and 1 fewer than its baseline"),
        (["A", "C"], "the identity has 1 role more and 1 fewer than its baseline"),
    ],
)
@pytest.mark.parametrize("is_open", [False, True])
def test_more_or_fewer_is_drift_and_neither_open_nor_closed(
    hr: Hr, baseline: list[str], note: str, is_open: bool
) -> None:
    hr.run("GRANT B TO STAFF", *([f"GRANT SELECT ON hr_{hr.mark}.events TO STAFF"] if is_open else []))
    seen = hr.look(baseline)
    assert outcome(seen) == DRIFT
    assert (seen.steps[-1].phase, seen.steps[-1].ok, seen.steps[-1].note) == (Phase.self_test, False, note)
    assert all(role not in step.note for step in seen.steps for role in (hr.named("A"), hr.named("B"), hr.named("C")))


def test_a_control_that_drifted_is_none(hr: Hr) -> None:
    hr.run("GRANT C TO OWNER")
    seen = hr.look([], [])
    assert outcome(seen) == ("inconclusive", "control_failed")
    assert "identity_drift" in seen.steps[-1].note


def test_a_superuser_and_one_above_row_security_are_told_apart(postgres: PostgresServer) -> None:
    hr = Hr(postgres, secrets.token_hex(4))
    quoted = STAFF_SECRET.replace("'", "''")
    hr.run(f"CREATE ROLE STAFF LOGIN SUPERUSER BYPASSRLS PASSWORD '{quoted}'", "CREATE SCHEMA HR")
    hr.run(f"CREATE TABLE hr_{hr.mark}.events AS SELECT 1 AS id")
    assert outcome(hr.look([])) == DRIFT
    assert outcome(hr.look(["SUPERUSER"])) == DRIFT
    assert outcome(hr.look(["SUPERUSER", "BYPASSRLS"])) == ("open", "row_read")
    hr.run("DROP SCHEMA HR CASCADE", "DROP ROLE STAFF")


# ---- the web -----------------------------------------------------------------------------------------------------


@pytest.fixture
def door() -> Iterator[Site]:
    with site() as running:
        yield running


def _staff(door: Site, **told: Any) -> Identity:
    return person("staff", token="env:STAFF_TOKEN", self_test_url=door.url("/whoami"), **told)


@pytest.mark.parametrize(("says", "expected"), [(b"role: employee", ("closed", "denied")), (b"role: admin", DRIFT)])
def test_the_self_test_has_to_say_who_it_is(door: Site, says: bytes, expected: tuple[str, str]) -> None:
    world = World()
    world.identities["staff"] = _staff(door, self_test_marker="role: employee")
    far = b" " * 5000 + says
    door.answer = lambda asked: (
        (200, {}, b"rows") if asked.is_control else (200, {}, far) if asked.path == "/whoami" else (403, {}, b"")
    )
    seen = world.look("http", {"url": door.url()}, "staff", "privacy-site")
    assert outcome(seen) == expected
    if expected == DRIFT:
        assert seen.steps[-1].note == "the self-test's answer lacks the identity's marker"
        assert [asked.path for asked in door.asked] == ["/whoami"]


def test_an_open_door_is_not_open_to_who_drifted(door: Site) -> None:
    world = World()
    world.identities["staff"] = _staff(door, self_test_marker="role: employee")
    door.answer = lambda asked: (200, {}, b"rows")
    assert outcome(world.look("http", {"url": door.url()}, "staff", "privacy-site")) == DRIFT
