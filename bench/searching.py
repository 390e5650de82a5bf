"""Search: the newest 25 SEVs with a word, at 1,000 SEVs and at many; on PostgreSQL with stale statistics as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from bench import data
from bench.comparing import Target, ratio, turn_by_turn
from bench.results import Figure
from bench.stage import Stage

_WORDS = {
    "a common word": data.COMMON,
    "a word in 1 of 100": data.SOME,
    "a rare word": data.RARE,
    "an absent word": data.ABSENT,
    "two words": f"{data.COMMON}+{data.RARE}",
}


def measure(stage: Stage) -> Iterator[Figure]:
    for dialect in stage.dialects:
        sizes = ("small", "large", "stale") if dialect == "postgresql" else ("small", "large")
        with ExitStack() as on:
            ports = {s: on.enter_context(stage.tracker(stage.databases.url(dialect, s))).port for s in sizes}
            sides = {
                f"{what} {size}": Target(port, [stage.api(f"/sevs?limit=25&q={word}")])
                for size, port in ports.items()
                for what, word in _WORDS.items()
            }
            for clients in stage.clients:
                found = turn_by_turn(stage.client, sides, clients, rounds=stage.rounds, seconds=stage.seconds)
                for size in sizes[1:]:
                    for what in _WORDS:
                        small, large = found[f"{what} small"], found[f"{what} {size}"]
                        stale = " with stale statistics" if size == "stale" else ""
                        yield Figure(
                            f"search for {what}: p50 at {stage.large}{stale}, of at 1k",
                            f"{dialect}, {clients} client{'s' * (clients > 1)}",
                            ratio(large.p50s, small.p50s),
                            2.0,
                            "at most",
                            "x",
                            f"{large.p50:.1f} ms, {small.p50:.1f} ms",
                        )
