"""Checks: added, changed, and never made to look away."""

from __future__ import annotations

from typing import Any

import pytest

from sevtracker.actions import checks, sevs
from sevtracker.actions.guarding import Refused
from sevtracker.actions.inputs import ChangeCheck, Dismiss, parse
from sevtracker.domain.sentences import sentence
from sevtracker.domain.vocabulary import Exposure
from sevtracker.errors import Conflict, InputError, NotFound, NotPermitted
from sevtracker.store import checks as stored
from sevtracker.store import jobs
from sevtracker.store.tables import Check
from tests.cast import CLOSED, DOWN, OPEN, Tracker


def attempt(tracker: Tracker, check_id: int = 1, by: str = "priya", **given: Any) -> Check | Refused:
    with tracker.work(by) as work:
        return checks.change(work, tracker.settings, tracker.runtime.probes, check_id, parse(ChangeCheck, given))


def change(tracker: Tracker, check_id: int = 1, by: str = "priya", **given: Any) -> Check:
    found = attempt(tracker, check_id, by, **given)
    assert isinstance(found, Check)
    return found


def refused(tracker: Tracker, check_id: int = 1, by: str = "priya", **given: Any) -> Refused:
    found = attempt(tracker, check_id, by, **given)
    assert isinstance(found, Refused)
    return found


HINTED = {"door": "primary", "hint": "another"}


def patched(mci: Tracker) -> Tracker:
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35):
        mci.look(minute, primary=CLOSED)
    return mci


def test_a_new_check_is_looked_through_by_every_sev_of_the_dataset_and_runs_at_once(tracker: Tracker) -> None:
    tracker.dataset()
    tracker.file()
    tracker.file()
    tracker.check()
    assert tracker.run_queued() == 1
    assert [tracker.sev(n).exposure for n in (1, 2)] == [Exposure.exposed] * 2
    assert tracker.kinds(2) == ["sev:filed", "check:opened", "exposure:changed"]


def test_every_wrong_field_is_named(tracker: Tracker) -> None:
    tracker.dataset()
    with pytest.raises(InputError) as found:
        tracker.check(dataset="none", identity="nobody", params={"door": "x", "colour": "red"})
    assert {e.field for e in found.value.errors} == {"dataset", "identity", "params.colour"}
    with pytest.raises(InputError, match="no copy"):
        tracker.check("export")


def test_an_edit_voids_proof_and_streak(mci: Tracker) -> None:
    patched(mci)
    assert (mci.sev().exposure, mci.vantage().streak) == (Exposure.verifying, 2)
    mci.go_to(40)
    assert change(mci, params=HINTED).revision == 2
    for minute in (50, 65, 80):
        mci.look(minute)
    assert (mci.sev().exposure, mci.vantage().streak) == (Exposure.unproven, 0)
    record = next(item for item in mci.timeline() if item.kind == "check:changed")
    assert record.facts["changed"]["fingerprint"]["old"] != record.facts["changed"]["fingerprint"]["new"]
    assert sentence(record.kind, record.facts) == "Check 1 changed (hint)."


def test_going_back_to_what_was_reproduced_starts_the_streak_anew(mci: Tracker) -> None:
    patched(mci)
    mci.go_to(40)
    change(mci, params=HINTED)
    change(mci, params={"door": "primary"})
    mci.look(50)
    assert (mci.sev().exposure, mci.vantage().streak) == (Exposure.verifying, 1)


def test_another_name_or_control_changes_no_proof(mci: Tracker) -> None:
    patched(mci)
    change(mci, name="front door", control="privacy")
    assert (mci.sev().exposure, mci.vantage().streak) == (Exposure.verifying, 2)


@pytest.mark.parametrize(
    "hiding", [{"enabled": False}, {"required": False}, {"identity": "contractor"}, {"params": {"door": "elsewhere"}}]
)
def test_a_check_that_saw_the_door_open_cannot_be_made_to_look_away(mci: Tracker, hiding: dict[str, Any]) -> None:
    assert "would hide that" in refused(mci, **hiding).message
    mci.look(5, primary=DOWN)  # an error since does not make it less open
    found = refused(mci, **hiding)
    assert (type(found.why), found.proposal) == (Conflict, None)
    assert mci.sev().exposure is Exposure.exposed
    told = [item for item in mci.timeline() if item.kind == "check:change_refused"]
    assert [item.facts["why"] for item in told] == ["saw_open", "saw_open"]
    assert sentence(told[0].kind, told[0].facts).endswith("refused: it last saw the door open.")


def test_a_place_that_the_locator_does_not_show_in_full_is_another_place_too(mci: Tracker) -> None:
    """As a URL's query: an edit of it that finds another open door would prove itself, and hide the first one."""
    assert "pointing it elsewhere" in refused(mci, params={"door": "primary", "part": "harmless"}).message
    change(mci, params=HINTED)


