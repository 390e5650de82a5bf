"""The migrations make what the tables say, on each database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
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


def test_times_come_back_in_utc_and_enums_as_their_words(tracker: Tracker) -> None:
    with tracker.read() as session:
        people = session.exec(select(tables.Person).order_by(col(tables.Person.id))).all()
        words = session.connection().execute(sa.text("SELECT role FROM person ORDER BY id")).scalars().all()
    assert [p.created_at for p in people] == [tracker.at(0)] * 6
    assert {p.created_at.utcoffset() for p in people} == {timedelta(0)}
    assert list(words) == [role.value for role in CAST.values()]
