"""A real PostgreSQL for tests: TCP on 127.0.0.1 (and ::1 where there is one), passwords asked for, nothing synced."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.servers import session
from tests.servers.binaries import postgres_bin, postgres_releases

SUPERUSER = "postgres"
#: Owns the databases that ``create_database`` makes. No superuser, like the role of a real installation.
OWNER = "tracker_owner"
#: For tests only, the server listens on loopback only. Fixed, since private servers are copies of one data folder.
PASSWORD = "only-for-tests"

_STRATEGIES_SINCE = 150000
_SPEED = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "lc_messages": "C",
    "unix_socket_directories": "",
}


@dataclass
class PostgresServer:
    """A running server, or one that its test has stopped (``private`` ones only)."""

    folder: str
    host: str
    port: int
    private: bool = False
    superuser: str = SUPERUSER
    password: str = PASSWORD
    #: Server settings over those that make tests fast: the bench wants commits that are synced.
    settings: dict[str, str] = field(default_factory=dict)
    #: Its major version, where that matters; 0 is whichever ``postgres_bin`` finds.
    release: int = 0

    @property
    def superuser_dsn(self) -> str:
        """libpq address of the database ``postgres`` as superuser: for ``psycopg.connect``."""
        return self.dsn("postgres")

    def dsn(self, database: str, user: str = SUPERUSER, password: str = PASSWORD, host: str | None = None) -> str:
        """libpq address. ``host`` may be ``::1`` or ``localhost``."""
        host = host or self.host
        return f"postgresql://{user}:{password}@{f'[{host}]' if ':' in host else host}:{self.port}/{database}"

    def url(self, database: str, user: str = OWNER, password: str = PASSWORD, host: str | None = None) -> str:
        """SQLAlchemy address, as the tracker's configuration takes it."""
        return self.dsn(database, user, password, host).replace("postgresql://", "postgresql+psycopg://", 1)

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run ``statements`` as superuser, each committed by itself; the rows of the last, if it has any."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def create_role(self, name: str, password: str = PASSWORD, options: str = "") -> None:
        """A role that may sign in. ``options``: SQL, such as ``BYPASSRLS``."""
        self.execute(f"""CREATE ROLE "{name}" LOGIN PASSWORD '{password}' {options}""")

    def create_database(self, name: str | None = None, template: str | None = None, owner: str = OWNER) -> str:
        """A new database (a random name unless given one), empty or a copy of ``template``. Returns its ``url``."""
        name = name or f"test_{secrets.token_hex(6)}"
        words = [sql.Identifier(word) for word in (name, template or "template1", owner)]
        with psycopg.connect(self.superuser_dsn, autocommit=True) as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*words)
            if connection.info.server_version >= _STRATEGIES_SINCE:
                statement += sql.SQL(" STRATEGY FILE_COPY")  # three times as fast as WAL_LOG when nothing is synced
            connection.execute(statement)
        return self.url(name, owner)

    def create_template(self, name: str, build: Callable[[str], None]) -> str:
        """A database that ``build(url)`` filled, once per session whichever worker asks first. Returns ``name``.

        ``build`` has to close its connections. Pass the name as ``create_database(template=...)``.
        """
        with session.exclusively(f"template-{self.port}-{name}"):
            if not self.execute(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
                build(self.create_database(f"{name}_draft"))
                self.execute(f'ALTER DATABASE "{name}_draft" RENAME TO "{name}"')
        return name

    def drop_database(self, name: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def start(self) -> None:
        """Start it again, on the same port with the same data. Returns when it answers."""
        listen = f"{self.host},::1" if session.has_ipv6() else self.host
        settings = {**_SPEED, "port": str(self.port), "listen_addresses": listen, **self.settings}
        options = [f"--{key}={value}" for key, value in settings.items()]
        data = f"{self.folder}/data"
        session.start(
            Path(self.folder),
            signal.SIGINT,
            [str(_commands(self.release) / "postgres"), "-D", data, *options],
            self._answers,
        )

    def stop(self) -> None:
        """Stop it: connections are cut, new ones refused. For private servers only, the other one has other users."""
        if not self.private:
            raise RuntimeError("This server is shared. Ask for the fixture private_postgres.")
        session.ask_to_stop(Path(self.folder))
        session.wait_until_stopped(Path(self.folder))

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.superuser_dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def shared_server() -> PostgresServer:
    """The session's server, started by the first worker that asks. Raises binaries.Missing."""
    return PostgresServer(**session.once("postgres", lambda: asdict(new_server(private=False))))


def new_server(*, private: bool = True, settings: dict[str, str] | None = None, release: int = 0) -> PostgresServer:
    """A server of its own, running, with these settings over the usual ones. Raises binaries.Missing."""
    template = session.once(f"postgres-data{release or ''}", lambda: _initdb(release))["folder"]
    folder = session.new_server_folder("postgres")
    subprocess.run(["cp", "-a", f"{template}/data", folder], check=True)
    server = PostgresServer(str(folder), "127.0.0.1", session.free_port(), private=private, release=release)
    server.settings = dict(settings or {})
    server.start()
    return server


def _commands(release: int) -> Path:
    """PostgreSQL's commands, where the user that runs the server can reach them.

    The wheel's lie in our virtual environment, maybe below a folder that only we may enter: then a copy is used.
    """
    found = postgres_releases()[release] if release else postgres_bin()
    if not (session.runs_as_another_user() and found.is_relative_to(sys.prefix)):
        return found
    copied = session.once(f"postgres-commands{release or ''}", lambda: {"bin": str(_copy_of_wheel(found))})
    return Path(copied["bin"])


def _copy_of_wheel(commands: Path) -> Path:
    """``PACKAGE/INSTALL/bin`` and the libraries that it expects in ``PACKAGE.libs`` beside the package."""
    install, package = commands.parents[0], commands.parents[1]
    copy = session.session_folder() / f"postgres-wheel-{install.name}"
    for part in (install, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, copy / part.relative_to(package.parent), symlinks=True)
    return copy / commands.relative_to(package.parent)


def _initdb(release: int) -> dict[str, str]:
    """A data folder to copy, with the roles in it."""
    folder = session.new_server_folder("postgres-data")
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    session.give_to_server_user(password_file)
    command = [
        *(str(_commands(release) / "initdb"), "-D", str(folder / "data"), "-U", SUPERUSER),
        *("--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **session.as_server_user())
    if done.returncode:
        raise RuntimeError(f"initdb did not work:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    first = PostgresServer(str(folder), "127.0.0.1", session.free_port(), private=True, release=release)
    first.start()
    first.create_role(OWNER, options="CREATEDB CREATEROLE")
    first.stop()
    return {"folder": str(folder)}
