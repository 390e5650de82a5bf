"""Whether a user of this machine can open a path, tried by becoming that user. A program of its own:

    python -I -S opening.py '{"path": "/srv/data/rows.csv", "uid": 12345, "roots": ["/srv/data"], …}'

It prints one JSON object (``Found``). Standard library only, and all of it imported before it becomes somebody else,
who may not be able to read it. Nothing is ever read from a file: being let in is enough.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import pwd
import signal
import stat
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TypedDict

#: Never looked at: opening what lies there can act, and tells of the machine and not of data.
NEVER = ("/proc", "/sys", "/dev")

#: Names in a folder that are tried one by one when it cannot be listed; entries that are gone through for hard links.
SAMPLE = 100
ENTRIES = 10_000
#: The group of a uid that has no account. "nogroup" on every Linux.
NO_GROUP = 65_534

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LINUX_CAPABILITY_VERSION_3 = 0x20080522


class Job(TypedDict):
    """What to try. Exactly one of ``uid`` and ``user`` is set."""

    path: str
    uid: int | None
    user: str | None
    roots: Sequence[str]
    own: Sequence[str]
    seconds: float
    is_control: bool


class Found(TypedDict, total=False):
    """``ended``: opened, listed, by_real_path, by_name, empty, special, error, refused, nobody, not_permitted or
    not_become. ``error`` is an errno's name. ``names``: how many hard links the file has; ``also``: those in its own
    folder that the user can open. ``tried`` and ``opened``: files of a folder that cannot be listed.
    """

    ended: str
    error: str
    names: int
    also: list[str]
    tried: int
    opened: int


class Refused(Exception):
    """The path leads to a place that may not be looked at."""


def refusal(path: str, roots: Sequence[str], own: Sequence[str]) -> str | None:
    """Why ``path`` may not be looked at, or None. ``roots``: folders that may; ``own``: files that never may."""
    if any(_inside(path, place) for place in NEVER):
        return "/proc, /sys and /dev are never looked at"
    if path in own:
        return "it is one of the tracker's own files"
    if not any(_inside(path, root) for root in roots):
        return "it is in none of the folders of targets.paths, which an administrator configures"
    return None


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def tried(job: Job) -> Found:
    """1. As whoever runs this: where the path leads, and what else to try. 2. Become the user. 3. Open it as them."""
    who = _account(job["uid"], job["user"])
    if who is None:
        return {"ended": "nobody"}
    roots = [way for root in job["roots"] for way in (root, os.path.realpath(root))]
    path = job["path"]
    real = os.path.realpath(path)
    if refusal(real, roots, job["own"]):
        return {"ended": "refused"}
    names, siblings = _hard_links(real)
    inside = [] if job["is_control"] else _files_in(real)
    try:
        _become(*who)
    except PermissionError:
        return {"ended": "not_permitted"}
    except OSError:
        return {"ended": "not_become"}
    try:
        found: Found = {"ended": _open(path, roots, job["own"])}
    except Refused:
        return {"ended": "refused"}
    except OSError as error:
        found = {"ended": "error", "error": errno.errorcode.get(error.errno or 0, "EIO")}
        if error.errno in (errno.EACCES, errno.EPERM):
            found |= _around(path, real, inside, roots, job["own"])
    also = [name for name in siblings if _ends(name, roots, job["own"]) == "opened"]
    return found | {"names": names, "also": also}


def _account(uid: int | None, user: str | None) -> tuple[int, int, list[int]] | None:
    """uid, gid and groups. None: nobody is called so. A uid without an account is in no group."""
    try:
        entry = pwd.getpwuid(uid) if uid is not None else pwd.getpwnam(user or "")
    except KeyError:
        return None if uid is None else (uid, NO_GROUP, [])
    return entry.pw_uid, entry.pw_gid, os.getgrouplist(entry.pw_name, entry.pw_gid)


def _become(uid: int, gid: int, groups: list[int]) -> None:
    """For good, and without a capability left. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if (os.getresuid(), os.getresgid()) != ((uid,) * 3, (gid,) * 3) or {*os.getgroups(), gid} != {*groups, gid}:
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    if uid and libc.capset((ctypes.c_uint32 * 2)(_LINUX_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capset")
    if os.getresuid() != (uid,) * 3 or os.getresgid() != (gid,) * 3 or {*os.getgroups(), gid} != {*groups, gid}:
        raise OSError(errno.EINVAL, "not the user that was asked for")


def _open(path: str, roots: Sequence[str], own: Sequence[str], follow: int = 0) -> str:
    """``opened``, ``listed``, ``empty`` or ``special``. Raises OSError, or Refused.

    First a handle that opens nothing (O_PATH): it shows what the path leads to now, and that very thing is then opened.
    So no FIFO or device is opened, and no change of a symbolic link in between leads elsewhere.
    """
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC | follow)
    try:
        mode = os.fstat(handle).st_mode
        if refusal(str(Path(f"/proc/self/fd/{handle}").readlink()), roots, own):
            raise Refused
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            return "special"
        door = os.open(f"/proc/self/fd/{handle}", _READ)
    finally:
        os.close(handle)
    try:
        if stat.S_ISREG(mode):
            return "opened"
        with os.scandir(door) as entries:
            return "empty" if next(entries, None) is None else "listed"
    finally:
        os.close(door)


def _ends(path: str, roots: Sequence[str], own: Sequence[str]) -> str:
    """As ``_open``, which a symbolic link at the end stops here. Whatever else is wrong is ``error``."""
    try:
        return _open(path, roots, own, os.O_NOFOLLOW)
    except (OSError, Refused):
        return "error"


def _hard_links(real: str) -> tuple[int, list[str]]:
    """How many names the file has, and its other ones in the same folder, as far as this user sees."""
    try:
        file = Path(real).stat()
        if not stat.S_ISREG(file.st_mode) or file.st_nlink < 2:
            return 1, []
        with os.scandir(Path(real).parent) as entries:
            same = [entry.path for entry in islice(entries, ENTRIES) if entry.inode() == file.st_ino]
        others = [path for path in same if path != real and os.path.samestat(Path(path).lstat(), file)]
        return file.st_nlink, sorted(others)[:SAMPLE]
    except OSError:
        return 1, []


def _files_in(real: str) -> list[str]:
    """Some files of a folder: who cannot list it may still open them by name."""
    try:
        with os.scandir(real) as entries:
            return [entry.name for entry in islice(entries, SAMPLE) if entry.is_file(follow_symlinks=False)]
    except OSError:
        return []


def _around(path: str, real: str, names: list[str], roots: Sequence[str], own: Sequence[str]) -> Found:
    """Ways around a denial: the place that a symbolic link leads to, and the files of a folder by their names."""
    if real != path and _ends(real, roots, own) in ("opened", "listed"):
        return {"ended": "by_real_path"}
    opened = sum(_ends(f"{real}/{name}", roots, own) == "opened" for name in names)
    return {"ended": "by_name", "tried": len(names), "opened": opened} if opened else {"tried": len(names)}


def main() -> None:
    """Ends by its own alarm too: its starter may have no right to kill the user that it became."""
    job: Job = json.loads(sys.argv[1])
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.setitimer(signal.ITIMER_REAL, job["seconds"])
    sys.stdout.write(json.dumps(tried(job)))


if __name__ == "__main__":
    main()
