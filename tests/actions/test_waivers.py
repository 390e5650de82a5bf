"""Waivers: an executive lets one check pass for a while. The SEV says so, the exposure stays, and it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sevtracker.actions.enforce import Denied
from sevtracker.actions.resolve import Refused, Resolved
from sevtracker.domain.sentences import sentence
from sevtracker.domain.vocabulary import Exposure, Role, Status
from sevtracker.errors import Conflict, InputError, NotFound, NotPermitted
from tests.actions.test_checks import change, refused
from tests.actions.words import codes, revoke, told, waive
from tests.cast import CLOSED, DOWN, OPEN, Tracker

DAY = 24 * 60


@pytest.fixture
def blind(mci: Tracker) -> Tracker:
    """Patched at 10, and no check has seen anything since: it is minute 20."""
    mci.go_to(10)
    mci.patch(1)
    mci.look(20, primary=DOWN)
    return mci


def resolved(tracker: Tracker) -> Tracker:
    assert isinstance(tracker.resolve(1), Resolved)
    return tracker


# ---- granting ----------------------------------------------------------------------------------------------------


def test_a_waived_check_lets_the_sev_be_resolved_with_exception_and_the_exposure_stays(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    mci.look(20, primary=OPEN)
    assert codes(mci) == ["open"]
    waive(mci)
    assert codes(mci) == []
    assert mci.sev().blockers == 0
    resolved(mci)
    sev = mci.sev()
    assert (sev.status, sev.exposure, sev.exceptions) == (Status.resolved, Exposure.exposed, 1)
    assert sev.verified_closed_at is None
    assert sev.harm is not None  # it stays on the home page: the door is open
    said = told(mci, "sev:resolved")
    assert said.facts["exceptions"] == [1]
    wanted = "Resolved with 1 exception: any-employee at mci-events/primary (waived)."
    assert sentence(said.kind, said.facts) == wanted


def test_the_reason_is_text_beside_the_record(blind: Tracker) -> None:
    waive(blind)
    said = told(blind, "waiver:granted")
    assert said.text == "the host is gone until Monday"
    assert "Monday" not in str(said.facts)
    wanted = "Waived until 2026-06-25 09:20 UTC: any-employee at mci-events/primary, though its door is open."
    assert sentence(said.kind, said.facts) == wanted


def test_a_check_that_cannot_see_is_shown_as_such_after_resolving_too(blind: Tracker) -> None:
    waive(blind)
    resolved(blind)
    assert blind.sev().exposure is Exposure.exposed  # last seen open, at minute 0
    assert blind.vantage().exposure is Exposure.exposed


@pytest.mark.parametrize("name", ["dana", "priya", "aud", "ada"])
def test_only_an_executive_grants_or_revokes(blind: Tracker, name: str) -> None:
    with pytest.raises(NotPermitted):
        waive(blind, by=name)
    waive(blind)
    with pytest.raises(NotPermitted):
        revoke(blind, by=name)


def test_the_author_of_a_patch_is_refused_and_that_is_recorded(blind: Tracker) -> None:
    blind.patch(1, by="vik")
    assert isinstance(waive(blind), Denied)
    assert told(blind, "waiver:refused").actor_name == "Vik"
    assert "inconclusive" in codes(blind)


def test_a_waiver_counts_no_more_once_its_granter_logs_a_patch(blind: Tracker) -> None:
    waive(blind)
    assert codes(blind) == []
    blind.patch(1, by="vik")
    assert "inconclusive" in codes(blind)


def test_whoever_is_an_executive_now_but_wrote_the_patch_before_is_refused(blind: Tracker) -> None:
    blind.as_("dana", Role.executive)
    assert isinstance(waive(blind, by="dana"), Denied)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"expires_at": "2026-07-19T09:20:00Z"}, "expires_at"),
        ({"expires_at": "2026-06-18T09:20:00Z"}, "expires_at"),
        ({"days": 31}, "days"),
        ({"days": 0}, "days"),
        ({"days": 3, "expires_at": "2026-06-20T09:20:00Z"}, "days"),
        ({"reason": " "}, "reason"),
        ({"check": 99}, "check"),
    ],
)
def test_what_is_wrong_with_it_is_named(blind: Tracker, given: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as error:
        waive(blind, **given)
    assert [e.field for e in error.value.errors] == [field]


def test_thirty_days_are_the_longest_and_a_clock_that_is_a_little_fast_is_forgiven(blind: Tracker) -> None:
    fast = blind.clock.now() + timedelta(days=30, seconds=20)
    waive(blind, expires_at=fast.isoformat())
    assert told(blind, "waiver:granted").facts["until"] == "2026-07-18T09:20:00.000000Z"


def test_there_is_nothing_to_waive_where_nothing_blocks(blind: Tracker) -> None:
    side = blind.check("side", copy="primary", required=False)
    blind.look(21, side, side=CLOSED)
    with pytest.raises(Conflict, match="nothing to waive"):
        waive(blind, side)
    blind.look(22, side, side=OPEN)
    waive(blind, side)


def test_a_dismissed_sev_has_nothing_to_waive(tracker: Tracker) -> None:
    from sevtracker.actions import sevs
    from sevtracker.actions.inputs import Dismiss, parse

    tracker.dataset()
    check = tracker.check()
    tracker.file()
    with tracker.work("priya") as work:
        sevs.dismiss(work, tracker.settings, 1, parse(Dismiss, {"reason": "no"}))
    with pytest.raises(Conflict, match="dismissed"):
        waive(tracker, check)


def test_a_restricted_sev_does_not_exist_for_who_may_not_know_of_it(blind: Tracker) -> None:
    hidden = blind.file(restricted=True)
    blind.as_("eve", Role.engineer)
    with pytest.raises(NotFound):
        waive(blind, by="eve", number=hidden)
    with pytest.raises(NotFound):
        revoke(blind, 99)


# ---- what it covers ----------------------------------------------------------------------------------------------


def test_a_door_that_opens_after_the_waiver_is_not_covered(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    mci.look(20, primary=CLOSED)
    waive(mci)
    assert codes(mci) == []
    mci.look(30, primary=OPEN)
    assert "open" in codes(mci)


def test_a_door_that_opens_after_resolving_reopens_for_that(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    mci.look(20, primary=CLOSED)
    waive(mci)
    resolved(mci)
    assert mci.sev().status is Status.resolved
    mci.look(30, primary=OPEN)
    assert mci.sev().status is Status.investigating
    assert told(mci, "sev:reopened").facts["cause"] == "seen_open"
    assert mci.sev().exceptions == 0


def test_who_waives_a_door_that_moved_since_they_looked_is_asked_to_look_again(blind: Tracker) -> None:
    with pytest.raises(Conflict, match="opened since you looked"):
        waive(blind, open=False)
    waive(blind, open=True)


def test_a_check_that_was_pointed_elsewhere_is_waived_no_more(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    mci.look(20, primary=CLOSED)
    waive(mci)
    assert codes(mci) == []
    change(mci, params={"door": "primary", "hint": "another way"})
    assert "unproven" in codes(mci)


def test_a_waiver_of_one_sev_is_none_of_another(blind: Tracker) -> None:
    other = blind.file()
    blind.patch(other)
    waive(blind)
    assert codes(blind) == []
    assert codes(blind, other) != []


# ---- its end -----------------------------------------------------------------------------------------------------


def test_it_expires_the_blocker_is_back_and_the_record_says_so(blind: Tracker) -> None:
    waive(blind, days=1)
    assert blind.sev().blockers == 0
    blind.go_to(20 + DAY + 1)
    blind.tick()
    assert blind.sev().blockers > 0
    blind.tick()
    assert blind.kinds().count("waiver:expired") == 1


def test_a_resolved_sev_is_reopened_when_it_expires(blind: Tracker) -> None:
    waive(blind, days=1)
    resolved(blind)
    blind.go_to(20 + DAY - 1)
    blind.tick()
    assert blind.sev().status is Status.resolved
    blind.go_to(20 + DAY + 1)
    blind.tick()
    sev = blind.sev()
    assert (sev.status, sev.exceptions, sev.excepted) == (Status.investigating, 0, None)
    assert blind.kinds()[-2:] == ["waiver:expired", "sev:reopened"]
    said = told(blind, "sev:reopened")
    assert said.facts["cause"] == "waiver_ended"
    assert said.evidence[0]["verdict"] == "open"
    assert "any-employee at mci-events/primary" in sentence(said.kind, said.facts)
    assert "sev:reopened" in blind.notices()


def test_revoking_has_the_same_effect_at_once(blind: Tracker) -> None:
    waive(blind)
    resolved(blind)
    revoke(blind)
    assert blind.sev().status is Status.investigating
    assert told(blind, "sev:reopened").facts["cause"] == "waiver_ended"
    assert told(blind, "waiver:revoked").text == "changed my mind"
    with pytest.raises(Conflict, match="ended already"):
        revoke(blind)


def test_a_second_waiver_carries_on_where_the_first_ends(blind: Tracker) -> None:
    waive(blind, days=1)
    resolved(blind)
    blind.go_to(20 + DAY - 1)
    waive(blind, days=2)
    blind.go_to(20 + DAY + 1)
    blind.tick()
    assert (blind.sev().status, blind.sev().exceptions) == (Status.resolved, 1)
    blind.go_to(20 + 3 * DAY + 1)
    blind.tick()
    assert blind.sev().status is Status.investigating


def test_a_check_that_was_made_good_meanwhile_is_no_exception_any_more(blind: Tracker) -> None:
    waive(blind, days=1)
    resolved(blind)
    blind.doors["primary"] = CLOSED
    blind.live(120)
    sev = blind.sev()
    assert (sev.status, sev.exposure, sev.exceptions) == (Status.resolved, Exposure.watching, 0)
    blind.live(DAY + 60, step=20)
    assert blind.sev().status is Status.resolved
    assert "waiver:expired" in blind.kinds()


def test_a_waiver_that_nothing_needed_reopens_nothing_by_its_end(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    waive(mci, days=1)
    resolved(mci)
    assert mci.sev().exceptions == 0
    mci.live(DAY + 60, step=20)
    assert mci.sev().status is Status.resolved


def test_a_lost_watch_that_was_waived_in_time_is_an_exception_instead(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    resolved(mci)
    mci.look(60, primary=DOWN)
    waive(mci, days=30)
    mci.go_to(60 + 4 * DAY)
    mci.tick()
    assert (mci.sev().status, mci.sev().exceptions) == (Status.resolved, 1)


def test_reopening_by_hand_ends_the_exception(blind: Tracker) -> None:
    from sevtracker.actions import sevs

    waive(blind)
    resolved(blind)
    with blind.work("priya") as work:
        sevs.reopen(work, blind.settings, 1, "not convinced")
    assert (blind.sev().exceptions, codes(blind)) == (0, [])  # the waiver itself still stands


# ---- a check that is to go --------------------------------------------------------------------------------------


def test_a_check_that_saw_an_open_door_is_disabled_only_under_a_waiver_and_the_exposure_stays(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    mci.look(20, primary=OPEN)
    assert "would hide" in refused(mci, enabled=False).message
    waive(mci)
    change(mci, enabled=False)
    assert mci.sev().exposure is Exposure.exposed
    assert mci.vantage().check_id == 1


def test_it_takes_a_waiver_on_every_sev_that_looks_through_it(mci: Tracker) -> None:
    other = mci.file()
    waive(mci)
    assert "would hide" in refused(mci, enabled=False).message
    waive(mci, number=other)
    change(mci, enabled=False)
    assert mci.sev(other).exposure is Exposure.exposed


def test_a_waiver_that_did_not_know_of_the_open_door_permits_no_hiding(mci: Tracker) -> None:
    mci.look(5, primary=CLOSED)
    waive(mci)
    mci.look(10, primary=OPEN)
    assert "would hide" in refused(mci, required=False).message


def test_an_ended_waiver_permits_no_hiding(mci: Tracker) -> None:
    waive(mci, days=1)
    mci.go_to(DAY + 1)
    assert "would hide" in refused(mci, params={"door": "elsewhere"}).message


def test_a_check_without_any_sev_has_nobody_to_waive_it(tracker: Tracker) -> None:
    tracker.dataset()
    check = tracker.check()
    tracker.run_queued()
    assert "would hide" in refused(tracker, check, enabled=False).message


def test_an_author_of_a_patch_gains_nothing_by_a_waiver(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    waive(mci)
    assert "patch of yours" in refused(mci, by="dana", enabled=False).message


def test_a_disabled_open_check_blocks_again_when_the_waiver_ends(mci: Tracker) -> None:
    waive(mci, days=1)
    change(mci, enabled=False)
    assert "open" not in codes(mci)
    mci.go_to(DAY + 1)
    assert "open" in codes(mci)
    assert isinstance(mci.begin(1), Refused)
