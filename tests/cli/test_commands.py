"""The commands as a shell sees them: what they print, where, and their exit codes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from sevtracker.actions import datasets, sevs
from sevtracker.actions.inputs import FileSev, NewDataset
from sevtracker.actions.runtime import Runtime
from sevtracker.cli.root import COMMANDS, main
from sevtracker.config import load_settings
from sevtracker.domain.vocabulary import Role
from sevtracker.store import people
from sevtracker.store.work import Person
from sevtracker.wiring import build
from tests.servers import session


@dataclass(frozen=True)
class Told:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


class Shell:
    """A folder with a configuration, and ``sevtracker`` in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.port = session.free_port()
        self.config.write_text(f"[server]\nport = {self.port}\n")
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> Told:
        """In this very process: to start one takes a second. Raises what would have been a traceback."""
        with self._monkeypatch.context() as patched:
            patched.chdir(self.folder)
            for name in _foreign():
                patched.delenv(name)
            ended = CliRunner().invoke(main, arguments, input=stdin, env=environment, prog_name="sevtracker")
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Told(ended.exit_code, ended.stdout, ended.stderr)

    def apart(self, *arguments: str, **environment: str) -> Told:
        """As a process of its own, as a shell starts it."""
        ours = {k: v for k, v in os.environ.items() if k not in _foreign()}
        ended = subprocess.run(
            [sys.executable, "-m", "sevtracker", *arguments],
            cwd=self.folder,
            env={**ours, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Told(ended.returncode, ended.stdout, ended.stderr)

    def runtime(self) -> Runtime:
        url = f"sqlite:///{self.folder}/var/sevtracker.db"
        return build(load_settings({"SEVTRACKER_DATABASE__URL": url}, self.config))


def _foreign() -> list[str]:
    """Settings of whoever runs the tests."""
    return [name for name in os.environ if name.startswith("SEVTRACKER_") or name == "PORT"]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, monkeypatch)


@pytest.fixture
def used(shell: Shell) -> Shell:
    """With a database, Dana in it, and a SEV of the programme ``mci``."""
    added = shell("user", "add", "dana@example.org", "--name", "Dana", "--role", "engineer")
    assert added.returncode == 0, added.stderr
    runtime = shell.runtime()
    with runtime.work(None) as work:
        row = people.by_email(work.session, "dana@example.org")
        assert row is not None
        dana = Person(row.id or 0, row.pid, Role.engineer, "api")
    with runtime.work(dana) as work:
        datasets.register(work, NewDataset(slug="events", name="Events", programme="mci"))
        datasets.register(work, NewDataset(slug="other", name="Other", programme="quiet"))
        given = FileSev(title="Events readable", level="SEV3", datasets=["events"])  # type: ignore[arg-type]  # as JSON has it
        sevs.file(work, runtime.settings, given)
    runtime.close()
    return shell


# ---- usage and configuration -------------------------------------------------------------------------------------


def test_every_command_has_help(shell: Shell) -> None:
    listed = shell.apart("--help")
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in COMMANDS)
    for path in (["run"], ["demo"], ["db", "upgrade"], ["check", "run"], ["ledger", "verify"]):
        told = shell(*path, "--help")
        assert (told.returncode, "Usage:" in told.stdout) == (0, True), told.stderr


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["check", "run", "x"], ["user", "add", "a@b"], ["ledger", "export"]]
)
def test_wrong_usage_is_exit_code_2(shell: Shell, arguments: list[str]) -> None:
    told = shell(*arguments)
    assert told.returncode == 2
    assert "Error" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_wrong_configuration_is_told_by_file_and_key_and_exit_code_2(shell: Shell) -> None:
    shell.config.write_text("[server]\nprt = 1\n[worker]\nlease = 30\n")
    for arguments in (["config", "check"], ["run"], ["worker"], ["web"], ["db", "upgrade"], ["ledger", "verify"]):
        told = shell(*arguments)
        assert told.returncode == 2
        assert "config.toml: server.prt" in told.stderr
        assert "worker.lease" in told.stderr
        assert "Traceback" not in told.stderr
    told = shell.apart("config", "check", "--json")
    assert told.returncode == 2
    assert len(json.loads(told.stdout)["problems"]) == 2


def test_a_good_configuration_is_exit_code_0(shell: Shell) -> None:
    told = shell("config", "check", "--json")
    assert (told.returncode, json.loads(told.stdout)["ok"]) == (0, True)
    assert f":{shell.port}" in shell("config", "check").stdout
    assert not (shell.folder / "var").exists()


def test_a_secret_reference_that_points_at_nothing_is_a_warning_and_with_strict_a_no(shell: Shell) -> None:
    shell.config.write_text(
        f"{shell.config.read_text()}\n[identities.reader]\nclass = 'staff'\nusername = 'reader'\n"
        "password = 'env:READER_PASSWORD'\nhosts = ['db1:5432']\nheaders = {X-Key = 'file:none/there', X-Plain = 'a'}\n"
    )
    told = shell("config", "check")
    assert told.returncode == 0
    assert "warning: identities.reader.password: env:READER_PASSWORD: the environment variable" in told.stderr
    assert "warning: identities.reader.headers.X-Key: file:none/there: the file cannot be read" in told.stderr
    assert "X-Plain" not in told.stderr
    assert shell("config", "check", "--strict").returncode == 1
    told = shell("config", "check", "--json", READER_PASSWORD="hush-hush")
    assert len(json.loads(told.stdout)["warnings"]) == 1
    assert "hush-hush" not in told.stdout + told.stderr
    assert shell("config", "check", "--strict", READER_PASSWORD="").returncode == 1


