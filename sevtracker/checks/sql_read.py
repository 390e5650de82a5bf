"""The kind ``sql_read``: can this identity read a row of a table? See docs/checks/sql_read.md."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field
from sqlalchemy import Select, column, literal_column, select, table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.sql import quoted_name

from sevtracker.checks.interface import Access, Attempt, CheckKind, CheckParams, Locator, Result, Step
from sevtracker.checks.sql.baseline import drift
from sevtracker.checks.sql.doors import NotIn
from sevtracker.checks.sql.places import column_name, sql_place, table_name
from sevtracker.checks.sql.sessions import Session, open_session
from sevtracker.domain.vocabulary import Phase, Reason

Meaning = tuple[Result, Reason, str]


def _url(text: str) -> str:
    return sql_place(text).url


def _table(text: str) -> str:
    table_name(text)
    return text


class SqlReadParams(CheckParams):
    """``table`` is schema.table as the database spells it. ``rls_is_fix``: row-level security closed the door."""

    url: Annotated[str, Field(max_length=2000), AfterValidator(_url)]
    table: Annotated[str, Field(max_length=300), AfterValidator(_table)]
    sensitive_columns: tuple[Annotated[str, Field(max_length=200), AfterValidator(column_name)], ...] = Field(
        default=(), max_length=100
    )
    rls_is_fix: bool = False

    outside_place: ClassVar[frozenset[str]] = frozenset({"sensitive_columns", "rls_is_fix"})


class SqlReadKind(CheckKind[SqlReadParams]):
    """A row, or any sensitive column of one, is open. Only constants are selected: no value ever crosses the wire."""

    name = "sql_read"
    signs_in = True
    bounded = True
    params = SqlReadParams

    def locate(self, params: SqlReadParams) -> Locator:
        place = sql_place(params.url)
        return Locator(f"{place.url} {params.table}", (place.endpoint,))

    def attempt(self, params: SqlReadParams, access: Access) -> Attempt:
        """1. connect, 2. self-test (a statement that needs no right), 3. the table, then each sensitive column."""
        clock = access.clock
        began = clock.monotonic()
        ends = began + access.timeout
        steps: list[Step] = []
        skew: float | None = None

        def done(phase: Phase, ok: bool, note: str) -> None:
            nonlocal began
            now = clock.monotonic()
            steps.append(Step(phase, ok, note, (now - began) * 1000))
            began = now

        def ended(result: Result, reason: Reason, phase: Phase, note: str) -> Attempt:
            done(phase, result is not Result.trouble, note)
            return Attempt(result, reason, phase, tuple(steps), skew_s=skew)

        phase = Phase.connect
        try:
            with open_session(sql_place(params.url), access) as session:
                done(Phase.connect, True, f"connected to {access.pins[0].address} and signed in")
                phase = Phase.self_test
                skew = session.greet() - clock.now().timestamp()
                done(Phase.self_test, True, "the identity's self-test passed")
                if drifted := drift(session, access.credentials):
                    return ended(Result.trouble, Reason.identity_drift, Phase.self_test, drifted)
                phase = Phase.target
                result, reason, note = _look(session, params, thorough=access.is_control)
                if reason is Reason.unreachable and clock.monotonic() >= ends:
                    reason, note = Reason.timeout, "no answer in time"
                return ended(result, reason, Phase.target, note)
        except NotIn as failed:
            return ended(Result.trouble, failed.reason, failed.phase, failed.note)
        except SQLAlchemyError:
            pass
        late = clock.monotonic() >= ends
        reason = Reason.timeout if late else Reason.auth_failed if phase is Phase.self_test else Reason.unreachable
        return ended(Result.trouble, reason, phase, "no answer in time" if late else "the session broke off")


def _look(session: Session, params: SqlReadParams, *, thorough: bool) -> Meaning:
    """What this identity meets at the table. ``thorough`` (the control): every sensitive column has to be readable too,
    since a denial of a column that was renamed says nothing."""
    schema, name = (quoted_name(part, quote=True) for part in table_name(params.table))
    row: Select[Any] = select(literal_column("1")).select_from(table(name, schema=schema)).limit(1)
    result, reason = _ask(session, row)
    if result is Result.got_in and not thorough:
        return result, Reason.row_read, "a row can be read"
    if result in (Result.absent, Result.trouble):
        return result, reason, f"the table: {reason}"
    columns = [row.where(column(quoted_name(c, quote=True)).is_(None).is_not(None)) for c in params.sensitive_columns]
    met: list[tuple[Select[Any], Result, Reason]] = [(row, result, reason)]
    for statement in columns:
        met.append((statement, *_ask(session, statement)))
        if met[-1][2] in (Reason.unreachable, Reason.timeout):
            break
    if result is Result.got_in:
        if all(seen is Result.got_in for _, seen, _ in met):
            return result, Reason.row_read, "a row and every sensitive column can be read"
        return Result.trouble, Reason.target_changed, "a sensitive column is not there, or not for the control"
    return _without_a_row(session, params, met)


def _without_a_row(session: Session, params: SqlReadParams, met: list[tuple[Select[Any], Result, Reason]]) -> Meaning:
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
    if params.rls_is_fix:
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
