"""What each dialect's error codes mean, for statements on the target. The only file to change for a further dialect.

A code that is not listed is trouble, never a denial. Before the target phase no code is a denial: a failure there
is ``auth_failed``, ``unreachable``, ``tls`` or ``timeout``, whatever the server calls it.

Sources: PostgreSQL manual, appendix A (SQLSTATE); MySQL and MariaDB server error reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sevtracker.checks.interface import Result
from sevtracker.domain.vocabulary import Reason


@dataclass(frozen=True, slots=True)
class Denials:
    """``code_of`` takes a driver's exception to its code as text. The sets hold such codes."""

    code_of: Callable[[BaseException], str]
    denied: frozenset[str]
    absent: frozenset[str]
    timeout: frozenset[str]
    unreachable: frozenset[str]
    #: Pre-target codes that mean the server is not ready for anybody; all others there are ``auth_failed``.
    not_ready: frozenset[str]

    def meaning(self, error: BaseException) -> tuple[Result, Reason]:
        """What ``error``, raised by a statement on the target, says about the door."""
        code = self.code_of(error)
        if code in self.denied:
            return Result.denied, Reason.denied
        if code in self.absent:
            return Result.absent, Reason.hidden
        if code in self.timeout:
            return Result.trouble, Reason.timeout
        if code in self.unreachable or not code:
            return Result.trouble, Reason.unreachable
        return Result.trouble, Reason.server_error


def _sqlstate(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def _number(error: BaseException) -> str:
    number = error.args[0] if error.args else ""
    return str(number) if isinstance(number, int) and number else ""


POSTGRESQL = Denials(
    code_of=_sqlstate,
    denied=frozenset({"42501"}),  # insufficient_privilege
    absent=frozenset({"42P01", "3F000", "42703"}),  # undefined table, schema, column
    timeout=frozenset({"57014", "55P03"}),  # statement_timeout, lock_timeout
    unreachable=frozenset({"57P01", "57P02", "57P03", "08000", "08003", "08006"}),
    not_ready=frozenset({"53300", "53400", "57P01", "57P02", "57P03"}),  # too many connections, starting, stopping
)
MYSQL = Denials(
    code_of=_number,
    denied=frozenset({"1142", "1143", "1044"}),  # table, column, database access denied (1044 only after the self-test)
    absent=frozenset({"1146", "1049", "1054"}),  # no such table, database, column
    timeout=frozenset({"1205", "1969", "3024"}),  # lock wait; max_statement_time; max_execution_time
    unreachable=frozenset({"1053", "1077", "1079", "1927", "2002", "2003", "2006", "2013", "2055"}),
    not_ready=frozenset({"1040", "1041", "1053", "1129", "1130", "1203", "2002", "2003", "2006", "2013", "2055"}),
)

#: By SQLAlchemy's backend name.
DENIALS = {"postgresql": POSTGRESQL, "mysql": MYSQL, "mariadb": MYSQL}
