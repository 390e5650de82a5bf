"""A tracker that lives, and the database of the incident."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.postgres import PostgresServer
from tests.walks.living import POLICY, Living


@dataclass
class Incident:
    """A table that everybody can read, in a real PostgreSQL, with the roles of the story. Names are this test's own."""

    server: PostgresServer
    database: str
    employee: str
    privacy: str
    ex_session: str
    passwords: dict[str, str]

    @property
    def url(self) -> str:
        return f"postgresql://{self.server.host}:{self.server.port}/{self.database}"

    def run(self, *statements: str) -> None:
        self.server.execute(*statements, database=self.database)

    @property
    def config(self) -> str:
        place = f"{self.server.host}:{self.server.port}"
        lines = [f'[targets]\nallow = ["{place}"]']
        classes = {"employee": self.employee, "privacy-team": self.privacy, "ex-session": self.ex_session}
        for name, role in classes.items():
            word = {"employee": "staff", "privacy-team": "control", "ex-session": "held_session"}[name]
            lines.append(
                f'[identities.{name}]\nclass = "{word}"\nusername = "{role}"\npassword = "env:PW_{role.upper()}"\n'
                f'hosts = ["{place}"]'
            )
        return "\n".join(lines)

    @property
    def environment(self) -> dict[str, str]:
        return {f"PW_{role.upper()}": password for role, password in self.passwords.items()}


@pytest.fixture
def incident(postgres: PostgresServer) -> Iterator[Incident]:
    mark = secrets.token_hex(4)
    roles = [f"{name}_{mark}" for name in ("employee", "privacy", "ex_session")]
    passwords = {role: f"canary-password-{secrets.token_hex(8)}" for role in roles}
    database = f"mci_{mark}"
    for role in roles:
        postgres.create_role(role, passwords[role])
    postgres.create_database(database, owner="postgres")
    found = Incident(postgres, database, roles[0], roles[1], roles[2], passwords)
    found.run(
        "CREATE SCHEMA tracking",
        "GRANT USAGE ON SCHEMA tracking TO PUBLIC",
        "CREATE TABLE tracking.events (id int, employee_email text)",
        "INSERT INTO tracking.events VALUES (1, 'canary-row-value@corp.example')",
        f"GRANT SELECT ON tracking.events TO {found.privacy}, {found.employee}, PUBLIC",
    )
    yield found
    postgres.drop_database(database)
    for role in roles:
        postgres.execute(f"DROP ROLE {role}")


Live = Callable[..., Living]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Makes living trackers; stops those that still live when the test ends."""
    made: list[Living] = []

    def make(config: str = "", environment: dict[str, str] | None = None, policy: str = POLICY) -> Living:
        folder = tmp_path / f"tracker-{len(made)}"
        folder.mkdir()
        made.append(Living(folder, config + policy, environment or {}))
        return made[-1]

    yield make
    for tracker in made:
        if tracker.process is not None and tracker.process.poll() is None:
            tracker.process.kill()
            tracker.process.wait()


@pytest.fixture
def tracker(live: Live, incident: Incident) -> Living:
    """Knows the incident's database and roles. Not started yet."""
    return live(incident.config, incident.environment)
