"""``make bench``: measure, print a table, write it to bench/out. See README.md.

python -m bench [--quick] [--only filing,pages,...]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench import (
    databases,
    filing,
    http_checks,
    memory,
    pages,
    reaction,
    results,
    searching,
    sql_checks,
    timelines,
)
from bench.comparing import Client
from bench.results import Figure
from bench.stage import Stage

MEASUREMENTS: dict[str, Callable[[Stage], Iterator[Figure]]] = {
    "memory": memory.measure,
    "filing": filing.measure,
    "pages": pages.measure,
    "timeline": timelines.measure,
    "search": searching.measure,
    "http": http_checks.measure,
    "sql": sql_checks.measure,
    "reaction": reaction.measure,
}


def main() -> int:
    asked = _arguments()
    began = time.monotonic()
    servers = databases.open_session()
    folder = servers.folder / "bench"
    folder.mkdir()
    stores = databases.Databases(folder, 10_000 if asked.quick else 100_000)
    client = Client()
    stage = Stage(
        folder=folder,
        databases=stores,
        client=client,
        dialects=tuple(asked.on),
        clients=tuple(asked.clients),
        rounds=asked.rounds or (3 if asked.quick else 5),
        seconds=asked.seconds or (0.25 if asked.quick else 0.6),
        quick=asked.quick,
    )
    figures: list[Figure] = []
    try:
        for name in asked.only:
            for figure in MEASUREMENTS[name](stage):
                figures.append(figure)
                _say(f"{time.monotonic() - began:5.0f} s  " + " | ".join(figure.cells()))
    finally:
        client.close()
        stores.close()
        servers.close()
        if figures:
            out = results.write(figures)
    print(f"\n{results.machine()}\n\n{results.table(figures)}\n")
    print(f"Took {time.monotonic() - began:.0f} s. Written to {out.name}/ of the bench's folder.")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments() -> Any:
    def names(text: str) -> list[str]:
        found = text.split(",")
        if unknown := [name for name in found if name not in MEASUREMENTS]:
            raise argparse.ArgumentTypeError(f"no measurement {unknown[0]}; there are {', '.join(MEASUREMENTS)}")
        return found

    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, as ratios beside bare references.")
    parser.add_argument("--quick", action="store_true", help="a smoke test of the bench: 10,000 SEVs, short turns")
    parser.add_argument("--only", type=names, default=list(MEASUREMENTS), help=f"some of {','.join(MEASUREMENTS)}")
    parser.add_argument("--on", type=lambda t: t.split(","), default=["sqlite", "postgresql"], help="databases")
    parser.add_argument("--clients", type=lambda t: [int(n) for n in t.split(",")], default=[1, 16])
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
