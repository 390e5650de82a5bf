"""``sevtracker ledger verify``."""

from __future__ import annotations

import click

from sevtracker.cli.common import as_json, opened, show
from sevtracker.cli.root import NO
from sevtracker.errors import LedgerBroken
from sevtracker.store import ledger as records


@click.group()
def ledger() -> None:
    """The tamper-evident record."""


@ledger.command()
@as_json
def verify(as_json: bool) -> None:
    """Recompute the whole chain of the live database. Exit code 0: intact; 1: tampered with; 2: can't tell."""
    with opened() as runtime, runtime.read() as session:
        try:
            found = records.verify(session)
        except LedgerBroken as broken:
            document = {"intact": False, "seq": broken.seq, "damage": broken.damage, "message": str(broken)}
            place = f"record {broken.seq}" if broken.seq else "beside the records"
            show(document, f"BROKEN at {place} ({broken.damage}): {broken}.", in_json=as_json)
            raise click.exceptions.Exit(NO) from None
    intact = {"intact": True, "records": found.records, "texts": found.texts, "head": found.head}
    show(intact, f"Intact: {found.records} records, head {found.head or 'none yet'}.", in_json=as_json)
