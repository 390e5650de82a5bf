"""Starting is fast because little is loaded; nothing is computed by loading it."""

from __future__ import annotations

import subprocess
import sys

from argon2 import PasswordHasher

from sevtracker.actions import people


def _loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_the_list_of_commands_loads_no_command() -> None:
    loaded = _loaded_by("import sevtracker.cli.root")
    assert not loaded & {"sqlalchemy", "flask", "pydantic", "apscheduler", "pycurl", "waitress", "structlog"}


def test_a_command_on_the_database_loads_no_web() -> None:
    loaded = _loaded_by("import sevtracker.cli.ledger, sevtracker.cli.people, sevtracker.cli.gate")
    assert not loaded & {"flask", "apscheduler", "waitress", "alembic"}


def test_the_hash_that_stands_for_nobody_takes_as_long_as_a_real_one() -> None:
    """It is written down, so it has to keep up with the hasher's parameters."""
    assert not PasswordHasher().check_needs_rehash(people._NOBODY)
