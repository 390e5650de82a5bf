"""The servers of the tests are themselves tested: what they promise, others build on."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from pymysql.constants import ER

from tests.servers import binaries, install, session
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import OWNER, PostgresServer
from tests.servers.store import Dialect, StoreDatabases


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def fill(url: str) -> None:
    """A schema, as an upgrade would make it."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE made (by_whom varchar(20))"))
        connection.execute(sa.text("INSERT INTO made VALUES ('fill')"))
    engine.dispose()


def _tables(url: str) -> list[str]:
    engine = sa.create_engine(url)
    names = sa.inspect(engine).get_table_names()
    engine.dispose()
    return names


def test_postgres_gives_each_caller_a_database_that_a_plain_role_owns(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        who, superuser = connection.execute(
            sa.text("SELECT current_user, usesuper FROM pg_user WHERE usename = current_user")
        ).one()
    engine.dispose()
    assert (who, superuser) == (OWNER, False)
    assert url != postgres.create_database()


def test_postgres_asks_for_the_password(postgres: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.dsn("postgres", password="wrong"))


@pytest.mark.skipif(not session.has_ipv6(), reason="this machine has no IPv6 loopback")
def test_both_servers_listen_on_ipv6_too(postgres: PostgresServer, mariadb: MariaDBServer) -> None:
    assert _answers("::1", postgres.port)
    assert _answers("::1", mariadb.port)


def test_a_shared_server_refuses_to_be_stopped(postgres: PostgresServer, mariadb: MariaDBServer) -> None:
    with pytest.raises(RuntimeError, match="private_postgres"):
        postgres.stop()
    with pytest.raises(RuntimeError, match="private_mariadb"):
        mariadb.stop()


def test_a_private_postgres_stops_and_comes_back_with_its_data(private_postgres: PostgresServer) -> None:
    private_postgres.execute("CREATE TABLE kept AS SELECT 7 AS n")
    private_postgres.stop()
    assert not _answers("127.0.0.1", private_postgres.port)
    private_postgres.start()
    assert private_postgres.execute("SELECT n FROM kept") == [(7,)]


def test_a_private_mariadb_stops_and_comes_back_with_its_data(private_mariadb: MariaDBServer) -> None:
    private_mariadb.create_database("hr")
    private_mariadb.execute("CREATE TABLE kept AS SELECT 7 AS n", database="hr")
    private_mariadb.stop()
    assert not _answers("127.0.0.1", private_mariadb.port)
    private_mariadb.start()
    assert private_mariadb.execute("SELECT n FROM kept", database="hr") == [(7,)]


def test_mariadb_lets_in_its_users_and_nobody_else(mariadb: MariaDBServer) -> None:
    mariadb.create_user("reader_of_nothing")
    engine = sa.create_engine(mariadb.url("", user="reader_of_nothing"))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1
    engine.dispose()
    for stranger in ("root", "nobody-we-know"):
        with pytest.raises(pymysql.err.OperationalError) as refused:
            pymysql.connect(host=mariadb.host, port=mariadb.port, user=stranger)
        assert refused.value.args[0] == ER.ACCESS_DENIED_ERROR


def test_a_store_database_is_empty(store_database: str) -> None:
    assert _tables(store_database) == []


def test_a_built_database_is_a_copy_of_what_was_built_once(
    store_databases: StoreDatabases, store_dialect: Dialect
) -> None:
    first = store_databases.built(store_dialect, fill)
    second = store_databases.built(store_dialect, fill)
    assert first != second
    assert _tables(first) == _tables(second) == ["made"]


def test_missing_servers_are_told_with_the_way_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(binaries.Missing, match="apt-get install chromium"):
        binaries.chromium_command()


def test_installing_goes_on_where_it_is_not_allowed_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "missing", lambda: [binaries.MARIADB])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    install.main()
    assert "apt-get install mariadb-server-core" in capsys.readouterr().err


def test_a_killed_session_leaves_no_server_and_no_folder(tmp_path: Path) -> None:
    """The owner is killed with -9, as a CI job is: the supervisor notices and cleans up."""
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER], stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert owner.stdout is not None
    folder, port = owner.stdout.readline().split()
    assert _answers("127.0.0.1", int(port))
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert _soon(lambda: not Path(folder).exists())
    assert not _answers("127.0.0.1", int(port))


_OWNER = """
import signal, socket, sys, time
from pathlib import Path
from tests.servers import session

owner = session.Session()
folder = owner.folder / "echo"
folder.mkdir()
port = session.free_port()
serve = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"

def ready():
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True

session._user_and_group = lambda: ("", "")
session.start(folder, signal.SIGTERM, [sys.executable, "-c", serve], ready)
print(folder.parent, port, flush=True)
time.sleep(60)
"""


def _soon(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
