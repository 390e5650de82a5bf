"""A visit to a database: sign in, the self-test, one question, each step told. Every kind that asks SQL shares it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from sevtracker.checks.interface import Access, Attempt, Impact, Result, Step
from sevtracker.checks.sql.baseline import drift
from sevtracker.checks.sql.doors import NotIn
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.checks.sql.sessions import Session, open_session
from sevtracker.domain.vocabulary import Phase, Reason

IN_TIME = "no answer in time"


@dataclass(frozen=True, slots=True)
class Found:
    """What a question brought; the fields are an ``Attempt``'s. ``note`` is the last step's."""

    result: Result
    reason: Reason
    note: str
    control: Result | None = None
    memory: Mapping[str, Any] | None = None
    impact: Impact | None = None


class Steps:
    """The steps of one attempt, timed, and the time that is left."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._began = access.clock.monotonic()
        self.ends = self._began + access.timeout
        self.skew: float | None = None
        self.phase = Phase.connect
        self._steps: list[Step] = []

    @property
    def late(self) -> bool:
        return self._access.clock.monotonic() >= self.ends

    def rest(self) -> Access:
        """The access with only the time that is left."""
        return replace(self._access, timeout=max(self.ends - self._access.clock.monotonic(), 0.05))

    def done(self, note: str, *, ok: bool = True, then: Phase | None = None) -> None:
        """The phase ended so; ``then`` is the next."""
        now = self._access.clock.monotonic()
        self._steps.append(Step(self.phase, ok, note, (now - self._began) * 1000))
        self._began, self.phase = now, then or self.phase

    def greet(self, session: Session) -> None:
        """The self-test. Raises DBAPIError."""
        now = session.greet()
        self.skew = None if now is None else now - self._access.clock.now().timestamp()
        self.done("the identity's self-test passed", then=Phase.target)

    def drifted(self, session: Session) -> Found | None:
        """What an identity with other rights than its baseline's brings: it tries the door as somebody else."""
        note = drift(session, self._access.credentials)
        if note is None:
            return None
        self.phase = Phase.self_test
        return Found(Result.trouble, Reason.identity_drift, note)

    def ended(self, found: Found) -> Attempt:
        """The attempt, with ``found`` as its last step."""
        if found.reason is Reason.unreachable and self.late:
            found = replace(found, reason=Reason.timeout, note=IN_TIME)
        self.done(found.note, ok=found.result is not Result.trouble)
        return Attempt(
            found.result,
            found.reason,
            self.phase,
            tuple(self._steps),
            skew_s=self.skew,
            control=found.control,
            memory=found.memory,
            impact=found.impact,
        )

    def told(self, attempt: Attempt, last: Callable[[float], Iterable[Step]]) -> Attempt:
        """``attempt`` with the steps so far, and those that ``last`` makes of the milliseconds since."""
        ms = (self._access.clock.monotonic() - self._began) * 1000
        return replace(attempt, steps=(*self._steps, *last(ms)), skew_s=self.skew)

    def not_in(self, failed: NotIn, memory: Mapping[str, Any] | None = None) -> Attempt:
        """The identity did not get as far as asking."""
        self.phase = failed.phase
        return self.ended(Found(Result.trouble, failed.reason, failed.note, memory=memory))

    def broken(self, memory: Mapping[str, Any] | None = None) -> Attempt:
        """The session ended in the middle of things."""
        reason = Reason.auth_failed if self.phase is Phase.self_test else Reason.unreachable
        note = IN_TIME if self.late else "the session broke off"
        reason = Reason.timeout if self.late else reason
        return self.ended(Found(Result.trouble, reason, note, memory=memory))


def visit(place: SqlPlace, access: Access, ask: Callable[[Session], Found]) -> Attempt:
    """1. connect, 2. self-test (a statement that needs no right; the baseline), 3. what ``ask`` asks the target.

    ``ask`` may raise DBAPIError: then the session counts as broken off.
    """
    steps = Steps(access)
    try:
        with open_session(place, access) as session:
            steps.done(f"connected to {access.pins[0].address} and signed in", then=Phase.self_test)
            steps.greet(session)
            return steps.ended(steps.drifted(session) or ask(session))
    except NotIn as failed:
        return steps.not_in(failed)
    except SQLAlchemyError:
        return steps.broken()
