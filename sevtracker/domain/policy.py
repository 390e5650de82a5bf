"""The rules of one level, as plain values: how often, how many times, how long, how fresh.

``rules_for`` turns settings into them once; everything below takes a ``Rules`` and never a setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sevtracker.config import Policy
from sevtracker.domain.vocabulary import Level


@dataclass(frozen=True, slots=True)
class WatchStep:
    """Watch ``every`` so often, ``lasting`` so long (None: from then on)."""

    every: timedelta
    lasting: timedelta | None


@dataclass(frozen=True, slots=True)
class Rules:
    """What it takes to believe that a door is closed, for one level.

    ``consecutive`` (N) counted closeds over at least ``soak`` (T); a closed counts ``settle`` after the last patch,
    ``spacing`` after the counted one before it, and no more than ``max_gap`` after it.
    """

    interval: timedelta
    consecutive: int
    soak: timedelta
    settle: timedelta
    spacing: timedelta
    max_gap: timedelta
    freshness: timedelta
    flapping_window: timedelta
    proof_valid: timedelta
    patch_unverified: timedelta
    watch: tuple[WatchStep, ...]
    watch_blind: timedelta
    watch_lost: timedelta
    access_review: bool
    reporter_retest: bool
    sessions: bool
    identity_classes: tuple[str, ...]

    def watch_every(self, resolved_at: datetime, now: datetime) -> timedelta:
        """How often a resolved SEV's checks run at ``now``: the watch thins out with the time since resolving."""
        passed = now - resolved_at
        for step in self.watch:
            if step.lasting is None or passed < step.lasting:
                return step.every
            passed -= step.lasting
        return self.watch[-1].every


def rules_for(policy: Policy, level: Level) -> Rules:
    """The rules of ``level`` under the configured ``policy``."""
    return _rules(_Hashable(policy), level)


class _Hashable:
    """Settings are frozen but hold lists; identity is enough, since a process has one policy."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return id(self.policy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashable) and other.policy is self.policy


@lru_cache(maxsize=64)
def _rules(key: _Hashable, level: Level) -> Rules:
    policy = key.policy
    own = policy.level(level.value)
    return Rules(
        interval=own.interval,
        consecutive=own.consecutive,
        soak=own.soak,
        settle=policy.settle,
        spacing=own.interval * policy.spacing_factor,
        max_gap=own.interval * policy.max_gap_factor,
        freshness=own.interval * policy.freshness_factor,
        flapping_window=policy.flapping_window,
        proof_valid=policy.proof_valid,
        patch_unverified=policy.patch_unverified,
        watch=tuple(WatchStep(step.every, step.for_) for step in policy.watch),
        watch_blind=policy.watch_blind,
        watch_lost=policy.watch_lost,
        access_review=own.access_review,
        reporter_retest=own.reporter_retest,
        sessions=own.sessions,
        identity_classes=tuple(own.identity_classes),
    )
