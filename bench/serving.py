"""Web servers to measure: the tracker's app or a reference, each by gunicorn, gthread, two workers, --reuse-port."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.servers.session import free_port

WORKERS, THREADS = 2, 8
_PATIENCE_S = 30.0
ROOT = Path(__file__).parents[1]


@dataclass
class Server:
    """A running web server on loopback."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def serve(app: str, folder: Path, environ: Mapping[str, str] | None = None, ready: str = "/") -> Server:
    """Start gunicorn for ``app`` (``module:factory()``) and wait until ``ready`` answers."""
    port = free_port()
    log = folder / f"gunicorn-{port}.log"
    command = [
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
        *("--workers", str(WORKERS), "--threads", str(THREADS), "--reuse-port", "--log-level", "warning", app),
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **(environ or {})}, stdout=out, stderr=out)
    server = Server(process, port, log)
    deadline = time.monotonic() + _PATIENCE_S
    while not _answers(f"http://127.0.0.1:{port}{ready}"):
        if process.poll() is not None or time.monotonic() > deadline:
            server.stop()
            raise RuntimeError(f"{app} did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)
    return server


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2):
            return True
    except URLError as error:
        return getattr(error, "code", 0) in (404, 405)
    except OSError:
        return False
