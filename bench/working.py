"""One worker process that works a queue off: ``python -m bench.working RUNS``. Prints the seconds.

Started on a database in which RUNS checks are due. Everything is as in ``sevtracker worker``: the clock queues what is
due, the dispatcher claims, threads probe, one thread stores. The time goes from the worker's start to the last commit.
"""

from __future__ import annotations

import sys
import time

import sqlalchemy as sa

from sevtracker.config import load_settings
from sevtracker.store.tables import Run, table
from sevtracker.wiring import build
from sevtracker.worker import Worker

_PATIENCE_S = 120.0


def main(runs: int) -> None:
    runtime = build(load_settings())
    count = sa.select(sa.func.max(table(Run).c.id))
    with runtime.read() as session:
        before = session.connection().execute(count).scalar() or 0
    worker = Worker(runtime)
    began = time.perf_counter()
    worker.start()
    done = 0
    while done < runs and time.perf_counter() - began < _PATIENCE_S:
        time.sleep(0.02)
        with runtime.read() as session:
            done = (session.connection().execute(count).scalar() or 0) - before
    print(f"took {time.perf_counter() - began}" if done >= runs else f"only {done} runs", flush=True)
    worker.stop()
    runtime.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
