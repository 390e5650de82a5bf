"""HTTP check runs: due, queued, probed, judged and stored by one worker process, beside a bare pycurl loop.

64 targets, 127.0.0.1 to 127.0.0.64, each a lane of its own, nothing kept alive. Every run here is ``open``, which is
one request; a run that is denied makes a second one, the control's. No target has two runs at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from statistics import median

from bench import probing
from bench.comparing import ratio, repeatedly
from bench.databases import Dialect
from bench.results import Figure
from bench.stage import Stage
from bench.target import MARKER

_TARGETS = 64


def measure(stage: Stage) -> Iterator[Figure]:
    with stage.target() as port:
        for dialect in stage.dialects:
            yield _one(stage, dialect, port)


def _one(stage: Stage, dialect: Dialect, port: int) -> Figure:
    runs = 2_000 if stage.quick else 12_000
    urls = [f"http://127.0.0.{1 + n % _TARGETS}:{port}/employees/{n}" for n in range(runs)]
    definitions = [{"name": "", "url": url, "params": {"url": url, "marker": MARKER}} for url in urls]
    environ = {"SEVTRACKER_TARGETS__ALLOW": f'["127.0.0.0/8:{port}"]'}
    turn = count()

    def worker() -> float:
        url = probing.due_checks(stage.databases, dialect, f"http_{next(turn)}", definitions)
        return runs / stage.worker(url, runs, environ)

    sides = {
        "worker": worker,
        "one": lambda: runs / stage.loop("http", 1, urls),
        "eight": lambda: runs / stage.loop("http", probing.THREADS, urls),
    }
    found = repeatedly(sides, max(stage.rounds - 2, 1))
    return Figure(
        "HTTP runs stored end to end, one worker process",
        dialect,
        median(found["worker"]),
        3_000,
        "at least",
        "/s",
        f"{ratio(found['worker'], found['one']):.0%} of a bare pycurl loop ({median(found['one']):,.0f}/s;"
        f" in {probing.THREADS} threads {median(found['eight']):,.0f}/s); one request a run",
    )
