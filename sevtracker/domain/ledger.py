"""The bytes of the ledger: what a record is, how it is written down, and how a chain is verified.

A record's body is canonical JSON (RFC 8785) and is kept as exactly those bytes. ``h = SHA-256(0x00 || body)``; a body
names the ``h`` before it as ``prev``, the first one 32 zero bytes. Anybody can recompute all of it without us.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import rfc8785

from sevtracker.clock import rfc3339
from sevtracker.errors import LedgerBroken

VERSION = 1
GENESIS = bytes(32)
_LEAF = b"\x00"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: pseudonym ``pid`` of issuer ``iss``, in ``role``, through the door ``via``."""

    pid: str
    role: str
    via: str
    iss: str = "local"
    auth_time: str | None = None


#: The tracker itself: its clock and its worker.
MACHINE = Actor(pid="sevtracker", role="machine", via="worker", iss="sevtracker")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run that a record rests on."""

    run: int
    check_rev: int
    verdict: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A record before it gets its place in the chain. Times are aware; ``facts`` is JSON without floats."""

    id: str
    kind: str
    at: datetime
    ts: datetime
    actor: Actor
    sev: int | None = None
    dataset: str | None = None
    programme: str | None = None
    facts: Mapping[str, Any] | None = None
    text_c: str | None = None
    ref: str | None = None
    evidence: tuple[Evidence, ...] = ()
    policy_rev: str | None = None
    idem: str | None = None
    app_version: str = ""
    node: str = ""


def nfc(text: str) -> str:
    """``text`` in Unicode's composed form, so that what looks the same hashes the same."""
    return unicodedata.normalize("NFC", text)


def commitment(salt: bytes, text: str) -> str:
    """What a record says of a text that lives beside it: SHA-256 over a 32-byte salt and the NFC text, in hex."""
    return hashlib.sha256(salt + nfc(text).encode()).hexdigest()


def body(entry: Entry, *, log: str, seq: int, prev: bytes) -> bytes:
    """The canonical bytes of ``entry`` at place ``seq`` of the chain ``log``, after the record whose hash is ``prev``.

    Raises TypeError for a float or anything else that JSON can't say exactly.
    """
    facts = dict(entry.facts or {})
    _refuse_floats(facts)
    document: dict[str, Any] = {
        "v": VERSION,
        "log": log,
        "seq": seq,
        "prev": prev.hex(),
        "id": entry.id,
        "kind": entry.kind,
        "sev": entry.sev,
        "dataset": entry.dataset,
        "programme": entry.programme,
        "at": rfc3339(entry.at),
        "ts": rfc3339(entry.ts),
        "actor": {
            "iss": entry.actor.iss,
            "pid": entry.actor.pid,
            "role": entry.actor.role,
            "via": entry.actor.via,
            "auth_time": entry.actor.auth_time,
        },
        "facts": facts,
        "text_c": entry.text_c,
        "ref": entry.ref,
        "evidence": [
            {"run": e.run, "check_rev": e.check_rev, "verdict": e.verdict, "at": rfc3339(e.at)} for e in entry.evidence
        ],
        "policy_rev": entry.policy_rev,
        "idem": entry.idem,
        "app": {"ver": entry.app_version, "node": entry.node},
    }
    return rfc8785.dumps(document)


def digest(record_body: bytes) -> bytes:
    """The record's hash: 32 bytes. The 0x00 in front makes it an RFC 6962 leaf hash."""
    return hashlib.sha256(_LEAF + record_body).digest()


def _refuse_floats(value: object, where: str = "facts") -> None:
    match value:
        case None | bool() | int() | str():
            return
        case Mapping():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"{where} has a key that is not text: {key!r}")
                _refuse_floats(item, f"{where}.{key}")
        case list() | tuple():
            for place, item in enumerate(value):
                _refuse_floats(item, f"{where}[{place}]")
        case _:
            raise TypeError(f"{where} is {type(value).__name__}; the ledger takes text, whole numbers, lists and maps")


# ---- verifying ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it lies in a store: its bytes, its hash, and the columns beside it that only repeat the body."""

    seq: int
    prev: bytes
    h: bytes
    body: bytes
    projection: Mapping[str, Any]


#: The body's fields that stand beside it as columns.
PROJECTED = ("id", "kind", "sev", "dataset", "programme", "at", "ts")


def verified(records: Iterable[Stored]) -> Iterator[dict[str, Any]]:
    """Yield each record's document after checking it; raise LedgerBroken at the first that doesn't hold.

    For each record, in order of ``seq``:
    1. Its number follows the one before, without a gap.
    2. Its bytes are canonical JSON of one object.
    3. Its stored hash is the hash of its bytes.
    4. The body's own ``seq``, ``prev`` and ``log`` are those of its place in the chain.
    5. The columns beside it say what the body says.
    """
    prev, log = GENESIS, None
    for seq, record in enumerate(records, start=1):
        _hold(record.seq == seq, f"record {seq} is missing: the next one is {record.seq}", seq, "gap")
        document = _document(record)
        _hold(digest(record.body) == record.h, f"record {seq}: the bytes do not have the stored hash", seq, "hash")
        log = log or document.get("log")
        in_place = document.get("seq") == seq and document.get("prev") == prev.hex() and document.get("log") == log
        _hold(in_place and record.prev == prev, f"record {seq} does not follow the one before it", seq, "chain")
        for name in PROJECTED:
            same = document.get(name) == record.projection.get(name)
            _hold(same, f"record {seq}: the column {name} is not what the record says", seq, "projection")
        prev = record.h
        yield document


def _document(record: Stored) -> dict[str, Any]:
    try:
        document = json.loads(record.body)
        canonical = rfc8785.dumps(document)
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise LedgerBroken(f"record {record.seq}: the bytes are not JSON", record.seq, "bytes") from error
    _hold(
        canonical == record.body and isinstance(document, dict),
        f"record {record.seq}: the bytes are not canonical JSON",
        record.seq,
        "bytes",
    )
    return cast(dict[str, Any], document)


def _hold(holds: bool, message: str, seq: int, damage: str) -> None:
    if not holds:
        raise LedgerBroken(message, seq, damage)
