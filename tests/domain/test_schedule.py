"""When a check runs next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sevtracker.config import Policy
from sevtracker.domain.policy import rules_for
from sevtracker.domain.schedule import Need, halted, interval, next_due
from sevtracker.domain.vocabulary import Level, Reason, Status, Verdict
from tests.domain.stories import at, minutes

POLICY = Policy()


def due(verdict: Verdict = Verdict.closed, **given: Any) -> datetime:
    settings: dict[str, Any] = {"failures": 0, "jitter": 0.0, "every": minutes(15), **given}
    return next_due(now=at(0), verdict=verdict, policy=POLICY, **settings)


def test_the_most_demanding_sev_sets_the_pace() -> None:
    sev1 = Need(Status.patched, rules_for(POLICY, Level.SEV1))
    sev3 = Need(Status.reported, rules_for(POLICY, Level.SEV3))
    watched = Need(Status.closed, rules_for(POLICY, Level.SEV1), resolved_at=at(-60))
    assert interval([sev3, sev1, watched], POLICY, at(0)) == minutes(10)
    assert interval([watched], POLICY, at(0)) == minutes(60)
    assert interval([], POLICY, at(0)) == POLICY.standing


def test_it_runs_at_its_interval_give_or_take_a_tenth() -> None:
    assert due() == at(15)
    assert due(jitter=1.0) == at(16.5)
    assert due(jitter=-1.0) == at(13.5)


def test_what_could_not_see_tries_again_soon_then_ever_later() -> None:
    waits = [due(Verdict.inconclusive, failures=n, every=minutes(60)) - at(0) for n in (0, 1, 2, 3, 5, 6, 100)]
    assert [w.total_seconds() for w in waits] == [30, 30, 60, 120, 480, 900, 900]


def test_a_retry_never_comes_later_than_the_interval() -> None:
    assert due(Verdict.inconclusive, failures=50, every=minutes(10)) == at(10)


def test_after_a_patch_it_looks_at_the_given_times() -> None:
    assert due(patched_at=at(0)) == at(5)
    assert due(patched_at=at(-5)) == at(5)
    assert due(patched_at=at(-9)) == at(1)
    assert due(patched_at=at(-60)) == at(15)


def test_it_never_comes_before_the_target_allows() -> None:
    assert due(Verdict.inconclusive, failures=1, retry_after=timedelta(hours=2)) == at(120)
    assert due(patched_at=at(0), retry_after=timedelta(minutes=7)) == at(7)


def test_two_failed_sign_ins_stop_a_check_and_nothing_else_does() -> None:
    assert not halted(Reason.auth_failed, 1)
    assert halted(Reason.auth_failed, 2)
    assert not halted(Reason.unreachable, 50)
