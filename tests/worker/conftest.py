"""A tracker's runtime on either database, with real HTTP targets, and somebody who works with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from sevtracker.actions import checks, datasets, patches, people, sevs
from sevtracker.actions.inputs import FileSev, LogPatch, NewCheck, NewDataset, NewPerson
from sevtracker.actions.runtime import Runtime
from sevtracker.config import load_settings
from sevtracker.domain.vocabulary import Role
from sevtracker.store import migrate
from sevtracker.store.tables import Check, Job, Lane, Run, Sev, table
from sevtracker.store.work import Person
from sevtracker.wiring import build
from tests.servers.store import Dialect, StoreDatabases
from tests.worker.targets import MARKER, Target, serving

SECRET = "not-a-secret-for-tests"


def _environment(url: str, port: int = 1, **more: str) -> dict[str, str]:
    return {
        "SEVTRACKER_DATABASE__URL": url,
        "SEVTRACKER_SERVER__SECRET_KEY": SECRET,
        "SEVTRACKER_TARGETS__ALLOW": f'["127.0.0.0/8:{port}"]',
        "SEVTRACKER_IDENTITIES__OWNER__CLASS": "control",
        "SEVTRACKER_IDENTITIES__OWNER__TOKEN": "env:OWNER_TOKEN",
        "SEVTRACKER_IDENTITIES__OWNER__HOSTS": '["127.0.0.0/8:*"]',
        **more,
    }


def upgraded(url: str) -> None:
    """A database of the present schema."""
    migrate.upgrade(load_settings(_environment(url)).database)


@dataclass
class Tracker:
    """A runtime and what tests do with it."""

    runtime: Runtime
    dana: Person
    target: Target

    def check(self, path: str = "/", host: int = 1, **params: Any) -> int:
        """A check of that address's page; it is queued by being made."""
        given = NewCheck(
            dataset="events",
            kind="http",
            identity="anonymous",
            control="owner",
            params={"url": self.target.url(path, host), "marker": MARKER, **params},
        )
        with self.runtime.work(self.dana) as work:
            return checks.create(work, self.runtime.settings, self.runtime.probes, given).id or 0

    def file(self) -> int:
        with self.runtime.work(self.dana) as work:
            given = FileSev(title="Events readable by all", level="SEV3", datasets=["events"])  # type: ignore[arg-type]  # as JSON has it
            return sevs.file(work, self.runtime.settings, given)

    def patch(self, number: int) -> None:
        with self.runtime.work(self.dana) as work:
            patches.log(work, self.runtime.settings, number, LogPatch(summary="Closed it"))

    def rows(self, model: type[Any], **where: Any) -> list[dict[str, Any]]:
        found = table(model)
        statement = sa.select(found).where(*(found.c[name] == value for name, value in where.items()))
        with self.runtime.read() as session:
            return [
                dict(row) for row in session.connection().execute(statement.order_by(*found.primary_key)).mappings()
            ]

    def runs(self, check_id: int | None = None) -> list[dict[str, Any]]:
        return self.rows(Run) if check_id is None else self.rows(Run, check_id=check_id)

    def jobs(self) -> list[dict[str, Any]]:
        return self.rows(Job)

    def lanes(self) -> dict[str, dict[str, Any]]:
        return {row["target"]: row for row in self.rows(Lane)}

    def sev(self, number: int) -> dict[str, Any]:
        return self.rows(Sev, number=number)[0]

    def the_check(self, check_id: int) -> dict[str, Any]:
        return self.rows(Check, id=check_id)[0]

    def make_due(self, at: datetime | None = None) -> None:
        """All checks are due at ``at``, or now; nothing is queued."""
        with self.runtime.database.writing() as session:
            session.connection().execute(sa.delete(table(Job)))
            session.connection().execute(sa.update(table(Check)).values(due_at=at or self.runtime.clock.now()))


def soon(true: Callable[[], object], seconds: float = 10.0) -> float:
    """Wait until ``true()`` is; returns how many seconds that took."""
    began = time.monotonic()
    while not true():
        if time.monotonic() > began + seconds:
            pytest.fail(f"{true} did not come true within {seconds} seconds")
        time.sleep(0.01)
    return time.monotonic() - began


@pytest.fixture
def target() -> Iterator[Target]:
    with serving() as target:
        yield target


Make = Callable[..., Tracker]


@pytest.fixture
def make_tracker(
    store_databases: StoreDatabases, store_dialect: Dialect, target: Target, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    """Builds trackers on one fresh database: as many nodes as are asked for. Keywords are environment variables."""
    monkeypatch.setenv("OWNER_TOKEN", "control")
    url = store_databases.built(store_dialect, upgraded)
    made: list[Runtime] = []

    def make(**environment: str) -> Tracker:
        runtime = build(load_settings(_environment(url, target.port, **environment)))
        first = not made
        made.append(runtime)
        with runtime.work(None) as work:
            if first:
                added = people.add(work, NewPerson(email="dana@example.org", name="Dana", role=Role.engineer)).person
                make.dana = Person(added.id or 0, added.pid, Role.engineer, "api")  # type: ignore[attr-defined]  # kept here
        tracker = Tracker(runtime, make.dana, target)  # type: ignore[attr-defined]  # see above
        if first:
            with runtime.work(tracker.dana) as work:
                datasets.register(work, NewDataset(slug="events", name="Events"))
        return tracker

    yield make
    for runtime in made:
        runtime.close()


@pytest.fixture
def tracker(make_tracker: Make) -> Tracker:
    return make_tracker()
