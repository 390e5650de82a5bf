"""What is made of a table on PostgreSQL, and who reads it by way of that, beside what the server itself does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sevtracker.checks.interface import Suggestion
from sevtracker.checks.sql.sessions import Session
from tests.checks.postgres_grants import Hr, hr_on
from tests.servers.binaries import postgres_releases

VIEW = "a view that reads it as its owner"
INVOKER = "a view that reads it as whoever asks"
MATVIEW = "a materialised view of it"
FUNCTION = "a SECURITY DEFINER function that reads it as its owner"
STAFF = "SELECT 1 FROM reports.staff"


@pytest.fixture(scope="module", params=list(postgres_releases()) or [0])
def running(request: pytest.FixtureRequest) -> Iterator[Hr]:
    with hr_on(request.param) as hr:
        yield hr


@pytest.fixture
def hr(running: Hr) -> Hr:
    running.reset()
    return running


def asks_invoker(hr: Hr) -> str:
    if hr.release < 15:
        pytest.skip("security_invoker came with PostgreSQL 15")
    return "WITH (security_invoker)"


# ---- views ----


def test_a_view_of_a_superusers_is_a_way_in_and_the_check_that_watches_it_is_suggested(hr: Hr) -> None:
    hr.run("CREATE VIEW reports.staff AS SELECT id FROM tracking.events")
    assert hr.leaks() == set()
    hr.run("CREATE ROLE staff", "GRANT SELECT ON reports.staff TO staff", "GRANT staff TO bob")
    assert hr.leaks() == {(VIEW, "reports.staff", 1)}
    assert hr.lets("bob", STAFF)
    (leak,) = hr.see().leaks
    assert leak.suggestion == Suggestion(
        "sql_read", {"table": "reports.staff"}, "reports.staff is a view that reads it as its owner."
    )
    hr.run("REVOKE SELECT ON reports.staff FROM staff")
    assert hr.leaks() == set()
    assert not hr.lets("bob", STAFF)


def test_a_view_for_public_is_everybodys_only_where_everybody_finds_it(hr: Hr) -> None:
    hr.run("CREATE VIEW reports.staff AS SELECT id FROM tracking.events", "GRANT SELECT ON reports.staff TO PUBLIC")
    assert hr.leaks() == {(VIEW, "reports.staff", 1)}  # bob, who has USAGE
    hr.run("GRANT USAGE ON SCHEMA reports TO PUBLIC")
    assert hr.leaks() == {(f"{VIEW}, for everybody", "reports.staff", 1)}
    hr.run("REVOKE USAGE ON SCHEMA reports FROM PUBLIC, bob")
    assert hr.leaks() == set()
    assert not hr.lets("bob", STAFF)


def test_a_column_of_a_view_is_a_way_in(hr: Hr) -> None:
    hr.run("CREATE VIEW reports.staff AS SELECT * FROM tracking.events", "GRANT SELECT (id) ON reports.staff TO bob")
    assert hr.leaks() == {(VIEW, "reports.staff", 1)}
    assert hr.lets("bob", "SELECT id FROM reports.staff")


def test_a_view_whose_owner_may_not_read_is_none(hr: Hr) -> None:
    hr.run("CREATE VIEW reports.staff AS SELECT id FROM tracking.events", "GRANT SELECT ON reports.staff TO bob")
    hr.run("ALTER VIEW reports.staff OWNER TO boss")
    assert hr.leaks() == set()
    assert not hr.lets("bob", STAFF)
    hr.run("GRANT SELECT ON tracking.events TO boss")  # without USAGE: a view's names were looked up before
    assert hr.leaks() == {(VIEW, "reports.staff", 1)}
    assert hr.lets("bob", STAFF)


def test_an_owner_keeps_what_he_has_by_a_listed_group(hr: Hr) -> None:
    hr.run("CREATE ROLE readers", "GRANT SELECT ON tracking.events TO readers", "GRANT readers TO boss")
    hr.run("CREATE VIEW reports.staff AS SELECT id FROM tracking.events", "ALTER VIEW reports.staff OWNER TO boss")
    hr.run("GRANT SELECT ON reports.staff TO bob")
    assert hr.leaks("privacy_team", "readers") == {(VIEW, "reports.staff", 1)}
    assert hr.lets("bob", STAFF)


def test_an_invokers_view_is_no_way_of_its_own(hr: Hr) -> None:
    how = asks_invoker(hr)
    hr.run(f"CREATE VIEW reports.staff {how} AS SELECT id FROM tracking.events", "GRANT SELECT ON reports.staff TO bob")
    assert hr.leaks() == set()
    assert not hr.lets("bob", STAFF)
    hr.run("GRANT SELECT ON tracking.events TO bob")
    assert hr.leaks() == {("granted on it", "tracking.events", 1)}
    assert hr.lets("bob", STAFF)


def test_an_invokers_view_is_a_way_in_for_who_may_read_the_table_and_not_find_it(hr: Hr) -> None:
    how = asks_invoker(hr)
    hr.run("GRANT SELECT ON tracking.events TO bob", "REVOKE USAGE ON SCHEMA tracking FROM bob")
    assert hr.leaks() == set()
    hr.run(f"CREATE VIEW reports.staff {how} AS SELECT id FROM tracking.events", "GRANT SELECT ON reports.staff TO bob")
    assert hr.leaks() == {(INVOKER, "reports.staff", 1)}
    assert not hr.lets("bob")
    assert hr.lets("bob", STAFF)


@pytest.mark.parametrize("value", ["on", "true", "1", "YES", "off", "false", "0"])
def test_an_option_is_read_as_the_server_reads_it(hr: Hr, value: str) -> None:
    asks_invoker(hr)
    hr.run(f"CREATE VIEW reports.staff WITH (security_invoker={value}) AS SELECT id FROM tracking.events")
    hr.run("GRANT SELECT ON reports.staff TO bob")
    assert bool(hr.leaks()) is hr.lets("bob", STAFF) is (value in ("off", "false", "0"))


def test_a_view_of_a_view_is_a_way_in(hr: Hr) -> None:
    hr.run("CREATE VIEW tracking.first AS SELECT id FROM tracking.events")
    hr.run("CREATE VIEW reports.staff AS SELECT id FROM tracking.first", "GRANT SELECT ON reports.staff TO bob")
    assert hr.leaks() == {(VIEW, "reports.staff", 1)}
    assert hr.lets("bob", STAFF)
    hr.run("ALTER VIEW tracking.first OWNER TO boss")
    assert hr.leaks() == set()
    assert not hr.lets("bob", STAFF)


def test_an_invokers_view_inside_an_owners_asks_whoever_runs_the_query(hr: Hr) -> None:
    how = asks_invoker(hr)
    hr.run(f"CREATE VIEW tracking.first {how} AS SELECT id FROM tracking.events")
    hr.run("CREATE VIEW reports.staff AS SELECT id FROM tracking.first", "GRANT SELECT ON reports.staff TO bob")
    assert hr.leaks() == set()
    assert not hr.lets("bob", STAFF)
    hr.run("GRANT SELECT ON tracking.events TO bob", "REVOKE USAGE ON SCHEMA tracking FROM bob")
    assert hr.leaks() == {(VIEW, "reports.staff", 1)}
    assert hr.lets("bob", STAFF)


def test_an_owners_view_inside_an_invokers_is_a_way_in(hr: Hr) -> None:
    how = asks_invoker(hr)
    hr.run("CREATE VIEW tracking.first AS SELECT id FROM tracking.events")
    hr.run(f"CREATE VIEW reports.staff {how} AS SELECT id FROM tracking.first", "GRANT SELECT ON reports.staff TO bob")
    assert hr.leaks() == set()
    hr.run("GRANT SELECT ON tracking.first TO bob")
    assert hr.leaks() == {(INVOKER, "reports.staff", 1), (VIEW, "tracking.first", 1)}
    assert hr.lets("bob", STAFF)


def test_a_materialised_view_holds_the_rows_itself(hr: Hr) -> None:
    hr.run("CREATE VIEW tracking.first AS SELECT id FROM tracking.events")
    hr.run(
        "CREATE MATERIALIZED VIEW reports.staff AS SELECT id FROM tracking.first",
        "ALTER TABLE reports.staff OWNER TO boss",
    )
    hr.run("GRANT SELECT ON reports.staff TO bob")
    assert hr.leaks() == {(MATVIEW, "reports.staff", 1)}
    assert hr.lets("bob", STAFF)
    hr.run("CREATE VIEW reports.upon AS SELECT id FROM reports.staff", "GRANT SELECT ON reports.upon TO bob")
    hr.run("REVOKE SELECT ON reports.staff FROM bob")
    assert hr.leaks() == {(VIEW, "reports.upon", 1)}
    assert hr.lets("bob", "SELECT 1 FROM reports.upon")


def test_a_view_of_another_table_is_none_of_ours(hr: Hr) -> None:
    hr.run("CREATE TABLE reports.events (id int)", "CREATE TABLE tracking.events_2 (LIKE tracking.events)")
    for number, name in enumerate(("reports.events", "tracking.events_2")):
        hr.run(
            f"CREATE VIEW reports.v{number} AS SELECT id AS events FROM {name}",
            f"GRANT SELECT ON reports.v{number} TO bob",
        )
    assert hr.leaks() == set()


def test_as_many_questions_are_asked_for_many_roles_and_views_as_for_one(
    hr: Hr, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    catalog = Session.catalog

    def counted(session: Session, question: str, **values: Any) -> Any:
        asked.append(question)
        return catalog(session, question, **values)

    monkeypatch.setattr(Session, "catalog", counted)
    hr.run("CREATE VIEW reports.v0 AS SELECT id FROM tracking.events", "GRANT SELECT ON reports.v0 TO bob")
    assert len(hr.leaks()) == 1
    few = asked.copy()
    asked.clear()
    for n in range(1, 30):
        hr.run(f"CREATE ROLE u{n} LOGIN IN ROLE boss", f"CREATE VIEW reports.v{n} AS SELECT id FROM tracking.events")
        hr.run(f"GRANT SELECT ON reports.v{n} TO u{n}, bob")
    assert len(hr.leaks()) == 30
    assert asked == few


# ---- partitions and inheritance ----


@pytest.fixture
def divided(hr: Hr) -> Hr:
    """``tracking.parted`` with the partition ``reports.y1``, which is divided itself, into ``reports.y1m1``."""
    hr.run(
        "CREATE TABLE tracking.parted (id int, m int) PARTITION BY RANGE (id)",
        "CREATE TABLE reports.y1 PARTITION OF tracking.parted FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (m)",
        "CREATE TABLE reports.y1m1 PARTITION OF reports.y1 FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE reports.y2 PARTITION OF tracking.parted FOR VALUES FROM (10) TO (20)",
        "INSERT INTO tracking.parted VALUES (1, 1), (11, 1)",
        "GRANT SELECT ON tracking.parted, reports.y1 TO privacy_team",
    )
    return hr


def _around(hr: Hr, table: str) -> set[tuple[str, str, int]]:
    seen = hr.see(table=table)
    assert (seen.complete, seen.known_reader) == (True, True)
    return {(leak.how, leak.place, leak.roles) for leak in seen.leaks}


@pytest.mark.parametrize("place", ["reports.y1", "reports.y1m1", "reports.y2"])
def test_a_partition_has_grants_of_its_own(divided: Hr, place: str) -> None:
    assert _around(divided, "tracking.parted") == set()
    divided.run(f"GRANT SELECT ON {place} TO bob")
    assert _around(divided, "tracking.parted") == {("a partition of it", place, 1)}
    assert divided.lets("bob", f"SELECT 1 FROM {place}")
    assert not divided.lets("bob", "SELECT 1 FROM tracking.parted")
    assert divided.see(table="tracking.parted").leaks[0].suggestion is not None


def test_who_reads_the_whole_reads_its_partition_and_who_reads_another_partition_does_not(divided: Hr) -> None:
    divided.run("GRANT SELECT ON reports.y2 TO bob")
    assert _around(divided, "reports.y1") == set()
    divided.run("GRANT SELECT ON tracking.parted TO bob")
    assert _around(divided, "reports.y1") == {("a table that shows its rows as part of its own", "tracking.parted", 1)}
    assert divided.lets("bob", "SELECT 1 FROM tracking.parted WHERE id = 1")


def test_a_view_of_a_partition_and_a_view_of_the_whole_are_ways_in(divided: Hr) -> None:
    divided.run("CREATE VIEW reports.a AS SELECT id FROM reports.y1m1", "GRANT SELECT ON reports.a TO bob")
    divided.run("CREATE VIEW reports.b AS SELECT id FROM tracking.parted", "GRANT SELECT ON reports.b TO bob")
    assert _around(divided, "reports.y1") == {(VIEW, "reports.a", 1), (VIEW, "reports.b", 1)}


def test_a_child_has_grants_of_its_own_and_its_other_parents_show_its_rows(hr: Hr) -> None:
    hr.run(
        "CREATE TABLE reports.other (id int)",
        "CREATE TABLE reports.child () INHERITS (tracking.events, reports.other)",
        "CREATE TABLE reports.sibling () INHERITS (reports.other)",
        "INSERT INTO reports.child VALUES (2, 'canary')",
        "GRANT SELECT ON reports.sibling TO bob",
    )
    assert hr.leaks() == set()
    hr.run("GRANT SELECT ON reports.child, reports.other TO bob")
    assert hr.leaks() == {
        ("a table that inherits from it", "reports.child", 1),
        ("a table that shows its rows as part of its own", "reports.other", 1),
    }
    assert hr.lets("bob", "SELECT 1 FROM reports.child")
    assert hr.lets("bob", "SELECT 1 FROM reports.other")


# ---- rules ----

RULE = "a rule that reads it as its owner"


def test_a_rule_that_reads_runs_for_whoever_may_do_what_it_waits_for(hr: Hr) -> None:
    hr.run(
        "CREATE TABLE reports.box (id int)",
        "CREATE RULE peek AS ON INSERT TO reports.box DO ALSO SELECT id FROM tracking.events",
        "GRANT SELECT, UPDATE ON reports.box TO bob",
    )
    assert hr.leaks() == set()
    hr.run("GRANT INSERT ON reports.box TO bob")
    assert hr.leaks() == {(RULE, "reports.box", 1)}
    assert hr.see().leaks[0].suggestion is None
    assert hr.lets("bob", "INSERT INTO reports.box VALUES (1)")
    hr.run("ALTER TABLE reports.box OWNER TO boss")
    assert hr.leaks() == set()
    assert not hr.lets("bob", "INSERT INTO reports.box VALUES (1)")


def test_a_rule_that_writes_to_the_table_shows_nobody_a_row(hr: Hr) -> None:
    hr.run(
        "CREATE VIEW reports.inbox AS SELECT 1 AS id",
        "CREATE RULE post AS ON INSERT TO reports.inbox DO INSTEAD INSERT INTO tracking.events VALUES (NEW.id)",
        "CREATE RULE put AS ON UPDATE TO reports.inbox DO INSTEAD UPDATE tracking.events SET ssn = '' WHERE id = 0",
        "GRANT ALL ON reports.inbox TO bob",
    )
    assert hr.leaks() == set()
    assert hr.lets("bob", "INSERT INTO reports.inbox VALUES (7)")
    hr.run(
        "CREATE RULE copy AS ON DELETE TO reports.inbox"
        " DO INSTEAD INSERT INTO tracking.events SELECT * FROM tracking.events"
    )
    assert hr.leaks() == {(RULE, "reports.inbox", 1)}


# ---- functions ----

BODY = "SELECT count(*) FROM tracking.events"
ASK = "SELECT reports.ask()"


def function(
    body: str = BODY, *, name: str = "reports.ask", how: str = "SECURITY DEFINER", language: str = "sql"
) -> str:
    return f"CREATE FUNCTION {name}() RETURNS bigint LANGUAGE {language} {how} AS $body$ {body} $body$"


PLPGSQL = f"BEGIN RETURN ({BODY}); END"
DYNAMIC = "DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM %I.events', 'tracking') INTO n; RETURN n; END"


@pytest.mark.parametrize(("body", "language"), [(BODY, "sql"), (PLPGSQL, "plpgsql"), (DYNAMIC, "plpgsql")])
def test_a_definers_function_is_for_everybody_until_execute_is_revoked(hr: Hr, body: str, language: str) -> None:
    hr.run(function(body, language=language))
    assert hr.leaks() == {(FUNCTION, "reports.ask", 1)}
    assert hr.lets("bob", ASK)
    hr.run("GRANT USAGE ON SCHEMA reports TO PUBLIC")
    assert hr.leaks() == {(f"{FUNCTION}, for everybody", "reports.ask", 1)}
    assert hr.see().leaks[0].suggestion is None
    hr.run("REVOKE EXECUTE ON FUNCTION reports.ask() FROM PUBLIC")
    assert hr.leaks() == set()
    assert not hr.lets("bob", ASK)
    hr.run("GRANT EXECUTE ON FUNCTION reports.ask() TO bob")
    assert hr.leaks() == {(FUNCTION, "reports.ask", 1)}


def test_a_procedure_counts_as_a_function_does(hr: Hr) -> None:
    hr.run(
        "CREATE PROCEDURE reports.ask() LANGUAGE plpgsql SECURITY DEFINER"
        " AS 'BEGIN PERFORM 1 FROM tracking.events; END'"
    )
    assert hr.leaks() == {(FUNCTION, "reports.ask", 1)}
    assert hr.lets("bob", "CALL reports.ask()")


def test_a_body_of_standard_sql_is_known_by_its_dependencies(hr: Hr) -> None:
    if hr.release < 14:
        pytest.skip("BEGIN ATOMIC came with PostgreSQL 14")
    hr.run(
        "CREATE VIEW tracking.first AS SELECT id FROM tracking.events",
        "CREATE FUNCTION reports.ask() RETURNS bigint SECURITY DEFINER"
        " BEGIN ATOMIC SELECT count(*) FROM tracking.first; END",
        "ALTER TABLE tracking.events RENAME TO e2",
        "ALTER VIEW tracking.first RENAME TO v2",
    )
    seen = hr.see(table="tracking.e2")
    assert {(leak.how, leak.place) for leak in seen.leaks} == {(FUNCTION, "reports.ask")}
    assert hr.lets("bob", ASK)


def test_a_function_of_whoever_asks_is_no_way_in(hr: Hr) -> None:
    hr.run(function(how="SECURITY INVOKER"))
    assert hr.leaks() == set()
    assert not hr.lets("bob", ASK)


def test_a_function_whose_owner_may_not_read_or_find_is_none(hr: Hr) -> None:
    hr.run(function(language="plpgsql", body=PLPGSQL), "ALTER FUNCTION reports.ask OWNER TO boss")
    assert hr.leaks() == set()
    hr.run("GRANT SELECT ON tracking.events TO boss")
    assert hr.leaks() == set()
    assert not hr.lets("bob", ASK)
    hr.run("GRANT USAGE ON SCHEMA tracking TO boss")
    assert hr.leaks() == {(FUNCTION, "reports.ask", 1)}
    assert hr.lets("bob", ASK)


def test_a_definers_function_by_way_of_others(hr: Hr) -> None:
    hr.run("CREATE VIEW tracking.first AS SELECT id FROM tracking.events")
    hr.run(function("SELECT count(*) FROM tracking.first", name="tracking.inner_one", how="SECURITY INVOKER"))
    hr.run(function("SELECT tracking.inner_one()"))
    assert hr.leaks() == {(FUNCTION, "reports.ask", 1)}
    assert hr.lets("bob", ASK)
    hr.run("ALTER FUNCTION reports.ask OWNER TO boss", "GRANT USAGE ON SCHEMA tracking TO boss")
    assert hr.leaks() == set()
    assert not hr.lets("bob", ASK)


def test_functions_that_call_one_another_in_a_circle(hr: Hr) -> None:
    hr.run(function("BEGIN RETURN reports.b(); END", name="reports.a", language="plpgsql"))
    hr.run(
        function(
            f"BEGIN IF false THEN RETURN reports.a(); END IF; RETURN ({BODY}); END",
            name="reports.b",
            language="plpgsql",
        )
    )
    hr.run("REVOKE EXECUTE ON FUNCTION reports.b() FROM PUBLIC")
    assert hr.leaks() == {(FUNCTION, "reports.a", 1)}
    assert hr.lets("bob", "SELECT reports.a()")


def test_a_view_of_a_function_asks_for_the_function_and_a_materialised_one_does_not(hr: Hr) -> None:
    hr.run(function(), "REVOKE EXECUTE ON FUNCTION reports.ask() FROM PUBLIC")
    hr.run("CREATE VIEW reports.counted AS SELECT reports.ask() AS n", "GRANT SELECT ON reports.counted TO bob")
    assert hr.leaks() == set()
    assert not hr.lets("bob", "SELECT * FROM reports.counted")
    hr.run("CREATE MATERIALIZED VIEW reports.kept AS SELECT reports.ask() AS n", "GRANT SELECT ON reports.kept TO bob")
    assert hr.leaks() == {(MATVIEW, "reports.kept", 1)}
    assert hr.lets("bob", "SELECT * FROM reports.kept")
    hr.run("GRANT EXECUTE ON FUNCTION reports.ask() TO bob")
    assert hr.leaks() == {(MATVIEW, "reports.kept", 1), (VIEW, "reports.counted", 1), (FUNCTION, "reports.ask", 1)}
    assert hr.lets("bob", "SELECT * FROM reports.counted")


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        ("BEGIN RETURN 1 /* events */; END", True),
        ("BEGIN PERFORM 1 FROM TRACKING.EVENTS; RETURN 1; END", True),
        ('BEGIN PERFORM 1 FROM "tracking" . "events"; RETURN 1; END', True),
        ("BEGIN PERFORM 1 FROM reports.events; RETURN 1; END", False),
        ('BEGIN PERFORM 1 FROM "reports"."events"; RETURN 1; END', False),
        ("BEGIN PERFORM e.events FROM reports.events e; RETURN 1; END", True),
        ("BEGIN PERFORM 'events_2, myevents, events$'; RETURN 1; END", False),
    ],
)
def test_a_mention_is_a_word_that_may_have_the_schema_before_it(hr: Hr, body: str, counts: bool) -> None:
    hr.run("CREATE TABLE reports.events (events int)", function(body, language="plpgsql"))
    assert hr.leaks() == ({(FUNCTION, "reports.ask", 1)} if counts else set())


def test_a_trigger_function_cannot_be_called(hr: Hr) -> None:
    hr.run(
        "CREATE FUNCTION reports.log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        " AS 'BEGIN INSERT INTO tracking.events VALUES (1); RETURN NEW; END'"
    )
    assert hr.leaks() == set()
    assert not hr.lets("bob", "SELECT reports.log()")
