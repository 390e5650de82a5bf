"""What each dialect's error codes mean, for statements on the target. Dialects of the configuration bring maps of their
own (``mapped``).

A code that is not listed is trouble, never a denial. Before the target phase no code is a denial: a failure there
is ``auth_failed``, ``unreachable``, ``tls`` or ``timeout``, whatever the server calls it.

Sources: PostgreSQL manual, appendix A (SQLSTATE); MySQL and MariaDB server error reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sevtracker.checks.interface import Result
from sevtracker.config import Dialect
from sevtracker.domain.vocabulary import Reason

_CODE = re.compile(r"[A-Za-z0-9_-]{1,32}")


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
    #: The identity is dead, in whatever phase that is said.
    auth_failed: frozenset[str] = frozenset()
    #: Pre-target codes that mean the check is set up for a place that is not there. They tell nothing of the identity.
    misplaced: frozenset[str] = frozenset()

    def meaning(self, error: BaseException) -> tuple[Result, Reason]:
        """What ``error``, raised by a statement on the target, says about the door."""
        code = self.code_of(error)
        if code in self.denied:
            return Result.denied, Reason.denied
        if code in self.absent:
            return Result.absent, Reason.hidden
        if code in self.timeout:
            return Result.trouble, Reason.timeout
        if code in self.auth_failed:
            return Result.trouble, Reason.auth_failed
        if code in self.unreachable or not code:
            return Result.trouble, Reason.unreachable
        return Result.trouble, Reason.server_error


def _sqlstate(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def _number(error: BaseException) -> str:
    number = error.args[0] if error.args else ""
    return str(number) if isinstance(number, int) and number else ""


def mapped(dialect: Dialect) -> Denials:
    """The denials that a dialect of the configuration has. What no code can be read from is "", which is trouble."""
    return Denials(
        code_of=lambda error: next(filter(None, (_code_at(path, error) for path in dialect.code)), ""),
        denied=frozenset(dialect.denied),
        absent=frozenset(dialect.absent),
        timeout=frozenset(dialect.timeout),
        unreachable=frozenset(dialect.not_ready),
        not_ready=frozenset(dialect.not_ready),
        auth_failed=frozenset(dialect.auth_failed),
    )


def _code_at(path: str, error: BaseException) -> str:
    """What stands at ``path`` (``orig.args.0``) if it looks like a code, else "": text may be of a target."""
    found: Any = error
    for word in path.split(".")[1:]:
        try:
            if word.isdigit():
                found = found[int(word)]
            else:
                found = found[word] if isinstance(found, Mapping) else getattr(found, word)
        except (AttributeError, LookupError, TypeError):
            return ""
    if isinstance(found, bool) or not isinstance(found, (int, str)):
        return ""
    return str(found) if _CODE.fullmatch(str(found)) else ""


POSTGRESQL = Denials(
    code_of=_sqlstate,
    denied=frozenset({"42501"}),  # insufficient_privilege
    absent=frozenset({"42P01", "3F000", "42703"}),  # undefined table, schema, column
    timeout=frozenset({"57014", "55P03"}),  # statement_timeout, lock_timeout
    unreachable=frozenset({"57P01", "57P02", "57P03", "08000", "08003", "08006"}),
    not_ready=frozenset({"53300", "53400", "57P01", "57P02", "57P03"}),  # too many connections, starting, stopping
    misplaced=frozenset({"3D000"}),  # no such database: said to whoever has signed in
)
MYSQL = Denials(
    code_of=_number,
    denied=frozenset({"1142", "1143", "1044"}),  # table, column, database access denied (1044 only after the self-test)
    absent=frozenset({"1146", "1049", "1054"}),  # no such table, database, column
    timeout=frozenset({"1205", "1969", "3024"}),  # lock wait; max_statement_time; max_execution_time
    unreachable=frozenset({"1053", "1077", "1079", "1927", "2002", "2003", "2006", "2013", "2055"}),
    not_ready=frozenset(  # too many connections (1226: of this account), host blocked, stopping, gone
        {"1040", "1041", "1053", "1129", "1130", "1203", "1226", "2002", "2003", "2006", "2013", "2055"}
    ),
)

#: By SQLAlchemy's backend name.
DENIALS = {"postgresql": POSTGRESQL, "mysql": MYSQL, "mariadb": MYSQL}
