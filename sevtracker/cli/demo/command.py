"""``sevtracker demo``."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

import click

from sevtracker.cli.demo.client import Refused
from sevtracker.cli.demo.narrator import Narrator, NotSeen
from sevtracker.cli.demo.parts import CALM, FAST, Stage, stage
from sevtracker.cli.demo.story import play
from sevtracker.cli.root import NO
from sevtracker.clock import SystemClock


@click.command()
@click.option("--fast", is_flag=True, help="Seconds instead of minutes, and no pauses to look.")
@click.option("--exit", "leave", is_flag=True, help="End when the story is over. Exit code 0: every state was seen.")
def demo(fast: bool, leave: bool) -> None:
    """Live through an incident with real parts, in compressed time.

    Starts the tracker, a PostgreSQL and a data browser of its own, all on 127.0.0.1 and in a temporary folder, and
    tells what happens. At the end everything stays up until Ctrl-C, or with --exit is taken down at once.
    """
    signal.signal(signal.SIGTERM, _leave)
    tempo = FAST if fast else CALM
    try:
        click.echo("Starting PostgreSQL, a data browser, and the tracker ...")
        with stage(tempo) as on:
            tell = Narrator(SystemClock(), fast=fast)
            ok = _told(on, tell, fast)
            if not leave:
                click.echo()
                click.echo(f"Everything is still up: {on.url}  (Ctrl-C takes it down)")
                threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("\nTaken down.")
        return
    if not ok:
        raise click.exceptions.Exit(NO)


def _told(on: Stage, tell: Narrator, fast: bool) -> bool:
    try:
        number = play(on, FAST if fast else CALM, tell)
    except NotSeen as missing:
        click.secho(f"\nThe story broke off: {missing}.", fg="red")
    except Refused as refused:
        click.secho(f"\nThe story broke off, an answer that should not be: {refused}", fg="red")
    else:
        click.echo()
        click.echo(f"All {tell.seen} expected states were seen. The whole story: {on.url}/sevs/{number}")
        return True
    log = (on.folder / "tracker.log").read_text(errors="replace").splitlines()
    click.echo("\n".join(["The end of the tracker's log:", *log[-15:]]))
    return False


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.stdout.flush()
    raise KeyboardInterrupt
