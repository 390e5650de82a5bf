"""A session that was opened before the patch and looks again at each run: some servers let such a one read on.

It lives in the worker's process (``keeping.py``). What is remembered with the check says which session it is, so that

- the server denies it: a denial, like any other;
- the server ended it, and says so when a new session of the same identity asks: a denial (``session_ended``), unless
  that new session gets in, which is open;
- we lost it (the worker was started anew, the way there broke, an answer took too long): ``session_lost`` from then on.
  Our end of it proves nothing, and a session opened later is another one.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from sevtracker.checks.guard import NameUnknown
from sevtracker.checks.interface import Access, Attempt, Result
from sevtracker.checks.keeping import InUse, Kept
from sevtracker.checks.sql.doors import NotIn
from sevtracker.checks.sql.names import SessionName, is_there, name_of
from sevtracker.checks.sql.places import SqlPlace
from sevtracker.checks.sql.sessions import Session, connected, open_session, resumed
from sevtracker.checks.sql.visits import Found, Steps
from sevtracker.domain.vocabulary import Phase, Reason

#: Seconds that a server may need to strike a session that it ended off its list, and between looks at the list.
_STRUCK_WITHIN, _LOOK_EVERY = 2.0, 0.05

_GONE = "this worker does not have the session any more; what was opened before the patch cannot be tried again"


class State(StrEnum):
    """What became of a session. ``broken``: it ended without our doing, and the server has yet to be asked."""

    held = "held"
    broken = "broken"
    ended = "ended"
    lost = "lost"


@dataclass(frozen=True, slots=True)
class Remembered:
    """A held session, as it is kept with its check: nothing of the target, and no secret.

    ``got_in``: it was seen to get in. What was opened when the door was shut already tells nothing of older ones.
    """

    token: str
    address: str
    name: SessionName
    state: State
    got_in: bool

    def told(self, state: State) -> dict[str, Any]:
        return {**asdict(self), "state": state.value}

    @classmethod
    def read(cls, memory: Mapping[str, Any]) -> Remembered:
        """Raises KeyError, TypeError or ValueError for what ``told`` did not write."""
        name = SessionName(**memory["name"])
        return cls(str(memory["token"]), str(memory["address"]), name, State(memory["state"]), bool(memory["got_in"]))


@dataclass(frozen=True, slots=True)
class HeldSession:
    """What the keeper keeps."""

    connection: Connection
    address: str
    name: SessionName

    def close(self) -> None:
        let_go(self.connection)


def let_go(connection: Connection) -> None:
    """Close a connection that may be broken, or in the middle of something."""
    with contextlib.suppress(DBAPIError):  # it was closed by the other end
        connection.close()


class HeldRun:
    """One run through the session that is kept under ``key``; the first one opens it. ``ask`` looks at the target."""

    def __init__(self, place: SqlPlace, key: str, access: Access, ask: Callable[[Session], Found]) -> None:
        self._place = place
        self._key = key
        self._access = access
        self._ask = ask
        self._steps = Steps(access)

    def attempt(self) -> Attempt:
        """1. Which session does the check remember? 2. Look through it; open one if there never was one."""
        memory, keeper = self._access.memory, self._access.keeper
        try:
            before = None if memory is None else Remembered.read(memory)
        except (KeyError, TypeError, ValueError):
            return self._lost(None, _GONE)
        if before is not None and before.state is State.lost:
            return self._lost(before, _GONE)
        if before is not None and before.state is not State.held:
            return self._verified(before)
        try:
            kept = keeper.take(self._key, self._access.clock.monotonic())
        except InUse:
            return self._steps.ended(Found(Result.trouble, Reason.timeout, "an earlier run still has the session"))
        if kept is None:
            return self._first() if before is None else self._lost(None, _GONE)
        if before is not None and kept.token != before.token:
            keeper.give_back(self._key, kept)
            return self._lost(None, _GONE)
        return self._again(kept, got_in=before is not None and before.got_in)

    # ---- the first run ---------------------------------------------------------------------------------------------

    def _first(self) -> Attempt:
        """Open the session, look, keep it. One that could not be kept can say open, and nothing else."""
        try:
            connection = connected(self._place, self._access)
        except NotIn as failed:
            return self._steps.not_in(failed)
        self._steps.done(f"connected to {self._access.pins[0].address} and signed in", then=Phase.self_test)
        try:
            with resumed(connection, self._place, self._steps.rest()) as session:
                self._steps.greet(session)
                name = name_of(session)
                found = self._steps.drifted(session) or self._ask(session)
        except (DBAPIError, LookupError):
            let_go(connection)
            return self._steps.broken()
        if found.result is Result.trouble:
            let_go(connection)
            return self._steps.ended(found)
        thing = HeldSession(connection, self._access.pins[0].address, name)
        kept = self._access.keeper.put(self._key, thing, self._access.clock.monotonic())
        if kept is not None:
            self._access.keeper.give_back(self._key, kept)
            before = _remembered(kept, thing, got_in=False)
            return self._steps.ended(_seen(found, before, State.held))
        thing.close()
        if found.result is Result.got_in:
            return self._steps.ended(found)
        note = "no session was kept: only a running worker keeps any, and so many at most"
        return self._steps.ended(Found(Result.trouble, Reason.session_lost, note))

    # ---- later runs ------------------------------------------------------------------------------------------------

    def _again(self, kept: Kept, *, got_in: bool) -> Attempt:
        thing = kept.thing
        if not isinstance(thing, HeldSession):
            raise TypeError
        before = _remembered(kept, thing, got_in=got_in)
        try:
            self._still_leads_to(thing.address)
        except NotIn as failed:
            self._access.keeper.give_back(self._key, kept)
            return self._steps.not_in(failed)
        found: Found | None = None
        try:
            with resumed(thing.connection, self._place, self._steps.rest()) as session:
                self._steps.done("took up the session that was opened before", then=Phase.self_test)
                self._steps.greet(session)
                name = name_of(session)
                if (name.number, name.began) == (thing.name.number, thing.name.began):
                    found = self._steps.drifted(session) or self._ask(session)
        except (DBAPIError, LookupError):
            return self._broke(kept, before, found)
        if found is None:
            self._access.keeper.let_go(self._key, kept)
            return self._lost(before, "another session of the server answered: something on the way pools them")
        self._access.keeper.give_back(self._key, kept)
        return self._steps.ended(_seen(found, before, State.held))

    def _broke(self, kept: Kept, before: Remembered, found: Found | None) -> Attempt:
        """The session does not answer. By our own deadline: then we lost it. Else the server is asked, before our end
        of it is closed: it may only be the way there that broke."""
        try:
            if found is not None and found.result is Result.got_in:
                return self._steps.ended(_seen(found, before, State.broken))
            if self._steps.late:
                note = "no answer in time, so the session had to be given up"
                return self._steps.ended(Found(Result.trouble, Reason.timeout, note, memory=before.told(State.lost)))
            self._steps.done("the session is broken off", ok=False, then=Phase.connect)
            return self._verified(before)
        finally:
            self._access.keeper.let_go(self._key, kept)

    def _verified(self, before: Remembered) -> Attempt:
        """Sign in anew as the same identity, and see that the server has no such session any more. Then look."""
        state = State.ended if before.state is State.ended else State.broken
        try:
            self._still_leads_to(before.address)
            with open_session(self._place, self._steps.rest()) as fresh:
                self._steps.done(f"signed in anew at {before.address}", then=Phase.self_test)
                self._steps.greet(fresh)
                there = self._struck_off(fresh, before.name)
                if there:
                    return self._lost(before, "the server still has the session, but there is no way to it any more")
                if there is None:
                    note = "this is not the server that had the session, which may live on there"
                    found = Found(Result.trouble, Reason.session_lost, note, memory=before.told(state))
                    return self._steps.ended(found)
                found = self._steps.drifted(fresh) or self._ask(fresh)
        except NotIn as failed:
            return self._steps.not_in(failed, before.told(state))
        except (DBAPIError, LookupError):
            return self._steps.broken(before.told(state))
        if found.result is Result.denied:
            note = "the server ended the session, and denies a new one"
            found = replace(found, reason=Reason.session_ended, note=note)
        return self._steps.ended(_seen(found, before, State.ended))

    def _struck_off(self, fresh: Session, name: SessionName) -> bool | None:
        """As ``is_there``, once the server had a moment to strike a session off."""
        until = min(self._access.clock.monotonic() + _STRUCK_WITHIN, self._steps.ends)
        while there := is_there(fresh, name):
            if self._access.clock.monotonic() >= until:
                break
            time.sleep(_LOOK_EVERY)
        return there

    def _lost(self, before: Remembered | None, note: str) -> Attempt:
        """Without ``before``, what is remembered stays: another worker may have the session."""
        self._steps.phase = Phase.target
        memory = None if before is None else before.told(State.lost)
        return self._steps.ended(Found(Result.trouble, Reason.session_lost, note, memory=memory))

    def _still_leads_to(self, address: str) -> None:
        """Go to ``address``, where the session is, as long as the guard gives it for the host. Raises NotIn."""
        try:
            pins = (*self._access.pins, *self._access.admit(self._place.endpoint))
        except NameUnknown:
            raise NotIn(Reason.dns, Phase.connect, "the host has no address, or no answer came") from None
        pin = next((pin for pin in pins if pin.address == address), None)
        if pin is None:
            note = "the host has other addresses now than when the session was opened"
            raise NotIn(Reason.target_changed, Phase.connect, note)
        self._access = replace(self._access, pins=(pin,))


def _remembered(kept: Kept, thing: HeldSession, *, got_in: bool) -> Remembered:
    return Remembered(kept.token, thing.address, thing.name, State.held, got_in)


def _seen(found: Found, before: Remembered, state: State) -> Found:
    """``found`` with what is to be remembered. A session that never got in closes nothing."""
    now = replace(before, got_in=before.got_in or found.result is Result.got_in)
    if found.result in (Result.denied, Result.absent) and not now.got_in:
        note = "this session never got in: it was opened when the door was shut, and tells nothing of older ones"
        found = Found(Result.trouble, Reason.session_lost, note)
    return replace(found, memory=now.told(state))
