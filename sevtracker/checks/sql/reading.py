"""What an open session meets at a table: a row, a sensitive column, a denial, nothing. Only constants are selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, column, literal_column, or_, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import quoted_name

from sevtracker.checks.interface import Result
from sevtracker.checks.sql.places import table_name
from sevtracker.checks.sql.sessions import Session
from sevtracker.domain.vocabulary import Reason

Meaning = tuple[Result, Reason, str]


class Reading(Protocol):
    """What to read. The parameters of ``sql_read`` have it."""

    @property
    def table(self) -> str: ...
    @property
    def sensitive_columns(self) -> Sequence[str]: ...
    @property
    def rls_is_fix(self) -> bool: ...


def look(session: Session, what: Reading, *, thorough: bool) -> Meaning:
    """What this identity meets at the table. ``thorough`` (the control): every sensitive column has to be readable too,
    since a denial of a column that was renamed says nothing."""
    schema, name = (quoted_name(part, quote=True) for part in table_name(what.table))
    row: Select[Any] = select(literal_column("1")).select_from(table(name, schema=schema)).limit(1)
    result, reason = _ask(session, row)
    if result is Result.got_in and not thorough:
        return result, Reason.row_read, "a row can be read"
    if result in (Result.absent, Result.trouble):
        return result, reason, f"the table: {reason}"
    columns = [row.where(_any_value(c)) for c in what.sensitive_columns]
    met: list[tuple[Select[Any], Result, Reason]] = [(row, result, reason)]
    for statement in columns:
        met.append((statement, *_ask(session, statement)))
        if met[-1][2] in (Reason.unreachable, Reason.timeout):
            break
    if result is Result.got_in:
        if all(seen is Result.got_in for _, seen, _ in met):
            return result, Reason.row_read, "a row and every sensitive column can be read"
        return Result.trouble, Reason.target_changed, "a sensitive column is not there, or not for the control"
    return _without_a_row(session, what, met)


def _any_value(name: str) -> ColumnElement[bool]:
    """A condition on the column that every row meets, in words that every dialect has."""
    it: ColumnElement[Any] = column(quoted_name(name, quote=True))
    return or_(it.is_(None), it.is_not(None))


def _without_a_row(session: Session, what: Reading, met: list[tuple[Select[Any], Result, Reason]]) -> Meaning:
    """The table gave no row; ``met`` has it first, then the columns."""
    if any(seen is Result.got_in for _, seen, _ in met):
        return Result.got_in, Reason.column_read, "a sensitive column can be read"
    for _, seen, reason in met:
        if seen is Result.trouble:
            return seen, reason, f"a sensitive column: {reason}"
    silent = next((statement for statement, seen, _ in met if seen is Result.empty), None)
    if silent is None:
        return Result.denied, Reason.denied, "the server denied it"
    try:
        hidden = session.hides_rows(silent)
    except DBAPIError as error:
        result, reason = session.denials.meaning(error.orig or error)
        return Result.trouble, reason if result is Result.trouble else Reason.target_changed, "the second look failed"
    if not hidden:
        return Result.empty, Reason.empty, "let in, and no row is there"
    if what.rls_is_fix:
        return Result.denied, Reason.rls_denied, "row-level security leaves no row"
    return (
        Result.trouble,
        Reason.rls_filtered,
        "row-level security leaves no row, and the check does not call that the fix",
    )


def _ask(session: Session, statement: Select[Any]) -> tuple[Result, Reason]:
    try:
        found = session.finds(statement)
    except DBAPIError as error:
        return session.denials.meaning(error.orig or error)
    return (Result.got_in, Reason.row_read) if found else (Result.empty, Reason.empty)
