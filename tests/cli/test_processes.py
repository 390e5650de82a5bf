"""The commands that stay: run, web and worker, started, asked and stopped."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import session
from tests.servers.store import StoreDatabases
from tests.walks.conftest import Live, live
from tests.walks.living import Living, eventually
from tests.worker.targets import MARKER, Target, serving

__all__ = ["live"]

pytestmark = pytest.mark.slow


@pytest.fixture
def target() -> Iterator[Target]:
    with serving() as target:
        yield target


def _with_target(live: Live, target: Target) -> Living:
    allow = f'"127.0.0.1:{target.port}"'
    owner = f'[identities.owner]\nclass = "control"\ntoken = "env:OWNER_TOKEN"\nhosts = [{allow}]\n'
    return live(f"[targets]\nallow = [{allow}]\n{owner}", {"OWNER_TOKEN": "control"})


def _status(port: int, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_it_serves_and_a_second_run_on_the_same_database_says_so(live: Live) -> None:
    tracker = live()
    tracker.start()
    assert _status(tracker.port, "/metrics") == 200
    assert _status(tracker.port, "/metrics", **{"X-Forwarded-For": "10.1.2.3"}) == 403  # by way of a proxy beside it
    told = tracker.cli("run")
    assert told.returncode == 2
    assert "another sevtracker runs on this database" in told.stderr
    assert str(tracker.process and tracker.process.pid) in told.stderr
    assert tracker.stop() == 0


def test_a_port_in_use_is_told_with_what_to_do(live: Live) -> None:
    tracker = live()
    with socket.create_server(("127.0.0.1", tracker.port)):
        told = tracker.cli("run")
    assert told.returncode == 2
    assert f"127.0.0.1:{tracker.port} is in use" in told.stderr
    assert "Traceback" not in told.stderr


def test_stopping_lets_the_answer_that_is_under_way_out(live: Live, target: Target) -> None:
    """Resolving waits for its final runs; SIGTERM meanwhile."""
    tracker = _with_target(live, target)
    tracker.start()
    api = tracker.person()
    answers: list[int] = []

    def slowly() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", tracker.port, timeout=30)
        body = json.dumps({"slug": "slow", "name": "Sent slowly"}).encode()
        connection.putrequest("POST", "/api/v1/datasets")
        for name, value in {"Authorization": f"Bearer {api._token}", "Content-Type": "application/json"}.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        connection.send(body)
        answers.append(connection.getresponse().status)
        connection.close()

    asking = [threading.Thread(target=slowly) for _ in range(4)]
    for thread in asking:
        thread.start()
    assert tracker.process is not None
    eventually(lambda: answers)
    tracker.process.send_signal(signal.SIGTERM)
    for thread in asking:
        thread.join()
    assert tracker.process.wait(60) == 0
    assert len(answers) == 4
    assert answers.count(201) == 1
    assert "Stopping." in tracker.printed()


def test_a_check_is_run_from_the_shell_with_its_verdict_as_exit_code(live: Live, target: Target) -> None:
    tracker = _with_target(live, target)
    tracker.start()
    api = tracker.person()
    api.post("/datasets", {"slug": "events", "name": "Events"})
    params = {"url": target.url("/x"), "marker": MARKER}
    given = {"dataset": "events", "kind": "http", "identity": "anonymous", "control": "owner", "params": params}
    check = str(api.post("/checks", given)["id"])
    told = tracker.cli("check", "run", check)  # while a worker runs beside it
    assert (told.returncode, "open (marker_found)" in told.stdout) == (1, True), told.stderr
    assert tracker.stop() == 0
    target.status = 403
    told = tracker.cli("check", "run", check, "--json")  # alone
    assert (told.returncode, json.loads(told.stdout)["verdict"]) == (0, "closed"), told.stderr


def test_web_and_worker_share_a_postgresql_database(tmp_path: Path, store_databases: StoreDatabases) -> None:
    url = store_databases.empty("postgresql")
    port = session.free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SEVTRACKER_")},
        "SEVTRACKER_DATABASE__URL": url,
        "SEVTRACKER_SERVER__SECRET_KEY": "k" * 32,
        "SEVTRACKER_SERVER__PORT": str(port),
    }

    def command(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "sevtracker", *arguments], cwd=tmp_path, env=environment)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        told = [sys.executable, "-m", "sevtracker", *arguments]
        return subprocess.run(
            told, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    refused = run("web")
    assert (refused.returncode, "sevtracker db upgrade" in refused.stderr) == (2, True)
    assert command("db", "upgrade").wait(60) == 0
    web, worker = command("web"), command("worker")
    try:
        eventually(lambda: _status(port, "/readyz") == 200)
        assert _status(port, "/api/v1/openapi.json") == 200
        second = run("web")
        assert (second.returncode, f":{port} is in use" in second.stderr) == (2, True)
    finally:
        for process in (web, worker):
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in (web, worker)]
    assert codes == [0, 0]
