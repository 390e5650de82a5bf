"""``sevtracker config check``."""

from __future__ import annotations

import json
import os

import click

from sevtracker.checks.sql.dialects import broken_dialects
from sevtracker.cli.root import USAGE
from sevtracker.config import find_file, load_settings
from sevtracker.errors import ConfigError


@click.group()
def config() -> None:
    """The configuration."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(as_json: bool) -> None:
    """Read the configuration and say everything that is wrong with it, by file, key and expectation."""
    try:
        settings, file = load_settings(), find_file(os.environ)
    except ConfigError as error:
        if not as_json:
            raise
        click.echo(json.dumps({"ok": False, "problems": str(error).splitlines()}))
        raise click.exceptions.Exit(USAGE) from None
    broken = broken_dialects(settings.targets.dialects)
    source = str(file) if file else "no file, built-in defaults"
    if as_json:
        told = {"ok": True, "file": str(file) if file else None, "url": settings.server.public_url}
        click.echo(json.dumps({**told, "dialects": list(settings.targets.dialects), "broken_dialects": broken}))
        return
    click.echo(f"The configuration is good ({source}).")
    click.echo(f"  address     {settings.server.public_url}")
    click.echo(f"  database    {settings.database.sqlite_path or 'PostgreSQL'}")
    click.echo(f"  identities  {', '.join(settings.identities)}")
    click.echo(f"  targets     {len(settings.targets.allow)} allowed")
    for name in settings.targets.dialects:
        click.echo(f"  dialect     {name}: {broken.get(name, 'its driver is there')}")
