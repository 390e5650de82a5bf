"""Questions whose answer is not the door itself: then a denial closes nothing, it only leaves us without an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from sevtracker.checks.interface import Result
from sevtracker.checks.sql.sessions import Session
from sevtracker.checks.sql.visits import Found
from sevtracker.domain.vocabulary import Reason

T = TypeVar("T")


class NotTold(Exception):
    """There was no answer; ``result`` and ``reason`` as of an attempt, ``note`` in our own words."""

    def __init__(self, result: Result, reason: Reason, note: str) -> None:
        self.result, self.reason, self.note = result, reason, note
        super().__init__(reason)

    @property
    def found(self) -> Found:
        """For an attempt that ends so. What is not there is the kind's own control that failed."""
        control = None if self.result is Result.trouble else Result.trouble
        return Found(self.result, self.reason, self.note, control=control)


def asked(session: Session, ask: Callable[[], T], *, slow: str = "the server could not answer in time") -> T:
    """What ``ask`` brings. ``slow`` is said of a timeout. Raises NotTold."""
    try:
        return ask()
    except DBAPIError as error:
        result, reason = session.denials.meaning(error.orig or error)
    if reason is Reason.unreachable:
        raise NotTold(Result.trouble, reason, "the session broke off")
    if result is Result.denied:
        raise NotTold(Result.trouble, Reason.not_permitted, "this identity may not be told")
    if result is Result.absent:
        raise NotTold(result, reason, "there is no such table or column")
    raise NotTold(result, reason, slow if reason is Reason.timeout else f"the server failed: {reason}")
