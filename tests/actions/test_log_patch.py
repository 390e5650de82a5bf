"""Logging a patch: a claim, tested at once."""

from __future__ import annotations

import pytest

from sevtracker.domain.vocabulary import Exposure, PatchOutcome, Status
from sevtracker.errors import Conflict, InputError, NotFound, NotPermitted
from sevtracker.store import facts
from sevtracker.store.tables import Patch
from tests.cast import CLOSED, OPEN, Tracker


def patch(tracker: Tracker, number: int) -> Patch:
    with tracker.read() as session:
        return facts.patches_of(session, [1])[1][number - 1]


def test_the_exposure_is_reproduced_as_soon_as_it_is_filed(mci: Tracker) -> None:
    assert mci.sev().exposure is Exposure.exposed
    assert mci.kinds() == ["sev:filed", "check:opened", "exposure:changed"]


def test_a_patch_is_a_claim_and_runs_the_checks_at_once(mci: Tracker) -> None:
    mci.go_to(10)
    assert mci.patch(1) == 1
    assert (mci.sev().status, mci.sev().fix_claimed_at) == (Status.patched, mci.at(10))
    [job] = mci.claim()
    assert (job.trigger, job.sev_number, job.patch_number) == ("patch", 1, 1)
    assert mci.sev().exposure is Exposure.exposed


def test_a_patch_that_did_not_hold_is_shown_failed(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    mci.look(20)
    assert patch(mci, 1).outcome is PatchOutcome.failed
    assert "patch:failed" in mci.kinds()
    assert "patch:failed" in mci.notices()
    failed = next(item for item in mci.timeline() if item.kind == "patch:failed")
    assert failed.evidence[0]["verdict"] == "open"
    mci.look(30)
    assert mci.kinds().count("patch:failed") == 1


def test_an_open_inside_settle_fails_nothing(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    mci.look(12)
    assert patch(mci, 1).outcome is PatchOutcome.untested


def test_a_patch_that_holds_is_said_to_hold(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    assert mci.sev().exposure is Exposure.verified
    assert mci.sev().verified_closed_at == mci.at(20)
    assert patch(mci, 1).outcome is PatchOutcome.held
    assert mci.kinds()[-2:] == ["exposure:changed", "patch:held"]


def test_a_backdated_patch_is_judged_by_what_was_seen_since(mci: Tracker) -> None:
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    mci.go_to(51)
    mci.patch(1, applied_at=mci.at(10))
    assert mci.sev().exposure is Exposure.verified
    claimed = next(item for item in mci.timeline() if item.kind == "patch:claimed")
    assert (claimed.at, claimed.recorded_at) == (mci.at(10), mci.at(51))


def test_a_patch_backdated_to_before_the_open_has_failed_at_once(mci: Tracker) -> None:
    mci.look(20, primary=CLOSED)
    mci.go_to(21)
    mci.patch(1, applied_at=mci.at(-60))
    assert patch(mci, 1).outcome is PatchOutcome.failed
    assert mci.sev().exposure is Exposure.unattributed


def test_a_patch_of_the_future_is_refused(mci: Tracker) -> None:
    with pytest.raises(InputError, match="applied_at"):
        mci.patch(1, applied_at=mci.at(10))


def test_only_affected_datasets_can_be_in_scope(mci: Tracker) -> None:
    mci.dataset("payroll")
    with pytest.raises(InputError, match=r"datasets\.1"):
        mci.patch(1, datasets=["mci-events", "payroll"])


def test_a_patch_elsewhere_explains_nothing_here(mci: Tracker) -> None:
    mci.dataset("payroll")
    mci.check(dataset="payroll", params={"door": "payroll"}, copy="primary")
    number = mci.file(datasets=["mci-events", "payroll"])
    mci.run_queued()
    mci.go_to(10)
    mci.patch(number, datasets=["payroll"])
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED, payroll=CLOSED)
    exposures = {v.dataset: v.exposure for v in mci.vantages(number)}
    assert exposures == {"mci-events": Exposure.no_patch, "payroll": Exposure.verified}
    with mci.read() as session:
        [logged] = facts.patches_of(session, [number])[number]
    assert logged.outcome is PatchOutcome.partial


def test_a_second_patch_supersedes_one_that_was_never_tested(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    mci.go_to(11)
    mci.patch(1)
    assert patch(mci, 1).outcome is PatchOutcome.superseded
    assert patch(mci, 2).outcome is PatchOutcome.untested


def test_patches_of_different_datasets_do_not_supersede_each_other(mci: Tracker) -> None:
    mci.dataset("payroll")
    number = mci.file(datasets=["mci-events", "payroll"])
    mci.go_to(10)
    mci.patch(number, datasets=["payroll"])
    mci.go_to(11)
    mci.patch(number, datasets=["mci-events"])
    with mci.read() as session:
        assert [p.outcome for p in facts.patches_of(session, [number])[number]] == [PatchOutcome.untested] * 2


def test_a_patch_that_no_check_can_judge_pages_once(mci: Tracker) -> None:
    mci.doors["primary"] = "down"
    mci.go_to(10)
    mci.patch(1)
    mci.live(29)
    assert "patch:unverified" not in mci.kinds()
    mci.live(60)
    assert mci.kinds().count("patch:unverified") == 1
    assert mci.notices().count("patch:unverified") == 1


def test_a_patch_on_a_sev_without_checks_pages_too(tracker: Tracker) -> None:
    tracker.dataset()
    tracker.file()
    tracker.patch(1)
    tracker.live(31)
    assert "patch:unverified" in tracker.kinds()


def test_logging_patch_after_patch_does_not_put_the_alarm_off(mci: Tracker) -> None:
    mci.doors["primary"] = OPEN
    for minute in range(10, 45, 4):
        mci.go_to(minute)
        mci.patch(1)
        mci.tick()
        mci.run_queued()
    assert "patch:unverified" in mci.kinds() or "patch:failed" in mci.kinds()


def test_nobody_patches_what_is_resolved_hidden_or_not_theirs_to_change(mci: Tracker) -> None:
    with pytest.raises(NotFound):
        mci.patch(99)
    with pytest.raises(NotPermitted):
        mci.patch(1, by="aud")
    hidden = mci.file(restricted=True)
    with pytest.raises(NotFound):
        mci.patch(hidden, by="eve")
    with mci.work("dana") as work:
        from sevtracker.actions import sevs
        from sevtracker.actions.inputs import Dismiss, parse

        sevs.dismiss(work, mci.settings, hidden, parse(Dismiss, {"reason": "same", "duplicate_of": 1}))
    with pytest.raises(Conflict, match="dismissed"):
        mci.patch(hidden)
