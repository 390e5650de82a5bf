"""The bare references: what Flask can do with nothing of ours on top. Served by the same gunicorn as the tracker.

- ``hello``: a Flask view that answers one word.
- ``rows``: a Flask page of 100 rows by Jinja, autoescaped, eight cells a row, from objects already in memory.
- ``create``: the least that a person would write to store something by JSON: a pydantic model validates it, two ORM
  rows (the thing, and an event that tells of it) are added and committed, the id is answered. No sign-in, no chain.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, Response, jsonify, request
from pydantic import BaseModel
from sqlalchemy import event
from sqlmodel import Field, Session, SQLModel

DATABASE = "SEV_BENCH_DATABASE"


def hello() -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def say() -> str:
        return "hello"

    return app


# ---- a page of rows ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    title: str
    level: str
    status: str
    exposure: str
    reported: datetime
    datasets: tuple[str, ...]
    streak: int


_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title></head><body>
<table><thead><tr><th>Key</th><th>Title</th><th>Level</th><th>Status</th><th>Exposure</th><th>Reported</th><th>Datasets</th>
<th>Streak</th></tr></thead><tbody>
{% for row in rows %}
<tr><td><a href="/sevs/{{ row.number }}">SEV-{{ row.number }}</a></td><td>{{ row.title }}</td><td>{{ row.level }}</td>
<td>{{ row.status }}</td><td>{{ row.exposure }}</td><td>{{ row.reported.strftime("%Y-%m-%d %H:%M") }}</td>
<td>{{ row.datasets|join(", ") }}</td><td>{{ row.streak }}</td></tr>
{% endfor %}
</tbody></table></body></html>"""


def rows() -> Flask:
    app = Flask(__name__)
    start = datetime(2026, 6, 18, 9, 10, tzinfo=UTC)
    kept = [
        Row(
            number=n,
            title=f"Employee records readable by everybody <{n}>",
            level=f"SEV{n % 5}",
            status="investigating",
            exposure="exposed",
            reported=start - timedelta(minutes=n),
            datasets=(f"hr-{n % 7}", "badge-events"),
            streak=n % 6,
        )
        for n in range(100)
    ]

    page = app.jinja_env.from_string(_PAGE)  # compiled once, as a file would be

    @app.get("/")
    def show() -> str:
        return page.render(title="SEVs", rows=kept)

    return app


# ---- a create ----------------------------------------------------------------------------------------------------


class Thing(SQLModel, table=True):
    __tablename__ = "bench_thing"
    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=200)
    summary: str
    level: str = Field(max_length=8)
    status: str = Field(max_length=32)
    reported_at: datetime


class Happening(SQLModel, table=True):
    __tablename__ = "bench_happening"
    id: int | None = Field(default=None, primary_key=True)
    thing_id: int = Field(foreign_key="bench_thing.id", index=True)
    kind: str = Field(max_length=32)
    at: datetime


class NewThing(BaseModel):
    title: str
    level: str
    datasets: list[str]
    summary: str = ""


def create() -> Flask:
    app = Flask(__name__)
    engine = reference_engine(os.environ[DATABASE])

    @app.post("/things")
    def file() -> tuple[Response, int]:
        given = NewThing.model_validate(request.get_json())
        now = datetime.now(UTC)
        with Session(engine) as session:
            thing = Thing(
                title=given.title, summary=given.summary, level=given.level, status="reported", reported_at=now
            )
            session.add(thing)
            session.flush()
            session.add(Happening(thing_id=thing.id or 0, kind="filed", at=now))
            number = thing.id
            session.commit()
        return jsonify({"number": number, "title": given.title, "level": given.level}), 201

    return app


def reference_engine(url: str) -> sa.Engine:
    """An engine as anybody would make it; on SQLite with the same promises as ours: WAL, synced, foreign keys."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url)
    engine = sa.create_engine(url, connect_args={"timeout": 5.0})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def create_tables(url: str) -> None:
    engine = reference_engine(url)
    SQLModel.metadata.create_all(
        engine, tables=[SQLModel.metadata.tables[n] for n in ("bench_thing", "bench_happening")]
    )
    engine.dispose()
