"""The kind ``command``, with real programs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sevtracker.checks.interface import Definition, Observation, Result
from sevtracker.checks.local import LocalRules
from sevtracker.checks.probing import Validated, validate
from sevtracker.config import Command
from sevtracker.errors import InputError
from tests.checks.machine import people, program, reachable_folder
from tests.checks.sites import STAFF_SECRET, STAFF_TOKEN, World, outcome

CLOSED = ("closed", "command_closed")
NOTHING = ("inconclusive", "plugin_error")
TOLD = 'told = {"nonce": os.environ["SEVTRACKER_NONCE"], "control_ok": True, "verdict": "closed"}\n'


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as path:
        yield path


def world(folder: Path, text: str, args: str | None = None, credentials: bool = False) -> World:
    command = Command(argv=program(folder, text), args=args, credentials=credentials)
    return World(identities=dict(people()), local=LocalRules(commands={"vault": command}))


def look(folder: Path, text: str, who: str = "anonymous", **params: Any) -> Observation:
    return world(folder, text).look("command", {"name": "vault", **params}, who)


def valid(where: World, **params: Any) -> Validated:
    environment = where.environment
    return validate(environment.kinds, environment, Definition("command", "anonymous", None, params))


def wrong(where: World, **params: Any) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        valid(where, **params)
    return {error.field: error.message for error in caught.value.errors}


# --- What it says ----------------------------------------------------------------------------------------------------


def test_ten_is_open_whatever_is_written(folder: Path) -> None:
    assert outcome(look(folder, "print('anything'); sys.exit(10)")) == ("open", "command_open")


def test_zero_with_nonce_control_and_verdict_is_closed(folder: Path) -> None:
    seen = look(folder, TOLD + "print(json.dumps(told))")
    assert (outcome(seen), seen.control) == (CLOSED, Result.got_in)


@pytest.mark.parametrize("given", ["told['control_ok'] = False", "told['control_ok'] = 1", "del told['control_ok']"])
def test_closed_with_a_control_that_failed_is_not_closed(folder: Path, given: str) -> None:
    seen = look(folder, f"{TOLD}{given}\nprint(json.dumps(told))")
    assert outcome(seen) == ("inconclusive", "control_failed")


@pytest.mark.parametrize(
    "text",
    [
        *("pass", "print('closed')", "print('[]')", "print('{}')", "print('null')", "print('{' * 5000)"),
        f"{TOLD}told['nonce'] = 'x'\nprint(json.dumps(told))",
        f"{TOLD}del told['nonce']\nprint(json.dumps(told))",
        f"{TOLD}told['nonce'] = None\nprint(json.dumps(told))",
        f"{TOLD}told['verdict'] = 'open'\nprint(json.dumps(told))",
        f"{TOLD}told['verdict'] = True\nprint(json.dumps(told))",
        f"{TOLD}print(json.dumps(told), json.dumps(told))",
        f"{TOLD}print('by the way', json.dumps(told))",
        f"{TOLD}print(json.dumps([told]))",
        f"{TOLD}sys.stderr.write(json.dumps(told))",
        f"{TOLD}print(json.dumps(told)); sys.exit(1)",
        f"{TOLD}print(json.dumps(told), flush=True); os.kill(os.getpid(), 9)",
        "sys.exit(1)",
        "sys.exit(11)",
        "sys.exit(10 + 256 * 0 + 1)",
        "os.abort()",
        "raise RuntimeError('canary')",
        "sys.stdout.buffer.write(bytes(range(256)))",
    ],
)
def test_anything_else_says_nothing(folder: Path, text: str) -> None:
    assert outcome(look(folder, text)) == NOTHING


def test_a_nonce_is_good_for_one_run(folder: Path) -> None:
    text = (
        "kept = os.path.join(os.path.dirname(__file__), 'nonce')\n"
        "if not os.path.exists(kept): open(kept, 'w').write(os.environ['SEVTRACKER_NONCE'])\n"
        "print(json.dumps({'nonce': open(kept).read(), 'control_ok': True, 'verdict': 'closed'}))"
    )
    assert [outcome(look(folder, text)) for _ in range(2)] == [CLOSED, NOTHING]


def test_what_it_writes_is_capped_and_kept_nowhere(folder: Path) -> None:
    began = time.monotonic()
    seen = look(folder, "while True: print('canary-row ' * 1000)")
    assert outcome(seen) == NOTHING
    assert "more than 16384 bytes" in seen.steps[-1].note
    assert time.monotonic() - began < 5
    assert "canary" not in repr(look(folder, "print('canary'); sys.stderr.write('canary'); sys.exit(10)"))
    assert outcome(look(folder, f"{TOLD}print(json.dumps(told) + ' ' * 16000)")) == CLOSED


# --- How it ends -----------------------------------------------------------------------------------------------------


def _still_there(pid: int) -> bool:
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except (FileNotFoundError, ProcessLookupError):
            return False
        time.sleep(0.02)
    return True


_CHILD = "child = subprocess.Popen(['/bin/sleep', '60'])\nopen(__file__ + '.pid', 'w').write(str(child.pid))\n"


def test_it_is_killed_with_its_children_at_the_deadline(folder: Path) -> None:
    began = time.monotonic()
    text = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + _CHILD + "time.sleep(60)"
    assert outcome(look(folder, text, timeout=1)) == ("inconclusive", "timeout")
    assert time.monotonic() - began < 5
    assert not _still_there(int((folder / "probe.pid").read_text()))


def test_a_child_left_behind_holds_nothing_up_and_is_killed(folder: Path) -> None:
    began = time.monotonic()
    assert outcome(look(folder, f"{TOLD}{_CHILD}print(json.dumps(told))")) == CLOSED
    assert time.monotonic() - began < 5
    assert not _still_there(int((folder / "probe.pid").read_text()))


def test_closing_the_output_is_no_end(folder: Path) -> None:
    text = f"{TOLD}print(json.dumps(told), flush=True)\nos.close(1)\n"
    assert outcome(look(folder, text + "time.sleep(0.3); os._exit(10)")) == ("open", "command_open")
    assert outcome(look(folder, text + "time.sleep(60); os._exit(0)", timeout=1)) == ("inconclusive", "timeout")


@pytest.mark.parametrize("argv", [("/nowhere/probe",), ("/etc/hostname",), ("/etc",)])
def test_what_cannot_be_started_is_trouble(argv: tuple[str, ...]) -> None:
    where = World(local=LocalRules(commands={"vault": Command(argv=argv)}))
    seen = where.look("command", {"name": "vault"})
    assert outcome(seen) == NOTHING
    assert "could not be started" in seen.steps[-1].note


# --- What it is given ------------------------------------------------------------------------------------------------

_SHOW = (
    "seen = {'argv': sys.argv[1:], 'env': dict(os.environ), 'stdin': sys.stdin.read(), 'cwd': os.getcwd(),"
    " 'fds': os.listdir('/proc/self/fd'), 'leader': os.getpid() == os.getsid(0)}\n"
    "json.dump(seen, open(__file__ + '.json', 'w'))\nsys.exit(10)"
)


def shown(where: World, folder: Path, who: str = "keyholder", **params: Any) -> dict[str, Any]:
    assert outcome(where.look("command", {"name": "vault", **params}, who)) == ("open", "command_open")
    seen: dict[str, Any] = json.loads((folder / "probe.json").read_text())
    return seen


def test_it_has_nearly_no_environment_and_no_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAFF_SECRET", "canary-environment")
    seen = shown(world(folder, _SHOW), folder)
    extra = {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}  # Python's own
    assert set(seen["env"]) - extra == {
        *("PATH", "LANG", "SEVTRACKER_NONCE", "SEVTRACKER_IDENTITY", "SEVTRACKER_TIMEOUT"),
    }
    assert seen["env"]["SEVTRACKER_IDENTITY"] == "keyholder"
    assert 0 < float(seen["env"]["SEVTRACKER_TIMEOUT"]) <= 10
    assert (seen["stdin"], seen["cwd"], seen["leader"]) == ("", "/", True)
    assert len(seen["fds"]) <= 4
    assert STAFF_SECRET not in json.dumps(seen, ensure_ascii=False)
    assert "canary" not in json.dumps(seen)


def test_secrets_come_on_standard_input_when_its_registration_says_so(folder: Path) -> None:
    seen = shown(world(folder, _SHOW, credentials=True), folder)
    assert json.loads(seen.pop("stdin")) == {
        "username": "probe",
        "password": STAFF_SECRET,
        "token": STAFF_TOKEN["STAFF_TOKEN"],
        "headers": {},
    }
    assert STAFF_TOKEN["STAFF_TOKEN"] not in json.dumps(seen)


def test_a_program_that_reads_no_input_is_no_trouble(folder: Path) -> None:
    where = world(folder, "os.close(0)\nsys.exit(10)", credentials=True)
    assert outcome(where.look("command", {"name": "vault"}, "keyholder")) == ("open", "command_open")


def test_arguments_are_given_as_they_are_and_to_no_shell(folder: Path) -> None:
    args = ["a b", "$(touch canary)", "`id`", ";", "*", "", "é"]
    assert shown(world(folder, _SHOW, args=".*"), folder, args=args)["argv"] == args
    assert not (Path("/") / "canary").exists()


# --- What may be asked for -------------------------------------------------------------------------------------------


def test_an_unknown_name_is_refused_with_those_that_there_are(folder: Path) -> None:
    where = world(folder, "sys.exit(10)")
    assert wrong(where, name="volt") == {
        "params.name": "No command of that name is registered. There are: vault."
    }  # fmt: skip
    assert "[commands.NAME]" in wrong(World(), name="vault")["params.name"]
    assert outcome(where.look("command", {"name": "volt"})) == ("inconclusive", "blocked_by_policy")


def test_arguments_are_what_the_registration_takes_on_saving_and_on_every_run(folder: Path) -> None:
    none, some = world(folder, "sys.exit(10)"), world(folder, "sys.exit(10)", args="[a-z]{1,5}")
    assert wrong(none, name="vault", args=["a"]) == {"params.args.0": "The command vault takes no arguments."}
    assert set(wrong(some, name="vault", args=["ok", "--force", "ok\n", ""])) == {
        *("params.args.1", "params.args.2", "params.args.3"),
    }
    assert valid(some, name="vault", args=["ok"]).params["args"] == ["ok"]
    assert outcome(some.look("command", {"name": "vault", "args": ["ok"]})) == ("open", "command_open")
    assert outcome(some.look("command", {"name": "vault", "args": ["--force"]})) == (
        *("inconclusive", "blocked_by_policy"),
    )


@pytest.mark.parametrize("args", [["x" * 201], ["a\0b"], ["a"] * 21, "abc", [1]])
def test_odd_arguments_are_refused(folder: Path, args: Any) -> None:
    found = wrong(world(folder, "sys.exit(10)", args=".*"), name="vault", args=args)
    assert all(field.startswith("params.args") for field in found)


def test_a_saved_check_has_a_lane_of_its_command(folder: Path) -> None:
    saved = valid(world(folder, "", args=".*"), name="vault", args=["hr", "x" * 200, "y" * 200])
    assert saved.target_key == "local:command:vault"
    assert saved.locator.text.startswith("command:vault hr xxx")
    long = valid(world(folder, "", args=".*"), name="vault", args=["x" * 200] * 20)
    assert len(long.locator.text) <= 1000


def test_it_runs_as_the_workers_own_user(folder: Path) -> None:
    text = f"sys.exit(10 if os.getuid() == {os.getuid()} else 1)"
    assert outcome(look(folder, text)) == ("open", "command_open")
