"""PostgreSQL with TLS: what is preferred, and that a dead password is sent once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.checks.people import create_roles
from tests.checks.sites import World, outcome
from tests.servers.postgres import PostgresServer


@pytest.fixture
def encrypted(private_postgres: PostgresServer) -> PostgresServer:
    """With a certificate of its own, and a table that any employee reads."""
    server, data = private_postgres, Path(private_postgres.folder) / "data"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout server.key -out server.crt"
    subprocess.run(command.split(), cwd=data, check=True, capture_output=True)
    for name in ("server.key", "server.crt"):
        os.chown(data / name, data.stat().st_uid, data.stat().st_gid)
        (data / name).chmod(0o600)
    server.stop()
    server.settings = {"ssl": "on"}
    server.start()
    create_roles(server)
    server.execute("CREATE TABLE public.events (id int)", "INSERT INTO public.events VALUES (1)")
    server.execute("GRANT SELECT ON public.events TO any_employee")
    return server


def _look(server: PostgresServer, identity: str = "any-employee", mode: str = "") -> tuple[str, str]:
    params = {"url": f"postgresql://127.0.0.1:{server.port}/postgres{mode}", "table": "public.events"}
    return outcome(World().look("sql_read", params, identity, "privacy-team"))


def _refused(server: PostgresServer) -> int:
    return (Path(server.folder) / "log").read_text(errors="replace").count("FATAL:  password authentication failed")


@pytest.mark.parametrize("mode", ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=disable"])
def test_a_dead_password_is_sent_once(encrypted: PostgresServer, mode: str) -> None:
    assert _look(encrypted, mode=mode) == ("open", "row_read")
    assert _look(encrypted, "dead-password", mode) == ("inconclusive", "auth_failed")
    assert _refused(encrypted) == 1


def test_where_tls_is_not_let_in_it_goes_without(encrypted: PostgresServer) -> None:
    rules = Path(encrypted.folder) / "data" / "pg_hba.conf"
    rules.write_text("hostnossl all all all scram-sha-256\n")
    encrypted.execute("SELECT pg_reload_conf()")
    assert _look(encrypted) == ("open", "row_read")
    assert _look(encrypted, mode="?sslmode=require") == ("inconclusive", "tls")
