"""A real MariaDB for tests: TCP on 127.0.0.1 (and ::1 where there is one), one superuser, nothing synced."""

from __future__ import annotations

import secrets
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pymysql

from tests.servers import session
from tests.servers.binaries import mariadb_commands

SUPERUSER = "root_of_tests"
#: For tests only, the server listens on loopback only.
PASSWORD = "only-for-tests"

_FIRST_SQL = f"""
CREATE USER '{SUPERUSER}'@'%' IDENTIFIED BY '{PASSWORD}';
GRANT ALL PRIVILEGES ON *.* TO '{SUPERUSER}'@'%' WITH GRANT OPTION;
DELETE FROM mysql.global_priv WHERE User IN ('', 'root');
FLUSH PRIVILEGES;
"""


@dataclass
class MariaDBServer:
    """A running server, or one that its test has stopped (``private`` ones only)."""

    folder: str
    host: str
    port: int
    private: bool = False
    superuser: str = SUPERUSER
    password: str = PASSWORD

    @property
    def superuser_url(self) -> str:
        """SQLAlchemy address of the server as its superuser, with no database chosen."""
        return self.url("")

    def url(self, database: str, user: str = SUPERUSER, password: str = PASSWORD, host: str | None = None) -> str:
        """SQLAlchemy address. ``host`` may be ``::1``."""
        host = host or self.host
        return f"mysql+pymysql://{user}:{password}@{f'[{host}]' if ':' in host else host}:{self.port}/{database}"

    def execute(self, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run ``statements`` as superuser, each committed by itself; the rows of the last, if it has any."""
        connection = self._connect(database)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def create_user(self, name: str, password: str = PASSWORD) -> None:
        """A user that may sign in from anywhere, and do nothing yet. Grant to ``'name'@'%'``."""
        self.execute(f"CREATE USER '{name}'@'%' IDENTIFIED BY '{password}'")

    def create_database(self, name: str | None = None) -> str:
        """A new empty database (a random name unless given one). Returns its ``url`` as superuser."""
        name = name or f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE `{name}`")
        return self.url(name)

    def drop_database(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS `{name}`")

    def start(self) -> None:
        """Start it again, on the same port with the same data. Returns when it answers."""
        daemon, _ = mariadb_commands()
        folder = Path(self.folder)
        options = [
            f"--datadir={folder}/data",
            f"--socket={folder}/socket",
            f"--pid-file={folder}/pid",
            f"--bind-address={self.host}{',::1' if session.has_ipv6() else ''}",
            f"--port={self.port}",
            *("--skip-name-resolve", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--sync-frm=0"),
            *("--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", "--innodb-fast-shutdown=2"),
            *("--performance-schema=OFF", "--innodb-use-native-aio=0", "--lower-case-table-names=0"),
        ]
        first_sql = folder / "first.sql"
        if first_sql.exists():
            options.append(f"--init-file={first_sql}")
        session.start(folder, signal.SIGTERM, [str(daemon), "--no-defaults", *options], self._answers)
        first_sql.unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop it: connections are cut, new ones refused. For private servers only, the other one has other users."""
        if not self.private:
            raise RuntimeError("This server is shared. Ask for the fixture private_mariadb.")
        session.ask_to_stop(Path(self.folder))
        session.wait_until_stopped(Path(self.folder))

    def _connect(self, database: str | None = None) -> pymysql.connections.Connection[Any]:
        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=SUPERUSER,
            password=PASSWORD,
            database=database,
            autocommit=True,
            connect_timeout=2,
        )

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except pymysql.err.OperationalError:
            return False
        return True


def shared_server() -> MariaDBServer:
    """The session's server, started by the first worker that asks. Raises binaries.Missing."""
    return MariaDBServer(**session.once("mariadb", lambda: asdict(new_server(private=False))))


def new_server(*, private: bool = True) -> MariaDBServer:
    """A server of its own, running. Raises binaries.Missing."""
    template = session.once("mariadb-data", _install_db)["folder"]
    folder = session.new_server_folder("mariadb")
    for part in ("data", "first.sql"):
        subprocess.run(["cp", "-a", f"{template}/{part}", folder], check=True)
    server = MariaDBServer(folder=str(folder), host="127.0.0.1", port=session.free_port(), private=private)
    server.start()
    return server


def _install_db() -> dict[str, str]:
    """A data folder to copy, and the SQL that its first start runs."""
    _, install_db = mariadb_commands()
    folder = session.new_server_folder("mariadb-data")
    command = [
        *(str(install_db), "--no-defaults", f"--datadir={folder}/data", "--auth-root-authentication-method=normal"),
        *("--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=16M", "--innodb-use-native-aio=0"),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **session.as_server_user())
    if done.returncode:
        raise RuntimeError(f"mariadb-install-db did not work:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    first_sql = folder / "first.sql"
    first_sql.write_text(_FIRST_SQL)
    first_sql.chmod(0o644)
    return {"folder": str(folder)}
