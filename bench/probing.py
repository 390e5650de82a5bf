"""Checks that are due, and the bare loops that their runs are compared with: ``python -m bench.probing http|sql``."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pycurl

from bench import data
from bench.databases import Databases, Dialect
from sevtracker.domain.vocabulary import Reason, Verdict
from sevtracker.store import tables as t

#: As many as the worker has by default.
THREADS = 8


def due_checks(databases: Databases, dialect: Dialect, name: str, definitions: list[dict[str, Any]]) -> str:
    """A database in which these checks are due now. Each was open before, so a run changes nothing: the usual case."""
    rows = data.surroundings()
    due = datetime.now(UTC) - timedelta(seconds=1)
    first = 1 + len(rows[t.table(t.Check).name])
    for check_id, definition in enumerate(definitions, start=first):
        data.rows_of_check(rows, check_id, dataset_id=1, due_at=due, **definition)
        proof = {"check_id": check_id, "fingerprint": f"{check_id:064x}", "how": "reproduced", "at": due}
        data.add(rows, t.CheckProof, proof)
    for row in rows[t.table(t.Check).name]:
        row |= {"last_verdict": Verdict.open, "decisive": Verdict.open, "last_reason": Reason.marker_found}
    url = databases.copy(dialect, "blank", name)
    databases.fill(url, rows)
    return url


# ---- bare loops --------------------------------------------------------------------------------------------------


def curl_loop(urls: list[str]) -> None:
    """GET each of these, by one handle, a connection each."""
    curl = pycurl.Curl()
    for option, value in (
        (pycurl.NOSIGNAL, 1),
        (pycurl.FRESH_CONNECT, 1),
        (pycurl.FORBID_REUSE, 1),
        (pycurl.PROXY, ""),
        (pycurl.WRITEFUNCTION, lambda chunk: None),
    ):
        curl.setopt(option, value)
    for url in urls:
        curl.setopt(pycurl.URL, url)
        curl.perform()
        if curl.getinfo(pycurl.RESPONSE_CODE) != 200:
            raise RuntimeError("the target did not answer")


def connect_loop(places: list[dict[str, Any]]) -> None:
    """Sign in at each of these, read one row's existence, hang up."""
    for place in places:
        table = place["table"]
        with psycopg.connect(**{k: v for k, v in place.items() if k != "table"}, autocommit=True) as connection:
            connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()


def main() -> None:
    loop: Callable[[list[Any]], None] = {"http": curl_loop, "sql": connect_loop}[sys.argv[1]]
    threads, jobs = json.load(sys.stdin)
    parts = [jobs[i::threads] for i in range(threads)]
    crowd = [threading.Thread(target=loop, args=(part,)) for part in parts]
    began = time.perf_counter()
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    print("took", time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
