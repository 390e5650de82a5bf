"""The kind ``access_log``: who else came in while the door was open? See docs/checks/access_log.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from sevtracker.checks import access_csv
from sevtracker.checks.access_csv import Entries, NotRead
from sevtracker.checks.access_tally import found
from sevtracker.checks.interface import (
    MAX_LANE,
    Access,
    Attempt,
    CheckKind,
    CheckParams,
    Locator,
    Result,
    Step,
    Window,
)
from sevtracker.checks.local import LocalRules
from sevtracker.checks.sql.access_rows import Rows, tally_of
from sevtracker.checks.sql.asking import NotTold
from sevtracker.checks.sql.places import Column, Table, Url, sql_place
from sevtracker.checks.sql.sessions import Session
from sevtracker.checks.sql.visits import Found, visit
from sevtracker.config import format_duration, parse_duration, plain_path
from sevtracker.domain.vocabulary import Phase, Reason, Weight

#: Without a SEV there is no exposure window: then the last day is looked at.
_DAY = timedelta(days=1)
#: Stretches of ``max_gap`` that a window may have.
_SLOTS = 20_000

Text = Annotated[str, Field(max_length=500)]


def _object(value: object) -> object:
    """An object, also as a form's field gives it: as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('expected JSON, such as {"principal": "usr", "at": "ts"}') from None


def _gap(value: object) -> object:
    if isinstance(value, str):
        found_ = parse_duration(value)
        if not timedelta(seconds=1) <= found_ <= timedelta(days=366):
            raise ValueError("expected a duration from 1s to 366d")
        return format_duration(found_)
    return value


class LogColumns(BaseModel):
    """What the log's columns are called. ``count``: how many accesses an entry stands for, where it says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    principal: Column
    at: Column
    count: Column | None = None


class AccessLogParams(CheckParams):
    """Either ``url`` and ``table``, or ``csv``."""

    url: Url | None = Field(default=None, description="The database that the log is in, or else give csv")
    table: Table | None = Field(default=None, description="The log's table or view: schema.table")
    csv: Annotated[str, Field(max_length=900), AfterValidator(plain_path)] | None = Field(
        default=None, description="The log as a CSV file with a first line of names, inside one of targets.paths"
    )
    columns: Annotated[LogColumns, BeforeValidator(_object)] = Field(
        description='The names of the log\'s columns, as JSON: {"principal": "usr", "at": "ts"}'
    )
    allowed_principals: tuple[Text, ...] = Field(
        default=(), max_length=1000, description="Who may have come in, as the log writes them"
    )
    match: Annotated[Mapping[Column, Text], BeforeValidator(_object), Field(max_length=10)] = Field(
        default={}, description='Which entries are about this data, as JSON: {"object": "tracking.events"}; empty: all'
    )
    canary_principal: Text | None = Field(
        default=None,
        description="Who is known to have come in, and so has to be in the log: the control of a check of this copy."
        " Left out: the identity's own user name",
    )
    max_gap: Annotated[str, BeforeValidator(_gap), Field(max_length=40)] = Field(
        default="1h", description="A longer stretch without any entry of anybody is a gap, of which nothing is known"
    )

    outside_place: ClassVar[frozenset[str]] = frozenset({"allowed_principals", "canary_principal", "max_gap"})
    loosened_by: ClassVar[Mapping[str, str]] = {"allowed_principals": "more"}

    @model_validator(mode="after")
    def _one_place(self) -> AccessLogParams:
        if (self.csv is None) == (self.url is None) or (self.table is None) != (self.url is None):
            raise ValueError("give url and table, or csv")
        return self

    @property
    def gap(self) -> timedelta:
        return parse_duration(self.max_gap)


@dataclass(frozen=True, slots=True)
class _Question:
    """One run's question: the parameters, the window with its end, and who is known to be in the log."""

    params: AccessLogParams
    window: Window
    until: datetime
    canary: str | None

    @classmethod
    def of(cls, params: AccessLogParams, access: Access) -> _Question:
        now = access.clock.now()
        window = access.window or Window(now - _DAY)
        canary = params.canary_principal or access.credentials.username
        return cls(params, window, min(window.until or now, now), canary)

    @property
    def trouble(self) -> Found | None:
        """Why the window cannot be looked at."""
        length = self.until - self.window.since
        if length <= timedelta():
            return Found(Result.trouble, Reason.log_incomplete, "the window of the exposure has not begun")
        if length > _SLOTS * self.params.gap:
            note = f"the window is longer than {_SLOTS:,} times max_gap: give a longer max_gap"
            return Found(Result.trouble, Reason.log_incomplete, note)
        return None

    @property
    def common(self) -> dict[str, Any]:
        """What both sorts of log are asked."""
        columns = self.params.columns
        return {
            "principal": columns.principal,
            "at": columns.at,
            "count": columns.count,
            "match": self.params.match,
            "allowed": frozenset(self.params.allowed_principals),
            "canary": self.canary,
            "max_gap": self.params.gap.total_seconds(),
        }


