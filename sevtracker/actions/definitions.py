"""From what the store keeps of a check to what checks work with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sevtracker.checks.interface import Definition, Twins, Window
from sevtracker.checks.probing import Validated
from sevtracker.store.jobs import Claimed


def definition_of(job: Claimed, failed_sign_ins: Mapping[str, int]) -> Definition:
    """What a claimed job is to run. ``failed_sign_ins``: in a row at its target, by identity, as of now."""
    window = None if job.since is None else Window(job.since, job.until)
    twins = twins_of(job.twins)
    return Definition(
        job.kind,
        job.identity,
        job.control,
        job.params,
        job.memory,
        window,
        twins=twins,
        proved_at=job.proved_at,
        failed_sign_ins=dict(failed_sign_ins),
    )


#: Characters of a name, and of what in it says where a check looks.
_LONGEST, _LONGEST_SUBJECT = 200, 80


def default_name(definition: Definition, valid: Validated, copy: str) -> str:
    """What a check is called that nobody named: ``any-employee · sql_read · app.keystrokes at primary``."""
    name = f"{definition.identity} · {definition.kind} · {_subject(valid)} at {copy}"
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _subject(valid: Validated) -> str:
    """What a check looks at, in few words: its table; else its locator without what all of its kind begin with."""
    table = valid.params.get("table")
    found = str(table) if table else valid.locator.text.rpartition("://")[2]
    return found if len(found) <= _LONGEST_SUBJECT else f"{found[: _LONGEST_SUBJECT - 1]}…"


def twins_of(stored: Mapping[str, Any] | None) -> Twins | None:
    """A check's twins as they are stored."""
    return None if stored is None else Twins(stored["open"], stored["locked"])
