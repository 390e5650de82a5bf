"""A check that is made to judge more loosely while its door is open, and sees it open still: what the stricter one saw
stays that one's to close."""

from __future__ import annotations

import pytest

from sevtracker.actions.resolve import Resolved
from sevtracker.domain.vocabulary import Exposure
from tests.actions.test_accepting import accept
from tests.actions.test_checks import change, refused
from tests.actions.test_twins import TOLD_APART, TWINS, look
from tests.actions.words import codes, told, waive
from tests.cast import CLOSED, OPEN, Tracker

STRICT, LOOSE = {"door": "primary"}, {"door": "primary", "allowed": ["analyst"]}


@pytest.fixture
def loosened(mci: Tracker) -> Tracker:
    """Seen open; Priya lets the analyst pass, and it is open still, by somebody else. The patch is about that one."""
    mci.go_to(10)
    change(mci, by="priya", params=LOOSE)
    mci.look(11, primary=OPEN)
    mci.go_to(12)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    return mci


def test_it_does_not_resolve_though_it_was_reproduced(loosened: Tracker) -> None:
    assert (loosened.sev().exposure, codes(loosened)) == (Exposure.unproven, ["unproven", "soak"])
    assert not isinstance(loosened.resolve(1), Resolved)


def test_the_stricter_one_takes_it_back_once_it_sees_the_door_closed(loosened: Tracker) -> None:
    change(loosened, by="priya", params=STRICT)
    for minute in (65, 80, 95):
        loosened.look(minute)
    assert isinstance(loosened.resolve(1), Resolved)


def test_or_an_executive_accepts_who_let_nobody_pass(loosened: Tracker) -> None:
    assert accept(loosened) is None
    for minute in (65, 80, 95):
        loosened.look(minute)
    assert isinstance(loosened.resolve(1), Resolved)


def test_a_sev_that_is_filed_later_knows_of_it(loosened: Tracker) -> None:
    loosened.go_to(5 * 24 * 60)
    other = loosened.file()
    loosened.patch(other)
    for minute in (20, 35, 50):
        loosened.look(5 * 24 * 60 + minute)
    assert loosened.sev(other).exposure is Exposure.unproven


def test_whoever_loosened_it_does_not_accept_though_another_edited_and_saw_it_open_since(mci: Tracker) -> None:
    mci.go_to(5)
    change(mci, by="vik", params=LOOSE)
    mci.look(6, primary=OPEN)
    change(mci, by="priya", params={**LOOSE, "hint": "another"}, twins=TWINS)
    mci.go_to(10)
    mci.patch(1)
    mci.doors["primary"] = CLOSED
    look(mci, 20, TOLD_APART)
    assert accept(mci) is not None
    assert told(mci, "check:acceptance_refused").facts["changed"].keys() == {"allowed", "hint"}


def test_nor_does_a_door_that_was_made_elsewhere_under_a_waiver_take_it_back(mci: Tracker) -> None:
    mci.go_to(5)
    waive(mci)
    change(mci, by="priya", params={"door": "elsewhere"})
    mci.look(6, elsewhere=OPEN)
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, elsewhere=CLOSED)
    assert mci.sev().exposure is Exposure.unproven
    assert not isinstance(mci.resolve(1), Resolved)


def test_what_a_stricter_one_saw_stays_open_until_it_sees_it_closed_from_where_it_looked(mci: Tracker) -> None:
    mci.go_to(5)
    waive(mci)
    change(mci, by="priya", params={"door": "elsewhere"})
    mci.look(6, elsewhere=CLOSED)
    change(mci, by="priya", params=STRICT)  # the way out that the blocker names
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    assert isinstance(mci.resolve(1), Resolved)


@pytest.fixture(params=[5.5, 6.5], ids=["started before the edit", "started after it"])
def late(tracker: Tracker, request: pytest.FixtureRequest) -> Tracker:
    """A run of the strict definition is under way when Priya loosens it, and comes out open. So does the loose one,
    which is closed then."""
    tracker.dataset()
    tracker.check()
    tracker.file()
    tracker.go_to(5)
    jobs = tracker.claim()
    tracker.go_to(6)
    change(tracker, by="priya", params=LOOSE)
    tracker.go_to(7)
    tracker.store([tracker.seen(job, OPEN, at=tracker.at(request.param)) for job in jobs])
    tracker.look(8, primary=OPEN)
    tracker.go_to(10)
    tracker.patch(1)
    for minute in (20, 35, 50):
        tracker.look(minute, primary=CLOSED)
    return tracker


def test_a_run_that_was_under_way_is_the_stricter_one_s_word_too(late: Tracker) -> None:
    assert not isinstance(late.resolve(1), Resolved)
    assert "have an executive accept" in refused(late, by="eve", enabled=False).message
    late.go_to(5 * 24 * 60)
    other = late.file()
    late.patch(other)
    for minute in (20, 35, 50):
        late.look(5 * 24 * 60 + minute)
    assert not isinstance(late.resolve(other), Resolved)
    assert accept(late) is None


def test_a_loose_one_may_be_sharpened_while_it_sees_the_door_open(tracker: Tracker) -> None:
    tracker.dataset()
    tracker.check()
    tracker.file()
    tracker.go_to(1)
    change(tracker, by="priya", params=LOOSE)
    tracker.look(2, primary=OPEN)
    tracker.go_to(3)
    tracker.patch(1)
    tracker.go_to(4)
    change(tracker, by="priya", params={**LOOSE, "hint": "sharper"})
    tracker.look(5)
    for minute in (20, 35, 50):
        tracker.look(minute, primary=CLOSED)
    assert isinstance(tracker.resolve(1), Resolved)
