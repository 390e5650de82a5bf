"""The web over a real runtime, a small cast with tokens, and a real HTTP target that checks run against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sevtracker.actions import people
from sevtracker.actions.inputs import NewPerson
from sevtracker.actions.runtime import Runtime
from sevtracker.config import load_settings
from sevtracker.domain.vocabulary import Role
from sevtracker.store import migrate
from sevtracker.store.tables import Person
from sevtracker.web.app import create_app
from sevtracker.wiring import build
from sevtracker.worker.inline import drain
from tests.worker.targets import MARKER, Target

#: Who there is. Dana files, Erik works beside her, Vera decides, Otto audits, Ada configures.
CAST = {
    "dana": Role.engineer,
    "erik": Role.engineer,
    "vera": Role.executive,
    "otto": Role.auditor,
    "ada": Role.admin,
}


def environment(url: str, port: int = 1, **more: str) -> dict[str, str]:
    """Settings under which a story of hours takes seconds."""
    return {
        "SEVTRACKER_DATABASE__URL": url,
        "SEVTRACKER_SERVER__SECRET_KEY": "not-a-secret-for-tests",
        "SEVTRACKER_TARGETS__ALLOW": f'["127.0.0.0/8:{port}"]',
        "SEVTRACKER_IDENTITIES__OWNER__CLASS": "control",
        "SEVTRACKER_IDENTITIES__OWNER__TOKEN": "env:OWNER_TOKEN",
        "SEVTRACKER_IDENTITIES__OWNER__HOSTS": '["127.0.0.0/8:*"]',
        "SEVTRACKER_POLICY__SETTLE": "0s",
        "SEVTRACKER_POLICY__FRESHNESS_FACTOR": "1000",
        "SEVTRACKER_POLICY__MAX_GAP_FACTOR": "1000",
        "SEVTRACKER_POLICY__SEV3__INTERVAL": "0.1s",
        "SEVTRACKER_POLICY__SEV3__CONSECUTIVE": "2",
        "SEVTRACKER_POLICY__SEV3__SOAK": "0s",
        "SEVTRACKER_WORKER__RESOLVE_WAIT": "5s",
        **more,
    }


def upgraded(url: str) -> None:
    """A database of the present schema."""
    migrate.upgrade(load_settings(environment(url)).database)


@dataclass
class Api:
    """Somebody's way in through the API."""

    client: FlaskClient
    token: str
    pid: str

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.token}", **headers}
        if key is not None:
            given["Idempotency-Key"] = key
        sent: Mapping[str, Any] = {} if body is None else {"json": body}
        return self.client.open(f"/api/v1{path}", method=method, headers=given, buffered=True, **sent)

    def get(self, path: str, status: int = 200) -> Any:
        return _checked(self.ask("GET", path), status)

    def post(self, path: str, body: Any = None, status: int = 201, key: str | None = None) -> Any:
        return _checked(self.ask("POST", path, body, key), status)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return _checked(self.ask("PATCH", path, body), status)


def _checked(answer: TestResponse, status: int) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == ("application/json" if status < 400 else "application/problem+json")
    return answer.get_json()


@dataclass
class Statements:
    """What was sent to the database."""

    sent: list[str] = field(default_factory=list)
    commits: int = 0

    def __len__(self) -> int:
        return len(self.sent)


@dataclass
class World:
    """Everything a test of the web works with."""

    runtime: Runtime
    app: Flask
    target: Target
    cast: dict[str, Api]

    @property
    def dana(self) -> Api:
        return self.cast["dana"]

    @property
    def erik(self) -> Api:
        return self.cast["erik"]

    @property
    def vera(self) -> Api:
        return self.cast["vera"]

    @property
    def otto(self) -> Api:
        return self.cast["otto"]

    @property
    def ada(self) -> Api:
        return self.cast["ada"]

    def dataset(self, slug: str = "events", **more: Any) -> None:
        self.dana.post("/datasets", {"slug": slug, "name": slug.title(), **more})

    def check(self, path: str = "/", **more: Any) -> int:
        """A check that tries the target without credentials; the control has some."""
        params = {"url": self.target.url(path), "marker": MARKER}
        given = {"dataset": "events", "kind": "http", "identity": "anonymous", "control": "owner", "params": params}
        return int(self.dana.post("/checks", {**given, **more})["id"])

    def sev(self, by: str = "dana", **more: Any) -> int:
        given = {"title": "Events readable by all", "level": "SEV3", "datasets": ["events"], **more}
        return int(self.cast[by].post("/sevs", given)["number"])

    def drain(self) -> int:
        """Run what is queued."""
        return drain(self.runtime, tick=False)

    @contextmanager
    def statements(self) -> Iterator[Statements]:
        """Count what a block sends to the database."""
        counted, engine = Statements(), self.runtime.database.engine

        def sent(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith("BEGIN"):
                counted.sent.append(statement)

        def committed(_c: Any) -> None:
            counted.commits += 1

        sa.event.listen(engine, "before_cursor_execute", sent)
        sa.event.listen(engine, "commit", committed)
        yield counted
        sa.event.remove(engine, "before_cursor_execute", sent)
        sa.event.remove(engine, "commit", committed)


@contextmanager
def world_on(url: str, target: Target) -> Iterator[World]:
    """The web over the database at ``url`` (its schema is current), until the block ends."""
    target.status, target.delay = 200, 0.0
    runtime = build(load_settings(environment(url, target.port)))
    yield made(runtime, target)
    runtime.close()


def made(runtime: Runtime, target: Target) -> World:
    """The app over ``runtime``, with its cast."""
    app = create_app(runtime)
    app.testing = True
    cast = {}
    for name, role in CAST.items():
        with runtime.work(None) as work:
            given = NewPerson(email=f"{name}@example.org", name=name.title(), role=role)
            person: Person = people.add(work, given).person
            cast[name] = Api(app.test_client(), people.create_token(work, person, "tests"), person.pid)
    return World(runtime, app, target, cast)
