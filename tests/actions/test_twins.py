"""A check that never saw its door open is proven on canary twins, for a week at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sevtracker.actions import checks, evaluation
from sevtracker.checks.interface import TwinsSeen
from sevtracker.domain.sentences import sentence
from sevtracker.domain.vocabulary import Exposure, Status
from sevtracker.errors import InputError
from sevtracker.store import checks as stored
from sevtracker.store import sevs
from sevtracker.store.tables import Check
from tests.actions.test_checks import change, refused
from tests.cast import CLOSED, OPEN, Tracker

TWINS = {"open": {"door": "canary-open"}, "locked": {"door": "canary-locked"}}
OTHERS = {"open": {"door": "canary-open"}, "locked": {"door": "canary-shut"}}
TOLD_APART, WRONG = TwinsSeen(None), TwinsSeen("the locked twin was open (row read), and should be closed")
DAY = 24 * 60


@pytest.fixture
def never_open(tracker: Tracker) -> Tracker:
    """SEV-1 on a door that the check only ever saw closed, and a patch at minute 10. The check has twins."""
    tracker.dataset()
    tracker.doors["primary"] = CLOSED
    tracker.check(twins=TWINS)
    tracker.file()
    tracker.run_queued()
    tracker.go_to(10)
    tracker.patch(1)
    return tracker


def look(tracker: Tracker, minute: float, twins: TwinsSeen | None = None, state: str | None = None) -> None:
    """A run at this minute that looked at the twins as well, unless ``twins`` is None."""
    tracker.go_to(minute)
    with tracker.work("dana") as work:
        checks.run_now(work, 1)
    seen = [tracker.seen(job, state) for job in tracker.claim()]
    tracker.store([replace(one, seen=replace(one.seen, twins=twins)) for one in seen])


def the_check(tracker: Tracker) -> Check:
    with tracker.read() as session:
        return session.get_one(Check, 1)


def exposure(tracker: Tracker) -> tuple[Exposure, int]:
    return tracker.sev().exposure, tracker.vantage().streak


def codes(tracker: Tracker) -> set[str]:
    refused = tracker.begin(1)
    return {blocker.code.value for blocker in getattr(refused, "blockers", ())}


def test_only_ever_closed_is_unproven_until_twins_prove_it_then_it_resolves(never_open: Tracker) -> None:
    for minute in (20, 35, 50):
        look(never_open, minute)
    assert exposure(never_open) == (Exposure.unproven, 0)
    assert "unproven" in codes(never_open)
    look(never_open, 65, TOLD_APART)
    assert exposure(never_open) == (Exposure.verifying, 1), "the very run that proved the check counts"
    look(never_open, 80)
    look(never_open, 95)
    assert exposure(never_open) == (Exposure.verified, 3)
    never_open.resolve(1)
    assert never_open.sev().status is Status.resolved
    assert the_check(never_open).proved_at == never_open.at(65)


def test_a_proof_ends_after_a_week_and_renewing_it_keeps_the_streak(never_open: Tracker) -> None:
    for minute, twins in ((20, TOLD_APART), (35, None), (50, None)):
        look(never_open, minute, twins)
    for day in range(1, 7):
        for step in range(0, DAY, 30):
            look(never_open, 50 + (day - 1) * DAY + step + 30)
    assert never_open.sev().exposure is Exposure.verified
    look(never_open, 7 * DAY + 15)
    assert never_open.sev().exposure is Exposure.verifying, "a gap of a day restarts the streak"
    for minute in (30, 45):
        look(never_open, 7 * DAY + minute)
    assert never_open.sev().exposure is Exposure.unproven, "the last closed came later than a week after the proof"
    look(never_open, 7 * DAY + 60, TOLD_APART)
    assert never_open.sev().exposure is not Exposure.unproven


def test_time_alone_ends_a_proof(never_open: Tracker) -> None:
    look(never_open, 20, TOLD_APART)
    assert never_open.sev().exposure is Exposure.verifying
    never_open.go_to(20 + 7 * DAY)
    never_open.tick()
    assert never_open.sev().exposure is Exposure.verifying
    never_open.go_to(20 + 7 * DAY + 0.01)
    never_open.tick()
    assert never_open.sev().exposure is Exposure.unproven


def test_what_earlier_proofs_proved_stays_proven_when_the_story_is_folded_anew(never_open: Tracker) -> None:
    for minute, twins in ((20, TOLD_APART), (35, None), (50, None), (65, TOLD_APART)):
        look(never_open, minute, twins)
    before = [(v.state, v.exposure) for v in never_open.vantages()]
    with never_open.work(None) as work:
        for sev in sevs.lock(work.session, [1]):
            evaluation.refold_all(work, never_open.settings, sev)
    assert [(v.state, v.exposure) for v in never_open.vantages()] == before
    assert exposure(never_open) == (Exposure.verified, 4)


def test_twins_that_are_wrong_prove_nothing_and_change_no_verdict(never_open: Tracker) -> None:
    look(never_open, 20, WRONG)
    look(never_open, 35, WRONG)
    check = the_check(never_open)
    assert (check.last_verdict, check.proved_at, check.twins_wrong) == ("closed", None, WRONG.wrong)
    assert exposure(never_open) == (Exposure.unproven, 0)
    told = [item for item in never_open.timeline() if item.kind == "twins:failed"]
    assert len(told) == 1, "once, not with every run"
    assert "the locked twin was open" in sentence(told[0].kind, told[0].facts)
    look(never_open, 50, TOLD_APART)
    assert the_check(never_open).twins_wrong is None
    assert never_open.kinds().count("twins:proven") == 1


def test_a_renewed_proof_is_no_news(never_open: Tracker) -> None:
    look(never_open, 20, TOLD_APART)
    look(never_open, DAY + 20, TOLD_APART)
    assert never_open.kinds().count("twins:proven") == 1
    assert the_check(never_open).proved_at == never_open.at(DAY + 20)


def test_other_twins_are_an_edit_that_voids_what_the_former_ones_proved(never_open: Tracker) -> None:
    look(never_open, 20, TOLD_APART)
    look(never_open, 35)
    before = the_check(never_open)
    changed = change(never_open, twins=OTHERS)
    assert (changed.revision, changed.fingerprint) == (before.revision + 1, before.fingerprint)
    assert changed.proved_at is None
    assert exposure(never_open) == (Exposure.unproven, 0)
    look(never_open, 50)
    assert exposure(never_open) == (Exposure.unproven, 0)
    look(never_open, 65, TOLD_APART)
    assert exposure(never_open) == (Exposure.verifying, 1)
    [told] = [item for item in never_open.timeline() if item.kind == "check:changed"]
    assert "twins" in sentence(told.kind, told.facts)
    with never_open.read() as session:
        assert [r.twins for r in stored.revisions(session, 1)] == [TWINS, OTHERS]


def test_taking_twins_away_voids_their_proof_too(never_open: Tracker) -> None:
    look(never_open, 20, TOLD_APART)
    never_open.go_to(30)
    assert change(never_open, twins=None).twins is None
    assert never_open.sev().exposure is Exposure.unproven


def test_an_edit_of_what_is_proven_voids_a_proof_by_twins(never_open: Tracker) -> None:
    look(never_open, 20, TOLD_APART)
    changed = change(never_open, params={"door": "primary", "hint": "another"})
    assert (changed.proved_at, changed.twins) == (None, TWINS)
    look(never_open, 35)
    assert exposure(never_open) == (Exposure.unproven, 0)


def test_a_check_that_saw_its_door_open_needs_no_twins_and_loses_nothing_by_others(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35):
        mci.look(minute, primary=CLOSED)
    change(mci, twins=TWINS)
    assert exposure(mci) == (Exposure.verifying, 2)
    mci.look(50)
    assert exposure(mci) == (Exposure.verified, 3)


def test_a_run_of_an_edited_definition_is_no_proof_of_the_present_one(never_open: Tracker) -> None:
    never_open.go_to(20)
    with never_open.work("dana") as work:
        checks.run_now(work, 1)
    claimed = never_open.claim()
    change(never_open, twins=OTHERS)
    seen = [never_open.seen(job) for job in claimed]
    never_open.store([replace(one, seen=replace(one.seen, twins=TOLD_APART)) for one in seen])
    assert (the_check(never_open).proved_at, never_open.sev().exposure) == (None, Exposure.unproven)


def test_twins_do_not_help_to_hide_an_open_door(mci: Tracker) -> None:
    """Edited into a check that never saw it open, proven on twins, closed: what the former one saw still stands."""
    change(mci, params={"door": "primary", "hint": "another"}, twins=TWINS)
    look(mci, 10, TOLD_APART, CLOSED)
    assert "changed since into one that never did" in refused(mci, enabled=False).message


def test_an_open_is_never_outvoted_by_twins(never_open: Tracker) -> None:
    look(never_open, 20, TOLD_APART)
    look(never_open, 35, None, OPEN)
    assert never_open.sev().exposure is Exposure.exposed


def test_twins_are_no_part_of_what_is_proven(tracker: Tracker) -> None:
    tracker.dataset()
    tracker.check()
    tracker.check(twins=TWINS)
    with tracker.read() as session:
        assert session.get_one(Check, 1).fingerprint == session.get_one(Check, 2).fingerprint


@pytest.mark.parametrize(
    ("twins", "field"),
    [
        ({"open": {"door": "primary"}, "locked": {"door": "b"}}, "twins.open.door"),
        ({"open": {"door": "a"}, "locked": {"door": "a"}}, "twins.locked.door"),
        ({"open": {"door": "a", "colour": "red"}, "locked": {"door": "b"}}, "twins.open.colour"),
        ({"open": {"door": "a", "hint": "x"}, "locked": {"door": "b"}}, "twins.open.hint"),
        ({"open": {}, "locked": {"door": "b"}}, "twins.open"),
        ({"open": {"door": "a"}}, "twins.locked"),
    ],
)
def test_twins_that_cannot_be_some_are_refused_by_their_field(
    tracker: Tracker, twins: dict[str, Any], field: str
) -> None:
    tracker.dataset()
    with pytest.raises(InputError) as found:
        tracker.check(twins=twins)
    assert field in [error.field for error in found.value.errors]
