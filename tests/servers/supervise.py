"""Run one server for as long as its test session lives. Standard library only; started as a script of its own.

    supervise.py FOLDER USER GROUP STOP_SIGNAL COMMAND...

The server must not outlive the session, however that ends; a worker that started it may end long before. So:

1. Start COMMAND as USER and GROUP (empty: as we are), its output in FOLDER/log, and write our id to
   FOLDER/supervisor.pid.
2. Wait until COMMAND ends, or we are told to stop (SIGTERM), or nobody holds the lock of FOLDER/../owner.lock any
   more: the session is gone, even by kill -9, since the kernel drops a dead process's locks.
3. Stop COMMAND: STOP_SIGNAL, after 15 seconds SIGKILL. Remove supervisor.pid.
4. If the session is gone, remove what it left.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def main(folder: Path, user: str, group: str, stop_signal: int, command: list[str]) -> None:
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.append(number))
    identity: dict[str, Any] = {"user": user, "group": group, "extra_groups": []} if user else {}
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True, **identity
        )
    pid_file = folder / "supervisor.pid"
    pid_file.write_text(str(os.getpid()))
    orphaned = False
    while server.poll() is None and not told and not orphaned:
        time.sleep(0.1)
        orphaned = _owner_is_gone(folder.parent / "owner.lock")
    if server.poll() is None:
        server.send_signal(stop_signal)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    pid_file.unlink(missing_ok=True)
    if orphaned:
        shutil.rmtree(folder.parent, ignore_errors=True)


def _owner_is_gone(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except FileNotFoundError:
        return True
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:])
