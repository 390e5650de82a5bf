"""Pages: the list of 25, a SEV, at 1,000 SEVs and at many; the list with 100 rows beside a bare page of 100 rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from bench import data
from bench.comparing import Target, get, ratio, turn_by_turn
from bench.results import Figure
from bench.stage import Stage

#: What both sizes have: the list's first page, its API twin, and single SEVs from all over the table.
_SAME = {"list of 25, page": "/sevs", "list of 25, API": "/sevs?limit=25", "SEV page": ""}


def measure(stage: Stage) -> Iterator[Figure]:
    with stage.reference("rows") as rows, stage.reference("hello") as hello:
        for dialect in stage.dialects:
            with ExitStack() as on:
                sides = {"rows": Target(rows.port, [get("/")]), "hello": Target(hello.port, [get("/")])}
                for size, count in (("small", data.SMALL), ("large", stage.databases.large)):
                    port = on.enter_context(stage.tracker(stage.databases.url(dialect, size))).port
                    numbers = [n for n in range(3, count, count // 100) if n % 97 and n not in data.DEEP]
                    sides[f"list of 25, page {size}"] = Target(port, [stage.page("/sevs")])
                    sides[f"list of 25, API {size}"] = Target(port, [stage.api("/sevs?limit=25")])
                    sides[f"SEV page {size}"] = Target(port, [stage.page(f"/sevs/{n}") for n in numbers])
                    sides[f"list of 100 {size}"] = Target(port, [stage.page("/sevs?rows=100")])
                for clients in stage.clients:
                    found = turn_by_turn(stage.client, sides, clients, rounds=stage.rounds, seconds=stage.seconds)
                    case = f"{dialect}, {clients} client{'s' * (clients > 1)}"
                    for what in ("list of 25, page", "list of 25, API", "SEV page"):
                        small, large = found[f"{what} small"], found[f"{what} large"]
                        yield Figure(
                            f"{what}: p50 at {stage.large}, of at 1k",
                            case,
                            ratio(large.p50s, small.p50s),
                            1.1,
                            "at most",
                            "x",
                            f"{large.p50:.1f} ms, {small.p50:.1f} ms; {large.rate:,.0f}/s",
                        )
                    page, bare = found["list of 100 large"], found["rows"]
                    yield Figure(
                        "list HTML of 100 rows, of a bare page of 100",
                        case,
                        ratio(page.rates, bare.rates),
                        0.50,
                        "at least",
                        "%",
                        f"{page.rate:,.0f}/s of {bare.rate:,.0f}/s (Flask hello {found['hello'].rate:,.0f}/s)",
                    )
