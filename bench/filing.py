"""Filing through the API, beside the least that a person would write to store something; at 1,000 SEVs and at many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from bench import data, references
from bench.comparing import Target, post, ratio, turn_by_turn
from bench.results import Figure
from bench.stage import BEARER, Stage

_SEV = {
    "title": "Employee tracking records are readable by everybody in the company",
    "level": "SEV1",
    "datasets": [data.QUIET],
    "summary": "Anyone with a corporate account can open the data browser and read keyboard and location events.",
}


def measure(stage: Stage) -> Iterator[Figure]:
    for dialect in stage.dialects:
        small = stage.databases.copy(dialect, "small", "filing_small")
        large = stage.databases.copy(dialect, "large", "filing_large")
        bare = stage.databases.empty(dialect, "filing_bare")
        references.create_tables(bare)
        with ExitStack() as on:
            sides = {
                "bare": Target(
                    on.enter_context(stage.reference("create", {references.DATABASE: bare})).port,
                    [post("/things", _SEV)],
                ),
                "small": Target(on.enter_context(stage.tracker(small)).port, [post("/api/v1/sevs", _SEV, BEARER)]),
                "large": Target(on.enter_context(stage.tracker(large)).port, [post("/api/v1/sevs", _SEV, BEARER)]),
            }
            for clients in stage.clients:
                found = turn_by_turn(stage.client, sides, clients, rounds=stage.rounds, seconds=stage.seconds)
                case = f"{dialect}, {clients} client{'s' * (clients > 1)}"
                yield Figure(
                    "filing by API, of a bare create",
                    case,
                    ratio(found["small"].rates, found["bare"].rates),
                    0.75,
                    "at least",
                    "%",
                    f"{found['small'].rate:,.0f}/s of {found['bare'].rate:,.0f}/s",
                )
                yield Figure(
                    f"filing at {stage.large}, of at 1k",
                    case,
                    ratio(found["large"].rates, found["small"].rates),
                    0.90,
                    "at least",
                    "%",
                    f"{found['large'].rate:,.0f}/s of {found['small'].rate:,.0f}/s",
                )
