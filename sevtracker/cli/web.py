"""``sevtracker web``: the web alone, behind gunicorn."""

from __future__ import annotations

import os
import sys

import click

from sevtracker.cli.listening import require_free
from sevtracker.config import load_settings, require_secret_key
from sevtracker.store import migrate
from sevtracker.store.engine import Database

APP = "sevtracker.web.app:from_environment()"


@click.command()
def web() -> None:
    """Start the web alone: server.workers processes with server.threads threads each. It needs a worker beside it.

    The database has to be at this version's schema: see `sevtracker db upgrade`.
    """
    settings = load_settings()
    require_secret_key(settings)
    database = Database(settings.database)
    try:
        migrate.require_current(database)
    finally:
        database.dispose()
    server = settings.server
    require_free(server)  # --reuse-port below would let us share it with another web, of another version or database
    host = f"[{server.host}]" if ":" in server.host else server.host
    arguments = [
        *("--worker-class", "gthread", "--workers", str(server.workers), "--threads", str(server.threads)),
        *("--bind", f"{host}:{server.port}", "--reuse-port"),  # else one process gets most of the connections
        *("--graceful-timeout", "15", "--timeout", "60", "--keep-alive", "5", "--max-requests-jitter", "0"),
        *("--log-level", "warning", "--name", "sevtracker"),
        APP,
    ]
    click.echo(f"sevtracker's web is at {server.public_url} ({server.workers} processes). Stop it with Ctrl-C.")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *arguments])
