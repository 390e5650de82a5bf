"""The doorways of ``sql_grants``: a role off the list with a grant, on servers whose roles are all known."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from tests.checks.contract import Doorway, doorway
from tests.checks.mariadb_grants import WATCHER, least_privileges
from tests.checks.people import create_roles, create_users
from tests.checks.sites import CONTROL_SECRET, World, cast, person
from tests.servers import mariadb as mariadb_
from tests.servers import postgres as postgres_

LISTED = ["privacy_team"]


def _watched() -> World:
    """``watcher`` sees the catalog; ``dead-watcher`` comes with a password that is not its own."""
    watchers = {
        "watcher": person("service", username=WATCHER, password="env:CONTROL_SECRET"),
        "dead-watcher": person("service", username=WATCHER, password="env:WRONG_SECRET"),
    }
    return World(identities={**cast(), **watchers})


def _switch(server: postgres_.PostgresServer | mariadb_.MariaDBServer) -> tuple[Callable[[], None], Callable[[], None]]:
    """To stop the server, and to start it again if it was stopped."""
    stopped: dict[str, bool] = {}

    def stop() -> None:
        server.stop()
        stopped["now"] = True

    def start() -> None:
        if stopped.pop("now", False):
            server.start()

    return stop, start


@doorway("sql_grants on PostgreSQL")
@contextlib.contextmanager
def postgresql() -> Iterator[Doorway]:
    server = postgres_.new_server()
    create_roles(server)
    server.create_role(WATCHER, CONTROL_SECRET)
    server.execute(f"ALTER ROLE {postgres_.OWNER} NOCREATEROLE")
    server.create_database("hr", owner=postgres_.SUPERUSER)
    stop, start = _switch(server)

    def reopen() -> None:
        start()
        server.execute(
            "DROP SCHEMA IF EXISTS tracking CASCADE",
            "CREATE SCHEMA tracking",
            "CREATE TABLE tracking.events (id int, who text)",
            "GRANT USAGE ON SCHEMA tracking TO PUBLIC",
            "GRANT SELECT ON tracking.events TO any_employee, privacy_team",
            database="hr",
        )

    try:
        yield Doorway(
            kind="sql_grants",
            params={
                "url": f"postgresql://127.0.0.1:{server.port}/hr",
                "table": "tracking.events",
                "allowed_roles": LISTED,
            },
            identity="watcher",
            identity_with_dead_password="dead-watcher",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: server.execute("REVOKE ALL ON tracking.events FROM any_employee", database="hr"),
            stop=stop,
            rename=lambda: server.execute("ALTER TABLE tracking.events RENAME TO events_old", database="hr"),
            world=_watched(),
            closed_as="no_grant",
            own_control=True,
        )
    finally:
        server.stop()


@doorway("sql_grants on MariaDB")
@contextlib.contextmanager
def mariadb() -> Iterator[Doorway]:
    server = mariadb_.new_server()
    create_users(server)
    server.create_database("tracking")
    server.execute(*least_privileges(CONTROL_SECRET, WATCHER))
    stop, start = _switch(server)

    def reopen() -> None:
        start()
        server.execute(
            "DROP TABLE IF EXISTS tracking.events, tracking.events_old",
            "CREATE TABLE tracking.events (id int, who text)",
            "GRANT SELECT ON tracking.events TO 'any_employee'@'%'",
            "GRANT SELECT ON tracking.* TO 'privacy_team'@'%'",
        )

    try:
        yield Doorway(
            kind="sql_grants",
            params={
                "url": f"mariadb://127.0.0.1:{server.port}",
                "table": "tracking.events",
                "allowed_roles": [*LISTED, mariadb_.SUPERUSER],
            },
            identity="watcher",
            identity_with_dead_password="dead-watcher",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: server.execute("REVOKE SELECT ON tracking.events FROM 'any_employee'@'%'"),
            stop=stop,
            rename=lambda: server.execute("RENAME TABLE tracking.events TO tracking.events_old"),
            world=_watched(),
            closed_as="no_grant",
            own_control=True,
        )
    finally:
        server.stop()
