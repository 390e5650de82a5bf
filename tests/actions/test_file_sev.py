"""Filing a SEV."""

from __future__ import annotations

import pytest

from sevtracker.domain.vocabulary import Exposure, Status
from sevtracker.errors import InputError, NotPermitted
from tests.cast import CLOSED, Tracker


def fields(error: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [e.field for e in error.value.errors]


def test_title_level_and_what_is_exposed_are_enough(tracker: Tracker) -> None:
    tracker.dataset()
    number = tracker.file()
    sev = tracker.sev(number)
    assert (number, sev.status, sev.exposure) == (1, Status.reported, Exposure.unverified)
    assert (sev.reported_at, sev.detected_at, sev.exposed_from) == (tracker.at(0), tracker.at(0), None)
    [record] = tracker.timeline()
    assert (record.kind, record.actor_name, record.text) == ("sev:filed", "Dana", "Readable by all staff")


def test_it_counts_what_blocks_resolving_from_the_first_moment(tracker: Tracker) -> None:
    tracker.dataset("mci-events", "primary", "export")
    tracker.file(level="SEV1")
    counted = tracker.sev().blockers
    assert counted == len(tracker.begin(1).blockers) == 7


def test_what_happened_earlier_is_dated_then_and_recorded_now(tracker: Tracker) -> None:
    tracker.dataset()
    tracker.file(detected_at=tracker.at(-30), exposed_from=tracker.at(-6000))
    [record] = tracker.timeline()
    assert (record.at, record.recorded_at) == (tracker.at(-30), tracker.at(0))


def test_every_wrong_field_is_named(tracker: Tracker) -> None:
    tracker.dataset()
    with pytest.raises(InputError) as found:
        tracker.file(datasets=["none", "mci-events", "neither"], detected_at=tracker.at(60))
    assert fields(found) == ["datasets.0", "datasets.2", "detected_at"]
    with pytest.raises(InputError) as found:
        tracker.file(title=" ", level="SEV9", datasets=[], colour="red", exposed_from="2026-06-18T09:00:00")
    assert sorted(fields(found)) == ["colour", "datasets", "exposed_from", "level", "title"]


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1989-12-31T23:59:59Z", "soon"]
)
def test_times_beyond_reason_are_refused_in_words(moment: str) -> None:
    from sevtracker.actions.inputs import FileSev, parse

    with pytest.raises(InputError) as found:
        parse(FileSev, {"title": "t", "level": "SEV1", "datasets": ["a"], "detected_at": moment})
    assert fields(found) == ["detected_at"]


@pytest.mark.parametrize("title", ["nul \x00", "lone \ud800", "bell \x07", "two\nlines", "x" * 201])
def test_text_that_no_database_keeps_is_refused(title: str) -> None:
    from sevtracker.actions.inputs import FileSev, parse

    with pytest.raises(InputError):
        parse(FileSev, {"title": title, "level": "SEV1", "datasets": ["a"]})


def test_nothing_is_kept_of_a_refused_filing(tracker: Tracker) -> None:
    tracker.dataset()
    with pytest.raises(InputError):
        tracker.file(datasets=["none"])
    assert tracker.file() == 1


def test_a_dataset_named_twice_is_affected_once(tracker: Tracker) -> None:
    tracker.dataset()
    tracker.file(datasets=["mci-events", "mci-events"])
    assert tracker.timeline()[0].facts["datasets"] == ["mci-events"]


def test_checks_that_exist_know_something_already_and_run_at_once(mci: Tracker) -> None:
    number = mci.file()
    assert mci.sev(number).exposure is Exposure.exposed
    [job] = mci.claim()
    assert (job.trigger, job.sev_number) == ("filed", number)


def test_what_was_seen_long_before_filing_still_proves(mci: Tracker) -> None:
    mci.look(5, primary=CLOSED)
    mci.go_to(60 * 24 * 30)
    number = mci.file()
    assert mci.sev(number).exposure is Exposure.no_patch


def test_auditors_file_nothing(tracker: Tracker) -> None:
    tracker.dataset()
    with pytest.raises(NotPermitted):
        tracker.file(by="aud")
    for name in ("vik", "ada", "eve"):
        tracker.file(by=name)
