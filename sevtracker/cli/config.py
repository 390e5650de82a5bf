"""``sevtracker config check``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from sevtracker.checks.sql.dialects import broken_dialects
from sevtracker.cli.references import unresolved
from sevtracker.cli.root import NO, USAGE
from sevtracker.config import Settings, find_file, load_settings
from sevtracker.errors import ConfigError


@click.group()
def config() -> None:
    """The configuration."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--strict", is_flag=True, help="Exit with 1 if there are warnings.")
def check(as_json: bool, strict: bool) -> None:
    """Read the configuration and say everything that is wrong with it, by file, key and expectation.

    A secret reference that points at nothing here is a warning: the worker may run where it points at something.
    """
    try:
        settings, file = load_settings(), find_file(os.environ)
    except ConfigError as error:
        if not as_json:
            raise
        click.echo(json.dumps({"ok": False, "problems": str(error).splitlines()}))
        raise click.exceptions.Exit(USAGE) from None
    broken = broken_dialects(settings.targets.dialects)
    warnings = list(unresolved(settings, os.environ))
    _tell(settings, file, broken, warnings, as_json=as_json)
    if strict and warnings:
        raise click.exceptions.Exit(NO)


def _tell(
    settings: Settings, file: Path | None, broken: Mapping[str, str], warnings: Sequence[str], *, as_json: bool
) -> None:
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    source = str(file) if file else "no file, built-in defaults"
    if as_json:
        told = {"ok": True, "file": str(file) if file else None, "url": settings.server.public_url}
        click.echo(
            json.dumps(
                {**told, "dialects": list(settings.targets.dialects), "broken_dialects": broken, "warnings": warnings}
            )
        )
        return
    click.echo(f"The configuration is good ({source}).")
    click.echo(f"  address     {settings.server.public_url}")
    click.echo(f"  database    {settings.database.sqlite_path or 'PostgreSQL'}")
    click.echo(f"  identities  {', '.join(settings.identities)}")
    click.echo(f"  targets     {len(settings.targets.allow)} allowed")
    for name in settings.targets.dialects:
        click.echo(f"  dialect     {name}: {broken.get(name, 'its driver is there')}")