def test_a_parameter_that_the_kind_got_since_is_no_other_place(mci: Tracker) -> None:
    with mci.work("priya") as work:
        check = work.session.get_one(Check, 1)
        check.params = {"door": "primary"}  # as an older version of the kind had saved it
        work.session.add(check)
    assert change(mci, name="front door").params["part"] == ""


@pytest.mark.parametrize(
    "hiding", [{"enabled": False}, {"required": False}, {"identity": "contractor"}, {"params": {"door": "elsewhere"}}]
)
def test_an_edit_first_makes_no_difference_to_that(mci: Tracker, hiding: dict[str, Any]) -> None:
    mci.go_to(4)
    change(mci, params=HINTED)
    mci.look(5, primary=CLOSED)  # by a definition that never saw it open
    assert "Change it back" in refused(mci, **hiding).message
    with pytest.raises(Conflict, match="Change it back"), mci.work("priya") as work:
        sevs.dismiss(work, mci.settings, 1, parse(Dismiss, {"reason": "It says closed."}))
    change(mci, params={"door": "primary"})
    mci.look(20)
    change(mci, **hiding)


def test_a_disabled_check_leaves_its_copy_uncovered(mci: Tracker) -> None:
    patched(mci)
    with mci.work("dana") as work:
        checks.run_now(work, 1)
    change(mci, enabled=False)
    assert mci.sev().exposure is Exposure.unverified
    with mci.read() as session:
        assert jobs.waiting(session) == 0
        assert session.get_one(Check, 1).due_at is None
    assert [b.code for b in mci.begin(1).blockers] == ["uncovered", "no_check"]
    with pytest.raises(Conflict, match="disabled"), mci.work("dana") as work:
        checks.run_now(work, 1)


def test_a_check_that_comes_back_has_to_be_seen_again(mci: Tracker) -> None:
    patched(mci)
    change(mci, enabled=False)
    mci.go_to(300)
    change(mci, enabled=True)
    assert mci.sev().exposure is Exposure.verifying
    mci.run_queued()
    assert mci.vantage().streak == 1


def test_a_result_of_the_old_definition_counts_for_nothing(mci: Tracker) -> None:
    patched(mci)
    with mci.work("dana") as work:
        checks.run_now(work, 1)
    mci.go_to(49)
    [job] = mci.claim()
    mci.go_to(50)
    change(mci, params=HINTED)
    mci.store([mci.seen(job, CLOSED)])
    assert (mci.vantage().streak, mci.sev().exposure) == (0, Exposure.unproven)
    mci.run_queued()
    with mci.read() as session:
        assert [r.revision for r in stored.runs(session, 1, mci.viewer("dana"), limit=2)] == [2, 1]


def test_pressing_run_now_three_times_is_one_observation(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 20.5, 21):
        mci.look(minute, primary=CLOSED)
    assert mci.vantage().streak == 1


def test_a_verdict_is_on_the_timeline_when_it_changes_only(mci: Tracker) -> None:
    for minute, door in ((5, OPEN), (10, DOWN), (15, DOWN), (20, OPEN), (25, CLOSED), (30, CLOSED)):
        mci.look(minute, primary=door)
    told = [kind for kind in mci.kinds() if kind.startswith("check:")]
    assert told == ["check:opened", "check:blind", "check:opened", "check:closed"]


def test_a_late_result_is_refused_whatever_it_says(mci: Tracker) -> None:
    import sqlalchemy as sa

    from sevtracker.store.tables import Lane, table

    patched(mci)
    with mci.work("dana") as work:
        checks.run_now(work, 1)
    [late] = mci.claim()
    with mci.work(None) as work:
        work.session.connection().execute(sa.update(table(Lane)).values(lease_until=1.0))
    [job] = mci.claim()
    mci.go_to(50)
    assert mci.store([mci.seen(late, OPEN)]) == []
    assert mci.sev().exposure is Exposure.verifying
    assert len(mci.store([mci.seen(job, CLOSED)])) == 1
    assert mci.sev().exposure is Exposure.verified


def test_nobody_changes_what_is_not_theirs_or_not_there(mci: Tracker) -> None:
    with pytest.raises(NotPermitted):
        change(mci, by="aud", name="x")
    with pytest.raises(NotFound):
        change(mci, 99, name="x")
    with pytest.raises(InputError):
        change(mci, required=None)


def test_a_clock_that_jumped_back_hides_no_open(mci: Tracker) -> None:
    patched(mci)
    mci.look(50)
    assert mci.sev().exposure is Exposure.verified
    mci.look(30, primary=OPEN)
    assert mci.sev().exposure is Exposure.exposed
