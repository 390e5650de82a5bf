"""A door that was seen open stays so whatever its check is made into; a watch that is taken away is lost."""

from __future__ import annotations

from typing import Any

import pytest

from sevtracker.actions.resolve import Refused, Resolved
from sevtracker.domain.vocabulary import Exposure, Status
from tests.actions.test_checks import HINTED, change
from tests.actions.test_twins import TOLD_APART, TWINS, look
from tests.actions.words import waive
from tests.cast import CLOSED, OPEN, Tracker


def codes(refused: Any) -> set[str]:
    assert isinstance(refused, Refused)
    return {b.code.value for b in refused.blockers}


def test_an_edit_and_twins_do_not_prove_closed_what_was_seen_open(mci: Tracker) -> None:
    """Who logs the patch afterwards may edit before: the former definition's open still stands."""
    change(mci, by="dana", params=HINTED, twins=TWINS)
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50, 65):
        look(mci, minute, TOLD_APART, CLOSED)
    assert mci.sev().exposure is Exposure.unproven
    assert "unproven" in codes(mci.resolve(1))
    change(mci, params={"door": "primary"}, twins=None)  # back: the definition that saw it open sees it closed
    for minute in (80, 95, 110):
        mci.look(minute, primary=CLOSED)
    assert isinstance(mci.resolve(1), Resolved)


def test_a_sev_that_is_filed_after_the_edit_knows_of_it_too(mci: Tracker) -> None:
    change(mci, params=HINTED, twins=TWINS)
    for minute in (10, 25):
        look(mci, minute, TOLD_APART, CLOSED)
    mci.go_to(3 * 24 * 60)
    other = mci.file()
    mci.patch(other)
    for minute in (20, 35, 50, 65):
        look(mci, 3 * 24 * 60 + minute, TOLD_APART, CLOSED)
    assert mci.sev(other).exposure is Exposure.unproven


def test_a_waived_retarget_clears_nothing_once_the_waiver_is_gone(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    waive(mci)
    change(mci, by="priya", params={"door": "elsewhere"}, twins=TWINS)
    for minute in (20, 35, 50, 65):
        look(mci, minute, TOLD_APART, CLOSED)
    assert mci.sev().exposure is Exposure.unproven


@pytest.fixture
def watched(mci: Tracker) -> Tracker:
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    assert isinstance(mci.resolve(1), Resolved)
    return mci


@pytest.mark.parametrize("given", [{"enabled": False}, {"required": False}])
def test_taking_the_only_watch_away_reopens_what_was_resolved_on_it(watched: Tracker, given: dict[str, Any]) -> None:
    change(watched, by="eve", **given)
    assert watched.sev().status is Status.investigating
    assert "sev:reopened" in watched.notices()


def test_another_check_that_watches_on_is_enough(mci: Tracker) -> None:
    mci.check("primary", identity="contractor")
    mci.look(5, primary=OPEN)
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    assert isinstance(mci.resolve(1), Resolved)
    change(mci, 2, by="eve", enabled=False)
    assert mci.sev().status is Status.resolved


def test_a_watch_that_was_edited_since_is_blind_and_then_lost(watched: Tracker) -> None:
    change(watched, by="eve", params=HINTED)
    assert watched.sev().exposure is Exposure.watch_blind
    watched.doors["primary"] = CLOSED
    watched.live(73 * 60, step=60)
    assert (watched.sev().status, watched.sev().reopens) == (Status.investigating, 1)


def test_a_new_check_blinds_no_watch(watched: Tracker) -> None:
    watched.check("primary", identity="contractor")
    watched.run_queued()
    assert watched.sev().exposure is Exposure.watching
