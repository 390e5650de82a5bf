"""``sevtracker gate PROGRAMME``: for the start of a pipeline."""

from __future__ import annotations

import click

from sevtracker.cli.common import as_json, opened, show
from sevtracker.cli.root import NO
from sevtracker.domain.vocabulary import Exposure
from sevtracker.errors import NotFound
from sevtracker.store import programmes


@click.command()
@click.argument("programme")
@as_json
def gate(programme: str, as_json: bool) -> None:
    """May this programme run? Exit code 0: yes; 1: no; 2: there is no such programme, or it can't be told.

    It may not while a SEV of one of its datasets is being worked on and is not verified closed.
    """
    with opened() as runtime, runtime.read() as session:
        found = programmes.active_sevs(session, programme)
    if found is None:
        raise NotFound(f"There is no programme {programme!r}.")
    stops = [sev for sev in found if sev.exposure is not Exposure.verified]
    document = {
        "programme": programme,
        "may_run": not stops,
        "blockers": [{"sev": f"SEV-{s.number}", "level": s.level.value, "exposure": s.exposure.value} for s in stops],
    }
    lines = [f"{programme} may {'not ' if stops else ''}run."]
    lines += [f"  SEV-{s.number} ({s.level.value}) is {s.exposure.value.replace('_', ' ')}." for s in stops]
    show(document, "\n".join(lines), in_json=as_json)
    if stops:
        raise click.exceptions.Exit(NO)
