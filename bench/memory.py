"""What an idle ``sevtracker run`` on SQLite holds: web, worker and all, after it has served pages and the API once."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench import data
from bench.results import Figure
from bench.stage import Stage, said
from tests.servers.session import free_port


def measure(stage: Stage) -> Iterator[Figure]:
    url = stage.databases.copy("sqlite", "small", "memory")
    environ = stage.environ(url) | {"PORT": str(free_port())}
    with stage.process("-m", "sevtracker", "run", environ=environ) as process:
        said(process, " is at ")
        fresh = _resident(process.pid)
        for path in ("/sevs", "/sevs/3", "/", "/checks", "/datasets", "/api/v1/sevs", "/api/v1/openapi.json"):
            for _ in range(3):
                headers = {"Cookie": stage.cookie, "Authorization": f"Bearer {data.TOKEN}"}
                if path.startswith("/api"):
                    del headers["Cookie"]
                asked = urllib.request.Request(f"http://127.0.0.1:{environ['PORT']}{path}", headers=headers)
                with urllib.request.urlopen(asked, timeout=10) as answer:
                    answer.read()
        time.sleep(3 if stage.quick else 8)
        idle = _resident(process.pid)
    yield Figure(
        "memory of an idle embedded process", "sqlite", idle, 150, "at most", "MB", f"{fresh:.0f} MB before any request"
    )


def _resident(pid: int) -> float:
    """Resident memory in MB (10^6 bytes), of the process and the libraries that it alone or with others has mapped."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("no VmRSS")
