"""Maps of two servers that sevtracker knows by itself, so that what maps do is seen on something real."""

from __future__ import annotations

from typing import Any

from sevtracker.checks.local import LocalRules
from sevtracker.config import Dialect
from tests.checks.sites import World

COCKROACH: dict[str, Any] = {
    "driver": "postgresql+psycopg",
    "code": "orig.sqlstate",
    "denied": ["42501"],
    "absent": ["42P01", "3F000", "42703"],
    "not_ready": ["53300", "57P01", "57P03"],
    "timeout": ["57014", "55P03"],
    "self_test": "SELECT 1",
    "begin": ["SET TRANSACTION READ ONLY", "SET LOCAL statement_timeout = '5s'"],
    "clock": "SELECT extract(epoch FROM clock_timestamp())",
    "roles": "SELECT rolname FROM pg_roles WHERE rolname <> session_user AND pg_has_role(session_user, oid, 'MEMBER')",
    "connect_args": {"connect_timeout": 5},
}
MARIA: dict[str, Any] = {
    "driver": "mysql+pymysql",
    "code": "orig.args.0",
    "denied": [1142, 1143, 1044],
    "absent": [1146, 1049, 1054],
    "auth_failed": [1045],
    "not_ready": [1040, 2003, 2006, 2013],
    "timeout": [1205, 1969],
    "self_test": "SELECT 1",
    "begin": ["SET SESSION max_statement_time = 5", "SET TRANSACTION READ ONLY"],
    "connect_args": {"connect_timeout": 5, "read_timeout": 20},
}


def rules(**dialects: dict[str, Any]) -> LocalRules:
    return LocalRules(dialects={name: Dialect.model_validate(told) for name, told in dialects.items()})


def world(**more: Any) -> World:
    """With ``cockroach://`` for PostgreSQL and ``maria_generic://`` for MariaDB."""
    return World(local=rules(cockroach=COCKROACH, maria_generic=MARIA), **more)
