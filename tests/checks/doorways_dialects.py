"""``sql_read`` by a map of the configuration: the same servers, entered by SQLAlchemy and nothing of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.checks.contract import Doorway, doorway
from tests.checks.dialects import world
from tests.checks.doorways_sql_more import mariadb, postgresql
from tests.checks.sites import CONTROL_SECRET, cast, person


@doorway("sql_read by a map on PostgreSQL")
@contextlib.contextmanager
def mapped_postgresql() -> Iterator[Doorway]:
    with postgresql() as (stage, run):

        def reopen() -> None:
            stage.again()
            run(
                "DROP SCHEMA IF EXISTS tracking CASCADE",
                "CREATE SCHEMA tracking",
                "CREATE TABLE tracking.events (id int)",
                "INSERT INTO tracking.events VALUES (1)",
                "GRANT USAGE ON SCHEMA tracking TO PUBLIC",
                "GRANT SELECT ON tracking.events TO any_employee, privacy_team",
            )

        yield Doorway(
            kind="sql_read",
            params={"url": f"cockroach://127.0.0.1:{stage.server.port}/hr", "table": "tracking.events"},
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: run("REVOKE ALL ON tracking.events FROM any_employee"),
            stop=stage.stop,
            rename=lambda: run("ALTER TABLE tracking.events RENAME TO events_old"),
            world=world(),
        )


@doorway("sql_read by a map on MariaDB")
@contextlib.contextmanager
def mapped_mariadb() -> Iterator[Doorway]:
    with mariadb() as (stage, run):
        # PyMySQL, left to itself, sends a password in latin1, which the cast's has more letters than.
        run(f"SET PASSWORD FOR 'any_employee'@'%' = PASSWORD('{CONTROL_SECRET}')")
        people = {**cast(), "any-employee": person("staff", username="any_employee", password="env:CONTROL_SECRET")}

        def reopen() -> None:
            stage.again()
            run(
                "DROP TABLE IF EXISTS tracking.events, tracking.events_old",
                "CREATE TABLE tracking.events (id int)",
                "INSERT INTO tracking.events VALUES (1)",
                "GRANT SELECT ON tracking.events TO 'any_employee'@'%'",
                "GRANT SELECT ON tracking.* TO 'privacy_team'@'%'",
            )

        yield Doorway(
            kind="sql_read",
            params={"url": f"maria_generic://127.0.0.1:{stage.server.port}", "table": "tracking.events"},
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: run("REVOKE SELECT ON tracking.events FROM 'any_employee'@'%'"),
            stop=stage.stop,
            rename=lambda: run("RENAME TABLE tracking.events TO tracking.events_old"),
            world=world(identities=people),
        )
