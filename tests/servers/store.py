"""Databases for the tracker's own store, SQLite and PostgreSQL, cheap enough for one per test."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tests.servers import session
from tests.servers.postgres import PostgresServer

Dialect = Literal["sqlite", "postgresql"]


@dataclass
class StoreDatabases:
    """Makes fresh databases for one test, and drops the PostgreSQL ones with ``close``."""

    folder: Path
    postgres: Callable[[], PostgresServer]
    _made: list[str] = field(default_factory=list)

    def empty(self, dialect: Dialect) -> str:
        """The URL of a fresh, empty database."""
        if dialect == "sqlite":
            return f"sqlite:///{self._new_file()}"
        return self._note(self.postgres().create_database())

    def built(self, dialect: Dialect, build: Callable[[str], None]) -> str:
        """The URL of a fresh database that looks as if ``build(url)`` had just filled it.

        ``build`` runs once per session and dialect (whatever it makes is then copied), so it has to be a plain
        function that always does the same, and that closes its connections: ``upgrade``, say.
        """
        key = hashlib.sha256(f"{build.__module__}.{build.__qualname__}".encode()).hexdigest()[:12]
        if dialect == "postgresql":
            server = self.postgres()
            return self._note(server.create_database(template=server.create_template(f"built_{key}", build)))
        made = session.once(f"sqlite-{key}", lambda: {"file": str(self._build_file(key, build))})
        copy = self._new_file()
        shutil.copyfile(made["file"], copy)
        return f"sqlite:///{copy}"

    def close(self) -> None:
        for name in self._made:
            self.postgres().drop_database(name)

    def _new_file(self) -> Path:
        taken = len(list(self.folder.glob("store*.db")))
        return self.folder / f"store{taken or ''}.db"

    @staticmethod
    def _build_file(key: str, build: Callable[[str], None]) -> Path:
        folder = session.session_folder() / f"sqlite-{key}"
        folder.mkdir()
        file = folder / "built.db"
        build(f"sqlite:///{file}")
        if file.with_name("built.db-wal").exists():
            raise RuntimeError(
                f"{build.__qualname__} left a connection to its SQLite file open; dispose of the engine."
            )
        return file

    def _note(self, url: str) -> str:
        self._made.append(urlsplit(url).path.removeprefix("/"))
        return url
