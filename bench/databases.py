"""Databases to measure on: SQLite files, and one PostgreSQL of our own that syncs its commits as a real one does."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from bench import data
from sevtracker.config import Database as DatabaseSettings
from sevtracker.store import migrate
from tests.servers import session
from tests.servers.postgres import PostgresServer, new_server

Dialect = Literal["sqlite", "postgresql"]

#: PostgreSQL's own defaults where the tests' server differs: what is committed is on disk, plans may be compiled.
_DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "shared_buffers": "128MB",
    "jit": "on",
    "max_wal_size": "4GB",
}


@dataclass
class Databases:
    """Makes databases by name, each once: empty, small (1,000 SEVs), large, and copies of these."""

    folder: Path
    large: int
    _world: data.World = field(default_factory=data.World)
    _urls: dict[tuple[Dialect, str], str] = field(default_factory=dict)

    @cached_property
    def postgres(self) -> PostgresServer:
        return new_server(settings=_DURABLE)

    def close(self) -> None:
        if "postgres" in self.__dict__:
            self.postgres.stop()

    def empty(self, dialect: Dialect, name: str) -> str:
        """A new database without tables."""
        return f"sqlite:///{self.folder / name}.db" if dialect == "sqlite" else self.postgres.create_database(name)

    def copy(self, dialect: Dialect, of: str, name: str) -> str:
        """A database like ``of`` (``blank``, ``small``, ``large``), to write to. Nobody may be connected to ``of``."""
        source = self.url(dialect, of)
        if dialect == "sqlite":
            shutil.copyfile(source.removeprefix("sqlite:///"), self.folder / f"{name}.db")
            return f"sqlite:///{self.folder / name}.db"
        return self.postgres.create_database(name, template=of)

    def fill(self, url: str, rows: data.Rows) -> None:
        """Put rows into a database that ``copy`` made of ``blank``."""
        if url.startswith("sqlite"):
            data.fill_sqlite(url.removeprefix("sqlite:///"), rows)
        else:
            data.fill_postgres(self.postgres.dsn(url.rpartition("/")[2]), rows, analyze=True)

    def url(self, dialect: Dialect, name: str) -> str:
        """``blank`` (only tables), ``small``, ``large``; on PostgreSQL ``stale``: large, with statistics of small."""
        key = (dialect, name)
        if name == "blank" and key not in self._urls:
            self._urls[key] = self.empty(dialect, "blank")
            migrate.upgrade(DatabaseSettings(url=self._urls[key]))
        elif key not in self._urls:
            self._build(dialect)
        return self._urls[key]

    @cached_property
    def _rows(self) -> tuple[data.Rows, data.Rows]:
        return self._world.upto(data.SMALL), self._world.upto(self.large)

    def _build(self, dialect: Dialect) -> None:
        first, rest = self._rows
        if dialect == "sqlite":
            self._grow("blank", "small", first)
            self._grow("small", "large", rest)
            return
        dsn = self.postgres.dsn
        self._urls[dialect, "small"] = self.copy(dialect, "blank", "small")
        self.postgres.execute("ALTER TABLE sev SET (autovacuum_enabled = false)", database="small")
        data.fill_postgres(dsn("small"), first, analyze=True)
        self._urls[dialect, "stale"] = self.copy(dialect, "small", "stale")
        data.fill_postgres(dsn("stale"), rest, analyze=False)
        self._urls[dialect, "large"] = self.copy(dialect, "stale", "large")
        for name in ("small", "large"):
            self.postgres.execute("ALTER TABLE sev RESET (autovacuum_enabled)", database=name)
        self.postgres.execute("VACUUM ANALYZE", database="large")

    def _grow(self, of: str, name: str, rows: data.Rows) -> None:
        self._urls["sqlite", name] = url = self.copy("sqlite", of, name)
        data.fill_sqlite(url.removeprefix("sqlite:///"), rows)


def open_session() -> session.Session:
    """The folder that the servers live in; they stop with it."""
    return session.Session()
