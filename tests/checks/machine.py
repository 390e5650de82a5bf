"""This machine as a target: folders that other users can reach, users to become, ports, small programs."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import struct
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sevtracker.config import Identity
from tests.checks.sites import person

#: Users without an account.
STRANGER, FRIEND = 12345, 12346

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become other users")


def accounts() -> tuple[str, str]:
    """Two accounts of this machine that are not root's, with groups of their own."""
    found = [one.pw_name for one in pwd.getpwall() if 0 < one.pw_uid < 65534 and 0 < one.pw_gid < 65534]
    return found[0], found[1]


def people() -> Mapping[str, Identity]:
    """``employee`` must not get in, ``owner`` has to; ``ghost`` has no account any more."""
    staff, control = accounts()
    return {
        "employee": Identity.model_validate({"class": "staff", "username": staff}),
        "ghost": Identity.model_validate({"class": "staff", "username": "no-such-account"}),
        "owner": Identity.model_validate({"class": "control", "username": control}),
        "nameless": Identity.model_validate({"class": "staff"}),
        "keyholder": person("staff", username="probe", password="env:STAFF_SECRET", token="env:STAFF_TOKEN"),
    }


@contextlib.contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder that every user can enter: pytest's own are for their owner only."""
    folder = Path(tempfile.mkdtemp(prefix="sev-doors-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_of(folder: Path, owner: str, name: str = "rows.csv", mode: int = 0o600) -> Path:
    """A file with content that belongs to ``owner``."""
    file = folder / name
    file.write_text("ssn 078-05-1120\n")
    entry = pwd.getpwnam(owner)
    os.chown(file, entry.pw_uid, entry.pw_gid)
    file.chmod(mode)
    return file


def let_read(path: Path, uid: int) -> None:
    """An entry for ``uid`` in the file's POSIX ACL, written as the kernel keeps it. Skips where there are no ACLs."""
    owner, named, group, mask, other, nobody = 0x01, 0x02, 0x04, 0x10, 0x20, 0xFFFFFFFF
    entries = [(owner, 6, nobody), (named, 4, uid), (group, 0, nobody), (mask, 4, nobody), (other, 0, nobody)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(path, "system.posix_acl_access", acl)
    except OSError as error:
        pytest.skip(f"this file system keeps no POSIX ACLs ({error.strerror})")


class Port:
    """A listening socket on a loopback address, which may be shut and opened again."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host, self.port = host, port
        self._line: socket.socket | None = None
        self.open()

    def open(self) -> None:
        if self._line is None:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            self._line = socket.create_server((self.host, self.port), family=family, backlog=64)
            self.port = self._line.getsockname()[1]

    def shut(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def heard(self) -> bytes:
        """What the first to connect sent before it went."""
        assert self._line is not None
        caller, _ = self._line.accept()
        with caller:
            return caller.recv(1000)


@contextlib.contextmanager
def ports(*hosts: str) -> Iterator[list[Port]]:
    opened = [Port(host) for host in hosts]
    try:
        yield opened
    finally:
        for port in opened:
            port.shut()


def program(folder: Path, text: str, name: str = "probe") -> tuple[str, str]:
    """A Python program, as the ``argv`` of a command."""
    file = folder / name
    file.write_text("import json, os, subprocess, sys, time\n" + text)
    return sys.executable, str(file)