def test_a_dialect_without_its_driver_is_told_and_stops_nothing(shell: Shell) -> None:
    shell.config.write_text(f"{shell.config.read_text()}\n[targets]\ndialects = 'dialects.toml'\n")
    (shell.config.parent / "dialects.toml").write_text(
        "[mssql]\ndriver = 'mssql+pymssql'\ncode = 'orig.args.0'\ndenied = [229]\nself_test = 'SELECT 1'\n"
    )
    told = shell("config", "check", "--json")
    assert (told.returncode, json.loads(told.stdout)["dialects"]) == (0, ["mssql"])
    assert "install pymssql" in json.loads(told.stdout)["broken_dialects"]["mssql"]
    assert "dialect     mssql: the driver of mssql+pymssql is not there" in shell("config", "check").stdout


@pytest.mark.parametrize("arguments", [["ledger", "verify"], ["gate", "mci"], ["check", "run", "1"], ["worker"]])
def test_looking_for_a_database_does_not_make_one(shell: Shell, arguments: list[str]) -> None:
    told = shell(*arguments)
    assert told.returncode == 2
    assert "no database yet" in told.stderr
    assert not list(shell.folder.rglob("*.db"))


def test_a_database_that_does_not_answer_is_told_without_its_password(shell: Shell) -> None:
    url = f"postgresql+psycopg://tracker:canary-pw@127.0.0.1:{session.free_port()}/x"
    told = shell.apart("ledger", "verify", SEVTRACKER_DATABASE__URL=url, SEVTRACKER_SERVER__SECRET_KEY="k" * 32)
    assert told.returncode == 2
    assert "canary-pw" not in told.stderr + told.stdout
    assert "Traceback" not in told.stderr


# ---- people and tokens -------------------------------------------------------------------------------------------


def test_somebody_without_a_password_gets_a_link_and_with_one_none(shell: Shell) -> None:
    told = shell("user", "add", "ada@example.org", "--name", "Ada", "--role", "admin")
    assert told.returncode == 0
    assert f"http://127.0.0.1:{shell.port}/set-password/" in told.stdout
    told = shell(
        "user", "add", "eve@example.org", "--name", "Eve", "--role", "executive", "--password-stdin", "--json",
        stdin="a long enough password\n",
    )  # fmt: skip  # one line a thought
    assert json.loads(told.stdout) == {"email": "eve@example.org", "role": "executive", "link": None}


def test_somebody_who_is_there_already_or_has_a_bad_password_is_refused(used: Shell) -> None:
    told = used("user", "add", "dana@example.org", "--name", "Dana", "--role", "engineer")
    assert (told.returncode, "e-mail" in told.stderr) == (2, True)
    told = used("user", "add", "x@example.org", "--name", "X", "--role", "auditor", "--password-stdin", stdin="short\n")
    assert (told.returncode, "password" in told.stderr) == (2, True)


def test_a_token_is_printed_alone(used: Shell) -> None:
    told = used.apart("token", "create", "dana@example.org", "--name", "ci")
    assert told.returncode == 0
    assert told.stdout.startswith("sev_")
    assert len(told.stdout.splitlines()) == 1
    assert told.stderr == ""
    assert used("token", "create", "nobody@example.org", "--name", "ci").returncode == 2


# ---- gate, ledger ------------------------------------------------------------------------------------------------


def test_the_gate_answers_by_exit_code(used: Shell) -> None:
    told = used("gate", "mci", "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["blockers"] == [{"sev": "SEV-1", "level": "SEV3", "exposure": "unverified"}]
    assert "Events readable" not in used("gate", "mci").stdout  # it may be restricted
    assert used("gate", "quiet").returncode == 0
    assert used.apart("gate", "unknown").returncode == 2


def test_the_ledger_verifies_until_somebody_tampers_with_it(used: Shell) -> None:
    told = used("ledger", "verify", "--json")
    assert (told.returncode, json.loads(told.stdout)["intact"]) == (0, True)
    database = sqlite3.connect(used.folder / "var" / "sevtracker.db")
    database.execute("DROP TRIGGER ledger_no_update")
    database.execute("UPDATE ledger SET body = replace(body, 'SEV3', 'SEV4') WHERE kind = 'sev:filed'")
    seq = database.execute("SELECT seq FROM ledger WHERE kind = 'sev:filed'").fetchone()[0]
    database.commit()
    database.close()
    told = used("ledger", "verify")
    assert told.returncode == 1
    assert f"BROKEN at record {seq}" in told.stdout
    document = json.loads(used("ledger", "verify", "--json").stdout)
    assert (document["intact"], document["seq"], document["damage"]) == (False, seq, document["damage"])


def test_db_upgrade_makes_the_database_and_then_does_nothing(shell: Shell) -> None:
    assert shell("db", "upgrade").returncode == 0
    assert json.loads(shell("db", "upgrade", "--json").stdout)["schema"]
    assert shell("ledger", "verify").returncode == 0


def test_a_check_that_is_not_there_is_exit_code_2(used: Shell) -> None:
    told = used("check", "run", "77")
    assert (told.returncode, "no check 77" in told.stderr) == (2, True)
