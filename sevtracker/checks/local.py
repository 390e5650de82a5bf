"""Where checks may look on the worker's own machine: nowhere but where the configuration says. The guard's brother."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from sevtracker.checks.opening import refusal
from sevtracker.config import Command, Settings


@dataclass(frozen=True, slots=True)
class LocalRules:
    """``paths``: folders that may be looked into. ``own``: the tracker's own files. ``commands``: what may be run."""

    paths: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    commands: Mapping[str, Command] = field(default_factory=dict)

    def refusal(self, path: str) -> str | None:
        """Why ``path`` may not be looked at, as a sentence, or None. Pure: a symbolic link is judged when it is met."""
        return refusal(path, self.paths, self.own)


#: Without a configuration.
NOTHING_LOCAL = LocalRules()


def local_rules(settings: Settings) -> LocalRules:
    """The rules that ``settings`` give."""
    return LocalRules(settings.targets.paths, tuple(_own_files(settings)), dict(settings.commands))


def _own_files(settings: Settings) -> list[str]:
    """The database with what SQLite keeps beside it, and the key that signs sessions; as written and as they lie."""
    database, var_dir = settings.database.sqlite_path, settings.var_dir
    if database is None or var_dir is None:
        return []
    files = [f"{database}{end}" for end in ("", "-wal", "-shm", "-journal")] + [str(var_dir / "secret_key")]
    return [way(file) for file in files for way in (os.path.abspath, os.path.realpath)]
