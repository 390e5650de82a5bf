"""``sevtracker db upgrade``."""

from __future__ import annotations

import click

from sevtracker.cli.common import as_json, show
from sevtracker.config import load_settings
from sevtracker.store import migrate


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
@as_json
def upgrade(as_json: bool) -> None:
    """Bring the database to this version's schema. Does nothing when it is there."""
    settings = load_settings()
    migrate.upgrade(settings.database)
    show({"schema": migrate.HEAD}, f"The database is at schema {migrate.HEAD}.", in_json=as_json)
