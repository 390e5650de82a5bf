"""PostgreSQL's grants at random: what the enumerator says of one role is what the server lets that role do."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import psycopg
import pytest

from tests.checks.postgres_grants import Hr, hr_on
from tests.servers.binaries import postgres_releases

#: More of them while this is being worked on.
ROUNDS = int(os.environ.get("SEV_TESTS_ROUNDS", "3"))
GROUPS = ("g0", "g1", "g2", "g3", "g4", "ann")
EVERYBODY = ("bob", *GROUPS, "PUBLIC")
TABLE = "tracking.events"
VIEWS = ("reports.v0", "reports.v1", "reports.v2", "reports.v3")
INVOKERS = ("reports.i0", "reports.i1")
OTHERS = ("reports.m0", "reports.f0()", "reports.f1()")


@pytest.fixture(scope="module", params=list(postgres_releases()) or [0])
def running(request: pytest.FixtureRequest) -> Iterator[Hr]:
    with hr_on(request.param) as hr:
        yield hr


def _dealt(dice: random.Random, hr: Hr) -> Iterator[str]:
    """Roles in roles, things made of things, and grants as they come."""
    for role in GROUPS:
        yield f"CREATE ROLE {role} {dice.choice(['', 'NOINHERIT'])} {'LOGIN' if role == 'ann' else ''}"
    yield f"ALTER ROLE bob {dice.choice(['INHERIT', 'NOINHERIT'])}"
    ranked = ["bob", *dice.sample(GROUPS, len(GROUPS))]
    for at, member in enumerate(ranked):
        for group in ranked[at + 1 :]:
            if dice.random() < 0.3:
                how = f" WITH INHERIT {dice.random() < 0.5}, SET {dice.random() < 0.5}" if hr.release >= 16 else ""
                yield f"GRANT {group} TO {member}{how}"
    made: list[str] = [TABLE]
    for view in (*VIEWS, *INVOKERS, "reports.m0"):
        what = "MATERIALIZED VIEW" if view == "reports.m0" else "VIEW"
        how = "WITH (security_invoker)" if view in INVOKERS and hr.release >= 15 else ""
        yield f"CREATE {what} {view} {how} AS SELECT id FROM {dice.choice(made)}"
        made.append(view)
    for called in ("f0", "f1"):
        body = f"BEGIN RETURN (SELECT count(*) FROM {dice.choice(made[:4])}); END"
        yield f"CREATE FUNCTION reports.{called}() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS '{body}'"
        yield f"REVOKE EXECUTE ON FUNCTION reports.{called}() FROM PUBLIC"
    for thing in (TABLE, *made[1:], "reports.f0()", "reports.f1()"):
        word = "FUNCTION " if thing.endswith(")") else ""
        if dice.random() < 0.7 and not thing.endswith("m0"):
            yield f"ALTER {word or 'TABLE '}{thing} OWNER TO {dice.choice(GROUPS)}"
        for _ in range(dice.choice([0, 1, 1, 2])):
            right = "EXECUTE" if word else dice.choice(["SELECT", "SELECT (id)", "INSERT"])
            whom = dice.choice(EVERYBODY if dice.random() < 0.3 else EVERYBODY[:-1])
            yield f"GRANT {right} ON {word}{thing} TO {whom}"
    yield "REVOKE USAGE ON SCHEMA tracking, reports FROM bob"
    for schema in ("tracking", "reports", "reports"):
        yield f"GRANT USAGE ON SCHEMA {schema} TO {dice.choice(EVERYBODY)}"


def _reads(hr: Hr, thing: str) -> bool:
    """Whether bob comes to a row of it as any role that he can set: names may be looked up as one of them, and the
    right be asked of another."""
    statement = f"SELECT {thing}" if thing.endswith(")") else f"SELECT id FROM {thing}"
    with psycopg.connect(hr.server.dsn("hr", "bob", "x"), autocommit=True) as connection:

        def does(*statements: str) -> bool:
            try:
                return all(connection.execute(one.encode()) for one in statements)
            except psycopg.Error:
                return False

        worn = [role for role in ("bob", *GROUPS) if does(f"SET ROLE {role}")]
        for finder in worn:
            if does(f"SET ROLE {finder}", f"PREPARE asked AS {statement}"):
                for reader in worn:
                    if does(f"SET ROLE {reader}", "EXECUTE asked"):
                        return True
                does("DEALLOCATE asked")
    return False


@pytest.mark.parametrize("seed", range(4))
def test_it_says_of_one_role_what_the_server_says(running: Hr, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(ROUNDS):
        running.reset()
        dealt = list(_dealt(dice, running))
        running.run(*dealt)
        seen = running.see(("privacy_team", "ann"))
        assert (seen.found, seen.complete, seen.known_reader) == (True, True, True)
        said = {leak.place for leak in seen.leaks}
        for thing in (TABLE, *VIEWS, *INVOKERS, *OTHERS):
            reads, place = _reads(running, thing), thing.removesuffix("()")
            assert reads >= (place in said), (thing, dealt)
            # An invokers' view is told of only where it is the one way.
            assert reads <= (place in said or (thing in INVOKERS and TABLE in said)), (thing, dealt)
