"""Who can read a table, by PostgreSQL's catalogs: each way open and shut, beside what the server itself does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from tests.checks.postgres_grants import PAGE, SELECT, Hr, hr_on
from tests.servers.binaries import postgres_releases

TABLE = "tracking.events"
ROLE = "through a role"
FILTERED = ", under row-level security, which may leave no row"


@pytest.fixture(scope="module", params=list(postgres_releases()) or [0])
def running(request: pytest.FixtureRequest) -> Iterator[Hr]:
    with hr_on(request.param) as hr:
        yield hr


@pytest.fixture
def hr(running: Hr) -> Hr:
    running.reset()
    return running


def since(hr: Hr, release: int) -> None:
    if hr.release < release:
        pytest.skip(f"came with PostgreSQL {release}")


# ---- the table itself ----


def test_nobody_off_the_list_reads_it(hr: Hr) -> None:
    assert hr.leaks() == set()
    assert not hr.lets("bob")
    assert hr.lets("privacy_team")


@pytest.mark.parametrize(
    ("grant", "how"),
    [
        ("GRANT SELECT ON tracking.events TO bob", "granted on it"),
        ("GRANT SELECT (id) ON tracking.events TO bob", "granted on a column of it"),
        ("GRANT SELECT ON tracking.events TO PUBLIC", "granted to PUBLIC"),
        ("GRANT SELECT (ssn) ON tracking.events TO PUBLIC", "granted to PUBLIC"),
    ],
)
def test_a_grant_is_seen_and_its_revoke_too(hr: Hr, grant: str, how: str) -> None:
    hr.run(grant)
    assert hr.leaks() == {(how, TABLE, 1)}
    assert hr.lets("bob", SELECT)
    hr.run(grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM "))
    assert hr.leaks() == set()
    assert not hr.lets("bob")


@pytest.mark.parametrize(
    "grant",
    [
        "GRANT INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON tracking.events TO bob",
        "GRANT SELECT ON tracking.other TO bob",
        "GRANT SELECT ON reports.events TO PUBLIC",
        "GRANT ALL ON SCHEMA tracking TO bob",
        "GRANT ALL ON DATABASE hr TO bob",
        "ALTER DATABASE hr OWNER TO bob",
        "ALTER SCHEMA tracking OWNER TO bob",
    ],
)
def test_a_grant_of_something_else_is_no_way_in(hr: Hr, grant: str) -> None:
    hr.run("CREATE TABLE tracking.other (id int)", "CREATE TABLE reports.events (id int)", grant)
    assert hr.leaks() == set()
    assert not hr.lets("bob")


def test_a_public_grant_is_everybodys_only_where_everybody_finds_the_table(hr: Hr) -> None:
    hr.run("GRANT SELECT ON tracking.events TO PUBLIC", "CREATE ROLE ann LOGIN", "CREATE ROLE eve LOGIN PASSWORD 'x'")
    assert hr.leaks() == {("granted to PUBLIC", TABLE, 1)}  # bob, who has USAGE
    assert not hr.lets("eve")
    hr.run("GRANT USAGE ON SCHEMA tracking TO PUBLIC")
    assert hr.leaks("privacy_team", "bob", "ann", "eve", "PUBLIC", "public") >= {("granted to PUBLIC", TABLE, 1)}
    assert hr.lets("eve")
    hr.run("REVOKE USAGE ON SCHEMA tracking FROM PUBLIC, bob")
    assert hr.leaks() == set()


def test_a_grant_without_usage_on_the_schema_is_no_leak_until_usage_comes_by_any_way(hr: Hr) -> None:
    hr.run("GRANT SELECT ON tracking.events TO bob", "REVOKE USAGE ON SCHEMA tracking FROM bob")
    assert hr.leaks() == set()
    assert not hr.lets("bob")
    hr.run("CREATE ROLE finders NOLOGIN", "GRANT USAGE ON SCHEMA tracking TO finders", "GRANT finders TO bob")
    assert hr.leaks() == {("granted on it", TABLE, 1)}
    assert hr.lets("bob")


def test_the_right_to_find_and_the_right_to_read_may_be_different_roles(hr: Hr) -> None:
    """A name is looked up when a statement is prepared, and the right to read asked when it is executed."""
    hr.run("REVOKE USAGE ON SCHEMA tracking FROM bob", "ALTER ROLE bob NOINHERIT")
    for name, grant in (("finders", "USAGE ON SCHEMA tracking"), ("readers", "SELECT ON tracking.events")):
        options = " WITH INHERIT FALSE" if hr.release >= 16 else ""
        hr.run(f"CREATE ROLE {name}", f"GRANT {grant} TO {name}", f"GRANT {name} TO bob{options}")
    assert hr.leaks() == {(ROLE, TABLE, 1)}
    assert hr.lets("bob", "SET ROLE finders", f"PREPARE p AS {SELECT}", "SET ROLE readers", "EXECUTE p")


def test_who_may_not_connect_does_not_get_in(hr: Hr) -> None:
    hr.run("GRANT SELECT ON tracking.events TO bob", "REVOKE CONNECT ON DATABASE hr FROM PUBLIC")
    hr.run("GRANT CONNECT ON DATABASE hr TO sev_grants, privacy_team")
    assert hr.leaks() == set()
    assert not hr.lets("bob")
    hr.run("CREATE ROLE staff", "GRANT CONNECT ON DATABASE hr TO staff", "GRANT staff TO bob")
    assert hr.leaks() == {("granted on it", TABLE, 1)}
    assert hr.lets("bob")


@pytest.mark.parametrize("to", ["bob", "PUBLIC"])
def test_a_grant_under_row_level_security_counts_and_says_so(hr: Hr, to: str) -> None:
    hr.run(f"GRANT SELECT ON tracking.events TO {to}", "ALTER TABLE tracking.events ENABLE ROW LEVEL SECURITY")
    how = "granted to PUBLIC" if to == "PUBLIC" else "granted on it"
    assert hr.leaks() == {(how + FILTERED, TABLE, 1)}
    assert not hr.lets("bob")
    hr.run("ALTER ROLE bob BYPASSRLS")
    assert hr.leaks() == {(how + FILTERED, TABLE, 1)}
    assert hr.lets("bob")
    hr.run("REVOKE SELECT ON tracking.events FROM bob, PUBLIC")
    assert hr.leaks() == set()
    assert not hr.lets("bob")


def test_the_probes_own_identity_counts_as_well(hr: Hr) -> None:
    hr.run("GRANT USAGE ON SCHEMA tracking TO sev_grants", "GRANT SELECT ON tracking.events TO sev_grants")
    assert hr.leaks() == {("granted on it", TABLE, 1)}
    assert hr.leaks("privacy_team", "sev_grants") == set()


def test_roles_are_counted_and_each_way_is_told(hr: Hr) -> None:
    hr.run(*(f"CREATE ROLE u{n} LOGIN" for n in range(3)), "CREATE ROLE staff", "GRANT staff TO bob, u0")
    hr.run("GRANT SELECT ON tracking.events TO u0, u1, u2, staff", "GRANT USAGE ON SCHEMA tracking TO PUBLIC")
    assert hr.leaks() == {("granted on it", TABLE, 3), (ROLE, TABLE, 2)}


# ---- roles ----


@pytest.fixture
def readers(hr: Hr) -> Hr:
    hr.run("CREATE ROLE readers NOLOGIN", "GRANT SELECT ON tracking.events TO readers")
    return hr


def test_a_role_that_nobody_has_leaks_nothing(readers: Hr) -> None:
    assert readers.leaks() == set()
    readers.run("CREATE ROLE inner_role", "GRANT readers TO inner_role")
    assert readers.leaks() == set()


def test_a_role_of_a_role_counts(readers: Hr) -> None:
    readers.run("CREATE ROLE staff", "GRANT readers TO staff", "GRANT staff TO bob")
    assert readers.leaks() == {(ROLE, TABLE, 1)}
    assert readers.lets("bob")
    readers.run("REVOKE readers FROM staff")
    assert readers.leaks() == set()
    assert not readers.lets("bob")


def test_a_member_who_does_not_inherit_sets_the_role(readers: Hr) -> None:
    readers.run("ALTER ROLE bob NOINHERIT", "GRANT readers TO bob")
    assert readers.leaks() == {(ROLE, TABLE, 1)}
    assert not readers.lets("bob")
    readers.run("GRANT USAGE ON SCHEMA tracking TO readers")
    assert readers.lets("bob", "SET ROLE readers", SELECT)


@pytest.mark.parametrize("inherit", [False, True])
@pytest.mark.parametrize("set_", [False, True])
def test_a_membership_says_by_itself_what_it_gives(readers: Hr, inherit: bool, set_: bool) -> None:
    since(readers, 16)
    readers.run("GRANT USAGE ON SCHEMA tracking TO readers")
    readers.run(f"GRANT readers TO bob WITH INHERIT {inherit}, SET {set_}")
    assert readers.leaks() == ({(ROLE, TABLE, 1)} if inherit or set_ else set())
    assert readers.lets("bob") is inherit
    assert readers.lets("bob", "SET ROLE readers", SELECT) is set_


def test_what_is_inherited_is_not_set_from_there(readers: Hr) -> None:
    """Bob has the middle role's privileges and cannot become it, so he can become nobody that it could."""
    since(readers, 16)
    readers.run(
        "CREATE ROLE middle", "GRANT middle TO bob WITH SET FALSE", "GRANT readers TO middle WITH INHERIT FALSE"
    )
    assert readers.leaks() == set()
    assert not readers.lets("bob", "SET ROLE readers", SELECT)
    readers.run("GRANT middle TO bob WITH SET TRUE")
    assert readers.leaks() == {(ROLE, TABLE, 1)}
    readers.run("GRANT USAGE ON SCHEMA tracking TO readers")
    assert readers.lets("bob", "SET ROLE readers", SELECT)


