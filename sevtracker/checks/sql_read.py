"""The kind ``sql_read``: can this identity read a row of a table? See docs/checks/sql_read.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from sevtracker.checks.interface import Access, Attempt, CheckKind, CheckParams, Locator
from sevtracker.checks.local import LocalRules
from sevtracker.checks.sql.dialects import refusals
from sevtracker.checks.sql.held import HeldRun
from sevtracker.checks.sql.mapped import in_time
from sevtracker.checks.sql.places import AnyUrl, Column, Table, sql_place
from sevtracker.checks.sql.reading import look
from sevtracker.checks.sql.sessions import Session
from sevtracker.checks.sql.visits import Found, visit


class SqlReadParams(CheckParams):
    """``table`` is schema.table as the database spells it. ``rls_is_fix``: row-level security closed the door.

    ``held``: the first run opens a session that later runs look through, until the server denies or ends it.
    """

    url: AnyUrl
    table: Table
    sensitive_columns: tuple[Column, ...] = Field(default=(), max_length=100)
    rls_is_fix: bool = False
    held: bool = Field(
        default=False,
        description="The first run signs in and stays, and every later one looks through that session until it is"
        " denied or ended: a session from before a patch can outlive it",
    )

    outside_place: ClassVar[frozenset[str]] = frozenset({"sensitive_columns", "rls_is_fix"})
    twins_fixed: ClassVar[frozenset[str]] = frozenset({"held"})
    loosened_by: ClassVar[Mapping[str, str]] = {"sensitive_columns": "fewer", "rls_is_fix": "on"}


class SqlReadKind(CheckKind[SqlReadParams]):
    """A row, or any sensitive column of one, is open. Only constants are selected: no value ever crosses the wire."""

    name = "sql_read"
    signs_in = True
    bounded = True
    params = SqlReadParams

    def locate(self, params: SqlReadParams) -> Locator:
        place = sql_place(params.url)
        return Locator(f"{place.url} {params.table}", (place.endpoint,))

    def refuse(self, params: SqlReadParams, local: LocalRules) -> Iterator[tuple[str, str]]:
        place = sql_place(params.url)
        yield from (("url", sentence) for sentence in refusals(place, local))
        if params.held and not place.built_in:
            yield "url", "Sessions are held in PostgreSQL, MySQL and MariaDB only."

    def attempt(self, params: SqlReadParams, access: Access) -> Attempt:
        """A fresh session, or, as the one who must not get in, the one that is held."""
        place = sql_place(params.url)

        def ask(session: Session) -> Found:
            return Found(*look(session, params, thorough=access.is_control))

        if params.held and not access.is_control:
            return HeldRun(place, self._key(params, access), access, ask).attempt()
        if not place.built_in:
            return in_time(access.timeout, lambda: visit(place, access, ask))
        return visit(place, access, ask)

    def _key(self, params: SqlReadParams, access: Access) -> str:
        """What makes two held sessions the same: who, where, and what for."""
        told = params.model_dump(mode="json", exclude=set(params.outside_fingerprint))
        return json.dumps([self.name, access.identity, access.credentials.username, told], sort_keys=True)
