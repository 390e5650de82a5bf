"""The timeline of a SEV with 10,000 records, beside one with 1,000: the SEV's own page, and the API's newest 100."""

from __future__ import annotations

from collections.abc import Iterator

from bench.comparing import Target, ratio, turn_by_turn
from bench.results import Figure
from bench.stage import Stage


def measure(stage: Stage) -> Iterator[Figure]:
    for dialect in stage.dialects:
        with stage.tracker(stage.databases.url(dialect, "large")) as server:
            sides = {
                f"{what} {number}": Target(server.port, [request])
                for number in (1, 2)
                for what, request in (
                    ("page", stage.page(f"/sevs/{number}")),
                    ("API", stage.api(f"/sevs/{number}/timeline?limit=100&order=newest")),
                )
            }
            for clients in stage.clients:
                found = turn_by_turn(stage.client, sides, clients, rounds=stage.rounds, seconds=stage.seconds)
                for what in ("page", "API"):
                    short, long = found[f"{what} 1"], found[f"{what} 2"]
                    yield Figure(
                        f"timeline, {what}: p50 with 10,000 records, of with 1,000",
                        f"{dialect}, {clients} client{'s' * (clients > 1)}",
                        ratio(long.p50s, short.p50s),
                        1.1,
                        "at most",
                        "x",
                        f"{long.p50:.1f} ms, {short.p50:.1f} ms",
                    )