class AccessLogKind(CheckKind[AccessLogParams]):
    """An access by somebody who is not on the list, while the door was open, is open. It informs, and never gates.

    What the log does not speak for is unknown, never none: nobody else is closed only in a log without a gap that has
    an access which is known to have been made.
    """

    name = "access_log"
    own_control = True
    looks = True
    weight = Weight.informs
    params = AccessLogParams

    def locate(self, params: AccessLogParams) -> Locator:
        if params.url is None or params.table is None:
            path = params.csv or ""
            lane = "local:" + "/".join(path.split("/")[:3])
            return Locator(f"accesses in file://{path}", (), lane=lane[:MAX_LANE])
        place = sql_place(params.url)
        return Locator(f"accesses in {place.url} {params.table}", (place.endpoint,))

    def refuse(self, params: AccessLogParams, local: LocalRules) -> Iterator[tuple[str, str]]:
        if params.csv is not None and (reason := local.refusal(params.csv)):
            yield "csv", f"{params.csv} is refused: {reason}."

    def needs_user_name(self, params: AccessLogParams, *, is_control: bool) -> bool:
        return params.url is not None and not is_control

    def attempt(self, params: AccessLogParams, access: Access) -> Attempt:
        """1. The window. 2. The log in it: who else, the known access, and where there are entries at all."""
        question = _Question.of(params, access)
        if question.trouble:
            step = Step(Phase.connect, False, question.trouble.note, 0.0)
            return Attempt(question.trouble.result, question.trouble.reason, Phase.connect, (step,))
        if params.url is None:
            return _in_a_file(question, access)
        return visit(sql_place(params.url), access, lambda session: _in_a_table(question, session))


def _in_a_table(question: _Question, session: Session) -> Found:
    rows = Rows(
        table=question.params.table or "",
        begin=question.window.since,
        end=question.until,
        most=_SLOTS,
        **question.common,
    )
    try:
        tally = tally_of(session, rows)
    except NotTold as missing:
        return missing.found
    return found(tally, question.window, question.until, question.params.gap)


def _in_a_file(question: _Question, access: Access) -> Attempt:
    clock, began = access.clock, access.clock.monotonic()
    wanted = Entries(begin=question.window.since.timestamp(), end=question.until.timestamp(), **question.common)
    try:
        tally = access_csv.tally_of(
            question.params.csv or "",
            access.local,
            wanted,
            lambda: clock.monotonic() - began > 0.8 * access.timeout,
        )
        met = found(tally, question.window, question.until, question.params.gap)
    except NotRead as failed:
        met = Found(Result.trouble, Reason.log_incomplete, str(failed))
    ms = (clock.monotonic() - began) * 1000
    step = Step(Phase.target, met.result is not Result.trouble, met.note, ms)
    return Attempt(met.result, met.reason, Phase.target, (step,), control=met.control, impact=met.impact)
