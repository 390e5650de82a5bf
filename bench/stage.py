"""What every measurement gets: databases, web servers to start, the load client, and how long it may take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import session as cookies

from bench import data
from bench.comparing import Client, get
from bench.databases import Databases, Dialect
from bench.serving import ROOT, Server, serve
from sevtracker.config import Settings
from sevtracker.store import people
from sevtracker.web import auth
from sevtracker.web.app import create_app
from sevtracker.wiring import build

_KEY = "for-the-bench-only-" + "0" * 32
BEARER = f"Authorization: Bearer {data.TOKEN}"


@dataclass
class Stage:
    """``rounds`` turns of ``seconds`` each for every side of a comparison."""

    folder: Path
    databases: Databases
    client: Client
    dialects: tuple[Dialect, ...]
    clients: tuple[int, ...]
    rounds: int
    seconds: float
    quick: bool

    @property
    def large(self) -> str:
        return f"{self.databases.large // 1000}k"

    # ---- web servers ---------------------------------------------------------------------------------------------

    @contextmanager
    def tracker(self, url: str, environ: Mapping[str, str] | None = None) -> Iterator[Server]:
        """The tracker's web, two processes of it, on this database."""
        server = serve(
            "sevtracker.web.app:from_environment()", self.folder, self.environ(url) | dict(environ or {}), "/healthz"
        )
        try:
            yield server
        finally:
            server.stop()

    @contextmanager
    def reference(self, factory: str, environ: Mapping[str, str] | None = None) -> Iterator[Server]:
        """One of ``references.py``, served the same way."""
        server = serve(f"bench.references:{factory}()", self.folder, environ, "/things" if factory == "create" else "/")
        try:
            yield server
        finally:
            server.stop()

    def environ(self, url: str) -> dict[str, str]:
        """The configuration of a process of ours: all from the environment, whatever file lies about."""
        nothing = self.folder / "nothing.toml"
        nothing.touch()
        return {
            "SEVTRACKER_CONFIG": str(nothing),
            "SEVTRACKER_DATABASE__URL": url,
            "SEVTRACKER_SERVER__SECRET_KEY": _KEY,
        }

    # ---- asking --------------------------------------------------------------------------------------------------

    def page(self, path: str) -> str:
        """A GET of a page, as the engineer of the data, signed in by session."""
        return get(path, f"Cookie: {self.cookie}")

    def api(self, path: str) -> str:
        """A GET of the API with the engineer's token."""
        return get(f"/api/v1{path}", BEARER)

    @cached_property
    def cookie(self) -> str:
        """The engineer's session."""
        url = self.databases.url("sqlite", "small")
        runtime = build(Settings.model_validate({"database": {"url": url}, "server": {"secret_key": _KEY}}))
        app = create_app(runtime)
        with runtime.read() as reading:
            row = people.by_id(reading, 1)
        if row is None:
            raise RuntimeError("the data has no engineer")
        with app.test_request_context():
            auth.begin_session(row)
            answer = app.make_response("")
            app.session_interface.save_session(app, cookies._get_current_object(), answer)  # type: ignore[attr-defined]  # werkzeug's proxy
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        # The first page puts a token for its forms into the session; a browser comes back with that.
        first = app.test_client(use_cookies=False).get("/sevs", headers={"Cookie": cookie})
        runtime.close()
        return first.headers["Set-Cookie"].split(";")[0]

    # ---- other processes -----------------------------------------------------------------------------------------

    @contextmanager
    def process(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
        """``python ARGUMENTS`` with pipes, ended when the block ends."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()

    def worker(self, url: str, runs: int, environ: Mapping[str, str]) -> float:
        """How many seconds a worker process takes for the runs that are due in this database."""
        with self.process("-m", "bench.working", str(runs), environ=self.environ(url) | dict(environ)) as process:
            return float(said(process, "took "))

    def loop(self, kind: str, threads: int, jobs: Sequence[object]) -> float:
        """How many seconds a bare loop of ``probing.py`` takes for these."""
        with self.process("-m", "bench.probing", kind) as process:
            if process.stdin is None:
                raise RuntimeError("the process has no pipe")
            json.dump([threads, jobs], process.stdin)
            process.stdin.close()
            process.stdin = None
            return float(said(process, "took "))

    @contextmanager
    def target(self) -> Iterator[int]:
        """The HTTP target of ``target.py`` on every loopback address. Gives its port."""
        with self.process("-m", "bench.target") as process:
            yield int(said(process, "listens on "))


def said(process: subprocess.Popen[str], after: str) -> str:
    """What a process prints next after these words. Raises RuntimeError if it ends without."""
    if process.stdout is None:
        raise RuntimeError("the process has no pipe")
    lines = []
    for line in process.stdout:
        if after in line:
            return line.partition(after)[2].strip()
        lines.append(line)
    raise RuntimeError(f"a process ended: {process.args!r}\n{''.join(lines[-40:])}")
