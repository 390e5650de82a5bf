"""The demo is a test of its own: it says by its exit code whether every expected state was seen."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.servers import session

pytestmark = pytest.mark.slow


def test_the_demo_sees_every_state_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir=session.session_folder()))
    folder.chmod(0o711)  # PostgreSQL's own account has to pass through; pytest's folders are closed to it
    began = time.monotonic()
    told = subprocess.run(
        [sys.executable, "-m", "sevtracker", "demo", "--fast", "--exit"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "✗" not in told.stdout
    assert told.stdout.count("✓") == 11
    assert "patch 1 has failed" in told.stdout
    assert "reopened by the next watch run" in told.stdout
    assert list(folder.iterdir()) == []
    print(f"the demo took {time.monotonic() - began:.0f} s")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand over to another account")
def test_a_temporary_folder_that_postgresql_cannot_enter_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    told = subprocess.run(
        [sys.executable, "-m", "sevtracker", "demo", "--fast", "--exit"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(closed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert (told.returncode, "TMPDIR" in told.stderr) == (2, True), told.stderr
    assert "Traceback" not in told.stderr
    assert list(closed.iterdir()) == []
