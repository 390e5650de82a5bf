"""Settings into rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sevtracker.config import Policy
from sevtracker.domain.policy import rules_for
from sevtracker.domain.vocabulary import Level
from tests.domain.stories import RULES, minutes


@pytest.mark.parametrize(
    ("level", "interval", "consecutive", "soak", "owed"),
    [
        (Level.SEV0, 10, 6, timedelta(hours=24), (True, True, True)),
        (Level.SEV1, 10, 6, timedelta(hours=24), (True, True, True)),
        (Level.SEV2, 15, 4, timedelta(hours=4), (False, True, True)),
        (Level.SEV3, 15, 3, minutes(30), (False, False, False)),
        (Level.SEV4, 15, 3, minutes(30), (False, False, False)),
    ],
)
def test_each_level_asks_for_its_own(
    level: Level, interval: float, consecutive: int, soak: timedelta, owed: tuple[bool, bool, bool]
) -> None:
    rules = rules_for(Policy(), level)
    assert (rules.interval, rules.consecutive, rules.soak) == (minutes(interval), consecutive, soak)
    assert (rules.reporter_retest, rules.access_review, rules.sessions) == owed
    assert rules.max_gap == 3 * rules.interval
    assert rules.freshness == 2 * rules.interval


def test_the_default_rules_of_sev3_are_those_of_the_table() -> None:
    rules = rules_for(Policy(), Level.SEV3)
    assert (rules.settle, rules.max_gap, rules.freshness) == (RULES.settle, RULES.max_gap, RULES.freshness)
    assert abs(rules.spacing - RULES.spacing) < timedelta(seconds=5)
    assert (rules.watch_blind, rules.watch_lost, rules.watch) == (RULES.watch_blind, RULES.watch_lost, RULES.watch)


def test_two_policies_are_never_mixed_up() -> None:
    quick = Policy(settle=timedelta(seconds=1))
    assert rules_for(quick, Level.SEV3).settle == timedelta(seconds=1)
    assert rules_for(Policy(), Level.SEV3).settle == minutes(5)
