"""Where everything is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, model_validator

from sevtracker.config.section import Section
from sevtracker.config.values import split_url

_DATABASE_URL = "sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME"


def _database_url(text: str) -> str:
    parts = split_url(text, _DATABASE_URL)
    if parts.scheme == "sqlite" and not parts.netloc and parts.path.strip("/") and parts.path != "/:memory:":
        return text
    if parts.scheme == "postgresql+psycopg" and parts.path.strip("/"):
        return text
    raise ValueError(f"expected {_DATABASE_URL}")


DatabaseUrl = Annotated[str, AfterValidator(_database_url)]


class Database(Section):
    """Where everything is kept. A SQLite file means embedded mode; PostgreSQL means that many nodes may share it."""

    url: DatabaseUrl = Field(default="sqlite:///var/sevtracker.db", repr=False)
    migrate_url: DatabaseUrl | None = Field(default=None, repr=False)
    pool_size: int = Field(default=10, ge=1, le=1000)

    @model_validator(mode="after")
    def _only_postgresql_has_an_owner(self) -> Database:
        if self.migrate_url is not None and (self.is_sqlite or self.migrate_url.startswith("sqlite")):
            raise ValueError("migrate_url is for PostgreSQL, where an owner migrates; leave it out on SQLite")
        return self

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite:")

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, None on PostgreSQL. Relative paths are relative to the working directory."""
        return Path(unquote(urlsplit(self.url).path.removeprefix("/"))) if self.is_sqlite else None

    @property
    def migration_url(self) -> str:
        """What migrations connect to."""
        return self.migrate_url or self.url

    @property
    def app_role(self) -> str | None:
        """The PostgreSQL role that the application runs as, when it is not the owner: migrations grant to it."""
        return unquote(urlsplit(self.url).username or "") or None if self.migrate_url else None
