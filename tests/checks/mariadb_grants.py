"""A MariaDB of a test file's own, whose accounts are all known: grants are the whole server's."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from sevtracker.checks.interface import Access, Credentials, Pinned
from sevtracker.checks.sql.grants import Enumeration
from sevtracker.checks.sql.grants_mysql import enumerate_grants
from sevtracker.checks.sql.places import sql_place
from sevtracker.checks.sql.sessions import open_session
from sevtracker.clock import SystemClock
from tests.servers.mariadb import SUPERUSER, MariaDBServer

PAGE = Path(__file__).parents[2] / "docs/checks/sql_grants_mysql.md"
WATCHER = "sev_grants"
_KEPT = f"('{SUPERUSER}', 'mariadb.sys', '{WATCHER}')"


def least_privileges(password: str, user: str = WATCHER) -> list[str]:
    """The statements of the page's block for MariaDB, as somebody would run them."""
    block = re.search(r"```sql\n-- MariaDB\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    text = re.sub(r"^--.*\n", "", block[1], flags=re.MULTILINE)
    quoted = password.replace("\\", "\\\\").replace("'", "''")
    text = text.replace("10.0.0.%", "%").replace(WATCHER, user)
    return [statement.replace("…", quoted) for statement in text.split(";\n") if statement.strip()]


@dataclass
class Hr:
    """``hr.events`` holds staff data. ``bob`` is off the list; ``privacy_team`` is on it, and reads."""

    server: MariaDBServer

    def install(self) -> None:
        self.server.execute(*least_privileges("x"))

    def reset(self) -> None:
        """The cast and their database, and nothing else."""
        self.forget_grants()
        for (name,) in self.server.execute("SHOW DATABASES"):
            if name not in ("mysql", "sys", "information_schema", "performance_schema", "sevtracker"):
                self.run(f"DROP DATABASE `{name}`")
        self.run(
            "CREATE DATABASE hr",
            "CREATE DATABASE reports",
            "CREATE TABLE hr.events (id int, ssn text)",
            "INSERT INTO hr.events VALUES (1, 'canary-078-05-1120')",
        )

    def forget_grants(self) -> None:
        """Only the cast, with what it has at first."""
        tables = ("global_priv", "db", "tables_priv", "columns_priv", "procs_priv")
        self.run(
            *(f"DELETE FROM mysql.{table} WHERE User NOT IN {_KEPT}" for table in tables),
            *("DELETE FROM mysql.roles_mapping", "DELETE FROM mysql.proxies_priv", "FLUSH PRIVILEGES"),
            *("CREATE USER bob@'%' IDENTIFIED BY 'x'", "CREATE USER privacy_team@'%' IDENTIFIED BY 'x'"),
            "GRANT SELECT ON hr.* TO privacy_team@'%'",
        )

    def run(self, *statements: str) -> None:
        self.server.execute(*statements)

    def see(
        self,
        allowed: Collection[str] = ("privacy_team",),
        *,
        table: str = "hr.events",
        user: str = WATCHER,
        secret: str = "x",
        superuser_too: bool = True,
    ) -> Enumeration:
        """What the enumerator brings, asked as ``user``. ``superuser_too``: the tests' own is on the list."""
        schema, name = table.split(".")
        pin = Pinned("127.0.0.1", socket.AF_INET, self.server.port)
        access = Access(Credentials(user, secret), (pin,), 10, SystemClock(), False, lambda _: (pin,), lambda _: "")
        listed = (*allowed, SUPERUSER) if superuser_too and allowed else allowed
        with open_session(sql_place(f"mariadb://127.0.0.1:{self.server.port}"), access) as session:
            return enumerate_grants(session, schema, name, listed)

    def leaks(self, *allowed: str) -> set[tuple[str, str, int]]:
        """How, where and how many, of an enumeration that nothing was withheld from."""
        seen = self.see(allowed or ("privacy_team",))
        assert (seen.found, seen.complete, seen.known_reader) == (True, True, True)
        return {(leak.how, leak.place, leak.roles) for leak in seen.leaks}

    def lets(self, user: str, *statements: str) -> bool:
        """Whether the server itself lets ``user`` do the last of ``statements``, or by default read the table."""
        with contextlib.closing(self._connect(user)) as connection, connection.cursor() as cursor:
            try:
                for statement in statements or ("SELECT 1 FROM hr.events",):
                    cursor.execute(statement)
            except pymysql.err.Error:
                return False
            return True

    def _connect(self, user: str) -> pymysql.connections.Connection[Any]:
        return pymysql.connect(host="127.0.0.1", port=self.server.port, user=user, password="x", autocommit=True)


@contextlib.contextmanager
def hr_on(server: MariaDBServer) -> Iterator[Hr]:
    try:
        hr = Hr(server)
        hr.install()
        yield hr
    finally:
        server.stop()
