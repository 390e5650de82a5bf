"""The kind ``sql_grants``: can a role off the list read a table, or its views? See docs/checks/sql_grants.md."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sevtracker.checks.interface import (
    Access,
    Attempt,
    CheckKind,
    CheckParams,
    Locator,
    Result,
    Step,
    Suggestion,
    bucket,
)
from sevtracker.checks.sql.denials import DENIALS
from sevtracker.checks.sql.doors import NotIn
from sevtracker.checks.sql.grants import Enumeration, Enumerator, Leak
from sevtracker.checks.sql.grants_mysql import enumerate_grants as on_mysql
from sevtracker.checks.sql.grants_postgres import enumerate_grants as on_postgresql
from sevtracker.checks.sql.places import Table, Url, sql_place, table_name
from sevtracker.checks.sql.sessions import open_session
from sevtracker.checks.sql.visits import Found, Steps
from sevtracker.domain.vocabulary import Phase, Reason

_WITHHELD = "this identity may not see all of the catalog that tells of grants"
#: By SQLAlchemy's backend name.
ENUMERATORS: dict[str, Enumerator] = {"postgresql": on_postgresql, "mysql": on_mysql, "mariadb": on_mysql}
#: Places that a run tells of one by one, and checks that it suggests. The rest is counted.
MOST_TOLD = 40


class SqlGrantsParams(CheckParams):
    """``table`` is schema.table as the database spells it."""

    url: Url
    table: Table
    allowed_roles: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        default=(),
        max_length=500,
        description="Who is meant to read it, as the database spells them. Whoever else can is an open door.",
    )

    outside_place: ClassVar[frozenset[str]] = frozenset({"allowed_roles"})
    twins_own: ClassVar[frozenset[str]] = frozenset({"allowed_roles"})
    loosened_by: ClassVar[Mapping[str, str]] = {"allowed_roles": "more"}


class SqlGrantsKind(CheckKind[SqlGrantsParams]):
    """A way to the table for anybody off the list is open. It is closed when all was looked at and somebody on the list
    is seen to read: that is its own control. The identity needs the catalog only; whether it reads is counted as well.
    """

    name = "sql_grants"
    own_control = True
    looks = True
    signs_in = True
    params = SqlGrantsParams

    def locate(self, params: SqlGrantsParams) -> Locator:
        place = sql_place(params.url)
        return Locator(f"grants on {place.url} {params.table}", (place.endpoint,))

    def attempt(self, params: SqlGrantsParams, access: Access) -> Attempt:
        """1. connect, 2. self-test (a statement that needs no right), 3. the catalog, which is the control, too."""
        place, steps = sql_place(params.url), Steps(access)
        try:
            with open_session(place, access) as session:
                steps.done(f"connected to {access.pins[0].address} and signed in", then=Phase.self_test)
                steps.greet(session)
                if drifted := steps.drifted(session):
                    return steps.ended(drifted)
                seen = ENUMERATORS[place.backend](session, *table_name(params.table), params.allowed_roles)
                return steps.told(_judged(params, seen), lambda ms: _told(params, seen, ms))
        except NotIn as failed:
            return steps.not_in(failed)
        except SQLAlchemyError as error:
            return steps.ended(Found(Result.trouble, *_broken(error, steps.phase, place.backend)))


def _broken(error: SQLAlchemyError, phase: Phase, backend: str) -> tuple[Reason, str]:
    """What an error that ended the attempt says. A denial here is of the catalog: it closes nothing."""
    if phase is Phase.self_test:
        return Reason.auth_failed, "the self-test failed"
    if not isinstance(error, DBAPIError):
        return Reason.unreachable, "the session broke off"
    result, reason = DENIALS[backend].meaning(error.orig or error)
    if result is not Result.trouble:
        return Reason.not_permitted, _WITHHELD
    return reason, f"a question to the catalog: {reason}"


def _judged(params: SqlGrantsParams, seen: Enumeration) -> Attempt:
    """The verdict's parts. A way in is certain whatever else was withheld; that there is none, only if nothing was."""
    if seen.found and seen.leaks:
        return Attempt(
            Result.got_in, Reason.grant_found, Phase.target, suggestions=tuple(_suggested(params, seen.leaks))
        )
    if not seen.complete:
        return Attempt(Result.trouble, Reason.not_permitted, Phase.target)
    if not seen.found:
        return Attempt(Result.absent, Reason.hidden, Phase.target, control=Result.absent)
    control = Result.got_in if seen.known_reader else Result.denied
    return Attempt(Result.denied, Reason.no_grant, Phase.target, control=control)


def _told(params: SqlGrantsParams, seen: Enumeration, ms: float) -> Iterator[Step]:
    """What was found in words: a step for each place that somebody off the list can read."""
    if not seen.found:
        note = f"{params.table} is not there" if seen.complete else f"{params.table} is not there, or {_WITHHELD}"
        yield Step(Phase.target, False, note, ms)
        return
    by_place: dict[str, list[str]] = {}
    for leak in seen.leaks:
        by_place.setdefault(leak.place, []).append(f"{leak.how} ({bucket(leak.roles)} role{'s' * (leak.roles != 1)})")
    for at, (place, ways) in enumerate(list(by_place.items())[:MOST_TOLD]):
        yield Step(Phase.target, True, f"off the list, and can read {place}: {'; '.join(ways)}", 0.0 if at else ms)
    if len(by_place) > MOST_TOLD:
        more = bucket(len(by_place) - MOST_TOLD)
        yield Step(Phase.target, True, f"further places that can be read off the list: {more}", 0.0)
    if not seen.complete:
        yield Step(Phase.target, False, _WITHHELD, 0.0 if by_place else ms)
    elif not by_place:
        yield Step(Phase.target, True, "nobody off the list can read it, nor what is made of it", ms)
        who = "somebody on the list" if params.allowed_roles else "who owns or administers it"
        note = f"{who} is {'' if seen.known_reader else 'not '}seen to be able to read it"
        yield Step(Phase.control, seen.known_reader, note, 0.0)


def _suggested(params: SqlGrantsParams, leaks: tuple[Leak, ...]) -> Iterator[Suggestion]:
    """Each further place to read it from, as the check that would watch that place."""
    found = [leak.suggestion for leak in leaks if leak.suggestion is not None]
    for suggestion in found[:MOST_TOLD]:
        with contextlib.suppress(ValueError):  # a name that no check can be given
            table_name(suggestion.params["table"])
            yield replace(suggestion, params={"url": params.url, **suggestion.params})
