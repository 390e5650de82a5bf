"""Changing a SEV, its people, its status; notes; dismissing, closing, reopening."""

from __future__ import annotations

from typing import Any

import pytest

from sevtracker.actions import sevs
from sevtracker.actions.inputs import ChangeSev, Dismiss, Note, parse
from sevtracker.domain.vocabulary import Exposure, Level, Status
from sevtracker.errors import Conflict, InputError, NotFound, NotPermitted
from tests.cast import CLOSED, Tracker


def change(tracker: Tracker, number: int = 1, by: str = "dana", **given: Any) -> None:
    with tracker.work(by) as work:
        sevs.change(work, tracker.settings, number, parse(ChangeSev, given))


def dismiss(tracker: Tracker, number: int = 1, **given: Any) -> None:
    with tracker.work("priya") as work:
        sevs.dismiss(work, tracker.settings, number, parse(Dismiss, {"reason": "no", **given}))


def test_only_what_was_sent_changes_and_the_record_has_old_and_new(mci: Tracker) -> None:
    change(mci, title="Readable by everybody", level="SEV1", exposed_from=mci.at(-99))
    sev = mci.sev()
    assert (sev.title, sev.level, sev.summary, sev.exposed_from) == (
        "Readable by everybody",
        Level.SEV1,
        "",
        mci.at(-99),
    )
    record = mci.timeline()[-1]
    assert record.facts["level"] == {"old": "SEV3", "new": "SEV1"}
    assert record.facts["title"] == "changed"
    assert record.text == "title: Readable by all staff -> Readable by everybody"


def test_changing_nothing_records_nothing(mci: Tracker) -> None:
    before = mci.kinds()
    change(mci, level="SEV3", restricted=False)
    change(mci)
    assert mci.kinds() == before


