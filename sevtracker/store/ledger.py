"""The ledger's rows: append, read in order, verify. Nothing here changes a record, and the database refuses it."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
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
#: The record that says that another one's text was erased: ``facts.record`` is the other one's id.
TEXT_ERASED = "text:erased"


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
    """Every record in order of its place, streamed. Whoever stops early has to close it."""
    with closing(_with_texts(session)) as pairs:
        for record, _ in pairs:
            yield record


_Text = tuple[bytes, str]


def _with_texts(session: Session) -> Generator[tuple[rules.Stored, _Text | None], None, None]:
    """Every record with its text. One statement: others may append meanwhile, and the two have to be of one moment."""
    t = table(LedgerText)
    statement = sa.select(_L, t.c.salt, t.c.text).outerjoin(t, t.c.record_id == _L.c.id).order_by(_L.c.seq)
    with _streaming(session).execute(statement, execution_options=_BY_1000) as rows:
        for row in rows.mappings():
            projection = {name: row[name] for name in rules.PROJECTED}
            record = rules.Stored(int(row["seq"]), _raw(row["prev"]), _raw(row["h"]), _raw(row["body"]), projection)
            yield record, None if row["salt"] is None else (_raw(row["salt"]), row["text"])


_BY_1000 = {"yield_per": 1000}


def _streaming(session: Session) -> sa.Connection:
    """A connection that can stream: PostgreSQL does so in a transaction only, which sessions for reading don't have."""
    own = session.connection()
    if own.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        return own
    session.rollback()  # gives the connection back, and takes it anew: it may be the only one there is
    return session.connection(execution_options={"isolation_level": "READ COMMITTED"})


def _raw(value: bytes | str) -> bytes:
    """What lies in the column. SQLite lets a tamperer put text where bytes were: damage to find, not to fail on."""
    return value.encode() if isinstance(value, str) else bytes(value)


@dataclass(frozen=True, slots=True)
class Intact:
    """What a verification found: how many records, the head's hash (hex; None for an empty ledger), how many texts."""

    records: int
    head: str | None
    texts: int


def verify(session: Session) -> Intact:
    """Recompute the whole chain of this database, and compare every text with what its record says of it.

    Raises LedgerBroken at the first record that does not hold.
    """
    log = session.connection().execute(sa.select(table(Installation).c.log)).scalar_one()
    with closing(_with_texts(session)) as pairs:
        intact = _verified(pairs, log)
    _no_stray_texts(session)
    return intact


def _verified(pairs: Iterator[tuple[rules.Stored, _Text | None]], log: str) -> Intact:
    beside: list[tuple[rules.Stored, _Text | None]] = []

    def records() -> Iterator[rules.Stored]:
        for pair in pairs:
            beside[:] = [pair]
            yield pair[0]

    count, found, head = 0, 0, None
    gone: dict[str, int] = {}
    for document in rules.verified(records()):
        [(record, kept)] = beside
        count, head = count + 1, record.h.hex()
        if document["log"] != log:
            raise LedgerBroken(f"record {count} belongs to another ledger", count, "log")
        if document["kind"] == TEXT_ERASED:
            gone.pop(str(document["facts"].get("record")), None)
        if kept is None and document["text_c"] is not None:
            gone[document["id"]] = count
        if kept is not None:
            found += 1
            if rules.commitment(*kept) != document["text_c"]:
                raise LedgerBroken(f"record {count}: its text is not the one that was recorded", count, "text")
    if gone:
        seq = min(gone.values())
        raise LedgerBroken(f"record {seq}: its text is gone, and no record says that it was erased", seq, "text")
    return Intact(count, head, found)


def _no_stray_texts(session: Session) -> None:
    t = table(LedgerText)
    stray = sa.select(sa.func.count()).where(~sa.exists().where(_L.c.id == t.c.record_id)).select_from(t)
    if count := session.connection().execute(stray).scalar_one():
        raise LedgerBroken(f"{count} texts belong to no record", None, "text")


def facts_of(body: bytes) -> Mapping[str, Any]:
    """The document in a record's bytes."""
    document: dict[str, Any] = json.loads(body)
    return document
