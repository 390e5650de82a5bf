"""``sevtracker run``: everything in one process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
import structlog

from sevtracker import __version__
from sevtracker.actions import people
from sevtracker.actions.runtime import Runtime
from sevtracker.cli import logs
from sevtracker.cli.common import settle_in
from sevtracker.cli.serving import Serving
from sevtracker.cli.signals import Stopping
from sevtracker.config import Settings, load_settings, require_secret_key
from sevtracker.errors import ConfigError
from sevtracker.store import migrate
from sevtracker.web.app import create_app
from sevtracker.wiring import build
from sevtracker.worker import Worker

log = structlog.get_logger(__name__)


@click.command()
def run() -> None:
    """Start web and worker in one process; on SQLite nothing else is needed.

    Creates the database and brings it to this version's schema. Prints the address and, as long as there is nobody, a
    one-time link on which the first admin signs in. SIGTERM and SIGINT stop it in good order.
    """
    settings = load_settings()
    logs.configure()
    with _alone(settings):
        require_secret_key(settings)
        migrate.upgrade_if_needed(settings.database)
        runtime = build(settings)
        try:
            _serve(runtime)
        finally:
            runtime.close()


def _serve(runtime: Runtime) -> None:
    """1. Listen. 2. Work. 3. Say where. 4. On a signal: finish the answers, then the runs."""
    settings = runtime.settings
    serving = Serving(create_app(runtime), settings.server)
    stopping = Stopping()
    worker = Worker(runtime)
    settle_in()
    worker.start()
    _greet(runtime, serving.port)
    serving.run(stopping)
    click.echo("Stopping.")
    serving.finish(runtime.clock, settings.worker.grace.total_seconds() / 2)
    worker.stop()
    log.info("stopped")


def _greet(runtime: Runtime, port: int) -> None:
    server = runtime.settings.server.model_copy(update={"port": port})
    with runtime.work(None) as work:
        token = people.first_link(work)
    click.echo(f"sevtracker {__version__} is at {server.public_url}")
    if token:
        click.echo("There is nobody yet. The first admin signs in here; the link works once, for 24 hours:")
        click.echo(f"  {server.public_url}/welcome/{token}")
    click.echo("Stop it with Ctrl-C.")


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold ``<var>/run.lock``: two of these on one SQLite file would only be in each other's way.

    The kernel lets go of it when the process ends, however it ends.
    """
    if settings.var_dir is None:
        yield
        return
    path = settings.var_dir / "run.lock"
    try:
        settings.var_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"{path}: can't be written ({error.strerror}); see database.url") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.read(descriptor, 32).decode(errors="replace").strip()
            raise ConfigError(
                f"{settings.database.sqlite_path}: another sevtracker runs on this database already (process {other})."
                " Stop that one first, or use another database."
            ) from None
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
