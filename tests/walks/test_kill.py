"""kill -9, again and again, during filing, probing and resolving: nothing acknowledged is lost, nothing is done twice.

SEV_KILLS=50 says how often (default 8).
"""

from __future__ import annotations

import http.client
import os
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from sevtracker.cli.demo.client import Answer, Api
from tests.walks.conftest import Live
from tests.walks.living import Living, eventually, sev_when
from tests.worker.targets import MARKER, Target, serving

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("SEV_KILLS", "8"))
LEASE_S = 3.0
POLICY = f"""
[policy]
settle = "0s"
after_patch = ["0.3s"]
max_gap_factor = 100
freshness_factor = 100
retry_first = "0.2s"
retry_max = "0.5s"
watch = [{{every = "0.5s"}}]
[policy.SEV3]
interval = "0.5s"
consecutive = 2
soak = "0.5s"
[worker]
tick = "100ms"
lease = "{LEASE_S}s"
run_deadline = "5s"
resolve_wait = "5s"
"""


@dataclass
class Asked:
    """One call with its key. It is asked again after a crash, until it is answered."""

    path: str
    body: dict[str, str | list[str]]
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    answers: list[Answer] = field(default_factory=list)


class Somebody(threading.Thread):
    """Asks one thing after another while the tracker lives; what was not answered is asked again after the restart."""

    def __init__(self, api: Api, lives: threading.Event, ends: threading.Event, next_: Callable[[], Asked]) -> None:
        super().__init__(daemon=True)
        self._api, self._lives, self._ends, self._next = api, lives, ends, next_
        self.asked: list[Asked] = []

    def run(self) -> None:
        unanswered: Asked | None = None
        while not (self._ends.is_set() and unanswered is None):
            if not self._lives.wait(0.2):
                continue
            if unanswered is None:
                unanswered = self._next()
                self.asked.append(unanswered)
            try:
                answer = self._api.ask("POST", unanswered.path, unanswered.body, unanswered.key)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.02)
                continue
            unanswered.answers.append(answer)
            unanswered = None

    @property
    def acknowledged(self) -> list[Asked]:
        return [a for a in self.asked if a.answers and a.answers[-1].status < 300]


def _check(api: Api, dataset: str, target: Target, host: int) -> int:
    params = {"url": target.url("/x", host), "marker": MARKER, "timeout": 3}
    given = {"dataset": dataset, "kind": "http", "identity": "anonymous", "control": "owner", "params": params}
    return int(api.post("/checks", given)["id"])


def _verified(api: Api, target: Target) -> int:
    """A SEV that can be resolved."""
    number = int(api.post("/sevs", {"title": "The one to resolve", "level": "SEV3", "datasets": ["closed"]})["number"])
    sev_when(api, number, lambda s: s["exposure"] == "exposed")
    target.status = 403
    api.post(f"/sevs/{number}/patches", {"summary": "Closed it"})
    sev_when(api, number, lambda s: s["exposure"] == "verified")
    return number


def _tracker(live: Live, *targets: Target) -> Living:
    allow = ", ".join(f'"127.0.0.0/8:{t.port}"' for t in targets)
    owner = f'[identities.owner]\nclass = "control"\ntoken = "env:OWNER_TOKEN"\nhosts = [{allow}]\n'
    return live(f"[targets]\nallow = [{allow}]\n{owner}", {"OWNER_TOKEN": "control"}, POLICY)


