"""Fixtures with real servers. They start when a test first asks, serve every worker, and end with the session.

postgres, mariadb                   shared; make your own databases and roles in them, never stop them
private_postgres, private_mariadb   one for this test alone, which it may stop() and start()
store_databases                     makes databases for the tracker's store: .empty(dialect), .built(dialect, upgrade)
store_database                      the URL of an empty one; the test runs once per dialect
chromium                            the browser's command
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import mariadb as mariadb_
from tests.servers import postgres as postgres_
from tests.servers.binaries import Missing, chromium_command
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer
from tests.servers.session import Session
from tests.servers.store import Dialect, StoreDatabases

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql")
_SESSION = pytest.StashKey[Session]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # a worker of pytest-xdist uses its controller's
        config.stash[_SESSION] = Session()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if _SESSION in config.stash:
        config.stash[_SESSION].close()


@pytest.fixture(scope="session")
def postgres() -> PostgresServer:
    """The session's PostgreSQL."""
    try:
        return postgres_.shared_server()
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture
def private_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own."""
    try:
        server = postgres_.new_server()
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb() -> MariaDBServer:
    """The session's MariaDB."""
    try:
        return mariadb_.shared_server()
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture
def private_mariadb() -> Iterator[MariaDBServer]:
    """A MariaDB of this test's own."""
    try:
        server = mariadb_.new_server()
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)
    yield server
    server.stop()


@pytest.fixture
def store_databases(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StoreDatabases]:
    """Fresh databases for the tracker's store. PostgreSQL starts only when a test wants one there."""
    databases = StoreDatabases(tmp_path, lambda: request.getfixturevalue("postgres"))
    yield databases
    databases.close()


@pytest.fixture(params=DIALECTS)
def store_dialect(request: pytest.FixtureRequest) -> Dialect:
    """The test runs once on each."""
    dialect: Dialect = request.param
    return dialect


@pytest.fixture
def store_database(store_databases: StoreDatabases, store_dialect: Dialect) -> str:
    """The URL of a fresh, empty database; the test runs once on each dialect."""
    return store_databases.empty(store_dialect)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's command."""
    try:
        return chromium_command()
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)
