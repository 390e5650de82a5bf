"""One tracker for each test, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.store import Dialect, StoreDatabases
from tests.web.world import CAST, World, upgraded, world_on
from tests.worker.targets import Target, serving

__all__ = ["CAST", "World"]


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    """What checks run against."""
    with serving() as target:
        yield target


@pytest.fixture
def world(
    store_databases: StoreDatabases, store_dialect: Dialect, target: Target, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A tracker on a fresh database; the test runs once on each dialect."""
    monkeypatch.setenv("OWNER_TOKEN", "control")
    with world_on(store_databases.built(store_dialect, upgraded), target) as world:
        yield world
