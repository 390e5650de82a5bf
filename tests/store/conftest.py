"""Databases for the store's tests: migrated, on each dialect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sevtracker.config import Database as DatabaseSettings
from sevtracker.store.engine import Database
from sevtracker.store.migrate import upgrade
from tests.cast import Tracker, build_cast
from tests.servers.store import Dialect, StoreDatabases


def migrated(url: str) -> None:
    upgrade(DatabaseSettings(url=url))


@pytest.fixture
def database_url(store_databases: StoreDatabases, store_dialect: Dialect) -> str:
    """A migrated database without any rows of ours."""
    return store_databases.built(store_dialect, migrated)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(DatabaseSettings(url=database_url))
    yield opened
    opened.dispose()


@pytest.fixture
def tracker(store_databases: StoreDatabases, store_dialect: Dialect) -> Iterator[Tracker]:
    """A tracker with its cast."""
    made = Tracker.over(store_databases.built(store_dialect, build_cast))
    yield made
    made.runtime.close()
