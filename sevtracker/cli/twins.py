"""``sevtracker twins make CHECK --keeper IDENTITY`` and ``sevtracker twins drop CHECK``."""

from __future__ import annotations

import click

from sevtracker.actions import twins as acts
from sevtracker.cli.common import as_json, opened, show

_CHECK = click.IntRange(1, 2**31 - 1)


@click.group()
def twins() -> None:
    """Canary twins: an open and a locked place beside a check's target that prove it."""


@twins.command()
@click.argument("check_id", metavar="CHECK", type=_CHECK)
@click.option("--keeper", required=True, help="A configured identity that may create things at the target.")
@as_json
def make(check_id: int, keeper: str, as_json: bool) -> None:
    """Make a check's twins at its target, and name them on it. Its next closed has them looked at."""
    with opened() as runtime:
        done = acts.make_at_target(runtime, None, check_id, keeper)
        with runtime.work(None) as work:
            check = acts.save(work, runtime, check_id, done)
        document = {"check": check_id, "revision": check.revision, "keeper": keeper, "twins": check.twins}
    show(document, f"check {check_id}: its twins are made", in_json=as_json)


@twins.command()
@click.argument("check_id", metavar="CHECK", type=_CHECK)
@as_json
def drop(check_id: int, as_json: bool) -> None:
    """Remove from its target the twins that were made for a check, by who made them."""
    with opened() as runtime:
        done = acts.drop_at_target(runtime, None, check_id)
        with runtime.work(None) as work:
            check = acts.save(work, runtime, check_id, done)
        document = {"check": check_id, "revision": check.revision, "keeper": done.keeper, "twins": None}
    show(document, f"check {check_id}: its twins are dropped", in_json=as_json)
