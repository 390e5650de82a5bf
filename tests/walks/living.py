"""A tracker that lives: ``sevtracker run`` as a process of its own, which a test may stop, kill and start again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sevtracker.actions import people
from sevtracker.actions.inputs import NewPerson
from sevtracker.cli.demo.client import Api
from sevtracker.config import load_settings
from sevtracker.domain.vocabulary import Role
from sevtracker.wiring import build
from tests.servers import session

T = TypeVar("T")

#: The rules of a SEV, compressed: a day is three seconds.
POLICY = """
[policy]
settle = "0.3s"
after_patch = ["0.6s", "1.2s"]
max_gap_factor = 10
freshness_factor = 10
patch_unverified = "60s"
retry_first = "0.3s"
retry_max = "1s"
watch = [{every = "1s"}]
[policy.SEV1]
interval = "1s"
consecutive = 3
soak = "2.5s"
[worker]
tick = "100ms"
lease = "2s"
run_deadline = "10s"
grace = "5s"
"""


@dataclass
class Living:
    """Its folder holds the config, the database and what it printed. ``environment``: secrets of identities."""

    folder: Path
    config: str
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    url: str = ""
    starts: int = 0

    def __post_init__(self) -> None:
        self.port = session.free_port()
        self.file = self.folder / "config.toml"
        database = f"sqlite:///{self.folder}/var/sevtracker.db"
        self.file.write_text(f'[server]\nport = {self.port}\n[database]\nurl = "{database}"\n{self.config}')
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def _environ(self) -> dict[str, str]:
        ours = {k: v for k, v in os.environ.items() if not k.startswith("SEVTRACKER_") and k != "PORT"}
        return {**ours, **self.environment, "SEVTRACKER_CONFIG": str(self.file)}

    def start(self) -> str:
        """Returns what it printed until it was ready."""
        self.starts += 1
        out = self.folder / f"out-{self.starts}.txt"
        with out.open("wb") as stdout, (self.folder / f"log-{self.starts}.txt").open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error::ResourceWarning", "-m", "sevtracker", "run"],
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        process = self.process
        eventually(lambda: "Ctrl-C" in out.read_text() or process.poll() is not None, 120)
        assert process.poll() is None, self.printed()
        return out.read_text()

    def printed(self) -> str:
        """Everything that it ever wrote to standard output and standard error."""
        files = sorted([*self.folder.glob("out-*.txt"), *self.folder.glob("log-*.txt")])
        return "\n".join(path.read_text(errors="replace") for path in files)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM. Returns the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def cli(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Another command on the same configuration."""
        return subprocess.run(
            [sys.executable, "-m", "sevtracker", *arguments],
            cwd=self.folder,
            env=self._environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def person(self, email: str = "dana@example.org", role: str = "engineer") -> Api:
        """Somebody new, with a token."""
        runtime = build(load_settings({}, self.file))
        with runtime.work(None) as work:
            given = NewPerson(email=email, name=email.partition("@")[0].title(), role=Role(role))
            token = people.create_token(work, people.add(work, given).person, "walk")
        runtime.close()
        return Api(self.url, token)

    def rss_mb(self) -> float:
        """Resident memory of the process."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024


def eventually(look: Callable[[], T], seconds: float = 60.0) -> T:
    """What ``look`` returns, once that is true."""
    ends = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < ends, f"not within {seconds} s"
        time.sleep(0.05)


def sev_when(api: Api, number: int, true: Callable[[Any], object], seconds: float = 60.0) -> Any:
    """The SEV, once ``true`` of it."""
    last: list[Any] = []

    def look() -> Any:
        last[:] = [api.get(f"/sevs/{number}")]
        return last[0] if true(last[0]) else None

    try:
        return eventually(look, seconds)
    except AssertionError:
        seen = last[0] if last else {}
        told = {k: seen.get(k) for k in ("status", "exposure", "patches", "vantages")}
        raise AssertionError(f"SEV-{number} did not come to that state within {seconds} s: {told}") from None