def test_who_may_grant_a_readers_role_grants_it_to_himself(readers: Hr) -> None:
    since(readers, 16)
    readers.run("GRANT readers TO bob WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    how = "able to take it: ADMIN OPTION on a role that reads it or what is made of it"
    assert readers.leaks() == {(how, TABLE, 1)}
    readers.run("REVOKE SELECT ON tracking.events FROM readers")
    assert readers.leaks() == set()
    readers.run(
        "CREATE VIEW reports.staff AS SELECT id FROM tracking.events", "GRANT SELECT ON reports.staff TO readers"
    )
    assert readers.leaks() == {(how, TABLE, 1)}
    assert not readers.lets("bob", "SELECT 1 FROM reports.staff")
    assert readers.lets("bob", "GRANT readers TO bob", "SELECT 1 FROM reports.staff")


def test_creating_roles_gives_any_of_them_before_release_16(hr: Hr) -> None:
    hr.run("ALTER ROLE bob CREATEROLE")
    old = hr.release < 16
    assert hr.leaks() == ({("able to take it: CREATEROLE grants itself any role", TABLE, 1)} if old else set())
    assert hr.lets("bob", "GRANT pg_read_all_data TO bob", SELECT) is old


def test_the_owner_and_who_is_a_member_of_it(hr: Hr) -> None:
    hr.run("ALTER TABLE tracking.events OWNER TO boss")
    assert hr.leaks() == set()
    hr.run("GRANT boss TO bob")
    assert hr.leaks() == {(ROLE, TABLE, 1)}
    assert hr.lets("bob")
    hr.run("REVOKE boss FROM bob", "ALTER TABLE tracking.events OWNER TO bob")
    assert hr.leaks() == {("as its owner", TABLE, 1)}
    assert hr.leaks("privacy_team", "bob") == set()
    assert hr.lets("bob")


def test_the_owner_of_a_database_is_a_member_of_its_role(hr: Hr) -> None:
    since(hr, 14)
    hr.run("ALTER DATABASE hr OWNER TO bob", "GRANT SELECT ON tracking.events TO pg_database_owner")
    assert hr.leaks() == {(ROLE, TABLE, 1)}
    assert hr.lets("bob")
    hr.run("ALTER DATABASE hr OWNER TO postgres")
    assert hr.leaks() == set()
    assert not hr.lets("bob")


# ---- powers ----


def test_a_superuser_counts_and_so_does_who_becomes_one(hr: Hr) -> None:
    hr.run("CREATE ROLE dba LOGIN SUPERUSER")
    assert hr.leaks() == {("as a superuser", TABLE, 1)}
    assert hr.leaks("privacy_team", "dba") == set()
    hr.run("GRANT dba TO bob")
    assert hr.leaks("privacy_team", "dba") == {("as a superuser", TABLE, 1)}
    assert hr.lets("bob", "SET ROLE dba", SELECT)


def test_the_bootstrap_superuser_is_exempt_and_its_members_are_not(hr: Hr) -> None:
    assert hr.leaks() == set()
    hr.run("GRANT postgres TO bob")
    assert ("as a superuser", TABLE, 1) in hr.leaks()
    assert hr.lets("bob", "SET ROLE postgres", SELECT)


def test_pg_read_all_data_reads_and_pg_write_all_data_does_not(hr: Hr) -> None:
    since(hr, 14)
    hr.run("REVOKE USAGE ON SCHEMA tracking FROM bob", "GRANT pg_write_all_data TO bob")
    assert hr.leaks() == set()
    assert not hr.lets("bob")
    hr.run("GRANT pg_read_all_data TO bob", "CREATE VIEW reports.staff AS SELECT id FROM tracking.events")
    assert hr.leaks() == {("through pg_read_all_data", TABLE, 1)}  # and not once more for each view
    assert hr.lets("bob")


@pytest.mark.parametrize("role", ["pg_read_server_files", "pg_write_server_files", "pg_execute_server_program"])
def test_who_gets_at_the_servers_files_counts(hr: Hr, role: str) -> None:
    hr.run(f"GRANT {role} TO bob")
    assert hr.leaks() == {(f"able to get at its file, by {role}", TABLE, 1)}
    assert hr.leaks("privacy_team", "bob") == set()


def test_a_function_that_reads_files_reads_the_tables(hr: Hr) -> None:
    ((path,),) = hr.server.execute("CHECKPOINT", "SELECT pg_relation_filepath('tracking.events')", database="hr")
    read = f"SELECT 1 WHERE position('canary'::bytea IN pg_read_binary_file('{path}')) > 0"
    assert not hr.lets("bob", read)
    hr.run("GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO bob")
    assert hr.leaks() == {("able to get at its file, by calling pg_read_binary_file", TABLE, 1)}
    assert hr.lets("bob", read)


def test_replication_copies_the_server(hr: Hr) -> None:
    def streams() -> bool:
        dsn = hr.server.dsn("hr", "bob", "x")
        try:
            with psycopg.connect(f"{dsn}?replication=true", autocommit=True) as connection:
                return bool(connection.pgconn.exec_(b"IDENTIFY_SYSTEM").ntuples)
        except psycopg.Error:
            return False

    assert not streams()
    hr.run("ALTER ROLE bob REPLICATION")
    assert hr.leaks() == {("able to copy the server: REPLICATION", TABLE, 1)}
    assert streams()


# ---- tomorrow ----

TOMORROW = "tomorrow's tables of schema tracking"
MAKES = "CREATE TABLE tracking.events_2 AS SELECT 1 AS id"


@pytest.mark.parametrize("where", ["IN SCHEMA tracking", ""])
def test_default_privileges_are_a_leak_of_tomorrow(hr: Hr, where: str) -> None:
    hr.run(f"ALTER DEFAULT PRIVILEGES {where} GRANT SELECT ON TABLES TO bob", MAKES)
    assert hr.leaks() == {("default privileges", TOMORROW, 1)}
    assert hr.see().leaks[0].suggestion is None
    assert hr.lets("bob", "SELECT 1 FROM tracking.events_2")
    hr.run(f"ALTER DEFAULT PRIVILEGES {where} REVOKE SELECT ON TABLES FROM bob")
    assert hr.leaks() == set()


def test_default_privileges_for_public_and_for_a_role_of_somebodys(hr: Hr) -> None:
    hr.run("ALTER DEFAULT PRIVILEGES IN SCHEMA tracking GRANT SELECT ON TABLES TO PUBLIC", MAKES)
    assert hr.leaks() == {("default privileges for PUBLIC", TOMORROW, 1)}
    assert hr.lets("bob", "SELECT 1 FROM tracking.events_2")
    hr.run("ALTER DEFAULT PRIVILEGES IN SCHEMA tracking REVOKE SELECT ON TABLES FROM PUBLIC", "CREATE ROLE staff")
    hr.run("ALTER DEFAULT PRIVILEGES IN SCHEMA tracking GRANT SELECT ON TABLES TO staff")
    assert hr.leaks() == set()
    hr.run("GRANT staff TO bob")
    assert hr.leaks() == {("default privileges", TOMORROW, 1)}


def test_default_privileges_of_others_count_for_this_schema_only(hr: Hr) -> None:
    hr.run(
        "ALTER DEFAULT PRIVILEGES FOR ROLE boss GRANT SELECT ON TABLES TO bob",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA reports GRANT SELECT ON TABLES TO bob",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA tracking GRANT INSERT ON TABLES TO bob",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA tracking GRANT SELECT ON TABLES TO privacy_team",
    )
    assert hr.leaks() == set()
    hr.run("ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA tracking GRANT SELECT ON TABLES TO bob")
    assert hr.leaks() == {("default privileges", TOMORROW, 1)}


# ---- who is listed, and the known reader ----


@pytest.mark.parametrize("entry", ["Bob", "bo", "%", "bob ", "readers", "PUBLIC", "bob@%"])
def test_the_list_takes_nobody_else(readers: Hr, entry: str) -> None:
    readers.run("GRANT SELECT ON tracking.events TO bob")
    assert readers.leaks("privacy_team", entry) == {("granted on it", TABLE, 1)}
    assert readers.leaks("privacy_team", entry, "bob") == set()


def test_a_listed_group_stands_for_its_members_as_far_as_they_get_in_by_it(readers: Hr) -> None:
    readers.run("GRANT readers TO bob")
    assert readers.leaks() == {(ROLE, TABLE, 1)}
    assert readers.leaks("privacy_team", "readers") == set()
    readers.run("GRANT SELECT ON tracking.events TO bob")
    assert readers.leaks("privacy_team", "readers") == {("granted on it", TABLE, 1)}


def test_a_listed_role_that_signs_in_stands_for_itself_only(hr: Hr) -> None:
    hr.run("GRANT privacy_team TO bob")
    assert hr.leaks() == {(ROLE, TABLE, 1)}
    assert hr.lets("bob")


def test_without_a_listed_reader_there_is_no_known_reader(hr: Hr) -> None:
    assert hr.see().known_reader
    assert not hr.see(("nobody_here",)).known_reader
    hr.run("REVOKE USAGE ON SCHEMA tracking FROM privacy_team")
    assert not hr.see().known_reader
    assert hr.see(()).known_reader  # its owner


def test_a_renamed_table_is_not_found(hr: Hr) -> None:
    hr.run("ALTER TABLE tracking.events RENAME TO events_old")
    seen = hr.see()
    assert (seen.found, seen.complete, seen.known_reader, seen.leaks) == (False, True, False, ())


# ---- what could mislead it ----


@pytest.mark.parametrize(
    "catalog", ["pg_proc", "pg_depend", "pg_auth_members", "pg_namespace", "pg_default_acl", "pg_inherits", "pg_class"]
)
def test_a_catalog_that_is_withheld_is_never_closed(hr: Hr, catalog: str) -> None:
    hr.run("CREATE VIEW reports.staff AS SELECT id FROM tracking.events", "GRANT SELECT ON reports.staff TO bob")
    hr.run(f"REVOKE SELECT ON pg_catalog.{catalog} FROM PUBLIC")
    try:
        assert not hr.see().complete
    finally:
        hr.run(f"GRANT SELECT ON pg_catalog.{catalog} TO PUBLIC")
    assert hr.see().complete


def test_the_catalogs_that_the_page_names_are_all_that_is_needed(hr: Hr) -> None:
    hr.run("CREATE VIEW reports.staff AS SELECT id FROM tracking.events", "GRANT SELECT ON reports.staff TO bob")
    sentence = re.search(r"it needs SELECT on(.*?)\.\n? ", PAGE.read_text(), re.DOTALL)
    assert sentence is not None
    catalogs = ", ".join(re.findall(r"`(pg_\w+)`", sentence[1]))
    hr.run("REVOKE SELECT ON ALL TABLES IN SCHEMA pg_catalog FROM PUBLIC")
    try:
        assert not hr.see().complete
        hr.run(f"GRANT SELECT ON {catalogs} TO sev_grants")
        assert len(hr.leaks()) == 1
    finally:
        hr.run(
            "GRANT SELECT ON ALL TABLES IN SCHEMA pg_catalog TO PUBLIC",
            "REVOKE SELECT ON ALL TABLES IN SCHEMA pg_catalog FROM sev_grants",
            "REVOKE SELECT ON pg_authid, pg_statistic, pg_subscription, pg_user_mapping FROM PUBLIC",
        )


def test_a_search_path_that_leads_elsewhere_does_not_mislead(hr: Hr) -> None:
    hr.run(
        "CREATE SCHEMA evil",
        "GRANT USAGE ON SCHEMA evil TO PUBLIC",
        "CREATE VIEW evil.pg_class AS SELECT * FROM pg_catalog.pg_class WHERE false",
        "CREATE FUNCTION evil.no(name, name) RETURNS bool LANGUAGE sql AS 'SELECT false'",
        "CREATE FUNCTION evil.no(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT false'",
        "CREATE FUNCTION evil.no(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false'",
        *(
            f"CREATE OPERATOR evil.= (FUNCTION = evil.no, LEFTARG = {t}, RIGHTARG = {t})"
            for t in ("name", "oid", "text")
        ),
        "ALTER ROLE sev_grants SET search_path = evil, pg_catalog",
        "GRANT SELECT ON tracking.events TO bob",
    )
    assert hr.leaks() == {("granted on it", TABLE, 1)}


def test_odd_names_are_found_and_are_places_that_sql_read_takes(hr: Hr) -> None:
    hr.run(
        'CREATE SCHEMA "odd.one"', 'CREATE TABLE "odd.one"."a ""b" (id int)', 'GRANT USAGE ON SCHEMA "odd.one" TO bob'
    )
    hr.run('CREATE VIEW reports."x%y:z" AS SELECT id FROM "odd.one"."a ""b"', 'GRANT SELECT ON reports."x%y:z" TO bob')
    hr.run('GRANT SELECT ON "odd.one"."a ""b" TO bob')
    places = {leak.place for leak in hr.see(table='"odd.one"."a ""b"').leaks}
    assert places == {'"odd.one"."a ""b"', "reports.x%y:z"}
