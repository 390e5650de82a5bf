"""A repeated POST has one effect: the answer is kept by its ``Idempotency-Key`` in the transaction of the effect.

What was refused (422, 404, 409) is not kept: the same key may ask again once the reason is gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from flask import request

from sevtracker.actions.runtime import Runtime
from sevtracker.errors import InputError, NotFound, SevtrackerError
from sevtracker.store import idempotency, sevs
from sevtracker.store.session import Session
from sevtracker.store.tables import IdempotencyKey
from sevtracker.store.work import Person, Work

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: status and JSON text. ``replayed``: it was answered before, and nothing was done now."""

    status: int
    body: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A caller's key, and the hash of what it was sent with."""

    text: str
    request_hash: str

    @property
    def short(self) -> str:
        """What the ledger keeps of it: the caller may have put anything into it."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]


def key_of(header: str | None, method: str, path: str, body: bytes) -> Key | None:
    """The key that came with a request. Raises InputError for one that is empty, too long or not printable ASCII."""
    if header is None:
        return None
    if not header.strip() or len(header) > MAX_LENGTH or not (header.isascii() and header.isprintable()):
        raise InputError.of(HEADER, f"has to be 1 to {MAX_LENGTH} printable ASCII characters")
    told = b"\0".join((method.encode(), path.encode(), body))
    return Key(header, hashlib.sha256(told).hexdigest())


def once(runtime: Runtime, person: Person, key: Key | None, act: Callable[[Work], Answer]) -> Answer:
    """Do ``act`` in a transaction and keep its answer there, or answer as before.

    1. Was the key used? Answer the same, or refuse if it came with something else.
    2. Do it and keep the answer, all or nothing.
    3. Somebody else used the key meanwhile (whatever way that made this fail): theirs is the answer.
    """
    if key is None:
        with runtime.work(person) as work:
            return act(work)
    try:
        with runtime.work(person) as work:
            if (kept := idempotency.find(work.session, person.id, key.text)) is not None:
                return _replay(work.session, person, kept, key)
            work.idem = key.short
            answer = act(work)
            if answer.status < 400:  # what was refused on the record is committed, but may be asked again
                keep(work, key, answer)
            return answer
    except SevtrackerError:
        if (other := before(runtime, person, key)) is not None:
            return other
        raise


def before(runtime: Runtime, person: Person, key: Key | None) -> Answer | None:
    """What this key was answered before. Raises InputError if it came with something else then."""
    if key is None:
        return None
    with runtime.read() as session:
        kept = idempotency.find(session, person.id, key.text)
        return None if kept is None else _replay(session, person, kept, key)


def keep(work: Work, key: Key | None, answer: Answer) -> None:
    """Keep ``answer`` in this transaction. Raises Conflict if the key was used meanwhile."""
    if key is not None:
        work.session.flush()
        idempotency.keep(work.session, work.by.id, key.text, key.request_hash, answer.status, answer.body, work.now)


def _replay(session: Session, person: Person, kept: IdempotencyKey, key: Key) -> Answer:
    """What was answered before, unless it is about a SEV that the person may not know of any more."""
    number = (request.view_args or {}).get("number")
    if number is not None and sevs.find(session, number, person.viewer) is None:
        raise NotFound(f"There is no SEV-{number}.")
    if kept.request_hash != key.request_hash:
        raise InputError.of(HEADER, "This key was used for another request; take a new one.")
    return Answer(kept.status, kept.body, replayed=True)
