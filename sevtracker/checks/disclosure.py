"""The kind ``disclosure``: does a table hold a column that nobody was told about? See docs/checks/disclosure.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from sevtracker.checks.interface import Access, Attempt, CheckKind, CheckParams, Locator, Result
from sevtracker.checks.sql.asking import NotTold
from sevtracker.checks.sql.columns import columns_of, fold
from sevtracker.checks.sql.places import Column, Table, Url, sql_place
from sevtracker.checks.sql.sessions import Session
from sevtracker.checks.sql.visits import Found, visit
from sevtracker.domain.vocabulary import Reason, Weight

#: Columns that a note names, and characters of each: whoever mends it needs them.
_NAMED, _LONGEST = 5, 64


class DisclosureParams(CheckParams):
    """``disclosed``: what people were told is collected, as the database spells its columns."""

    url: Url
    table: Table = Field(description="schema.table, as the database spells it")
    disclosed: tuple[Column, ...] = Field(max_length=1000, description="The columns that people were told about")

    outside_place: ClassVar[frozenset[str]] = frozenset({"disclosed"})
    loosened_by: ClassVar[Mapping[str, str]] = {"disclosed": "more"}


class DisclosureKind(CheckKind[DisclosureParams]):
    """A live column that is not in the disclosed list is open. Only the schema is asked for, never a row."""

    name = "disclosure"
    own_control = True
    looks = True
    signs_in = True
    bounded = True
    weight = Weight.supports
    params = DisclosureParams

    def locate(self, params: DisclosureParams) -> Locator:
        place = sql_place(params.url)
        return Locator(f"columns of {place.url} {params.table}", (place.endpoint,))

    def attempt(self, params: DisclosureParams, access: Access) -> Attempt:
        """1. connect, 2. self-test, 3. the table's columns. To be told of them all is the control."""
        return visit(sql_place(params.url), access, lambda session: _found(session, params))


def _found(session: Session, params: DisclosureParams) -> Found:
    try:
        columns = columns_of(session, params.table)
    except NotTold as missing:
        return missing.found
    disclosed = {fold(session, name) for name in params.disclosed}
    more = [name for name in columns if fold(session, name) not in disclosed]
    if more:
        return Found(Result.got_in, Reason.undisclosed, f"of {len(columns)} columns, not disclosed: {_named(more)}")
    note = f"all {len(columns)} columns are disclosed"
    return Found(Result.denied, Reason.all_disclosed, note, control=Result.got_in)


def _named(columns: Sequence[str]) -> str:
    shown = ["".join(c if c.isprintable() else "?" for c in name)[:_LONGEST] for name in columns[:_NAMED]]
    rest = len(columns) - len(shown)
    return ", ".join(shown) + (f", and {rest} more" if rest else "")
