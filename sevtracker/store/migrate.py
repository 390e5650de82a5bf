"""Bringing a database to the present schema, and saying whether it is there."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from sevtracker.config import Database as DatabaseSettings
from sevtracker.errors import ConfigError
from sevtracker.store import guards
from sevtracker.store.engine import Database

#: The newest migration. A test compares it with the scripts, so that asking needs no Alembic.
HEAD = "0002"


def upgrade(settings: DatabaseSettings) -> None:
    """Run the missing migrations as the owner (``migrate_url``), then grant to the application's role, if another."""
    from alembic import command  # noqa: PLC0415  # slow to import, and starting up doesn't need it
    from alembic.config import Config  # noqa: PLC0415  # the same

    owner = Database(settings.model_copy(update={"url": settings.migration_url, "migrate_url": None}))
    try:
        with owner._write_engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if settings.app_role:
                for statement in guards.grants(settings.app_role):
                    connection.exec_driver_sql(statement)
    finally:
        owner.dispose()


def upgrade_if_needed(settings: DatabaseSettings) -> None:
    """``upgrade``, unless the schema is the present one already: then Alembic isn't even loaded."""
    database = Database(settings)
    try:
        current = revision(database) == HEAD
    finally:
        database.dispose()
    if not current:
        upgrade(settings)


def revision(database: Database) -> str | None:
    """The migration that the database is at; None for an empty one."""
    with database.engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return None if found is None else str(found)


def require_current(database: Database) -> None:
    """Raise ConfigError, with what to do, unless the schema is the present one."""
    found = revision(database)
    if found != HEAD:
        raise ConfigError(
            f"the database is at schema {found or 'none'}, this version needs {HEAD}: run `sevtracker db upgrade`"
        )
