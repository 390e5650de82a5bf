"""The parts of the demo, each real: PostgreSQL, the data browser, the tracker. Built up, and taken down again."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sevtracker.actions import people
from sevtracker.actions.inputs import NewPerson
from sevtracker.cli.demo.browser import DataBrowser
from sevtracker.cli.demo.client import Api
from sevtracker.cli.demo.postgres import SUPERUSER, Postgres
from sevtracker.config import load_settings
from sevtracker.domain.vocabulary import Role
from sevtracker.errors import ConfigError
from sevtracker.store import migrate
from sevtracker.wiring import build

_ROLES = ("employee", "privacy_team", "ex_session")
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Tempo:
    """How far time is compressed: the policy's times, in seconds, and how long to wait for what has to be seen."""

    settle: float
    interval: float
    consecutive: int
    soak: float
    after_patch: tuple[float, ...]
    patience: float


FAST = Tempo(settle=0.3, interval=1.0, consecutive=3, soak=3.0, after_patch=(0.6, 1.2), patience=25.0)
CALM = Tempo(settle=1.0, interval=4.0, consecutive=4, soak=14.0, after_patch=(2.0, 5.0), patience=60.0)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the story is played on."""

    url: str
    api: Api
    signin: str
    postgres: Postgres
    browser: DataBrowser
    folder: Path


@contextmanager
def stage(tempo: Tempo) -> Iterator[Stage]:
    """Everything up; taken down at the end, whatever happened. Raises ConfigError when something can't be had."""
    with ExitStack() as undo:
        folder = Path(tempfile.mkdtemp(prefix="sevtracker-demo-"))
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)  # PostgreSQL's own account passes through, and sees nothing
        passwords = {role: secrets.token_urlsafe(18) for role in (*_ROLES, SUPERUSER)}
        tokens = {role: secrets.token_urlsafe(18) for role in _ROLES}
        place = folder / "postgres"
        place.mkdir(mode=0o755)
        postgres = Postgres(place, _free_port(), passwords)
        undo.callback(postgres.stop)
        postgres.start()
        browser = DataBrowser({tokens[role]: postgres.dsn(role) for role in _ROLES})
        undo.callback(browser.stop)
        browser.start()
        config = folder / "config.toml"
        config.write_text(_config(folder, _free_port(), postgres.port, browser.port, tempo))
        token, link = _first_person(config)
        process = _start(folder, config, passwords, tokens)
        undo.callback(_stop, process)
        url = load_settings({}, config).server.public_url
        _wait(process, folder, url)
        yield Stage(url, Api(url, token), f"{url}/set-password/{link}", postgres, browser, folder)


def _config(folder: Path, port: int, postgres: int, browser: int, tempo: Tempo) -> str:
    hosts = f'["127.0.0.1:{postgres}", "127.0.0.1:{browser}"]'
    classes = {"employee": "staff", "privacy_team": "control", "ex_session": "held_session"}
    identities = "".join(
        f"""
[identities.{role.replace("_", "-")}]
class = "{classes[role]}"
username = "{role}"
password = "env:DEMO_{role.upper()}_PASSWORD"
token = "env:DEMO_{role.upper()}_TOKEN"
hosts = {hosts}
"""
        for role in _ROLES
    )
    after = ", ".join(f'"{seconds}s"' for seconds in tempo.after_patch)
    return f"""
[server]
port = {port}
[database]
url = "sqlite:///{folder}/var/sevtracker.db"
[targets]
allow = {hosts}
{identities}
[policy]
settle = "{tempo.settle}s"
after_patch = [{after}]
max_gap_factor = 8
freshness_factor = 8
patch_unverified = "30s"
retry_first = "0.5s"
retry_max = "5s"
watch = [{{every = "{tempo.interval}s"}}]
[policy.SEV1]
interval = "{tempo.interval}s"
consecutive = {tempo.consecutive}
soak = "{tempo.soak}s"
[worker]
tick = "100ms"
run_deadline = "10s"
grace = "5s"
"""


def _first_person(config: Path) -> tuple[str, str]:
    """Dana, an engineer: her API token, and a one-time link on which somebody can sign in as her and watch."""
    settings = load_settings({}, config)
    migrate.upgrade(settings.database)
    runtime = build(settings)
    try:
        with runtime.work(None) as work:
            dana = people.add(work, NewPerson(email="dana@corp.example", name="Dana Demo", role=Role.engineer))
            return people.create_token(work, dana.person, "demo"), dana.link_token or ""
    finally:
        runtime.close()


def _start(folder: Path, config: Path, passwords: dict[str, str], tokens: dict[str, str]) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SEVTRACKER_") and k != "PORT"}
    environment["SEVTRACKER_CONFIG"] = str(config)
    for role in _ROLES:
        environment[f"DEMO_{role.upper()}_PASSWORD"] = passwords[role]
        environment[f"DEMO_{role.upper()}_TOKEN"] = tokens[role]
    with (folder / "tracker.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "sevtracker", "run"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the demo, which stops us in its own order
        )


def _wait(process: subprocess.Popen[bytes], folder: Path, url: str) -> None:
    ends = time.monotonic() + _PATIENCE_S
    host, _, port = url.removeprefix("http://").rpartition(":")
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > ends:
                log = (folder / "tracker.log").read_text(errors="replace")
                raise ConfigError(f"The tracker did not start:\n{log[-2000:]}") from None
            time.sleep(0.05)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
