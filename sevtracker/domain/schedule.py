"""When a check runs next. Pure: times in, a time out; the caller brings the randomness."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sevtracker.config import Policy
from sevtracker.domain.policy import Rules
from sevtracker.domain.vocabulary import ACTIVE, Reason, Status, Verdict

#: After so many failed sign-ins in a row a check stops by itself: a probe must never lock an account out.
AUTH_FAILURES_TO_HALT = 2


@dataclass(frozen=True, slots=True)
class Need:
    """What one SEV asks of a check: its rules, its status, since when it is resolved."""

    status: Status
    rules: Rules
    resolved_at: datetime | None = None


def interval(needs: Iterable[Need], policy: Policy, now: datetime) -> timedelta:
    """How often a check runs at ``now``: as often as the most demanding SEV asks, else the standing interval."""
    return min((_one(need, now) for need in needs), default=policy.standing)


def _one(need: Need, now: datetime) -> timedelta:
    if need.status in ACTIVE or need.resolved_at is None:
        return need.rules.interval
    return need.rules.watch_every(need.resolved_at, now)


def halted(reason: Reason, failures: int) -> bool:
    """Does a check stop by itself? Only failed sign-ins do that: they can lock the account."""
    return reason is Reason.auth_failed and failures >= AUTH_FAILURES_TO_HALT


def next_due(  # noqa: PLR0913  # one rule, and these are its facts
    *,
    now: datetime,
    every: timedelta,
    verdict: Verdict,
    failures: int,
    jitter: float,
    policy: Policy,
    patched_at: datetime | None = None,
    retry_after: timedelta | None = None,
) -> datetime:
    """When to run next after a run that just ended at ``now``.

    1. The interval, jittered by ``policy.jitter`` times ``jitter`` (-1..1), so that checks don't march in step.
    2. Sooner after an inconclusive run: ``retry_first``, doubled per failure in a row, up to ``retry_max``.
    3. Sooner at the given times after a patch (``policy.after_patch``).
    4. Never sooner than the target asked for (Retry-After).
    """
    due = now + every * (1 + policy.jitter * jitter)
    if verdict is Verdict.inconclusive:
        due = min(due, now + min(policy.retry_max, policy.retry_first * (1 << min(max(failures - 1, 0), 16))))
    if patched_at is not None:
        due = min((at for at in after_patch(patched_at, policy) if now < at < due), default=due)
    if retry_after is not None:
        due = max(due, now + retry_after)
    return due


def after_patch(applied_at: datetime, policy: Policy) -> tuple[datetime, ...]:
    """When to look again after a patch applied at ``applied_at``."""
    return tuple(applied_at + delay for delay in policy.after_patch)
