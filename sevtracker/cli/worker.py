"""``sevtracker worker``."""

from __future__ import annotations

import click

from sevtracker.cli.common import opened, settle_in
from sevtracker.cli.signals import Stopping
from sevtracker.worker import Worker


@click.command()
def worker() -> None:
    """Start a worker alone: the clock, and the threads that run checks. Any number may share a database.

    SIGTERM and SIGINT stop it in good order, within worker.grace.
    """
    with opened() as runtime:
        stopping = Stopping()
        running = Worker(runtime)
        settle_in()
        running.start()
        click.echo("The worker is running. Stop it with Ctrl-C.")
        stopping.wait()
        running.stop()
