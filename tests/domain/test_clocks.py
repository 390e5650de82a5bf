"""Claimed fixed, verified closed, and the gap between the two."""

from __future__ import annotations

from datetime import timedelta

from sevtracker.domain.clocks import false_fix_gap, verified_closed_at, window
from sevtracker.domain.exposure import VantageState, assess, fold
from sevtracker.domain.vocabulary import Exposure
from tests.domain.stories import RULES, at, end, minutes, told


def pair(story: str) -> tuple[Exposure, VantageState]:
    events = told(story)
    state = fold(events, RULES)
    return assess(state, RULES, end(events) + minutes(1)).exposure, state


def test_verified_closed_is_the_first_closed_of_the_streak_where_it_came_last() -> None:
    early, late = pair("O@0 P@10 C@20,35,50"), pair("O@0 P@10 O@12 C@25,40,55")
    assert verified_closed_at([early]) == at(20)
    assert verified_closed_at([early, late]) == at(25)


def test_one_vantage_that_is_not_verified_keeps_the_clock_running() -> None:
    assert verified_closed_at([pair("O@0 P@10 C@20,35,50"), pair("O@0 P@10 C@20")]) is None
    assert verified_closed_at([]) is None


def test_an_error_after_the_streak_does_not_take_the_clock_back() -> None:
    assert verified_closed_at([pair("O@0 P@10 C@20,35,50 I@65")]) == at(20)


def test_the_false_fix_gap_runs_from_the_claim_to_the_proof() -> None:
    assert false_fix_gap(None, None, at(99)) is None
    assert false_fix_gap(at(10), None, at(99)) == minutes(89)
    assert false_fix_gap(at(10), at(40), at(99)) == minutes(30)
    assert false_fix_gap(at(10), at(5), at(99)) == timedelta(0)


def test_a_datasets_window_begins_with_the_earliest_sign() -> None:
    seen = [pair("O@5 P@10 C@20,35,50")]
    told_earlier = window("mci", seen, exposed_from=at(-60), detected_at=at(30))
    assert (told_earlier.since, told_earlier.until, told_earlier.last_seen_open) == (at(-60), at(20), at(5))
    assert window("mci", seen, exposed_from=None, detected_at=at(30)).since == at(5)
    assert window("mci", [], exposed_from=None, detected_at=at(30)).since == at(30)
    assert window("mci", [pair("O@5")], exposed_from=None, detected_at=at(30)).until is None
