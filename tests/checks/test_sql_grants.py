"""What the kind ``sql_grants`` makes of an enumeration: verdict, steps and suggestions, on a PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sevtracker.checks.interface import Definition, Observation, Result
from sevtracker.checks.validation import validate
from sevtracker.domain.vocabulary import Phase
from sevtracker.errors import InputError
from tests.checks.postgres_grants import Hr, hr_on
from tests.checks.sites import CONTROL_SECRET, World, cast, outcome, person

WORLD = World(
    identities={**cast(), "watcher": person("service", username="sev_grants", password="env:CONTROL_SECRET")},
)


@pytest.fixture(scope="module")
def running() -> Iterator[Hr]:
    with hr_on(0) as hr:
        hr.server.execute(f"ALTER ROLE sev_grants PASSWORD '{CONTROL_SECRET}'")
        yield hr


@pytest.fixture
def hr(running: Hr) -> Hr:
    running.reset()
    return running


def look(hr: Hr, *allowed: str, **params: Any) -> Observation:
    url = f"postgresql://127.0.0.1:{hr.server.port}/hr"
    told = {"url": url, "table": "tracking.events", "allowed_roles": allowed or ("privacy_team",), **params}
    return WORLD.look("sql_grants", told, "watcher")


def notes(seen: Observation) -> list[str]:
    return [step.note for step in seen.steps if step.phase in (Phase.target, Phase.control)]


def test_closed_says_that_somebody_on_the_list_reads(hr: Hr) -> None:
    seen = look(hr)
    assert (outcome(seen), seen.control) == (("closed", "no_grant"), Result.got_in)
    assert [step.phase for step in seen.steps] == [Phase.connect, Phase.self_test, Phase.target, Phase.control]
    assert notes(seen) == [
        "nobody off the list can read it, nor what is made of it",
        "somebody on the list is seen to be able to read it",
    ]
    assert outcome(look(hr, allowed_roles=[])) == ("open", "grant_found")  # privacy_team reads, and is on no list


def test_open_tells_every_place_once_with_its_ways_and_how_many_roles_and_no_role_s_name(hr: Hr) -> None:
    hr.run(
        "CREATE ROLE ann_smith LOGIN IN ROLE boss",
        "CREATE ROLE cleo_jones LOGIN IN ROLE boss",
        "CREATE VIEW reports.staff AS SELECT id FROM tracking.events",
        "GRANT SELECT ON reports.staff TO bob",
        "GRANT SELECT ON tracking.events TO bob, boss",
        "GRANT USAGE ON SCHEMA tracking TO boss",
        "GRANT SELECT (id) ON tracking.events TO bob",
    )
    seen = look(hr)
    assert (outcome(seen), seen.control) == (("open", "grant_found"), None)
    assert notes(seen) == [
        "off the list, and can read tracking.events: granted on it (1 role); granted on a column of it (1 role);"
        " through a role (2-9 roles)",
        "off the list, and can read reports.staff: a view that reads it as its owner (1 role)",
    ]
    assert not any(name in str(seen) for name in ("bob", "boss", "ann", "privacy_team"))


def test_what_is_suggested_is_a_check_that_can_be_saved(hr: Hr) -> None:
    hr.run("CREATE VIEW reports.staff AS SELECT id FROM tracking.events", "GRANT SELECT ON reports.staff TO bob")
    hr.run('CREATE VIEW reports."line\nbreak" AS SELECT id FROM tracking.events')
    hr.run('GRANT SELECT ON reports."line\nbreak" TO bob')
    seen = look(hr)
    url = f"postgresql://127.0.0.1:{hr.server.port}/hr"
    [found] = seen.suggestions
    assert (found.kind, found.params) == ("sql_read", {"url": url, "table": "reports.staff"})
    assert found.why == "reports.staff is a view that reads it as its owner."
    assert found.locator == f"{url} reports.staff"


def test_more_places_than_a_page_can_tell_are_counted(hr: Hr) -> None:
    hr.run(*(f"CREATE VIEW reports.v{n} AS SELECT id FROM tracking.events" for n in range(45)))
    hr.run("GRANT SELECT ON ALL TABLES IN SCHEMA reports TO bob")
    seen = look(hr)
    assert len(notes(seen)) == 41
    assert notes(seen)[-1] == "further places that can be read off the list: 2-9"
    assert len(seen.suggestions) == 40


def test_a_way_in_is_open_whatever_else_was_withheld_and_none_is_never_closed(hr: Hr) -> None:
    hr.run("REVOKE SELECT ON pg_catalog.pg_default_acl FROM PUBLIC")
    try:
        seen = look(hr)
        assert outcome(seen) == ("inconclusive", "not_permitted")
        assert notes(seen) == ["this identity may not see all of the catalog that tells of grants"]
        hr.run("GRANT SELECT ON tracking.events TO bob")
        assert outcome(look(hr)) == ("open", "grant_found")
    finally:
        hr.run("GRANT SELECT ON pg_catalog.pg_default_acl TO PUBLIC")


def test_a_list_of_which_nobody_reads_confirms_nothing(hr: Hr) -> None:
    hr.run("REVOKE SELECT ON tracking.events FROM privacy_team")
    seen = look(hr)
    assert (outcome(seen), seen.control) == (("inconclusive", "control_failed"), Result.denied)
    assert notes(seen)[-1] == "somebody on the list is not seen to be able to read it"
    assert outcome(look(hr, allowed_roles=[])) == ("closed", "no_grant")  # the owner reads, and is the installer's


@pytest.mark.parametrize("table", ["tracking.no_such", "no_such.events", "tracking.EVENTS"])
def test_a_table_that_is_not_there_confirms_nothing(hr: Hr, table: str) -> None:
    assert outcome(look(hr, table=table)) == ("inconclusive", "control_failed")


def test_a_catalog_that_is_locked_is_a_timeout(hr: Hr) -> None:
    with psycopg.connect(hr.server.dsn("hr")) as holder:
        holder.execute("LOCK TABLE pg_catalog.pg_default_acl")
        assert outcome(look(hr, timeout=2)) == ("inconclusive", "timeout")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"table": "events"}, "table"),
        ({"url": "postgresql://bob:x@db1/hr"}, "url"),
        ({"allowed_roles": [""]}, "allowed_roles"),
        ({"allowed_roles": ["a" * 201]}, "allowed_roles"),
        ({"sensitive_columns": ["id"]}, "sensitive_columns"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_on_saving(hr: Hr, params: dict[str, Any], field: str) -> None:
    url = f"postgresql://127.0.0.1:{hr.server.port}/hr"
    definition = Definition("sql_grants", "watcher", None, {"url": url, "table": "tracking.events", **params})
    with pytest.raises(InputError) as caught:
        validate(WORLD.kinds, WORLD.environment, definition)
    assert [error.field.split(".")[1] for error in caught.value.errors] == [field]
