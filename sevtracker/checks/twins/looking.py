"""Looking at a check's canary twins: the open one has to come out open, the locked one closed.

Both are looked at exactly as a target is, by the same identity and the same control, each within a deadline of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sevtracker.checks.environment import ProbeEnvironment
from sevtracker.checks.interface import Definition, Observation, Step, TwinsSeen
from sevtracker.domain.vocabulary import Phase, Verdict

Look = Callable[[Definition, ProbeEnvironment], Observation]

#: Looks that a run takes at most: its target, and two twins.
LOOKS = 3
_WANTED = (("open", Verdict.open), ("locked", Verdict.closed))


def is_due(definition: Definition, seen: Observation, environment: ProbeEnvironment) -> bool:
    """Whether a run that saw ``seen`` goes on to the twins.

    Only after a closed, which alone needs a proof: so an open is told at once, a dead password is not tried twice more,
    and the proof is of the very minute.
    """
    if definition.twins is None or seen.verdict is not Verdict.closed:
        return False
    age = None if definition.proved_at is None else environment.clock.now() - definition.proved_at
    return age is None or abs(age) >= timedelta(seconds=environment.prove_every)


def look_at(definition: Definition, environment: ProbeEnvironment, look: Look) -> tuple[TwinsSeen, tuple[Step, ...]]:
    """Look at both twins by ``look``, which never raises. A first one that is wrong spares the second a look."""
    assert definition.twins is not None
    steps: list[Step] = []
    for name, wanted in _WANTED:
        seen = look(_twin(definition, getattr(definition.twins, name)), environment)
        told = f"{seen.verdict} ({seen.reason.replace('_', ' ')})"
        if seen.verdict is not wanted:
            wrong = f"the {name} twin was {told}, and should be {wanted}: this is no proof"
            return TwinsSeen(wrong), (*steps, Step(Phase.twins, False, wrong, seen.duration_ms))
        steps.append(Step(Phase.twins, True, f"the {name} twin was {told}", seen.duration_ms))
    return TwinsSeen(None), tuple(steps)


def _twin(definition: Definition, differing: Mapping[str, Any]) -> Definition:
    """What the target left in memory is the target's."""
    params = {name: value for name, value in {**definition.params, **differing}.items() if value is not None}
    return replace(definition, params=params, memory=None, twins=None, proved_at=None)
