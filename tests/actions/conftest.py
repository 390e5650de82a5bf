"""A tracker to act in, on each dialect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cast import Tracker, build_cast, build_mci
from tests.servers.store import Dialect, StoreDatabases


@pytest.fixture
def tracker(store_databases: StoreDatabases, store_dialect: Dialect) -> Iterator[Tracker]:
    made = Tracker.over(store_databases.built(store_dialect, build_cast))
    yield made
    made.runtime.close()


@pytest.fixture
def mci(store_databases: StoreDatabases, store_dialect: Dialect) -> Iterator[Tracker]:
    """With the dataset ``mci-events``, its primary copy, a check on it, and SEV-1 filed: all at minute 0, door open."""
    made = Tracker.over(store_databases.built(store_dialect, build_mci))
    yield made
    made.runtime.close()
