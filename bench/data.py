"""The data that is measured on: SEVs with their dataset, a check, a patch and records, in a chain that verifies.

All of it is made once, as plain rows; both databases get the very same rows (and the same ledger id), and the small
set is the beginning of the large one. Both take them by the driver's own bulk way: SQLite by executemany, PostgreSQL by
COPY.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa

from sevtracker.actions.people import fingerprint
from sevtracker.domain import ledger as rules
from sevtracker.domain.vocabulary import EXPOSURE_ORDER, Exposure, Level, PatchOutcome, Role, Status
from sevtracker.store import tables as t

#: Whoever sends this token is the engineer of the data.
TOKEN = "sev_" + "bench" * 8
SMALL = 1_000
#: SEVs with a long story: number -> records, beside the two that every SEV has.
DEEP = {1: 998, 2: 9_998}
#: The dataset that filing is measured on: one copy, no check. The others have a check each.
QUIET = "quiet"
WATCHED = [f"watched-{n}" for n in range(10)]

#: In half of all titles; in one of a hundred; in three, all old; in none.
COMMON, SOME, RARE, ABSENT = "payroll", "badge", "zanzibar", "quagga"
_RARE_IN = frozenset({7, 401, 803})

_LOG = "01900000-0000-7000-8000-0000000bec40"
_START = datetime(2025, 1, 1, tzinfo=UTC)
_ACTOR = rules.Actor(pid="p-engineer", role="engineer", via="api")
_SYLLABLES = ["ka", "lo", "mi", "ren", "sta", "vel", "tor", "und", "pes", "qui", "zor", "fal", "gem", "hin", "jod"]
#: The same bytes as RFC 8785 for what stands in our records, six times as fast; compared with the real thing below.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)

Rows = dict[str, list[dict[str, Any]]]


class World:
    """Makes rows, in the order of SEV numbers and of the chain."""

    def __init__(self) -> None:
        self._random = random.Random(20_260_618)
        words = sorted({"".join(self._random.choices(_SYLLABLES, k=3)) for _ in range(2_000)})
        self._phrases = [" ".join(self._random.choices(words, k=8)) for _ in range(5_000)]
        self._seq, self._prev = 0, rules.GENESIS
        self._made = 0

    def upto(self, last: int) -> Rows:
        """Rows of all SEVs up to this number that were not returned yet; the first time with everything else."""
        rows: Rows = {} if self._made else surroundings()
        for number in range(self._made + 1, last + 1):
            self._sev(rows, number)
        if not self._made:
            numbers = [number for number, count in DEEP.items() for _ in range(count)]
            self._random.shuffle(numbers)
            for number in numbers:
                self._record(rows, number, "note:added", _at(SMALL), {}, self._prose(2))
        self._made = last
        return rows

    def _sev(self, rows: Rows, number: int) -> None:
        reported = _at(number)
        active = number % 50 == 0
        level = list(Level)[number % 5]
        exposure = Exposure.exposed if active else Exposure.watching
        title, summary = self._title(number), self._prose(4)
        row: dict[str, Any] = dict.fromkeys(t.table(t.Sev).c.keys())
        row |= {
            "number": number,
            "title": title,
            "summary": summary,
            "level": level,
            "status": Status.patched if active else Status.closed,
            "exposure": exposure,
            "exposure_since": reported,
            "restricted": number % 97 == 0,
            "reporter_id": 1,
            "detected_at": reported,
            "reported_at": reported,
            "fix_claimed_at": reported + timedelta(hours=1),
            "resolved_at": None if active else reported + timedelta(hours=9),
            "closed_at": None if active else reported + timedelta(hours=30),
            "reopens": 0,
            "blockers": 2 if active else 0,
            "harm": EXPOSURE_ORDER[exposure] * 10 + number % 5 if active else None,
            "version": 3,
        }
        add(rows, t.Sev, row)
        place = number % len(WATCHED)
        add(rows, t.SevDataset, {"sev_number": number, "dataset_id": place + 2})
        state = {"exposure": exposure, "streak": 0, "needed": 4, "until": None, "state": {"last": "open"}}
        add(rows, t.SevCheck, {"sev_number": number, "check_id": place + 1, **state})
        add(
            rows,
            t.Patch,
            {
                "sev_number": number,
                "number": 1,
                "summary": self._prose(1),
                "url": "",
                "datasets": [],
                "author_id": 1,
                "claimed_at": reported + timedelta(hours=1),
                "applied_at": reported + timedelta(hours=1),
                "outcome": PatchOutcome.failed if active else PatchOutcome.held,
                "failed_at": None,
                "alarm_at": None,
            },
        )
        facts = {"level": level.value, "datasets": [WATCHED[place]], "restricted": row["restricted"]}
        self._record(rows, number, "sev:filed", reported, facts, f"{title}\n\n{summary}")
        moved = {"old": Status.investigating.value, "new": Status.patched.value}
        claim = {"patch": 1, "datasets": [], "status": moved}
        self._record(rows, number, "patch:claimed", row["fix_claimed_at"], claim, self._prose(1))

    def _record(self, rows: Rows, sev: int, kind: str, at: datetime, facts: Mapping[str, Any], text: str) -> None:
        self._seq += 1
        salt = self._random.randbytes(32)
        entry = rules.Entry(
            id=str(UUID(int=(7 << 76) | (2 << 62) | self._seq)),
            kind=kind,
            at=at,
            ts=at,
            actor=_ACTOR,
            sev=sev,
            facts=facts,
            text_c=rules.commitment(salt, text),
            app_version="bench",
        )
        body = rules.body(entry, log=_LOG, seq=self._seq, prev=self._prev) if self._seq % 50 == 1 else b""
        document = json.loads(body) if body else self._like(entry)
        ours = _CANONICAL.encode(document).encode()
        if body and ours != body:
            raise RuntimeError("the fast way to write a record down does not give the same bytes")
        self._last = document
        h = rules.digest(ours)
        row = {"seq": self._seq, "prev": self._prev, "h": h, "body": ours}
        add(rows, t.LedgerRecord, row | {name: document[name] for name in rules.PROJECTED})
        add(rows, t.LedgerText, {"record_id": entry.id, "salt": salt, "text": text})
        self._prev = h

    def _like(self, entry: rules.Entry) -> dict[str, Any]:
        """The document of ``entry``, made from the one before: only what differs is written anew."""
        stamp = entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return self._last | {
            "seq": self._seq,
            "prev": self._prev.hex(),
            "id": entry.id,
            "kind": entry.kind,
            "sev": entry.sev,
            "at": stamp,
            "ts": stamp,
            "facts": entry.facts,
            "text_c": entry.text_c,
        }

    def _prose(self, phrases: int) -> str:
        return " ".join(self._random.choices(self._phrases, k=phrases))

    def _title(self, number: int) -> str:
        marks = [COMMON] * (number % 2 == 0) + [SOME] * (number % 100 == 3) + [RARE] * (number in _RARE_IN)
        return " ".join([*marks, *self._prose(1).split()[:4], "readable by everybody"])


def _at(number: int) -> datetime:
    return _START + timedelta(minutes=5 * number)


def add(rows: Rows, model: type[Any], row: dict[str, Any]) -> None:
    rows.setdefault(t.table(model).name, []).append(row)


def surroundings(*, checks: bool = True) -> Rows:
    """One person with a token, the datasets, and a check on each watched one. No check is due."""
    rows: Rows = {}
    blank: dict[str, Any]
    person = {"id": 1, "pid": _ACTOR.pid, "email": "engineer@corp.example", "name": "Engineer", "role": Role.engineer}
    add(
        rows,
        t.Person,
        {**person, "password_hash": None, "active": True, "session_epoch": 0, "created_at": _START},
    )
    used = datetime.now(UTC) + timedelta(hours=1)  # so that no turn is disturbed by "remember that it was used"
    token = {"id": 1, "person_id": 1, "name": "bench", "token_hash": fingerprint(TOKEN), "created_at": _START}
    add(rows, t.ApiToken, {**token, "last_used_at": used, "revoked_at": None})
    for place, slug in enumerate([QUIET, *WATCHED], start=1):
        blank = dict.fromkeys(t.table(t.Dataset).c.keys())
        named = {"id": place, "slug": slug, "name": slug.title(), "owner": "HR", "classification": "personal"}
        add(rows, t.Dataset, blank | named | {"description": "", "created_at": _START})
        copy = {"id": place, "dataset_id": place, "slug": "primary", "kind": "primary", "location": ""}
        add(rows, t.Copy, copy)
    for place, slug in enumerate(WATCHED if checks else [], start=1):
        rows_of_check(rows, place, dataset_id=place + 1, name=slug, url=f"http://127.0.0.1:9/{slug}")
    return rows


def rows_of_check(
    rows: Rows, check_id: int, *, dataset_id: int, name: str, url: str, due_at: datetime | None = None, **more: Any
) -> None:
    """A check of the copy ``dataset_id`` (every dataset's only copy has its id), as a door would have left it."""
    target = url.split("/")[2]
    definition = {
        "name": name,
        "kind": "http",
        "identity": "anonymous",
        "control": None,
        "params": {"url": url},
        "required": True,
        "enabled": True,
        "revision": 1,
        "fingerprint": f"{check_id:064x}",
        "locator": f"GET {url}",
    } | more
    row: dict[str, Any] = dict.fromkeys(t.table(t.Check).c.keys())
    row |= {"id": check_id, "dataset_id": dataset_id, "copy_id": dataset_id, "target": target, "created_at": _START}
    row |= {"due_at": due_at, "every_s": 3600.0, "failures": 0, "auth_failures": 0, "last_verdict": None}
    add(rows, t.Check, row | definition)
    add(rows, t.CheckRevision, {"check_id": check_id, "at": _START, "by_pid": _ACTOR.pid, **definition})


# ---- into a database ---------------------------------------------------------------------------------------------


def fill_sqlite(path: str, rows: Rows) -> None:
    """Put rows into a file with our schema."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("UPDATE installation SET log = ?", (_LOG,))
    for table in _in_order(rows):
        names = list(rows[table.name][0])
        marks = ", ".join("?" * len(names))
        statement = f'INSERT INTO "{table.name}" ({_quoted(names)}) VALUES ({marks})'
        connection.executemany(statement, _plain(table, names, rows[table.name], _as_sqlite))
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the file alone can be copied now
    connection.close()


def fill_postgres(dsn: str, rows: Rows, *, analyze: bool) -> None:
    """Put rows into a database with our schema. ``dsn`` is a superuser's: the rows are known to fit."""
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE installation SET log = %s", (_LOG,))
        for table in _in_order(rows):
            names = list(rows[table.name][0])
            with cursor.copy(f'COPY "{table.name}" ({_quoted(names)}) FROM STDIN') as copy:
                for row in _plain(table, names, rows[table.name], lambda value: value):
                    copy.write_row(row)
            key = next(iter(table.primary_key.columns)).name
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (f'"{table.name}"', key))
            if (found := cursor.fetchone()) and found[0]:
                cursor.execute(f'SELECT setval(\'{found[0]}\', (SELECT max("{key}") FROM "{table.name}"))')
    if analyze:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


def _in_order(rows: Rows) -> Iterator[sa.Table]:
    return (table for table in t.SQLModel.metadata.sorted_tables if table.name in rows)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _plain(table: sa.Table, names: list[str], rows: list[dict[str, Any]], of: Any) -> Iterator[list[Any]]:
    """Each row as its driver takes it. Which columns need care is asked of the first row that has a value there."""
    care: dict[str, Any] = {}
    for name in names:
        some = next((row[name] for row in rows if row[name] is not None), None)
        if isinstance(table.c[name].type, sa.JSON):
            care[name] = json.dumps
        elif isinstance(some, Enum):
            care[name] = str
        elif isinstance(some, datetime):
            care[name] = of
    for row in rows:
        yield [value if value is None or (f := care.get(n)) is None else f(value) for n, value in row.items()]


def _as_sqlite(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
