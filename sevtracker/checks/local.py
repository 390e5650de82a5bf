"""Where checks may look on the worker's own machine: nowhere but where the configuration says. The guard's brother.

And which drivers of databases the configuration lets checks use there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from sevtracker.checks.opening import refusal
from sevtracker.config import Command, Dialect, Settings


@dataclass(frozen=True, slots=True)
class LocalRules:
    """``paths``: folders that may be looked into. ``own``: the tracker's own files. ``commands``: what may be run.

    ``dialects`` of SQL beyond the built-in ones, by the scheme of their URLs; ``broken``: those whose driver can't be
    used here, each with a sentence that says why.
    """

    paths: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    commands: Mapping[str, Command] = field(default_factory=dict)
    dialects: Mapping[str, Dialect] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    def refusal(self, path: str) -> str | None:
        """Why ``path`` may not be looked at, as a sentence, or None. Pure: a symbolic link is judged when it is met."""
        return refusal(path, self.paths, self.own)


#: Without a configuration.
NOTHING_LOCAL = LocalRules()


def local_rules(settings: Settings, broken: Mapping[str, str]) -> LocalRules:
    """The rules that ``settings`` give; ``broken`` dialects are told by whoever has tried their drivers."""
    targets = settings.targets
    return LocalRules(
        targets.paths, tuple(_own_files(settings)), dict(settings.commands), dict(targets.dialects), dict(broken)
    )


def _own_files(settings: Settings) -> list[str]:
    """The database with what SQLite keeps beside it, and the key that signs sessions; as written and as they lie."""
    database, var_dir = settings.database.sqlite_path, settings.var_dir
    if database is None or var_dir is None:
        return []
    files = [f"{database}{end}" for end in ("", "-wal", "-shm", "-journal")] + [str(var_dir / "secret_key")]
    return [way(file) for file in files for way in (os.path.abspath, os.path.realpath)]
