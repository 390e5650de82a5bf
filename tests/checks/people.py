"""The fixed cast as roles of the shared database servers. Made by whoever asks first; they may do nothing yet."""

from __future__ import annotations

from collections.abc import Mapping

from tests.checks.sites import CONTROL_SECRET, STAFF_SECRET
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer

PASSWORDS = {"any_employee": STAFF_SECRET, "privacy_team": CONTROL_SECRET}


def create_roles(server: PostgresServer) -> None:
    """On PostgreSQL."""
    for name, password in PASSWORDS.items():
        quoted = password.replace("'", "''")
        server.execute(
            f"DO $do$ BEGIN CREATE ROLE {name} LOGIN PASSWORD '{quoted}';"
            " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $do$"
        )


def create_users(server: MariaDBServer, more: Mapping[str, str] | None = None) -> None:
    """On MariaDB. ``more``: further users and their passwords."""
    for name, password in {**PASSWORDS, **(more or {})}.items():
        quoted = password.replace("\\", "\\\\").replace("'", "''")
        server.execute(f"CREATE USER IF NOT EXISTS '{name}'@'%' IDENTIFIED BY '{quoted}'")
