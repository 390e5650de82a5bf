"""Install what tests need and pip cannot bring: ``python -m tests.servers.install``, from ``make test``.

Takes Debian's packages when this is root on a machine with apt-get. Anywhere else, or when that fails, it says what is
missing and how to get it, and ends well all the same: the tests that need it then fail with the same words.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from tests.servers.binaries import (
    CHROMIUM,
    MARIADB,
    POSTGRES,
    Missing,
    Need,
    chromium_command,
    mariadb_commands,
    postgres_bin,
)

FINDERS: dict[Need, Callable[[], object]] = {
    CHROMIUM: chromium_command,
    MARIADB: mariadb_commands,
    POSTGRES: postgres_bin,
}


def missing() -> list[Need]:
    """The needs that this machine does not meet."""
    found = []
    for need, find in FINDERS.items():
        try:
            find()
        except Missing:
            found.append(need)
    return found


def main() -> None:
    wanted = missing()
    if wanted and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [package for need in wanted for package in need.packages]
        print(f"Installing for the tests, with apt-get: {' '.join(packages)}", flush=True)
        # RUNLEVEL=1 keeps Debian from starting the service it has just installed: each test run starts its own.
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *packages]):
            done = subprocess.run(
                ["apt-get", *command], env=environ, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False
            )
            if done.returncode:
                print(f"apt-get {command[0]} did not work (exit {done.returncode}).", file=sys.stderr)
        wanted = missing()
    for need in wanted:
        print(f"Some tests will fail: {need.message}", file=sys.stderr)


if __name__ == "__main__":
    main()
