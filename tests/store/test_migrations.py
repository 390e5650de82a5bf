"""The migrations make what the tables say, on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel, col, select

from sevtracker.config import Database as DatabaseSettings
from sevtracker.errors import ConfigError
from sevtracker.store import migrate, tables
from sevtracker.store.engine import Database
from tests.cast import CAST, Tracker

#: Made by hand, and by SQLite for the index of words.
_OURS_ALONE = ("sev_words", "ix_sev_words")


def _ours(thing: object, name: str | None, *_: object) -> bool:
    return not (name or "").startswith(_OURS_ALONE)


def test_a_migrated_database_is_what_the_tables_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": _ours})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_every_foreign_key_has_an_index_to_read_by(database: Database) -> None:
    inspector = sa.inspect(database.engine)
    missing = []
    for name in SQLModel.metadata.tables:
        leading = {tuple(i["column_names"])[:1] for i in inspector.get_indexes(name)}
        leading.add(tuple(inspector.get_pk_constraint(name)["constrained_columns"])[:1])
        leading |= {tuple(u["column_names"])[:1] for u in inspector.get_unique_constraints(name)}
        keys = [tuple(key["constrained_columns"]) for key in inspector.get_foreign_keys(name)]
        missing += [(name, *key) for key in keys if key[:1] not in leading]
    # Who did something is shown, never looked up; nor is what a suggestion became.
    shown = {("sev_act", "person_id"), ("waiver", "granted_by"), ("attestation_signature", "person_id")}
    shown |= {("check_proposal", "proposed_by"), ("check_proposal", "decided_by")}
    shown |= {("check_acceptance", "accepted_by")}
    shown |= {("waiver", "revoked_by"), ("attestation", "withdrawn_by")}
    assert set(missing) == shown | {("suggestion", "decided_by"), ("suggestion", "became_id")}


def test_the_newest_script_is_the_one_that_the_code_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_an_empty_database_is_told_what_to_do(store_database: str) -> None:
    database = Database(DatabaseSettings(url=store_database))
    assert migrate.revision(database) is None
    with pytest.raises(ConfigError, match="sevtracker db upgrade"):
        migrate.require_current(database)
    database.dispose()


def test_upgrading_twice_changes_nothing(database: Database, database_url: str) -> None:
    with database.reading() as session:
        before = database.log(session)
    migrate.upgrade(DatabaseSettings(url=database_url))
    migrate.require_current(database)
    with database.reading() as session:
        made = session.get_one(tables.Installation, 1)
    assert made.log == before
    assert made.created_at.tzinfo is not None


def test_what_each_definition_saw_last_is_taken_from_the_runs_of_the_first_version(store_database: str) -> None:
    """Check 1 was edited after it saw the door open; 2 is open as it stands; 3 saw its door closed since."""
    database = Database(DatabaseSettings(url=store_database))
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with database._write_engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        schema = sa.MetaData()
        schema.reflect(connection)

        def add(name: str, **given: Any) -> None:
            blank = {c.name: _blank(c) for c in schema.tables[name].columns if not c.nullable and c.name not in given}
            connection.execute(schema.tables[name].insert().values(**blank, **given))

        add("dataset", id=1, slug="events")
        add("copy", id=1, dataset_id=1, slug="primary")
        for check, stories in enumerate((["open", "closed"], ["open"], ["open open closed"]), start=1):
            add("check_", id=check, dataset_id=1, copy_id=1, fingerprint=f"f{len(stories)}")
            for revision, verdicts in enumerate(stories, start=1):
                add("check_revision", check_id=check, revision=revision, fingerprint=f"f{revision}")
                for verdict in verdicts.split():
                    number = connection.execute(sa.select(sa.func.count()).select_from(schema.tables["run"])).scalar()
                    run = {"verdict": verdict, "reason": "denied", "trigger": "manual"}
                    add("run", id=number + 1, check_id=check, revision=revision, **run)
    database.dispose()
    migrate.upgrade(DatabaseSettings(url=store_database))
    database = Database(DatabaseSettings(url=store_database))
    with database.engine.connect() as connection:
        found = connection.execute(sa.select(tables.table(tables.Check).c.left_open).order_by(sa.text("id"))).scalars()
        assert list(found) == [{"f1": True}, {"f1": False}, {}]
    database.dispose()


def _blank(column: sa.Column[Any]) -> Any:
    """Anything that the column takes."""
    if isinstance(column.type, sa.JSON):
        return {}
    kind = column.type.python_type
    if kind is datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)
    return kind()


def test_times_come_back_in_utc_and_enums_as_their_words(tracker: Tracker) -> None:
    with tracker.read() as session:
        people = session.exec(select(tables.Person).order_by(col(tables.Person.id))).all()
        words = session.connection().execute(sa.text("SELECT role FROM person ORDER BY id")).scalars().all()
    assert [p.created_at for p in people] == [tracker.at(0)] * 6
    assert {p.created_at.utcoffset() for p in people} == {timedelta(0)}
    assert list(words) == [role.value for role in CAST.values()]
