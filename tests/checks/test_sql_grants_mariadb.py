"""Who can read a table, by MariaDB's grant tables: each way open and shut, beside what the server itself does."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator

import pytest

from sevtracker.checks.interface import Suggestion
from sevtracker.checks.sql.doors import NotIn
from sevtracker.domain.vocabulary import Reason
from tests.checks.mariadb_grants import WATCHER, Hr, hr_on, least_privileges
from tests.servers.binaries import Missing
from tests.servers.mariadb import SUPERUSER, new_server

#: More of them while this is being worked on.
ROUNDS = int(os.environ.get("SEV_TESTS_ROUNDS", "8"))
VIEW = "a view that reads it as its definer"
ROUTINE = "a routine that reads it as its definer"


@pytest.fixture(scope="module")
def running() -> Iterator[Hr]:
    try:
        server = new_server()
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)
    with hr_on(server) as hr:
        yield hr


@pytest.fixture
def hr(running: Hr) -> Hr:
    running.reset()
    return running


# ---- the table itself ----


def test_nobody_off_the_list_reads_it(hr: Hr) -> None:
    assert hr.leaks() == set()
    assert not hr.lets("bob")


@pytest.mark.parametrize(
    ("grant", "how"),
    [
        ("GRANT SELECT ON *.* TO bob@'%'", "granted on the whole server"),
        ("GRANT SELECT ON hr.* TO bob@'%'", "granted on its database"),
        ("GRANT SELECT ON `h%`.* TO bob@'%'", "granted on its database"),
        ("GRANT SELECT ON `h_`.* TO bob@'%'", "granted on its database"),
        ("GRANT SELECT ON `%`.* TO bob@'%'", "granted on its database"),
        ("GRANT SELECT ON hr.events TO bob@'%'", "granted on it"),
        ("GRANT SELECT (id) ON hr.events TO bob@'%'", "granted on a column of it"),
    ],
)
def test_a_grant_is_seen_and_its_revoke_too(hr: Hr, grant: str, how: str) -> None:
    hr.run(grant)
    assert hr.leaks() == {(how, "hr.events", 1)}
    assert hr.lets("bob")
    hr.run(grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM "))
    assert hr.leaks() == set()
    assert not hr.lets("bob")


@pytest.mark.parametrize(
    "grant",
    [
        "GRANT SELECT ON `h\\_`.* TO bob@'%'",
        "GRANT SELECT ON `hrs`.* TO bob@'%'",
        "GRANT SELECT ON `HR`.* TO bob@'%'",
        "GRANT SELECT ON hr.other TO bob@'%'",
        "GRANT SELECT ON hr.EVENTS TO bob@'%'",
        "GRANT SELECT ON reports.events TO bob@'%'",
        "GRANT INSERT, UPDATE, DELETE, ALTER, DROP, TRIGGER ON hr.* TO bob@'%'",
        "GRANT INSERT (id) ON hr.events TO bob@'%'",
    ],
)
def test_a_grant_of_something_else_is_no_way_in(hr: Hr, grant: str) -> None:
    hr.run(*(f"CREATE TABLE {name} (id int)" for name in ("hr.other", "hr.EVENTS", "reports.events")), grant)
    assert hr.leaks() == set()
    assert not hr.lets("bob")


def test_an_escaped_wildcard_is_the_character_itself(hr: Hr) -> None:
    hr.run("CREATE DATABASE h_r", "CREATE TABLE h_r.events (id int)", "GRANT SELECT ON `h\\_r`.* TO bob@'%'")
    assert {leak.how for leak in hr.see(table="h_r.events").leaks} == {"granted on its database"}
    assert hr.lets("bob", "SELECT 1 FROM h_r.events")


def test_a_table_revoke_under_a_database_grant_is_open(hr: Hr) -> None:
    hr.run("GRANT SELECT ON hr.* TO bob@'%'", "GRANT SELECT ON hr.events TO bob@'%'")
    hr.run("REVOKE SELECT ON hr.events FROM bob@'%'")
    assert hr.leaks() == {("granted on its database", "hr.events", 1)}
    assert hr.lets("bob")


def test_a_more_specific_database_entry_hides_a_wider_one_as_on_the_server(hr: Hr) -> None:
    hr.run("GRANT SELECT ON `h%`.* TO bob@'%'", "GRANT INSERT ON hr.* TO bob@'%'")
    assert hr.leaks() == set()
    assert not hr.lets("bob")
    hr.run("REVOKE INSERT ON hr.* FROM bob@'%'")
    assert hr.leaks() == {("granted on its database", "hr.events", 1)}
    assert hr.lets("bob")


@pytest.mark.parametrize("what", ["hr.*", "hr.events"])
def test_a_grant_to_one_host_of_a_user_is_for_his_other_accounts_too(hr: Hr, what: str) -> None:
    hr.run("CREATE USER bob@'127.0.0.1' IDENTIFIED BY 'x'", f"GRANT SELECT ON {what} TO bob@'%'")
    how = "granted on its database" if what == "hr.*" else "granted on it"
    assert hr.leaks() == {(how, "hr.events", 2)}
    assert hr.leaks("privacy_team", "bob@%") == {(how, "hr.events", 1)}
    assert hr.lets("bob")  # as bob@127.0.0.1, which the server takes first
    hr.run("CREATE USER eve@'10.0.0.%', eve@'127.0.0.1' IDENTIFIED BY 'x'", f"GRANT SELECT ON {what} TO eve@'10.0.0.%'")
    assert hr.leaks("privacy_team", "bob") == {(how, "hr.events", 1)}
    assert not hr.lets("eve")


def test_a_locked_account_counts_since_one_statement_brings_it_back(hr: Hr) -> None:
    hr.run("GRANT SELECT ON hr.* TO bob@'%'", "ALTER USER bob@'%' ACCOUNT LOCK")
    assert hr.leaks() == {("granted on its database", "hr.events", 1)}


def test_accounts_are_counted_and_never_named(hr: Hr) -> None:
    hr.run(*(f"CREATE USER u{n}@'%'" for n in range(3)), *(f"GRANT SELECT ON hr.* TO u{n}@'%'" for n in range(3)))
    assert hr.leaks() == {("granted on its database", "hr.events", 3)}


# ---- everybody ----


def _needs_public(hr: Hr) -> None:
    (version,) = hr.server.execute("SELECT @@version")[0]
    if tuple(int(part) for part in version.split(".")[:2]) < (10, 11):
        pytest.skip("PUBLIC came with MariaDB 10.11")


@pytest.mark.parametrize("what", ["*.*", "hr.*", "hr.events"])
def test_a_grant_to_public_is_one_leak_that_no_list_covers(hr: Hr, what: str) -> None:
    _needs_public(hr)
    hr.run(f"GRANT SELECT ON {what} TO PUBLIC")
    assert hr.leaks("privacy_team", "bob", "PUBLIC") == {("granted to PUBLIC", "hr.events", 1)}
    assert hr.lets("bob")
    hr.run(f"REVOKE SELECT ON {what} FROM PUBLIC")
    assert hr.leaks() == set()


def test_a_role_of_public_is_everybodys(hr: Hr) -> None:
    _needs_public(hr)
    hr.run("CREATE ROLE readers", "GRANT SELECT ON hr.events TO readers", "GRANT readers TO PUBLIC")
    assert hr.leaks() == {("granted to PUBLIC", "hr.events", 1)}
    assert hr.lets("bob")


def test_a_database_entry_without_a_user_is_everybodys(hr: Hr) -> None:
    hr.run("INSERT INTO mysql.db (Host, Db, User, Select_priv) VALUES ('%', 'hr', '', 'Y')", "FLUSH PRIVILEGES")
    how = "granted on its database to everybody, by an entry without a user name"
    assert hr.leaks() == {(how, "hr.events", 1)}
    assert hr.lets("bob")


def test_the_anonymous_account_is_named(hr: Hr) -> None:
    hr.run("CREATE USER ''@'%' IDENTIFIED BY 'x'")
    assert hr.leaks() == set()
    assert not hr.lets("no_such_user")
    hr.run("GRANT SELECT ON hr.events TO ''@'%'")
    assert hr.leaks() == {("the anonymous account: granted on it", "hr.events", 1)}
    assert hr.lets("no_such_user")
    assert not hr.lets("bob")


# ---- roles ----


@pytest.mark.parametrize("default", [False, True])
def test_a_role_counts_whether_or_not_it_is_a_default(hr: Hr, default: bool) -> None:
    hr.run("CREATE ROLE readers", "GRANT SELECT ON hr.* TO readers", "GRANT readers TO bob@'%'")
    if default:
        hr.run("SET DEFAULT ROLE readers FOR bob@'%'")
    assert hr.leaks() == {("through a role", "hr.events", 1)}
    assert hr.lets("bob") is default
    assert hr.lets("bob", "SET ROLE readers", "SELECT 1 FROM hr.events")
    hr.run("REVOKE readers FROM bob@'%'")
    assert hr.leaks() == set()


def test_a_role_of_a_role_counts(hr: Hr) -> None:
    hr.run("CREATE ROLE inner_role", "CREATE ROLE outer_role", "GRANT SELECT ON hr.events TO inner_role")
    hr.run("GRANT inner_role TO outer_role", "GRANT outer_role TO bob@'%'")
    assert hr.leaks() == {("through a role", "hr.events", 1)}
    assert hr.lets("bob", "SET ROLE outer_role", "SELECT 1 FROM hr.events")
    hr.run("REVOKE inner_role FROM outer_role")
    assert hr.leaks() == set()
    assert not hr.lets("bob", "SET ROLE outer_role", "SELECT 1 FROM hr.events")


def test_a_role_that_nobody_has_leaks_nothing(hr: Hr) -> None:
    hr.run("CREATE ROLE readers", "GRANT SELECT ON *.* TO readers", f"REVOKE readers FROM {SUPERUSER}@'%'")
    assert hr.leaks() == set()


def test_who_has_a_listed_role_is_listed(hr: Hr) -> None:
    hr.run("CREATE ROLE readers", "GRANT SELECT ON hr.* TO readers", "GRANT readers TO bob@'%'")
    assert hr.leaks("privacy_team", "readers") == set()


# ---- what is made of it ----


@pytest.fixture
def boss(hr: Hr) -> Hr:
    """``boss`` is on the list, reads the table, and defines things."""
    hr.run("CREATE USER boss@'%'", "GRANT SELECT ON hr.* TO boss@'%'", "GRANT EXECUTE ON reports.* TO boss@'%'")
    return hr


def test_a_definers_view_is_a_way_in_and_the_check_that_watches_it_is_suggested(boss: Hr) -> None:
    boss.run("CREATE DEFINER=boss@'%' VIEW reports.staff AS SELECT id FROM hr.events")
    assert boss.leaks("boss", "privacy_team") == set()
    boss.run("GRANT SELECT ON reports.staff TO bob@'%'")
    assert boss.leaks("boss", "privacy_team") == {(VIEW, "reports.staff", 1)}
    assert boss.lets("bob", "SELECT 1 FROM reports.staff")
    (leak,) = boss.see(("boss", "privacy_team")).leaks
    assert leak.suggestion == Suggestion(
        "sql_read", {"table": "reports.staff"}, "reports.staff is a view that reads the table as its definer."
    )
    boss.run("REVOKE SELECT ON hr.* FROM boss@'%'")
    assert boss.leaks("boss", "privacy_team") == set()
    assert not boss.lets("bob", "SELECT 1 FROM reports.staff")


def test_an_invokers_view_is_no_way_of_its_own(boss: Hr) -> None:
    boss.run("CREATE DEFINER=boss@'%' SQL SECURITY INVOKER VIEW reports.staff AS SELECT id FROM hr.events")
    boss.run("GRANT SELECT ON reports.* TO bob@'%'")
    assert boss.leaks("boss", "privacy_team") == set()
    assert not boss.lets("bob", "SELECT 1 FROM reports.staff")


@pytest.mark.parametrize("inner", ["DEFINER", "INVOKER"])
def test_a_view_of_a_view_is_a_way_in(boss: Hr, inner: str) -> None:
    boss.run(f"CREATE DEFINER=boss@'%' SQL SECURITY {inner} VIEW hr.first AS SELECT id FROM hr.events")
    boss.run("CREATE DEFINER=boss@'%' VIEW reports.second AS SELECT id FROM hr.first")
    boss.run("GRANT SELECT ON reports.second TO bob@'%'")
    assert boss.leaks("boss", "privacy_team") == {(VIEW, "reports.second", 1)}
    assert boss.lets("bob", "SELECT 1 FROM reports.second")
    boss.run("REVOKE SELECT ON hr.* FROM boss@'%'")
    assert boss.leaks("boss", "privacy_team") == set()
    assert not boss.lets("bob", "SELECT 1 FROM reports.second")


def test_a_definers_roles_do_not_count_and_a_dropped_definer_reads_nothing(boss: Hr) -> None:
    boss.run(
        "CREATE DEFINER=boss@'%' VIEW reports.staff AS SELECT id FROM hr.events", "REVOKE SELECT ON hr.* FROM boss@'%'"
    )
    boss.run("CREATE ROLE readers", "GRANT SELECT ON hr.* TO readers", "GRANT readers TO boss@'%'")
    boss.run("SET DEFAULT ROLE readers FOR boss@'%'", "GRANT SELECT ON reports.staff TO bob@'%'")
    assert boss.leaks("boss", "privacy_team") == set()
    assert not boss.lets("bob", "SELECT 1 FROM reports.staff")
    boss.run("GRANT SELECT ON hr.events TO boss@'%'")
    assert boss.leaks("boss", "privacy_team") == {(VIEW, "reports.staff", 1)}
    assert boss.lets("bob", "SELECT 1 FROM reports.staff")
    boss.run("DROP USER boss@'%'")
    assert boss.leaks() == set()
    assert not boss.lets("bob", "SELECT 1 FROM reports.staff")


def test_a_role_may_be_the_definer(hr: Hr) -> None:
    hr.run("CREATE ROLE readers", "GRANT SELECT ON hr.* TO readers", f"REVOKE readers FROM {SUPERUSER}@'%'")
    hr.run("CREATE DEFINER=readers VIEW reports.staff AS SELECT id FROM hr.events")
    hr.run("GRANT SELECT ON reports.staff TO bob@'%'")
    assert hr.leaks() == {(VIEW, "reports.staff", 1)}
    assert hr.lets("bob", "SELECT 1 FROM reports.staff")


def test_a_view_for_public_is_one_leak(boss: Hr) -> None:
    _needs_public(boss)
    boss.run(
        "CREATE DEFINER=boss@'%' VIEW reports.staff AS SELECT id FROM hr.events", "GRANT SELECT ON reports.* TO PUBLIC"
    )
    assert boss.leaks("boss", "privacy_team") == {(f"{VIEW}, for everybody", "reports.staff", 1)}


def test_a_view_of_another_table_is_none_of_ours(boss: Hr) -> None:
    boss.run(
        "CREATE TABLE hr.events_2 (id int)",
        "CREATE TABLE reports.events (id int)",
        "CREATE TABLE hr.`ev``ents` (id int)",
    )
    for number, name in enumerate(("hr.events_2", "reports.events", "hr.`ev``ents`")):
        boss.run(f"CREATE DEFINER=boss@'%' VIEW reports.v{number} AS SELECT id AS events FROM {name}")
    boss.run("GRANT SELECT ON reports.* TO bob@'%'")
    assert boss.leaks("boss", "privacy_team") == set()


@pytest.mark.parametrize(
    ("grant", "right"),
    [("ON PROCEDURE reports.ask", True), ("ON reports.*", True), ("ON *.*", True), ("ON hr.*", False)],
)
def test_a_definers_procedure_is_a_way_in(boss: Hr, grant: str, right: bool) -> None:
    boss.run("CREATE DEFINER=boss@'%' PROCEDURE reports.ask() SELECT 1 FROM hr.events")
    assert boss.leaks("boss", "privacy_team") == set()
    boss.run(f"GRANT EXECUTE {grant} TO bob@'%'")
    assert boss.leaks("boss", "privacy_team") == ({(ROUTINE, "reports.ask", 1)} if right else set())
    assert boss.lets("bob", "CALL reports.ask()") is right
    boss.run("ALTER PROCEDURE reports.ask SQL SECURITY INVOKER")
    assert boss.leaks("boss", "privacy_team") == set()
    assert not boss.lets("bob", "CALL reports.ask()")


def test_a_procedure_whose_definer_may_not_execute_it_is_none(boss: Hr) -> None:
    boss.run("CREATE DEFINER=boss@'%' PROCEDURE reports.ask() SELECT 1 FROM hr.events")
    boss.run("GRANT EXECUTE ON reports.* TO bob@'%'", "REVOKE EXECUTE ON reports.* FROM boss@'%'")
    boss.run("DELETE FROM mysql.procs_priv WHERE User = 'boss'", "FLUSH PRIVILEGES")
    assert boss.leaks("boss", "privacy_team") == set()
    assert not boss.lets("bob", "CALL reports.ask()")


def test_a_view_of_a_function_is_a_way_in(boss: Hr) -> None:
    boss.run("CREATE DEFINER=boss@'%' FUNCTION reports.how_many() RETURNS INT RETURN (SELECT COUNT(*) FROM hr.events)")
    boss.run("CREATE DEFINER=boss@'%' VIEW reports.counted AS SELECT reports.how_many() AS n")
    boss.run("GRANT SELECT ON reports.counted TO bob@'%'")
    assert boss.leaks("boss", "privacy_team") == {(VIEW, "reports.counted", 1)}
    assert boss.lets("bob", "SELECT * FROM reports.counted")


def test_a_procedure_in_the_tables_own_database_may_leave_the_database_out(boss: Hr) -> None:
    boss.run("GRANT EXECUTE ON hr.* TO boss@'%', bob@'%'")
    boss.run("CREATE DEFINER=boss@'%' PROCEDURE hr.ask() SELECT 1 FROM events")
    boss.run("CREATE DEFINER=boss@'%' PROCEDURE hr.other() SELECT 'eventss'")
    assert boss.leaks("boss", "privacy_team") == {(ROUTINE, "hr.ask", 1)}
    assert boss.lets("bob", "CALL hr.ask()")


# ---- powers ----


@pytest.mark.parametrize(
    ("grant", "how"),
    [
        ("GRANT CREATE USER ON *.* TO bob@'%'", "able to take it: CREATE USER changes a reader's password"),
        ("GRANT SUPER ON *.* TO bob@'%'", "able to take it: SUPER makes views and routines that run as a reader"),
        ("GRANT FILE ON *.* TO bob@'%'", "able to read its file: FILE, and secure_file_priv names no folder"),
        ("GRANT INSERT ON *.* TO bob@'%'", "able to take it: may write the server's grant tables"),
        ("GRANT UPDATE ON mysql.* TO bob@'%'", "able to take it: may write the server's grant tables"),
        ("GRANT INSERT ON mysql.tables_priv TO bob@'%'", "able to take it: may write the server's grant tables"),
    ],
)
def test_a_power_to_take_it_is_a_leak(hr: Hr, grant: str, how: str) -> None:
    hr.run(grant)
    assert hr.leaks() == {(how, "hr.events", 1)}
    assert hr.leaks("privacy_team", "bob") == set()


@pytest.mark.parametrize("whom", ["privacy_team", ""])
def test_a_proxy_for_a_reader_is_a_leak(hr: Hr, whom: str) -> None:
    hr.run("INSERT INTO mysql.proxies_priv (Host, User, Proxied_host, Proxied_user) VALUES ('%', 'bob', '', 'nobody')")
    assert hr.leaks() == set()
    hr.run(f"UPDATE mysql.proxies_priv SET Proxied_user = '{whom}'", "FLUSH PRIVILEGES")
    assert hr.leaks() == {("as a proxy for an account that may", "hr.events", 1)}


def test_an_account_that_can_create_users_does_take_a_reader_over(hr: Hr) -> None:
    hr.run("GRANT CREATE USER ON *.* TO bob@'%'", "ALTER USER privacy_team@'%' IDENTIFIED BY 'unknown'")
    assert hr.lets("bob", "ALTER USER privacy_team@'%' IDENTIFIED BY 'x'")
    assert hr.lets("privacy_team")


@pytest.mark.parametrize(
    "grant",
    [
        "GRANT PROCESS, RELOAD, SHOW DATABASES, BINLOG MONITOR ON *.* TO bob@'%'",
        "GRANT REPLICATION SLAVE ON *.* TO bob@'%'",  # this server writes no binary log
        "GRANT INSERT ON hr.* TO bob@'%' WITH GRANT OPTION",
        "GRANT SELECT ON mysql.help_topic TO bob@'%'",
        "GRANT INSERT ON mysql.help_topic TO bob@'%'",
    ],
)
def test_a_power_that_gives_no_reader_s_right_is_none(hr: Hr, grant: str) -> None:
    hr.run(grant)
    assert hr.leaks() == set()


# ---- who is listed, and the known reader ----


@pytest.mark.parametrize("entry", ["bob", "bob@%", "'bob'@'%'", "`bob`@`%`"])
def test_the_list_takes_a_user_with_or_without_a_host(hr: Hr, entry: str) -> None:
    hr.run("GRANT SELECT ON hr.* TO bob@'%'")
    assert hr.leaks("privacy_team", entry) == set()


@pytest.mark.parametrize("entry", ["Bob", "bo", "bob@localhost", "bob@10.%", "bob@_", "", "%", "@%"])
def test_the_list_takes_nobody_else(hr: Hr, entry: str) -> None:
    hr.run("GRANT SELECT ON hr.* TO bob@'%'")
    assert hr.leaks("privacy_team", entry) == {("granted on its database", "hr.events", 1)}


def test_a_host_on_the_list_is_one_account_s(hr: Hr) -> None:
    hr.run("CREATE USER bob@'10.0.0.%'", "GRANT SELECT ON hr.events TO bob@'10.0.0.%'")
    assert hr.leaks("privacy_team", "bob@%") == {("granted on it", "hr.events", 1)}
    assert hr.leaks("privacy_team", "bob@%", "bob@10.0.0.%") == set()


@pytest.mark.parametrize("host", ["localhost", "%"])
def test_the_installers_root_is_exempt_on_its_own_host_only(hr: Hr, host: str) -> None:
    hr.run(f"CREATE USER root@'{host}'", f"GRANT SELECT ON *.* TO root@'{host}'")
    assert hr.leaks() == (set() if host == "localhost" else {("granted on the whole server", "hr.events", 1)})


def test_without_a_listed_reader_there_is_no_known_reader(hr: Hr) -> None:
    assert hr.see(superuser_too=False).known_reader
    hr.run("REVOKE SELECT ON hr.* FROM privacy_team@'%'")
    assert not hr.see(superuser_too=False).known_reader
    assert not hr.see(("nobody_here",), superuser_too=False).known_reader


def test_with_an_empty_list_the_installers_administrator_is_the_known_reader(hr: Hr) -> None:
    assert not hr.see(()).known_reader
    hr.run("CREATE USER root@localhost", "GRANT ALL ON *.* TO root@localhost")
    assert hr.see(()).known_reader


# ---- what was withheld ----


def test_a_renamed_table_is_not_found(hr: Hr) -> None:
    hr.run("RENAME TABLE hr.events TO hr.events_old")
    seen = hr.see()
    assert (seen.found, seen.complete) == (False, True)
    assert not hr.see(table="hr.EVENTS_OLD").found


def test_a_dead_password_is_not_in(hr: Hr) -> None:
    with pytest.raises(NotIn) as failed:
        hr.see(secret="wrong")
    assert failed.value.reason is Reason.auth_failed


def test_an_identity_without_rights_sees_nothing_and_says_so(hr: Hr) -> None:
    assert not hr.see(user="bob").complete
    hr.run("GRANT SELECT ON hr.* TO bob@'%'")
    seen = hr.see(user="bob")
    assert (seen.found, seen.complete) == (True, False)


_RIGHTS = [text for text in least_privileges("x") if text.startswith("GRANT") and "view_definitions" not in text]


@pytest.mark.parametrize("right", _RIGHTS, ids=lambda text: text.split(" ON ")[1].split(" TO ")[0])
def test_each_right_of_the_least_privileges_is_needed(hr: Hr, right: str) -> None:
    assert hr.see().complete
    hr.run(right.replace("GRANT", "REVOKE", 1).replace(f" TO {WATCHER}", f" FROM {WATCHER}"))
    try:
        assert not hr.see().complete
    finally:
        hr.run(right)


def test_the_least_privileges_read_no_hash_and_no_row(hr: Hr) -> None:
    for hidden in (
        *("SELECT Password FROM mysql.user", "SELECT authentication_string FROM mysql.user"),
        *("SELECT Priv FROM mysql.global_priv", "SELECT * FROM mysql.proc", "SELECT 1 FROM hr.events"),
        "SHOW CREATE USER bob@'%'",
    ):
        assert not hr.lets(WATCHER, hidden), hidden


def test_a_hidden_view_that_could_be_a_way_in_is_never_closed(boss: Hr) -> None:
    boss.run("CREATE DEFINER=boss@'%' VIEW reports.staff AS SELECT id FROM hr.events")
    boss.run(f"REVOKE SELECT ON sevtracker.view_definitions FROM {WATCHER}@'%'")
    try:
        assert boss.leaks("boss", "privacy_team") == set()  # nobody off the list reads it
        boss.run("GRANT SELECT ON reports.staff TO bob@'%'")
        seen = boss.see(("boss", "privacy_team"))
        assert (seen.complete, seen.leaks) == (False, ())
        boss.run(f"GRANT SELECT, SHOW VIEW ON reports.staff TO {WATCHER}@'%'")
        assert {leak.place for leak in boss.see(("boss", "privacy_team")).leaks} == {"reports.staff"}
        boss.run(f"REVOKE SELECT, SHOW VIEW ON reports.staff FROM {WATCHER}@'%'")
        boss.run("REVOKE SELECT ON hr.* FROM boss@'%'")
        assert boss.leaks("boss", "privacy_team") == set()  # its definer no longer reads
    finally:
        boss.run(f"GRANT SELECT ON sevtracker.view_definitions TO {WATCHER}@'%'")


def test_names_with_dots_are_places_that_sql_read_takes(boss: Hr) -> None:
    boss.run("CREATE DATABASE `odd.one`", "CREATE DEFINER=boss@'%' VIEW `odd.one`.`a \"b` AS SELECT id FROM hr.events")
    boss.run("GRANT SELECT ON `odd.one`.* TO bob@'%'")
    assert boss.leaks("boss", "privacy_team") == {(VIEW, '"odd.one"."a ""b"', 1)}


# ---- against the server, at random ----


HOSTS = ("%", "127.0.0.1", "127.0.0._", "10.%", "127.0.0.0/255.0.0.0")


def _deal(dice: random.Random) -> tuple[list[str], bool]:
    """Grants as they come, many of which bear on one another. And whether none of them leaves the order in doubt."""
    patterns = ["hr", "hr", "h_", "h%", "%", "h\\_", "_r", "reports"]
    scopes = [*(f"`{pattern}`.*" for pattern in patterns), "hr.events", "reports.events"]
    to = [*(f"bob@'{host}'" for host in HOSTS), "one", "two", "''@'%'", "PUBLIC"]
    dealt, certain = [], True
    for _ in range(dice.randint(1, 5)):
        right, scope, whom = (
            dice.choice(["SELECT", "SELECT (id)", "INSERT, DELETE"]),
            dice.choice(scopes),
            dice.choice(to),
        )
        if whom == "PUBLIC" and dice.random() < 0.7:
            continue
        dealt.append(f"GRANT {right.split(' (')[0] if '*' in scope else right} ON {scope} TO {whom}")
        certain = certain and not ("INSERT" in right and "*" in scope and re.search("[%_/]", scope + whom))
    mappings = ["GRANT one TO bob@'127.0.0.1'", "GRANT two TO one", "GRANT two TO bob@'127.0.0.1'"]
    return dealt + [mapping for mapping in mappings if dice.random() < 0.4], certain


@pytest.mark.parametrize("seed", range(4))
def test_it_says_of_one_account_what_the_server_says(hr: Hr, seed: int) -> None:
    """Where entries with wildcards hide one another, it may see a way that is none; never the other way round."""
    _needs_public(hr)
    dice = random.Random(seed)
    hr.run("CREATE TABLE reports.events (id int)")
    for _ in range(ROUNDS):
        hr.forget_grants()
        hr.run(*(f"CREATE USER IF NOT EXISTS bob@'{host}' IDENTIFIED BY 'x'" for host in HOSTS))
        hr.run("CREATE USER ''@'%' IDENTIFIED BY 'x'", "CREATE ROLE one", "CREATE ROLE two")
        dealt, certain = _deal(dice)
        hr.run(*dealt)
        # Of bob's accounts only the one that the server takes for us is off the list.
        seen = hr.see(("privacy_team", *(f"bob@{host}" for host in HOSTS if host != "127.0.0.1")))
        ways = {leak.how for leak in seen.leaks if not leak.how.startswith(("able to", "the anonymous"))}
        reads = any(
            hr.lets("bob", *role, "SELECT 1 FROM hr.events") for role in ((), ("SET ROLE one",), ("SET ROLE two",))
        )
        assert seen.complete
        assert reads <= bool(ways), dealt
        assert reads == bool(ways) or not certain, dealt
