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


@pytest.fixture
def two_nodes(store_databases: StoreDatabases) -> Iterator[tuple[Tracker, Tracker]]:
    """Two processes' worth of tracker on one PostgreSQL, with one clock."""
    url = store_databases.built("postgresql", build_mci)
    one, other = Tracker.over(url), Tracker.over(url)
    other.clock = one.clock
    object.__setattr__(other.runtime, "clock", one.clock)
    yield one, other
    one.runtime.close()
    other.runtime.close()