def test_killed_again_and_again_it_loses_nothing_and_does_nothing_twice(live: Live) -> None:
    with serving() as open_target, serving() as closed_target:
        tracker = _tracker(live, open_target, closed_target)
        tracker.start()
        api = tracker.person()
        for slug in ("open", "closed"):
            api.post("/datasets", {"slug": slug, "name": slug})
        checks = [_check(api, "open", open_target, host) for host in range(1, 7)]
        checks.append(_check(api, "closed", closed_target, 1))
        to_resolve = _verified(api, closed_target)
        lives, ends = threading.Event(), threading.Event()
        number = int(api.post("/sevs", {"title": "Worked on", "level": "SEV3", "datasets": ["open"]})["number"])
        turns = {"resolve": 0}

        def file() -> Asked:
            return Asked("/sevs", {"title": f"Filed {secrets.token_hex(8)}", "level": "SEV3", "datasets": ["open"]})

        def note() -> Asked:
            return Asked(f"/sevs/{number}/notes", {"text": f"Note {secrets.token_hex(8)}"})

        def patch() -> Asked:
            time.sleep(0.1)
            return Asked(f"/sevs/{number}/patches", {"summary": f"Patch {secrets.token_hex(8)}"})

        def resolve() -> Asked:
            turns["resolve"] += 1
            what = {"summary": "Closed."} if turns["resolve"] % 2 else {"reason": "Not yet."}
            return Asked(f"/sevs/{to_resolve}/{'resolve' if turns['resolve'] % 2 else 'reopen'}", {**what})

        people = {f.__name__: Somebody(api, lives, ends, f) for f in (file, note, patch, resolve)}
        for somebody in people.values():
            somebody.start()
        back = []
        for _ in range(KILLS):
            lives.set()
            time.sleep(random.uniform(0.3, 1.5))
            tracker.kill()
            lives.clear()
            tracker.start()
            back.append(_runs_again(api, checks))
        ends.set()
        lives.set()
        for somebody in people.values():
            somebody.join(60)
            assert not somebody.is_alive()
        _nothing_is_lost(api, people, number, to_resolve)
        assert tracker.stop() == 0
        told = tracker.cli("ledger", "verify")
    assert told.returncode == 0, told.stdout
    counts = {name: len(somebody.acknowledged) for name, somebody in people.items()}
    print(
        f"\n{KILLS} kills; acknowledged {counts}; every check ran again after {max(back):.1f} s at most; {told.stdout}"
    )
    assert all(counts.values())
    assert max(back) <= 2 * LEASE_S


def _runs_again(api: Api, checks: list[int]) -> float:
    """Seconds until every check has run since now."""
    began, now = time.monotonic(), datetime.now(UTC)

    def all_ran() -> bool:
        newest = [api.get(f"/checks/{i}/runs?limit=1")["items"][0]["started_at"] for i in checks]
        return all(datetime.fromisoformat(at) >= now for at in newest)

    eventually(all_ran, 10 * LEASE_S)
    return time.monotonic() - began


def _nothing_is_lost(api: Api, people: dict[str, Somebody], number: int, to_resolve: int) -> None:
    titles = Counter(line["title"] for line in _all(api, "/sevs"))
    for asked in people["file"].acknowledged:
        assert titles[str(asked.body["title"])] == 1
        assert api.get(f"/sevs/{asked.answers[-1].body['number']}")["title"] == asked.body["title"]
    items = _all(api, f"/sevs/{number}/timeline")
    notes = Counter(item["text"] for item in items if item["kind"] == "note:added")
    assert all(notes[str(a.body["text"])] == 1 for a in people["note"].acknowledged)
    assert max(notes.values()) == 1
    patches = Counter(p["summary"] for p in api.get(f"/sevs/{number}")["patches"])
    assert all(patches[str(a.body["summary"])] == 1 for a in people["patch"].acknowledged)
    assert max(patches.values()) == 1
    kinds = Counter(item["kind"] for item in _all(api, f"/sevs/{to_resolve}/timeline"))
    resolved = [a for a in people["resolve"].acknowledged if a.path.endswith("/resolve")]
    reopened = [a for a in people["resolve"].acknowledged if a.path.endswith("/reopen")]
    assert kinds["sev:resolved"] == len(resolved)
    assert kinds["sev:reopened"] == len(reopened)


def _all(api: Api, path: str) -> list[Any]:
    found: list[Any] = []
    cursor = ""
    while True:
        page = api.get(f"{path}?limit=100{cursor}")
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"
