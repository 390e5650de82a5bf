"""Filing by a form: once, however often the button is pressed, with a dataset that isn't registered yet."""

from __future__ import annotations

from sevtracker.actions import datasets, sevs
from sevtracker.actions.inputs import FileSev, NewDataset
from sevtracker.config import Settings
from sevtracker.store import idempotency
from sevtracker.store.work import Work


def once(work: Work, settings: Settings, key: str, given: FileSev, unregistered: NewDataset | None) -> int:
    """File a SEV for the form that carries ``key``. All in the one transaction:

    1. Take the key. If this form was sent before, nothing is filed again: its SEV's number is the answer.
    2. Register the dataset that the form names, if it does.
    3. File, and keep the number with the key.

    Raises InputError as registering and filing do; then the key is free again.
    """
    person, mine = work.by.id, f"form:{key}"
    if not idempotency.claim(work.session, person, mine, work.now):
        kept = idempotency.find(work.session, person, mine)
        if kept is not None and kept.body:
            return int(kept.body)
    if unregistered is not None:
        datasets.register(work, unregistered)
    number = sevs.file(work, settings, given)
    idempotency.answer(work.session, person, mine, str(number))
    return number
