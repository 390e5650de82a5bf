"""What a server that lets nobody in says why, on real ones: only a failed sign-in counts as one of the account's."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from sevtracker.checks.interface import Observation
from sevtracker.checks.sql import postgres_entry
from sevtracker.domain.vocabulary import Phase
from tests.checks.people import create_roles, create_users
from tests.checks.sites import CONTROL_SECRET, STAFF_SECRET, World, outcome
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer

#: No failed sign-in of anybody.
NOBODY: dict[str, int] = {}


def look(server: PostgresServer, database: str = "postgres", mode: str = "", who: str = "any-employee") -> Observation:
    params = {"url": f"postgresql://127.0.0.1:{server.port}/{database}{mode}", "table": "pg_catalog.pg_authid"}
    return World().look("sql_read", params, who, "privacy-team")


@pytest.fixture
def own(private_postgres: PostgresServer) -> PostgresServer:
    create_roles(private_postgres)
    return private_postgres


@pytest.mark.parametrize("mode", ["", "?sslmode=disable"])
def test_a_database_that_is_not_there_is_no_failed_sign_in(postgres: PostgresServer, mode: str) -> None:
    create_roles(postgres)
    seen = look(postgres, "no_such_database", mode)
    assert (outcome(seen), seen.failed_sign_ins) == (("inconclusive", "target_changed"), NOBODY)
    assert (seen.steps[-1].phase, seen.steps[-1].ok) == (Phase.target, False)
    assert "no_such_database" not in seen.steps[-1].note


def test_a_dead_password_is_one_wherever_it_is_sent(postgres: PostgresServer) -> None:
    create_roles(postgres)
    for database in ("postgres", "no_such_database"):
        seen = look(postgres, database, who="dead-password")
        assert (outcome(seen), seen.failed_sign_ins) == (("inconclusive", "auth_failed"), {"dead-password": 1})
        assert "28P01" in seen.steps[-1].note


def test_a_limit_of_connections_that_is_told_after_the_password_is_no_failed_sign_in(own: PostgresServer) -> None:
    own.execute("ALTER ROLE any_employee CONNECTION LIMIT 0")
    seen = look(own)
    assert (outcome(seen), seen.failed_sign_ins) == (("inconclusive", "unreachable"), NOBODY)
    assert "53300" in seen.steps[-1].note
    own.execute("ALTER ROLE any_employee CONNECTION LIMIT -1", "CREATE DATABASE narrow CONNECTION LIMIT 0")
    assert outcome(look(own, "narrow")) == ("inconclusive", "unreachable")


def test_a_rule_that_rejects_is_a_failed_sign_in_with_tls_asked_for_or_not(own: PostgresServer) -> None:
    rules = Path(own.folder) / "data" / "pg_hba.conf"
    rules.write_text("host all any_employee all reject\n" + rules.read_text())
    own.execute("SELECT pg_reload_conf()")
    seen = look(own)
    assert (outcome(seen), seen.failed_sign_ins) == (("inconclusive", "auth_failed"), {"any-employee": 1})
    assert "28000" in seen.steps[-1].note


def test_a_role_that_may_not_sign_in_and_one_that_is_gone_are_failed_sign_ins(own: PostgresServer) -> None:
    own.execute("ALTER ROLE any_employee NOLOGIN")
    assert look(own).failed_sign_ins == {"any-employee": 1}
    own.execute("DROP ROLE any_employee")
    assert look(own).failed_sign_ins == {"any-employee": 1}


@pytest.mark.parametrize("database", ["postgres", "no_such_database"])
def test_without_the_means_to_learn_a_code_a_refusal_after_the_password_counts(
    postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_roles(postgres)
    monkeypatch.setattr(postgres_entry, "_verbosity", lambda: None)
    assert look(postgres, database, who="dead-password").failed_sign_ins == {"dead-password": 1}
    assert look(postgres).failed_sign_ins == NOBODY


class Teller:
    """A server that answers every start-up packet with one error, in words of its own. ``accepted``: connections."""

    def __init__(self, answer: bytes, *, speaks_first: bool) -> None:
        self.accepted = 0
        self._answer, self._speaks_first = answer, speaks_first
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self.accepted += 1
                with peer, contextlib.suppress(OSError):
                    peer.settimeout(5)
                    if not self._speaks_first:
                        while peer.recv(4096)[4:8] == struct.pack("!I", 80_877_103):  # SSLRequest: no
                            peer.sendall(b"N")
                    peer.sendall(self._answer)
                    peer.recv(4096)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def telling(answer: bytes, *, speaks_first: bool = False) -> Iterator[Teller]:
    teller = Teller(answer, speaks_first=speaks_first)
    try:
        yield teller
    finally:
        teller.close()


def _postgresql_says(code: str) -> bytes:
    """In a language of its own. Source: PostgreSQL manual, "Message Formats", ErrorResponse."""
    told = (("S", "SCHWERWIEGEND"), ("C", code), ("M", "Passwort für »jemand« falsch:  28P01"))
    fields = b"".join(f"{kind}{text}\0".encode() for kind, text in told) + b"\0"
    return b"E" + struct.pack("!I", len(fields) + 4) + fields


@pytest.mark.parametrize("code", ["53300", "53400", "57P01", "57P02", "57P03"])
def test_postgresql_that_is_not_ready_is_unreachable_and_asked_once(code: str) -> None:
    with telling(_postgresql_says(code)) as server:
        params = {"url": f"postgresql://127.0.0.1:{server.port}/hr", "table": "public.events"}
        seen = World().look("sql_read", params, "any-employee", "privacy-team")
        assert (outcome(seen), seen.failed_sign_ins, server.accepted) == (("inconclusive", "unreachable"), NOBODY, 1)


@pytest.mark.parametrize("code", ["28000", "XX000"])
def test_postgresql_that_refuses_otherwise_is_a_failed_sign_in(code: str) -> None:
    with telling(_postgresql_says(code)) as server:
        params = {"url": f"postgresql://127.0.0.1:{server.port}/hr", "table": "public.events"}
        assert outcome(World().look("sql_read", params, "any-employee")) == ("inconclusive", "auth_failed")


def _connections(server: PostgresServer) -> int:
    return (Path(server.folder) / "log").read_text(errors="replace").count("connection received:")


@pytest.mark.parametrize("mode", ["", "?sslmode=prefer", "?sslmode=disable"])
def test_without_tls_a_run_takes_one_connection_for_each_identity(own: PostgresServer, mode: str) -> None:
    own.execute("ALTER SYSTEM SET log_connections = on", "SELECT pg_reload_conf()")
    own.execute("SELECT 1")
    before = _connections(own)
    assert outcome(look(own, mode=mode))[0] == "inconclusive"  # neither may read: a denial, so the control was asked
    assert _connections(own) - before == 2


# ---- MariaDB -----------------------------------------------------------------------------------------------------


def ask(server: MariaDBServer, port: int = 0, who: str = "any-employee", database: str = "") -> Observation:
    params = {"url": f"mariadb://127.0.0.1:{port or server.port}/{database}", "table": "no_such_database.events"}
    return World().look("sql_read", params, who, "privacy-team")


def test_mariadb_tells_of_a_database_that_is_not_there_after_the_sign_in(mariadb: MariaDBServer) -> None:
    create_users(mariadb)
    for database in ("", "no_such_database"):
        seen = ask(mariadb, database=database)
        assert (outcome(seen), seen.failed_sign_ins) == (("inconclusive", "control_failed"), NOBODY)


def test_mariadb_with_a_dead_password_is_a_failed_sign_in(mariadb: MariaDBServer) -> None:
    create_users(mariadb)
    seen = ask(mariadb, who="dead-password")
    assert (outcome(seen), seen.failed_sign_ins) == (("inconclusive", "auth_failed"), {"dead-password": 1})


def test_mariadb_without_a_place_left_is_unreachable(private_mariadb: MariaDBServer) -> None:
    """1226: too many of this account in an hour, or at once. 1040: too many of all."""
    server = private_mariadb
    create_users(server)
    server.execute("ALTER USER 'any_employee'@'%' WITH MAX_CONNECTIONS_PER_HOUR 1")
    credentials = {"host": "127.0.0.1", "port": server.port, "user": "any_employee", "password": STAFF_SECRET.encode()}
    pymysql.connect(**credentials).close()
    seen = ask(server)
    assert (outcome(seen), seen.failed_sign_ins) == (("inconclusive", "unreachable"), NOBODY)
    server.execute("ALTER USER 'any_employee'@'%' WITH MAX_CONNECTIONS_PER_HOUR 0 MAX_USER_CONNECTIONS 1")
    with contextlib.closing(pymysql.connect(**credentials)):
        seen = ask(server)
        assert (outcome(seen), seen.failed_sign_ins) == (("inconclusive", "unreachable"), NOBODY)
    server.execute("SET GLOBAL max_connections = 10")
    with contextlib.ExitStack() as held:
        with contextlib.suppress(pymysql.err.OperationalError):
            while True:
                other = {**credentials, "user": "privacy_team", "password": CONTROL_SECRET.encode()}
                held.enter_context(contextlib.closing(pymysql.connect(**other)))
        seen = ask(server)
        assert (outcome(seen), seen.failed_sign_ins) == (("inconclusive", "unreachable"), NOBODY)


@pytest.mark.parametrize("code", [1040, 1129, 1203, 1226])
def test_mariadb_that_takes_no_connections_from_here_is_unreachable(mariadb: MariaDBServer, code: int) -> None:
    """In place of the greeting, as it blocks a host. Source: MariaDB manual, "ERR_Packet"."""
    said = b"\xff" + struct.pack("<H", code) + "Zugriff verweigert für »jemand« 1045".encode()
    packet = struct.pack("<I", len(said)) + said
    with telling(packet, speaks_first=True) as server:
        seen = ask(mariadb, server.port)
    assert (outcome(seen), seen.failed_sign_ins) == (("inconclusive", "unreachable"), NOBODY)
