"""Resolving through a door: ask, wait for the final runs without holding anything, then resolve or be refused.

Pages and API share this; they differ in how they show the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sevtracker.actions import resolve as acts
from sevtracker.actions.inputs import Resolve
from sevtracker.actions.resolve import FinalRuns, Refused, Resolved
from sevtracker.actions.runtime import Runtime
from sevtracker.store.work import Person, Work

LOOK_EVERY_S = 0.05


def resolve(
    runtime: Runtime,
    person: Person,
    number: int,
    given: Resolve,
    also: Callable[[Work, Resolved], None] | None = None,
) -> Resolved | Refused:
    """Resolve SEV ``number``, or say why not. Takes up to ``worker.resolve_wait``.

    1. Ask the gate. Blockers: a refusal, recorded and committed. Else the final runs are queued.
    2. Wait until they are stored. No transaction is held meanwhile. What is not back in time becomes a blocker.
    3. Ask again and resolve, in one transaction, in which ``also`` may keep the answer.

    Raises NotFound, NotPermitted.
    """
    with runtime.work(person) as work:
        begun = acts.begin(work, runtime.settings, number)
    if isinstance(begun, Refused):
        return begun
    _wait(runtime, begun)
    with runtime.work(person) as work:
        answer = acts.finish(work, runtime.settings, given, begun)
        if also is not None and isinstance(answer, Resolved):
            also(work, answer)
    return answer


def _wait(runtime: Runtime, final: FinalRuns) -> None:
    until = runtime.clock.monotonic() + runtime.settings.worker.resolve_wait.total_seconds()
    while True:
        with runtime.read() as session:
            missing = acts.awaited(session, final)
        if not missing or runtime.clock.monotonic() >= until:
            return
        time.sleep(LOOK_EVERY_S)
