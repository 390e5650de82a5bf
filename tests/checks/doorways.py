"""The doorways of the built-in kinds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.checks import (  # noqa: F401  # registers them
    doorways_dialects,
    doorways_grants,
    doorways_local,
    doorways_s3,
    doorways_sql_more,
)
from tests.checks.contract import Doorway, doorway
from tests.checks.sites import CONTROL_SECRET, ROWS, STAFF_SECRET, Asked, Reply, Site, World, cast, person
from tests.servers import mariadb as mariadb_
from tests.servers import postgres as postgres_

WHOAMI = "/whoami"


@doorway("http")
@contextlib.contextmanager
def http() -> Iterator[Doorway]:
    state = {"locked": False, "renamed": False}
    sites = [Site()]
    port = sites[0].port
    tokens = {"Bearer canary-token-Zq1": "staff", f"Bearer {CONTROL_SECRET}": "control"}

    def answer(asked: Asked) -> Reply:
        who = tokens.get(asked.headers.get("Authorization", ""))
        if who is None:
            return 401, {}, b"who are you?"
        if asked.path == WHOAMI:
            return 200, {}, b"you"
        if state["renamed"]:
            return 404, {}, b"no such page"
        return (403, {}, b"no") if state["locked"] and who == "staff" else (200, {}, ROWS)

    def reopen() -> None:
        state.update(locked=False, renamed=False)
        if not sites:
            sites.append(Site(port=port))
        sites[0].answer = answer

    self_test = f"http://127.0.0.1:{port}{WHOAMI}"
    identities = {
        **cast(),
        "staff-site": person("staff", token="env:STAFF_TOKEN", self_test_url=self_test),
        "dead-token": person("staff", token="env:WRONG_SECRET", self_test_url=self_test),
    }
    try:
        yield Doorway(
            kind="http",
            params={"url": f"http://127.0.0.1:{port}/people", "marker": "MARKER-41"},
            identity="staff-site",
            identity_with_dead_password="dead-token",
            control="privacy-site",
            reopen=reopen,
            lock=lambda: state.update(locked=True),
            stop=lambda: sites.pop().stop(),
            rename=lambda: state.update(renamed=True),
            world=World(identities=identities),
        )
    finally:
        for running in sites:
            running.stop()


@doorway("sql_read on PostgreSQL")
@contextlib.contextmanager
def postgresql() -> Iterator[Doorway]:
    server = postgres_.new_server()
    server.create_role("any_employee", STAFF_SECRET.replace("'", "''"))
    server.create_role("privacy_team", CONTROL_SECRET)
    server.create_database("hr")

    stopped: dict[str, bool] = {}

    def stop() -> None:
        server.stop()
        stopped["now"] = True

    def reopen() -> None:
        if stopped.pop("now", False):
            server.start()
        server.execute(
            "DROP SCHEMA IF EXISTS tracking CASCADE",
            "CREATE SCHEMA tracking",
            "CREATE TABLE tracking.events (id int, who text)",
            "INSERT INTO tracking.events VALUES (1, 'canary-row')",
            "GRANT USAGE ON SCHEMA tracking TO PUBLIC",
            "GRANT SELECT ON tracking.events TO any_employee, privacy_team",
            database="hr",
        )

    try:
        yield Doorway(
            kind="sql_read",
            params={"url": f"postgresql://127.0.0.1:{server.port}/hr", "table": "tracking.events"},
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: server.execute("REVOKE ALL ON tracking.events FROM any_employee", database="hr"),
            stop=stop,
            rename=lambda: server.execute("ALTER TABLE tracking.events RENAME TO events_old", database="hr"),
        )
    finally:
        server.stop()


@doorway("sql_read on MariaDB")
@contextlib.contextmanager
def mariadb() -> Iterator[Doorway]:
    server = mariadb_.new_server()
    server.create_user("any_employee", STAFF_SECRET.replace("\\", "\\\\").replace("'", "''"))
    server.create_user("privacy_team", CONTROL_SECRET)
    server.create_database("tracking")

    stopped: dict[str, bool] = {}

    def stop() -> None:
        server.stop()
        stopped["now"] = True

    def reopen() -> None:
        if stopped.pop("now", False):
            server.start()
        server.execute(
            "DROP TABLE IF EXISTS tracking.events, tracking.events_old",
            "CREATE TABLE tracking.events (id int, who text)",
            "INSERT INTO tracking.events VALUES (1, 'canary-row')",
            "GRANT SELECT ON tracking.events TO 'any_employee'@'%'",
            "GRANT SELECT ON tracking.* TO 'privacy_team'@'%'",
        )

    try:
        yield Doorway(
            kind="sql_read",
            params={"url": f"mariadb://127.0.0.1:{server.port}", "table": "tracking.events"},
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: server.execute("REVOKE SELECT ON tracking.events FROM 'any_employee'@'%'"),
            stop=stop,
            rename=lambda: server.execute("RENAME TABLE tracking.events TO tracking.events_old"),
        )
    finally:
        server.stop()
