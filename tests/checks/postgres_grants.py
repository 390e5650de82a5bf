"""A PostgreSQL of a test file's own, whose roles are all known: they are the whole server's."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from sevtracker.checks.interface import Access, Credentials, Pinned
from sevtracker.checks.sql.grants import Enumeration
from sevtracker.checks.sql.grants_postgres import enumerate_grants
from sevtracker.checks.sql.places import sql_place, table_name
from sevtracker.checks.sql.sessions import open_session
from sevtracker.clock import SystemClock
from tests.servers.postgres import OWNER, PostgresServer, new_server

PAGE = Path(__file__).parents[2] / "docs/checks/sql_grants.md"
WATCHER = "sev_grants"
#: So that replication is possible, as it is by default.
SETTINGS = {"wal_level": "replica", "max_wal_senders": "4"}
SELECT = "SELECT 1 FROM tracking.events"


def least_privileges(password: str, user: str = WATCHER) -> list[str]:
    """The statements of the page's block for PostgreSQL, as somebody would run them."""
    block = re.search(r"```sql\n-- PostgreSQL\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    text = re.sub(r"^--.*\n", "", block[1], flags=re.MULTILINE)
    quoted = password.replace("'", "''")
    text = text.replace(WATCHER, user)
    return [statement.replace("…", quoted) for statement in text.split(";\n") if statement.strip()]


@dataclass
class Hr:
    """``tracking.events`` in the database ``hr`` holds staff data, and ``postgres`` owns it.

    ``bob`` is off the list; ``privacy_team`` is on it, and reads. Both find names in ``tracking`` and ``reports``.
    """

    server: PostgresServer

    @property
    def release(self) -> int:
        return self.server.release

    def install(self) -> None:
        self.server.execute(f"ALTER ROLE {OWNER} NOCREATEROLE", *least_privileges("x"))
        self.server.create_database("hr", owner="postgres")

    def reset(self) -> None:
        """The cast and the two schemas, and nothing else. A new database would take ten times as long."""
        names = self.server.execute("SELECT rolname FROM pg_roles WHERE oid >= 16384")
        schemas = self.server.execute("SELECT nspname FROM pg_namespace WHERE oid >= 16384", database="hr")
        others = [f'"{name}"' for (name,) in names if name not in (OWNER, WATCHER)]
        self.run(
            "ALTER DATABASE hr OWNER TO postgres",
            "GRANT CONNECT ON DATABASE hr TO PUBLIC",
            f"ALTER ROLE {WATCHER} RESET search_path",
            *(f'DROP SCHEMA "{name}" CASCADE' for (name,) in schemas),
            *(
                f"DROP OWNED BY {other} CASCADE" for other in others
            ),  # of several at once, 15.18 trips over default ACLs
            *(f"DROP ROLE {', '.join(others)}" for _ in others[:1]),
            "CREATE ROLE bob LOGIN PASSWORD 'x'",
            "CREATE ROLE privacy_team LOGIN PASSWORD 'x'",
            "CREATE ROLE boss",
            "CREATE SCHEMA tracking",
            "CREATE SCHEMA reports",
            "CREATE TABLE tracking.events (id int, ssn text)",
            "INSERT INTO tracking.events VALUES (1, 'canary-078-05-1120')",
            "GRANT USAGE ON SCHEMA tracking, reports TO bob, privacy_team",
            "GRANT SELECT ON tracking.events TO privacy_team",
        )

    def run(self, *statements: str) -> None:
        self.server.execute(*statements, database="hr")

    def see(
        self,
        allowed: Collection[str] = ("privacy_team",),
        *,
        table: str = "tracking.events",
        user: str = WATCHER,
    ) -> Enumeration:
        """What the enumerator brings, asked as ``user``."""
        pin = Pinned("127.0.0.1", socket.AF_INET, self.server.port)
        access = Access(Credentials(user, "x"), (pin,), 30, SystemClock(), False, lambda _: (pin,), lambda _: "")
        with open_session(sql_place(f"postgresql://127.0.0.1:{self.server.port}/hr"), access) as session:
            return enumerate_grants(session, *table_name(table), allowed)

    def leaks(self, *allowed: str) -> set[tuple[str, str, int]]:
        """How, where and how many, of an enumeration that nothing was withheld from."""
        seen = self.see(allowed or ("privacy_team",))
        assert (seen.found, seen.complete, seen.known_reader) == (True, True, True)
        told = [(leak.how, leak.place, leak.roles) for leak in seen.leaks]
        assert len(told) == len(set(told))
        return set(told)

    def lets(self, user: str, *statements: str) -> bool:
        """Whether the server lets ``user`` do the last of ``statements``, which shows a row if it shows any."""
        try:
            with psycopg.connect(self.server.dsn("hr", user, "x"), autocommit=True) as connection:
                cursor = connection.cursor()
                for statement in statements or (SELECT,):
                    cursor.execute(statement.encode())
                return cursor.description is None or bool(cursor.fetchall())
        except psycopg.Error:
            return False


@contextlib.contextmanager
def hr_on(release: int) -> Iterator[Hr]:
    hr = Hr(new_server(release=release, settings=SETTINGS))
    try:
        hr.install()
        yield hr
    finally:
        hr.server.stop()
