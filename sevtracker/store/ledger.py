"""The ledger's rows: append, read in order, verify. Nothing here can change a record, and the database refuses it too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.clock import rfc3339
from sevtracker.domain import ledger as rules
from sevtracker.errors import LedgerBroken
from sevtracker.store.tables import Installation, LedgerRecord, LedgerText, table

#: Key of the PostgreSQL advisory lock that puts writers of the chain in line ("sev-ledg" in ASCII).
_LOCK = 0x7365762D6C656467
_L = table(LedgerRecord)
_HEAD = sa.select(_L.c.seq, _L.c.h).order_by(_L.c.seq.desc()).limit(1)
_INSERT = sa.insert(_L)
_TEXTS = sa.insert(table(LedgerText))


@dataclass(frozen=True, slots=True)
class Draft:
    """A record that waits for its place in the chain, with the text that is kept beside it (if any)."""

    entry: rules.Entry
    salt: bytes | None = None
    text: str | None = None


def append(session: Session, drafts: Sequence[Draft], *, log: str, is_sqlite: bool) -> None:
    """Put ``drafts`` at the end of the chain, in their order. The last statements of a transaction.

    1. Take the chain's lock (PostgreSQL: an advisory lock until commit; SQLite: the writer already has the database).
    2. Read the head.
    3. Write body and hash of each record; the unique ``prev`` refuses a fork even without the lock.
    """
    if not drafts:
        return
    connection = session.connection()
    texts = [{"record_id": d.entry.id, "salt": d.salt, "text": d.text} for d in drafts if d.text is not None]
    if texts:
        connection.execute(_TEXTS, texts)
    if not is_sqlite:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    head = connection.execute(_HEAD).one_or_none()
    seq, prev = (int(head.seq), bytes(head.h)) if head else (0, rules.GENESIS)
    rows = []
    for draft in drafts:
        seq += 1
        entry = draft.entry
        body = rules.body(entry, log=log, seq=seq, prev=prev)
        h = rules.digest(body)
        rows.append(
            {
                "seq": seq,
                "prev": prev,
                "h": h,
                "body": body,
                "id": entry.id,
                "kind": entry.kind,
                "sev": entry.sev,
                "dataset": entry.dataset,
                "programme": entry.programme,
                "at": rfc3339(entry.at),
                "ts": rfc3339(entry.ts),
            }
        )
        prev = h
    connection.execute(_INSERT, rows)


def stored(session: Session) -> Iterator[rules.Stored]:
    """Every record in order of its place, streamed."""
    statement = sa.select(_L).order_by(sa.text("seq"))
    for row in session.connection().execution_options(yield_per=1000).execute(statement).mappings():
        projection = {name: row[name] for name in rules.PROJECTED}
        yield rules.Stored(int(row["seq"]), bytes(row["prev"]), bytes(row["h"]), bytes(row["body"]), projection)


@dataclass(frozen=True, slots=True)
class Intact:
    """What a verification found: how many records, the head's hash (hex; None for an empty ledger), how many texts."""

    records: int
    head: str | None
    texts: int


def verify(session: Session) -> Intact:
    """Recompute the whole chain of this database and the commitments of its texts.

    Raises LedgerBroken at the first record that does not hold.
    """
    log = session.connection().execute(sa.select(table(Installation).c.log)).scalar_one()
    texts: dict[str, tuple[bytes, str]] = {
        row.record_id: (bytes(row.salt), row.text)
        for row in session.connection().execute(sa.text("SELECT record_id, salt, text FROM ledger_text"))
    }
    count, found, head = 0, 0, None
    for document, h in _with_hash(stored(session)):
        count, head = count + 1, h
        if document["log"] != log:
            raise LedgerBroken(f"record {count} belongs to another ledger", count, "log")
        kept = texts.pop(document["id"], None)
        if kept is None:
            continue
        found += 1
        if rules.commitment(*kept) != document["text_c"]:
            raise LedgerBroken(f"record {count}: its text is not the one that was recorded", count, "text")
    if texts:
        raise LedgerBroken(f"{len(texts)} texts belong to no record", None, "text")
    return Intact(count, head, found)


def _with_hash(records: Iterator[rules.Stored]) -> Iterator[tuple[dict[str, Any], str]]:
    last: list[str] = []

    def remembered() -> Iterator[rules.Stored]:
        for record in records:
            last[:] = [record.h.hex()]
            yield record

    for document in rules.verified(remembered()):
        yield document, last[0]


def facts_of(body: bytes) -> Mapping[str, Any]:
    """The document in a record's bytes."""
    document: dict[str, Any] = json.loads(body)
    return document
