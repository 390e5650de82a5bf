"""The doorways of the kinds that ask databases other questions than whether a row can be read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.checks.contract import Doorway, doorway
from tests.checks.producers import Producers
from tests.checks.sites import CONTROL_SECRET, STAFF_SECRET, RememberingWorld
from tests.servers import mariadb as mariadb_
from tests.servers import postgres as postgres_
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer


@dataclass
class Stage:
    """A server of its own that can be stopped, and is there again when it is next set."""

    server: PostgresServer | MariaDBServer
    _stopped: list[bool] = field(default_factory=list)

    def stop(self) -> None:
        self.server.stop()
        self._stopped.append(True)

    def again(self) -> None:
        while self._stopped:
            self._stopped.pop()
            self.server.start()


@contextlib.contextmanager
def postgresql(*, database: str = "hr") -> Iterator[tuple[Stage, Callable[..., object]]]:
    """A PostgreSQL with the cast in it, and what runs SQL there as its superuser."""
    server = postgres_.new_server()
    server.create_role("any_employee", STAFF_SECRET.replace("'", "''"))
    server.create_role("privacy_team", CONTROL_SECRET)
    server.create_database(database)
    try:
        yield Stage(server), lambda *statements: server.execute(*statements, database=database)
    finally:
        server.stop()


@contextlib.contextmanager
def mariadb() -> Iterator[tuple[Stage, Callable[..., object]]]:
    """A MariaDB with the cast in it, and what runs SQL there as its superuser."""
    server = mariadb_.new_server()
    server.create_user("any_employee", STAFF_SECRET.replace("\\", "\\\\").replace("'", "''"))
    server.create_user("privacy_team", CONTROL_SECRET)
    server.create_database("tracking")
    try:
        yield Stage(server), server.execute
    finally:
        server.stop()


@doorway("sql_read of a held session on PostgreSQL")
@contextlib.contextmanager
def held_on_postgresql() -> Iterator[Doorway]:
    with postgresql() as (stage, run):
        world = RememberingWorld()

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
            world.start_anew(forget=True)
            door.look()

        door = Doorway(
            kind="sql_read",
            params={
                "url": f"postgresql://127.0.0.1:{stage.server.port}/hr",
                "table": "tracking.events",
                "held": True,
            },
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: run("REVOKE ALL ON tracking.events FROM any_employee"),
            stop=stage.stop,
            rename=lambda: run("ALTER TABLE tracking.events RENAME TO events_old"),
            world=world,
        )
        yield door
        world.keeper.close()


@doorway("sql_read of a held session on MariaDB")
@contextlib.contextmanager
def held_on_mariadb() -> Iterator[Doorway]:
    """The rights of an open session are gone once it is killed."""
    with mariadb() as (stage, run):
        world = RememberingWorld()

        def reopen() -> None:
            stage.again()
            run(
                "DROP TABLE IF EXISTS tracking.events, tracking.events_old",
                "CREATE TABLE tracking.events (id int)",
                "INSERT INTO tracking.events VALUES (1)",
                "GRANT SELECT ON *.* TO 'any_employee'@'%'",
                "GRANT SELECT ON tracking.* TO 'privacy_team'@'%'",
            )
            world.start_anew(forget=True)
            door.look()

        door = Doorway(
            kind="sql_read",
            params={"url": f"mariadb://127.0.0.1:{stage.server.port}", "table": "tracking.events", "held": True},
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: run("REVOKE SELECT ON *.* FROM 'any_employee'@'%'", "KILL USER 'any_employee'@'%'"),
            stop=stage.stop,
            rename=lambda: run("RENAME TABLE tracking.events TO tracking.events_old"),
            world=world,
            closed_as="session_ended",
        )
        yield door
        world.keeper.close()


@doorway("collection_stopped on PostgreSQL")
@contextlib.contextmanager
def collection_on_postgresql() -> Iterator[Doorway]:
    with postgresql() as (stage, run):
        producers = Producers(
            stage.server,
            main="INSERT INTO tracking.events DEFAULT VALUES",
            control="INSERT INTO tracking.heartbeat DEFAULT VALUES",
        )

        def make() -> None:
            run(
                "DROP SCHEMA IF EXISTS tracking CASCADE",
                "CREATE SCHEMA tracking",
                "CREATE TABLE tracking.events (at timestamptz DEFAULT now())",
                "CREATE TABLE tracking.heartbeat (at timestamptz DEFAULT now())",
                "GRANT USAGE ON SCHEMA tracking TO any_employee",
                "GRANT SELECT ON ALL TABLES IN SCHEMA tracking TO any_employee",
            )

        with collecting(stage, producers, make, f"postgresql://127.0.0.1:{stage.server.port}/hr") as door:
            door.rename = lambda: run("ALTER TABLE tracking.events RENAME TO events_old")
            yield door


@doorway("collection_stopped on MariaDB")
@contextlib.contextmanager
def collection_on_mariadb() -> Iterator[Doorway]:
    with mariadb() as (stage, run):
        producers = Producers(
            stage.server,
            main="INSERT INTO tracking.events VALUES (now(6))",
            control="INSERT INTO tracking.heartbeat VALUES (now(6))",
        )

        def make() -> None:
            run(
                "DROP TABLE IF EXISTS tracking.events, tracking.events_old, tracking.heartbeat",
                "CREATE TABLE tracking.events (at datetime(6))",
                "CREATE TABLE tracking.heartbeat (at datetime(6))",
                "GRANT SELECT ON tracking.* TO 'any_employee'@'%'",
            )

        with collecting(stage, producers, make, f"mariadb://127.0.0.1:{stage.server.port}") as door:
            door.rename = lambda: run("RENAME TABLE tracking.events TO tracking.events_old")
            yield door


@contextlib.contextmanager
def collecting(stage: Stage, producers: Producers, make: Callable[[], None], url: str) -> Iterator[Doorway]:
    """A door that a program keeps open; the identity is its own control."""
    world = RememberingWorld()

    def reopen() -> None:
        producers.stop()
        stage.again()
        make()
        producers.start()
        world.start_anew(forget=True)

    def stop() -> None:
        producers.stop()
        stage.stop()

    try:
        yield Doorway(
            kind="collection_stopped",
            params={
                "url": url,
                "table": "tracking.events",
                "time_columns": ["at"],
                "control_table": "tracking.heartbeat",
                "normal_interval": "0.2s",
            },
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: producers.stop("main"),
            stop=stop,
            rename=stop,
            world=world,
            closed_as="collection_stopped",
            own_control=True,
        )
    finally:
        producers.stop()


@doorway("disclosure on PostgreSQL")
@contextlib.contextmanager
def disclosure_on_postgresql() -> Iterator[Doorway]:
    with postgresql() as (stage, run):

        def reopen() -> None:
            stage.again()
            run(
                "DROP SCHEMA IF EXISTS tracking CASCADE",
                "CREATE SCHEMA tracking",
                "CREATE TABLE tracking.events (id int, who text, mood text)",
            )

        yield Doorway(
            kind="disclosure",
            params={
                "url": f"postgresql://127.0.0.1:{stage.server.port}/hr",
                "table": "tracking.events",
                "disclosed": ["id", "who"],
            },
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: run("ALTER TABLE tracking.events DROP COLUMN mood"),
            stop=stage.stop,
            rename=lambda: run("ALTER TABLE tracking.events RENAME TO events_old"),
            closed_as="all_disclosed",
            own_control=True,
        )


@doorway("disclosure on MariaDB")
@contextlib.contextmanager
def disclosure_on_mariadb() -> Iterator[Doorway]:
    with mariadb() as (stage, run):

        def reopen() -> None:
            stage.again()
            run(
                "DROP TABLE IF EXISTS tracking.events, tracking.events_old",
                "CREATE TABLE tracking.events (id int, who text, mood text)",
                "GRANT SELECT ON tracking.* TO 'any_employee'@'%'",
            )

        yield Doorway(
            kind="disclosure",
            params={
                "url": f"mariadb://127.0.0.1:{stage.server.port}",
                "table": "tracking.events",
                "disclosed": ["id", "who"],
            },
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: run("ALTER TABLE tracking.events DROP COLUMN mood"),
            stop=stage.stop,
            rename=lambda: run("RENAME TABLE tracking.events TO tracking.events_old"),
            closed_as="all_disclosed",
            own_control=True,
        )


@doorway("access_log on PostgreSQL")
@contextlib.contextmanager
def access_log_on_postgresql() -> Iterator[Doorway]:
    with postgresql() as (stage, run):

        def reopen() -> None:
            stage.again()
            run(
                "DROP SCHEMA IF EXISTS logs CASCADE",
                "CREATE SCHEMA logs",
                "CREATE TABLE logs.accesses (usr text, ts timestamptz)",
                "INSERT INTO logs.accesses SELECT 'clock', now() - n * interval '30 min' FROM generate_series(0, 50) n",
                "INSERT INTO logs.accesses VALUES ('privacy_team', now()), ('stranger', now() - interval '3 h')",
                "GRANT USAGE ON SCHEMA logs TO any_employee",
                "GRANT SELECT ON logs.accesses TO any_employee",
            )

        yield _access_log(
            f"postgresql://127.0.0.1:{stage.server.port}/hr",
            reopen,
            stage,
            lock=lambda: run("DELETE FROM logs.accesses WHERE usr = 'stranger'"),
            rename=lambda: run("ALTER TABLE logs.accesses RENAME TO old"),
        )


@doorway("access_log on MariaDB")
@contextlib.contextmanager
def access_log_on_mariadb() -> Iterator[Doorway]:
    with mariadb() as (stage, run):

        def reopen() -> None:
            stage.again()
            run(
                "CREATE DATABASE IF NOT EXISTS logs",
                "DROP TABLE IF EXISTS logs.accesses, logs.old",
                "CREATE TABLE logs.accesses (usr text, ts timestamp(6))",
                "INSERT INTO logs.accesses SELECT 'clock', now(6) - INTERVAL seq * 30 MINUTE FROM logs.seq_0_to_50",
                "INSERT INTO logs.accesses VALUES ('privacy_team', now(6)), ('stranger', now(6) - INTERVAL 3 HOUR)",
                "GRANT SELECT ON logs.* TO 'any_employee'@'%'",
            )

        yield _access_log(
            f"mariadb://127.0.0.1:{stage.server.port}",
            reopen,
            stage,
            lock=lambda: run("DELETE FROM logs.accesses WHERE usr = 'stranger'"),
            rename=lambda: run("RENAME TABLE logs.accesses TO logs.old"),
        )


def _access_log(
    url: str, reopen: Callable[[], None], stage: Stage, lock: Callable[[], object], rename: Callable[[], object]
) -> Doorway:
    return Doorway(
        kind="access_log",
        params={
            "url": url,
            "table": "logs.accesses",
            "columns": {"principal": "usr", "at": "ts"},
            "allowed_principals": ["clock"],
            "canary_principal": "privacy_team",
        },
        identity="any-employee",
        identity_with_dead_password="dead-password",
        control="privacy-team",
        reopen=reopen,
        lock=lock,
        stop=stage.stop,
        rename=rename,
        closed_as="not_accessed",
        own_control=True,
    )
