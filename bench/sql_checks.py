"""SQL check runs against a real PostgreSQL, beside a loop that only connects, asks for a row and hangs up.

Alike on both sides: how many sessions are open at once. One target is one lane, one at a time; eight targets are eight.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from statistics import median

from bench import probing
from bench.comparing import ratio, repeatedly
from bench.databases import Dialect
from bench.results import Figure
from bench.stage import Stage
from tests.servers.postgres import PASSWORD, PostgresServer, new_server

_TABLE = "hr.events"


def measure(stage: Stage) -> Iterator[Figure]:
    server = new_server(settings={"listen_addresses": "*"})
    try:
        server.create_role("employee")
        server.create_database("hr")
        server.execute(
            "CREATE SCHEMA hr",
            f"CREATE TABLE {_TABLE} (person text, at timestamptz)",
            f"INSERT INTO {_TABLE} VALUES ('somebody', now())",
            "GRANT USAGE ON SCHEMA hr TO employee",
            f"GRANT SELECT ON {_TABLE} TO employee",
            database="hr",
        )
        for dialect in stage.dialects:
            for lanes in (1, 8):
                yield _one(stage, server, dialect, lanes)
    finally:
        server.stop()


def _one(stage: Stage, server: PostgresServer, dialect: Dialect, lanes: int) -> Figure:
    runs = (100 if stage.quick else 400) * (1 if lanes == 1 else 2)
    hosts = [f"127.0.0.{1 + n % lanes}" for n in range(runs)]
    definitions = []
    for host in hosts:
        url = f"postgresql://{host}:{server.port}/hr"
        params = {"url": url, "table": _TABLE}
        definitions.append({"name": "", "kind": "sql_read", "identity": "employee", "url": url, "params": params})
    places = [
        {
            "hostaddr": host,
            "port": server.port,
            "dbname": "hr",
            "user": "employee",
            "password": PASSWORD,
            "table": _TABLE,
        }
        for host in hosts
    ]
    here = [f"127.0.0.0/8:{server.port}"]
    identity = {
        "class": "staff",
        "username": "employee",
        "password": "env:SEV_BENCH_PASSWORD",
        "hosts": json.dumps(here),
    }
    environ = {
        "SEVTRACKER_TARGETS__ALLOW": json.dumps(here),
        **{f"SEVTRACKER_IDENTITIES__EMPLOYEE__{key.upper()}": value for key, value in identity.items()},
        "SEV_BENCH_PASSWORD": PASSWORD,
    }
    turn = count()

    def worker() -> float:
        url = probing.due_checks(stage.databases, dialect, f"sql_{lanes}_{next(turn)}", definitions)
        return runs / stage.worker(url, runs, environ)

    sides = {"worker": worker, "bare": lambda: runs / stage.loop("sql", lanes, places)}
    found = repeatedly(sides, max(stage.rounds - 2, 1))
    return Figure(
        "SQL runs stored end to end, of a bare connect loop",
        f"{dialect}, {lanes} target{'s' * (lanes > 1)}",
        ratio(found["worker"], found["bare"]),
        0.80,
        "at least",
        "%",
        f"{median(found['worker']):,.0f}/s of {median(found['bare']):,.0f}/s",
    )
