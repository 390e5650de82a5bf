"""What several commands need: a runtime on a current database, and printing."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from sevtracker.actions.runtime import Runtime
from sevtracker.cli import logs
from sevtracker.config import load_settings
from sevtracker.errors import ConfigError
from sevtracker.store import migrate
from sevtracker.wiring import build

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@contextmanager
def opened(*, create: bool = False) -> Iterator[Runtime]:
    """The configured runtime, on a database of the present schema. Raises ConfigError.

    ``create``: make a SQLite database that is not there yet. Other commands shall not make one by looking for it.
    """
    settings = load_settings()
    logs.configure()
    path = settings.database.sqlite_path
    if path is not None and not path.exists():
        if not create:
            raise ConfigError(f"{path}: there is no database yet: run `sevtracker run`, or `sevtracker db upgrade`")
        migrate.upgrade(settings.database)
    runtime = build(settings)
    try:
        migrate.require_current(runtime.database)
        yield runtime
    finally:
        runtime.close()


def settle_in() -> None:
    """Call once everything is loaded: the garbage collector need not look at it again. Saves an eighth of each run."""
    gc.collect()
    gc.freeze()


def show(document: Mapping[str, Any], text: str, *, in_json: bool) -> None:
    """Print ``document`` as JSON, or ``text``."""
    click.echo(json.dumps(document) if in_json else text)