def test_a_raised_level_is_judged_by_its_own_rules_at_once(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    assert mci.sev().exposure is Exposure.verified
    change(mci, level="SEV1")
    assert mci.sev().exposure is Exposure.verifying
    assert mci.sev().verified_closed_at is None
    assert (mci.vantage().streak, mci.vantage().needed) == (3, 6)


def test_whose_patch_a_level_judges_cannot_lower_it(mci: Tracker) -> None:
    change(mci, level="SEV1")
    mci.go_to(10)
    mci.patch(1, by="dana")
    with pytest.raises(NotPermitted, match="judges a patch of yours"):
        change(mci, level="SEV3")
    assert mci.sev().level is Level.SEV1
    change(mci, level="SEV0")
    change(mci, level="SEV3", by="priya")
    assert mci.sev().level is Level.SEV3


def test_a_commander_makes_it_investigated(mci: Tracker) -> None:
    change(mci, commander="priya@corp.example")
    sev = mci.sev()
    assert (sev.status, sev.commander_id) == (Status.investigating, mci.cast["priya"].id)
    change(mci, commander=None)
    assert mci.sev().commander_id is None
    assert mci.sev().status is Status.investigating


def test_the_ledger_knows_people_by_pseudonym_only(mci: Tracker) -> None:
    change(mci, commander="priya@corp.example", members=["eve@corp.example"])
    told = str(mci.timeline()[-1].facts)
    assert mci.cast["priya"].pid in told
    assert mci.cast["eve"].pid in told
    assert "priya@" not in told


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"commander": "nobody@corp.example"}, "commander"),
        ({"members": ["dana@corp.example", "nobody@corp.example"]}, "members.1"),
        ({"datasets": ["none"]}, "datasets.0"),
        ({"title": None}, "title"),
        ({"level": None}, "level"),
        ({"aware_at": "2199-01-01T00:00:00Z"}, "aware_at"),
    ],
)
def test_what_cannot_be_is_named(mci: Tracker, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as found:
        change(mci, **given)
    assert [e.field for e in found.value.errors] == [field]


def test_a_dataset_can_be_added_and_brings_its_checks_but_never_taken_away(mci: Tracker) -> None:
    mci.dataset("payroll")
    mci.check(dataset="payroll", params={"door": "payroll"}, copy="primary")
    mci.run_queued()
    change(mci, datasets=["mci-events", "payroll"])
    assert [v.dataset for v in mci.vantages()] == ["mci-events", "payroll"]
    with pytest.raises(InputError, match="payroll"):
        change(mci, datasets=["mci-events"])


def test_status_can_be_set_to_investigating_only(mci: Tracker) -> None:
    change(mci, status="investigating")
    with pytest.raises(InputError):
        change(mci, status="resolved")
    with pytest.raises(Conflict):
        change(mci, status="investigating")


def test_outsiders_do_not_even_learn_that_it_exists(mci: Tracker) -> None:
    change(mci, restricted=True)
    with pytest.raises(NotFound) as hidden:
        change(mci, by="eve", title="x")
    with pytest.raises(NotFound) as absent:
        change(mci, 99, by="eve", title="x")
    assert str(hidden.value).replace("1", "") == str(absent.value).replace("99", "")
    with pytest.raises(NotPermitted):
        change(mci, by="aud", title="x")


def test_notes_have_their_own_time(mci: Tracker) -> None:
    for given in ({"text": "called the owner", "at": mci.at(-5)}, {"text": "now"}):
        with mci.work("priya") as work:
            sevs.note(work, 1, parse(Note, given))
    earlier, now = mci.timeline()[-2:]
    assert (earlier.at, earlier.recorded_at, earlier.text) == (mci.at(-5), mci.at(0), "called the owner")
    assert now.at == mci.at(0)
    with pytest.raises(InputError, match="future"), mci.work("priya") as work:
        sevs.note(work, 1, parse(Note, {"text": "later", "at": mci.at(10)}))


# ---- dismissing, closing, reopening ------------------------------------------------------------------------------


def test_what_is_exposed_cannot_be_dismissed(mci: Tracker) -> None:
    with pytest.raises(Conflict, match="still sees this door open"):
        dismiss(mci)


def test_what_was_seen_open_since_it_was_reported_is_no_false_alarm(mci: Tracker) -> None:
    mci.look(5)
    mci.look(6, primary=CLOSED)
    with pytest.raises(Conflict, match="no false alarm"):
        dismiss(mci)


def test_a_duplicate_points_to_a_sev_that_covers_it(mci: Tracker) -> None:
    mci.dataset("payroll")
    other = mci.file(datasets=["payroll"])
    for wrong in (1, 99, other):
        with pytest.raises(InputError):
            dismiss(mci, duplicate_of=wrong)
    change(mci, other, datasets=["payroll", "mci-events"])
    dismiss(mci, duplicate_of=other)
    sev = mci.sev()
    assert (sev.status, sev.duplicate_of, sev.harm, sev.recheck_at) == (Status.dismissed, other, None, None)


def test_a_dismissed_sev_that_is_reopened_looks_again(tracker: Tracker) -> None:
    tracker.dataset()
    tracker.file()
    dismiss(tracker)
    tracker.check()
    tracker.run_queued()
    assert tracker.vantages() == []
    with tracker.work("priya") as work:
        sevs.reopen(work, tracker.settings, 1, "it is one after all")
    sev = tracker.sev()
    assert (sev.status, sev.exposure, sev.reopens) == (Status.investigating, Exposure.exposed, 1)
    assert tracker.timeline()[-2].text == "it is one after all" or "sev:reopened" in tracker.kinds()


def test_only_what_is_resolved_can_be_closed(mci: Tracker) -> None:
    with pytest.raises(Conflict), mci.work("priya") as work:
        sevs.close(work, mci.settings, 1, "reviewed")
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    mci.resolve(1)
    with mci.work("priya") as work:
        sevs.close(work, mci.settings, 1, "reviewed")
    assert (mci.sev().status, mci.sev().exposure) == (Status.closed, Exposure.watching)
    mci.look(90, primary="open")
    assert (mci.sev().status, mci.sev().closed_at) == (Status.investigating, None)


def test_asking_for_all_checks_queues_them_all(mci: Tracker) -> None:
    with mci.work("priya") as work:
        assert sevs.verify(work, 1) == [1]
    [job] = mci.claim()
    assert (job.trigger, job.sev_number) == ("verify", 1)
    assert mci.kinds()[-1] == "sev:verify_asked"


def test_two_swings_in_a_day_page(mci: Tracker) -> None:
    for minute, door in ((20, CLOSED), (30, "open"), (40, CLOSED), (50, "open")):
        mci.look(minute, primary=door)
    assert mci.notices().count("exposure:flapping") == 1
    mci.go_to(51)
    mci.patch(1)
    mci.look(60, primary=CLOSED)
    assert mci.sev().exposure is Exposure.flapping
    assert mci.vantage().needed == 6
