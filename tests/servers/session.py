"""The folder that a test session's servers live in, shared by every pytest-xdist worker of that session.

The process that collects (the only one, or the controller of the workers) owns the folder and a lock in it; workers
find it through ``SEV_TESTS_FOLDER``. It is not under pytest's own temporary folder, which is closed to the user that
the servers run as.
"""

from __future__ import annotations

import fcntl
import grp
import json
import os
import pwd
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VARIABLE = "SEV_TESTS_FOLDER"
SUPERVISE = Path(__file__).with_name("supervise.py")
PATIENCE_S = 60.0


class Session:
    """Owns the folder from ``open`` to ``close``. Only the collecting process has one."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sevtracker-tests-"))
        self.folder.chmod(0o711)  # the servers' own user passes through, and sees nothing
        self._lock = (self.folder / "owner.lock").open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.environ[VARIABLE] = str(self.folder)

    def close(self) -> None:
        """Stop every server and remove the folder."""
        folders = [pid_file.parent for pid_file in self.folder.glob("*/supervisor.pid")]
        for folder in folders:
            ask_to_stop(folder)
        for folder in folders:
            wait_until_stopped(folder)
        self._lock.close()
        os.environ.pop(VARIABLE, None)
        shutil.rmtree(self.folder, ignore_errors=True)


def session_folder() -> Path:
    return Path(os.environ[VARIABLE])


@contextmanager
def exclusively(name: str) -> Iterator[None]:
    """Only one worker at a time is inside for the same ``name``."""
    with (session_folder() / f"{name}.lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def once(name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``make`` returned for the first worker that asked for ``name``; the others wait for it and read it."""
    with exclusively(name):
        note = session_folder() / f"{name}.json"
        if not note.exists():
            note.write_text(json.dumps(make()))
        found: dict[str, Any] = json.loads(note.read_text())
        return found


def _user_and_group() -> tuple[str, str]:
    """Whom to run a server as, when we are root: PostgreSQL refuses root. Empty: as we are."""
    if os.geteuid() != 0:
        return "", ""
    names = {entry.pw_name: entry.pw_gid for entry in pwd.getpwall()}
    user = next(name for name in ("postgres", "nobody") if name in names)
    return user, grp.getgrgid(names[user]).gr_name


def runs_as_another_user() -> bool:
    return bool(_user_and_group()[0])


def as_server_user() -> dict[str, Any]:
    """What to pass to ``subprocess`` so that the command runs as the servers do."""
    user, group = _user_and_group()
    return {"user": user, "group": group, "extra_groups": []} if user else {}


def give_to_server_user(path: Path) -> None:
    user, group = _user_and_group()
    if user:
        shutil.chown(path, user, group)


def new_server_folder(name: str) -> Path:
    """A fresh folder of the server user's own."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=session_folder()))
    give_to_server_user(folder)
    return folder


def free_port() -> int:
    """A port that was free a moment ago on 127.0.0.1."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind(("::1", 0))
    except OSError:
        return False
    return True


def start(folder: Path, stop_signal: signal.Signals, command: list[str], ready: Callable[[], bool]) -> None:
    """Start ``command`` under a supervisor and wait until ``ready``. Raises RuntimeError with the log's end."""
    supervise = [sys.executable, "-I", "-S", str(SUPERVISE), str(folder), *_user_and_group(), str(int(stop_signal))]
    # posix_spawn, not Popen: the server belongs to the session, and a worker that ends must not be asked about it.
    # Its own process group: Ctrl-C reaches pytest alone. No inherited pipes: nobody waits for their end.
    silence = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    pid = os.posix_spawn(sys.executable, [*supervise, *command], os.environ, file_actions=silence, setpgroup=0)
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        ended, _ = os.waitpid(pid, os.WNOHANG)
        if ended or time.monotonic() > deadline:
            log = (folder / "log").read_text(errors="replace") if (folder / "log").exists() else ""
            raise RuntimeError(f"{command[0]} did not start. The end of its log:\n{log[-3000:]}")
        time.sleep(0.03)


def is_running(folder: Path) -> bool:
    return (folder / "supervisor.pid").exists()


def ask_to_stop(folder: Path) -> None:
    try:
        os.kill(int((folder / "supervisor.pid").read_text()), signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        return


def wait_until_stopped(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while is_running(folder):
        if time.monotonic() > deadline:
            raise RuntimeError(f"The server in {folder.name} does not stop.")
        time.sleep(0.02)
