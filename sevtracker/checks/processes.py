"""A process of its own, with a hard end: for looks that may hang, and for programs that are not ours."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: Seconds between two looks at whether a process has ended.
_LOOK = 0.05
#: Seconds that a killed process is waited for. One that waits for a dead disk can't be killed, and is left behind.
_LAST_WAIT = 0.5
#: What a pipe takes at once, whatever its reader does.
_PIPE = 65_536


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended. ``code`` None: it was killed, at its deadline or since it wrote more than ``cap``."""

    code: int | None
    output: bytes = field(default=b"", repr=False)
    too_much: bool = False


def run_bounded(argv: Sequence[str], *, timeout: float, cap: int, env: Mapping[str, str], given: bytes = b"") -> Ended:
    """Run ``argv`` without a shell in ``/``, for ``timeout`` seconds at most, and take up to ``cap`` bytes of stdout.

    ``given`` is its standard input; standard error goes nowhere. It leads a process group, of which nothing is left
    afterwards. Raises OSError when it cannot be started, ValueError for too long a ``given``.
    """
    if len(given) > _PIPE:
        raise ValueError("too much for a standard input")
    ends = time.monotonic() + timeout
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE if given else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=dict(env),
        start_new_session=True,
    )
    try:
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(process.stdin.fileno(), given)
            process.stdin.close()
        output = _read(process, cap, ends)
        by_itself = len(output) <= cap and _ended_before(process.pid, ends)
    finally:
        _end(process)
    return Ended(process.returncode if by_itself else None, output[:cap], len(output) > cap)


def _read(process: subprocess.Popen[bytes], cap: int, ends: float) -> bytes:
    """Up to the end of its output, its own end, ``ends``, or one byte more than ``cap``."""
    assert process.stdout is not None
    taken = bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        while len(taken) <= cap and (left := ends - time.monotonic()) > 0:
            ended = _has_ended(process.pid)  # asked first: what it wrote before its end can be read now
            if ready.select(0 if ended else min(left, _LOOK)):
                chunk = os.read(process.stdout.fileno(), cap + 1 - len(taken))
                if not chunk:
                    break
                taken += chunk
            elif ended:  # somebody that it started holds the pipe open
                break
    return bytes(taken)


def _ended_before(pid: int, ends: float) -> bool:
    pause = 0.001
    while not _has_ended(pid):
        if time.monotonic() >= ends:
            return False
        time.sleep(pause)
        pause = min(pause * 2, _LOOK)
    return True


def _has_ended(pid: int) -> bool:
    """Without reaping it: until then its number, which is its group's, is nobody else's."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):  # none left, or now another user's: that one ends by its own alarm
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_LAST_WAIT)
    if process.stdout is not None:
        process.stdout.close()
