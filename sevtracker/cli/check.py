"""``sevtracker check run ID``."""

from __future__ import annotations

import click

from sevtracker.cli.common import as_json, opened, show
from sevtracker.cli.root import NO
from sevtracker.clock import rfc3339
from sevtracker.domain.vocabulary import Verdict
from sevtracker.worker import run_check


@click.group()
def check() -> None:
    """Checks."""


@check.command()
@click.argument("check_id", metavar="ID", type=click.IntRange(1, 2**31 - 1))
@as_json
def run(check_id: int, as_json: bool) -> None:
    """Run a check now and print its verdict. Exit code 0: closed; 1: open or inconclusive.

    It runs here, or if a worker has the target's lane, there. Either way the run is stored and counts.
    """
    with opened() as runtime:
        ran = run_check(runtime, check_id)
    document = {
        "check": ran.check_id,
        "run": ran.run_id,
        "verdict": ran.verdict.value,
        "reason": ran.reason.value,
        "started_at": rfc3339(ran.started_at),
    }
    show(document, f"check {ran.check_id}: {ran.verdict.value} ({ran.reason.value})", in_json=as_json)
    if ran.verdict is not Verdict.closed:
        raise click.exceptions.Exit(NO)
