"""The bytes of a record, checked against a second way of computing them; and what a broken chain is called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sevtracker.domain.ledger import (
    GENESIS,
    PROJECTED,
    Actor,
    Entry,
    Evidence,
    Stored,
    body,
    commitment,
    digest,
    verified,
)
from sevtracker.errors import LedgerBroken

LOG = "6f1c1d1e-0000-4000-8000-000000000001"
WHEN = datetime(2026, 6, 18, 9, 10, 0, 123456, tzinfo=UTC)
ENTRY = Entry(
    id="01890000-0000-7000-8000-000000000001",
    kind="patch:failed",
    at=WHEN,
    ts=WHEN.replace(microsecond=0),
    actor=Actor(pid="p-1", role="engineer", via="api"),
    sev=7,
    dataset="mci-events",
    facts={"patch": 1, "z": [True, None, "ü"], "a": {"old": "open"}},
    evidence=(Evidence(3, 1, "open", WHEN),),
    app_version="0.1.0",
    node="n1",
)


def test_a_record_is_the_bytes_that_anybody_would_compute() -> None:
    by_hand: dict[str, Any] = {
        "v": 1,
        "log": LOG,
        "seq": 1,
        "prev": "00" * 32,
        "id": ENTRY.id,
        "kind": "patch:failed",
        "sev": 7,
        "dataset": "mci-events",
        "programme": None,
        "at": "2026-06-18T09:10:00.123456Z",
        "ts": "2026-06-18T09:10:00.000000Z",
        "actor": {"iss": "local", "pid": "p-1", "role": "engineer", "via": "api", "auth_time": None},
        "facts": {"patch": 1, "z": [True, None, "ü"], "a": {"old": "open"}},
        "text_c": None,
        "ref": None,
        "evidence": [{"run": 3, "check_rev": 1, "verdict": "open", "at": "2026-06-18T09:10:00.123456Z"}],
        "policy_rev": None,
        "idem": None,
        "app": {"ver": "0.1.0", "node": "n1"},
    }
    # For text and whole numbers RFC 8785 is: sorted keys, no spaces, UTF-8.
    expected = json.dumps(by_hand, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    made = body(ENTRY, log=LOG, seq=1, prev=GENESIS)
    assert made == expected
    assert digest(made) == hashlib.sha256(b"\x00" + expected).digest()


def test_a_known_record_keeps_its_hash_for_ever() -> None:
    made = body(ENTRY, log=LOG, seq=1, prev=GENESIS)
    assert digest(made).hex() == "a863371b9ffbfb9a5e38e42a3c2febbc54c50a4c7c67d1f6d92fcd8eb9dc6163"


def test_a_text_is_committed_to_in_composed_form() -> None:
    salt = bytes(range(32))
    composed, decomposed = "Zoë", "Zoe\u0308"
    assert commitment(salt, composed) == commitment(salt, decomposed)
    assert commitment(salt, composed) == hashlib.sha256(salt + composed.encode()).hexdigest()
    assert commitment(bytes(32), composed) != commitment(salt, composed)


@pytest.mark.parametrize("bad", [1.0, float("nan"), b"bytes", {1, 2}, WHEN, [0.5], {"deep": {"er": 2.5}}])
def test_what_json_cannot_say_exactly_is_refused(bad: object) -> None:
    with pytest.raises(TypeError, match="facts"):
        body(replace(ENTRY, facts={"bad": bad}), log=LOG, seq=1, prev=GENESIS)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        body(replace(ENTRY, at=datetime(2026, 6, 18)), log=LOG, seq=1, prev=GENESIS)  # noqa: DTZ001  # on purpose


# ---- chains ------------------------------------------------------------------------------------------------------


def chain(length: int, log: str = LOG) -> list[Stored]:
    records, prev = [], GENESIS
    for seq in range(1, length + 1):
        entry = replace(ENTRY, id=f"01890000-0000-7000-8000-{seq:012}")
        made = body(entry, log=log, seq=seq, prev=prev)
        document = json.loads(made)
        records.append(Stored(seq, prev, digest(made), made, {name: document[name] for name in PROJECTED}))
        prev = digest(made)
    return records


def test_an_untouched_chain_verifies() -> None:
    assert [document["seq"] for document in verified(chain(5))] == [1, 2, 3, 4, 5]
    assert list(verified([])) == []


def _rehashed(record: Stored, made: bytes) -> Stored:
    return replace(record, body=made, h=digest(made))


DAMAGES: dict[str, tuple[Callable[[list[Stored]], list[Stored]], int, str]] = {
    "a flipped bit": (lambda c: [*c[:2], replace(c[2], body=c[2].body.replace(b"open", b"0pen")), *c[3:]], 3, "hash"),
    "another hash": (lambda c: [*c[:2], replace(c[2], h=bytes(32)), *c[3:]], 3, "hash"),
    "a missing record": (lambda c: [*c[:2], *c[3:]], 3, "gap"),
    "a missing first record": (lambda c: c[1:], 1, "gap"),
    "two records swapped": (lambda c: [c[0], c[2], c[1], *c[3:]], 2, "gap"),
    "a changed column": (
        lambda c: [c[0], replace(c[1], projection={**c[1].projection, "sev": 8}), *c[2:]],
        2,
        "projection",
    ),
    "a record rewritten with its hash": (
        lambda c: [c[0], _rehashed(c[1], c[1].body.replace(b"open", b"shut")), *c[2:]],
        3,
        "chain",
    ),
    "spaces": (lambda c: [_rehashed(c[0], c[0].body.replace(b":", b": ", 1)), *c[1:]], 1, "bytes"),
    "a key twice": (lambda c: [_rehashed(c[0], c[0].body.replace(b'"v":1', b'"v":1,"v":1')), *c[1:]], 1, "bytes"),
    "no JSON": (lambda c: [_rehashed(c[0], b"\xff"), *c[1:]], 1, "bytes"),
    "no object": (lambda c: [_rehashed(c[0], b"[1]"), *c[1:]], 1, "bytes"),
    "another ledger's record": (lambda c: [*c[:2], *chain(3, log="other")[2:]], 3, "chain"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_where_it_is_and_called_by_its_name(name: str) -> None:
    do, seq, damage = DAMAGES[name]
    with pytest.raises(LedgerBroken) as found:
        list(verified(do(chain(5))))
    assert (found.value.seq, found.value.damage) == (seq, damage)
