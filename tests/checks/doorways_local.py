"""The doorways of the kinds that look from the worker's own machine: a file, a log in a file, a port, a program."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sevtracker.checks.local import LocalRules
from sevtracker.config import Command
from tests.checks.contract import Doorway, doorway
from tests.checks.machine import accounts, file_of, people, ports, program, reachable_folder
from tests.checks.sites import World, cast


@doorway("filesystem")
@contextlib.contextmanager
def filesystem() -> Iterator[Doorway]:
    if os.geteuid() != 0:
        pytest.skip("only root may become other users")
    owner = accounts()[1]
    with reachable_folder() as folder:
        volume, away = folder / "volume", folder / "away"

        def reopen() -> None:
            if away.exists():
                away.rename(volume)
            volume.mkdir(exist_ok=True)
            for left in volume.iterdir():
                left.unlink()
            file_of(volume, owner, mode=0o644)

        yield Doorway(
            kind="filesystem",
            params={"path": str(volume / "rows.csv")},
            identity="employee",
            identity_with_dead_password="ghost",  # no password here: what dies is the account
            control="owner",
            reopen=reopen,
            lock=lambda: (volume / "rows.csv").chmod(0o600),
            stop=lambda: volume.rename(away),
            rename=lambda: (volume / "rows.csv").rename(volume / "rows-old.csv"),
            world=World(identities=dict(people()), local=LocalRules(paths=(str(folder),))),
            # A volume that is not mounted has no sign of its own: there is nothing there, not even for the control.
            stopped_as=("inconclusive", "control_failed"),
        )


@doorway("access_log in a CSV file")
@contextlib.contextmanager
def access_log_in_csv() -> Iterator[Doorway]:
    with reachable_folder() as folder:
        volume, away = folder / "volume", folder / "away"
        log = volume / "accesses.csv"

        def write(**more: float) -> None:
            """The clock's entries over the last day, the control's, and ``more``: how many hours ago who came in."""
            entries = [("clock", n / 2) for n in range(51)] + [("privacy_team", 0.0), *more.items()]
            now = datetime.now(UTC)
            lines = [f"{who},{(now - timedelta(hours=hours)).isoformat()}\n" for who, hours in entries]
            log.write_text("usr,ts\n" + "".join(lines))

        def reopen() -> None:
            if away.exists():
                away.rename(volume)
            volume.mkdir(exist_ok=True)
            for left in volume.iterdir():
                left.unlink()
            write(stranger=3.0)

        yield Doorway(
            kind="access_log",
            params={
                "csv": str(log),
                "columns": {"principal": "usr", "at": "ts"},
                "allowed_principals": ["clock"],
                "canary_principal": "privacy_team",
            },
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=write,
            stop=lambda: volume.rename(away),
            rename=lambda: log.rename(volume / "accesses-old.csv"),
            world=World(local=LocalRules(paths=(str(folder),))),
            closed_as="not_accessed",
            own_control=True,
            # A file that is not there, on a volume or at all, is a log that does not speak.
            stopped_as=("inconclusive", "log_incomplete"),
            renamed_as=("inconclusive", "log_incomplete"),
            # The worker reads it as itself, so a dead password changes nothing.
            dead_as=("closed", "not_accessed"),
        )


@doorway("tcp")
@contextlib.contextmanager
def tcp() -> Iterator[Doorway]:
    with ports("127.0.0.1", "127.0.0.1") as (door, control):

        def reopen() -> None:
            door.open()
            control.open()

        def stop() -> None:
            door.shut()
            control.shut()

        yield Doorway(
            kind="tcp",
            params={"host": "127.0.0.1", "port": door.port, "control_port": control.port},
            identity="anonymous",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=door.shut,
            stop=stop,
            rename=door.shut,
            world=World(identities=cast()),
            closed_as="no_connection",
            own_control=True,
            # With the whole host gone its control place is gone too.
            stopped_as=("inconclusive", "control_failed"),
            # Nobody signs in, so a dead password changes nothing.
            dead_as=("closed", "no_connection"),
            # A service that moved to another port looks just like a shut one. That is why it is never sole evidence.
            renamed_as=("closed", "no_connection"),
        )


#: A program as somebody would write it: it tries a door as whoever it is given, and its own control.
_PROBE = """
folder = sys.argv[1]
who = json.load(sys.stdin)
state = open(os.path.join(folder, "state")).read()
if state == "stopped" or who["password"] == "canary-wrong-Zq9":
    sys.exit(3)
if state == "open":
    sys.exit(10)
print(json.dumps({"nonce": os.environ["SEVTRACKER_NONCE"], "control_ok": state == "locked", "verdict": "closed"}))
"""


@doorway("command")
@contextlib.contextmanager
def command() -> Iterator[Doorway]:
    with reachable_folder() as folder:
        argv = (*program(folder, _PROBE), str(folder))
        state: Path = folder / "state"
        yield Doorway(
            kind="command",
            params={"name": "vault-door"},
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=lambda: state.write_text("open"),
            lock=lambda: state.write_text("locked"),
            stop=lambda: state.write_text("stopped"),
            rename=lambda: state.write_text("renamed"),
            world=World(local=LocalRules(commands={"vault-door": Command(argv=argv, credentials=True)})),
            closed_as="command_closed",
            own_control=True,
            # Why a program could not tell is its own business: it has three words, and this is none of them.
            stopped_as=("inconclusive", "plugin_error"),
            dead_as=("inconclusive", "plugin_error"),
        )
