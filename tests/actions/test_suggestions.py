"""What comes to light while checks run: suggested once, made a check or dismissed, and always on the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sevtracker.actions import checks, datasets, suggestions
from sevtracker.actions.inputs import AcceptSuggestion, ChangeCheck, NewCheck, NewCopy, WithReason, parse
from sevtracker.checks.http import HttpKind
from sevtracker.checks.interface import Impact, Suggestion, Window
from sevtracker.checks.probing import ProbeEnvironment, environment_from
from sevtracker.config import Settings, Targets
from sevtracker.domain.vocabulary import SuggestionState, Verdict, Weight
from sevtracker.errors import Conflict, InputError, NotFound, NotPermitted
from sevtracker.store import checks as stored
from sevtracker.store import suggestions as found
from sevtracker.store.suggestions import Line
from sevtracker.store.tables import Check, Run, Sev
from tests.cast import OPEN, Tracker

VIEW = Suggestion("door", {"door": "view"}, "A view is granted to 2 roles.", locator="door view")


def come_across(tracker: Tracker, *seen: Suggestion, **more: Any) -> None:
    """Check 1 runs, and comes across these; ``more`` replaces parts of what it saw."""
    with tracker.work("dana") as work:
        checks.run_now(work, 1)
    [job] = [job for job in tracker.claim() if job.check_id == 1]
    ran = tracker.seen(job, OPEN)
    tracker.store([replace(ran, seen=replace(ran.seen, suggestions=seen, **more))])


def lines(tracker: Tracker) -> list[Line]:
    with tracker.read() as session:
        return found.listing(session, limit=100)


def accept(tracker: Tracker, number: int = 1, by: str = "priya", **given: Any) -> Check:
    with tracker.work(by) as work:
        return suggestions.accept(
            work, tracker.settings, tracker.runtime.probes, number, parse(AcceptSuggestion, given)
        )


def dismiss(tracker: Tracker, reason: str = "Dropped last week.", by: str = "priya") -> None:
    with tracker.work(by) as work:
        suggestions.dismiss(work, 1, parse(WithReason, {"reason": reason}))


def test_a_way_in_is_suggested_once_and_dated_anew(mci: Tracker) -> None:
    come_across(mci, VIEW)
    first = mci.clock.time
    mci.wait(10)
    come_across(mci, VIEW)
    [line] = lines(mci)
    assert (line.why, line.identity, line.state) == (VIEW.why, "any-employee", SuggestionState.proposed)
    assert (line.first_at, line.last_at) == (first, mci.clock.time)
    assert mci.kinds().count("suggestion:made") == 1


def test_one_click_makes_it_a_check_that_runs_at_once(mci: Tracker) -> None:
    come_across(mci, VIEW)
    check = accept(mci)
    assert (check.params["door"], check.identity, check.required) == ("view", "any-employee", True)
    assert mci.run_queued() == 1
    assert len(mci.vantages()) == 2
    [line] = lines(mci)
    assert (line.state, line.became, line.decided_by) == (SuggestionState.accepted, check.id, "Priya")
    assert "suggestion:accepted" in mci.kinds()
    with pytest.raises(Conflict):
        accept(mci)
    come_across(mci, VIEW)
    assert len(lines(mci)) == 1


def test_dismissing_takes_a_reason_and_is_on_the_record_of_the_sev(mci: Tracker) -> None:
    come_across(mci, VIEW)
    with pytest.raises(InputError):
        dismiss(mci, reason=" ")
    dismiss(mci)
    [item] = [item for item in mci.timeline() if item.kind == "suggestion:dismissed"]
    assert item.text == "Dropped last week."
    come_across(mci, VIEW)
    assert [line.state for line in lines(mci)] == [SuggestionState.dismissed]
    with pytest.raises(Conflict):
        dismiss(mci)
    assert accept(mci).params["door"] == "view"  # somebody thought better of it


def test_what_a_check_looks_at_already_is_not_suggested(mci: Tracker) -> None:
    mci.check(params={"door": "view"}, copy="primary")
    mci.run_queued()
    come_across(mci, VIEW)
    assert lines(mci) == []


def test_who_only_reads_decides_nothing(mci: Tracker) -> None:
    come_across(mci, VIEW)
    with pytest.raises(NotPermitted):
        accept(mci, by="aud")
    with pytest.raises(NotPermitted):
        dismiss(mci, by="aud")
    with pytest.raises(NotFound):
        accept(mci, 7)


def test_what_somebody_found_who_may_see_it_anyway_is_tried_by_who_tries_the_other_doors(tracker: Tracker) -> None:
    tracker.dataset()
    tracker.check(identity="privacy")
    tracker.check(identity="contractor", params={"door": "other"}, copy="primary")
    tracker.file()
    tracker.run_queued()
    come_across(tracker, VIEW)
    assert [(line.identity, line.control) for line in lines(tracker)] == [("contractor", None)]


def test_where_nobody_tries_other_doors_an_identity_of_people_without_a_right_is_suggested(tracker: Tracker) -> None:
    """And the finder, who may see it, as the control."""
    who = {"username": "any_employee"}
    known = {n: i.model_copy(update=who) if n == "any-employee" else i for n, i in tracker.settings.identities.items()}
    settings = tracker.settings.model_copy(update={"identities": known})
    tracker.runtime = replace(tracker.runtime, settings=settings)
    tracker.dataset()
    tracker.check(identity="privacy")
    tracker.run_queued()
    come_across(tracker, VIEW)
    assert [(line.identity, line.control) for line in lines(tracker)] == [("any-employee", "privacy")]
    assert accept(tracker).control == "privacy"


def test_a_copy_that_nobody_looks_at_is_suggested_where_its_location_says_where_it_is(tracker: Tracker) -> None:
    probes = _probes_of_http()
    tracker.dataset()
    with tracker.work("dana") as work:
        given = {
            "dataset": "mci-events",
            "kind": "http",
            "identity": "anonymous",
            "params": {"url": "http://127.0.0.1:9/people", "marker": "row"},
        }
        checks.create(work, tracker.settings, probes, parse(NewCheck, given))
    for slug, location in (("replica", "http://127.0.0.2:9/people"), ("tape", "cupboard 3"), ("other", "ftp://x/y")):
        with tracker.work("dana") as work:
            copy = {"slug": slug, "kind": slug, "location": location}
            datasets.add_copy(work, tracker.settings, probes, "mci-events", parse(NewCopy, copy))
    [line] = lines(tracker)
    assert (line.copy, line.params["url"], line.params["marker"]) == ("replica", "http://127.0.0.2:9/people", "row")


def _probes_of_http() -> ProbeEnvironment:
    settings = Settings(targets=Targets.model_validate({"allow": ["127.0.0.1:9", "127.0.0.2:9"]}))
    return environment_from(settings, None, {"http": HttpKind()})  # type: ignore[arg-type]  # nothing is probed


# ---- what else a run brings home ---------------------------------------------------------------------------------


def _check(tracker: Tracker) -> Check:
    with tracker.read() as session:
        check = stored.by_id(session, 1)
        assert check is not None
        return check


def test_what_a_kind_remembers_comes_back_at_the_next_run_until_an_edit(mci: Tracker) -> None:
    come_across(mci, memory={"samples": [1, 2]})
    with mci.work("dana") as work:
        checks.run_now(work, 1)
    [job] = mci.claim()
    assert job.memory == {"samples": [1, 2]}
    with mci.work("priya") as work:
        given = parse(ChangeCheck, {"params": {"door": "primary", "hint": "another"}})
        checks.change(work, mci.settings, mci.runtime.probes, 1, given)
    ran = mci.seen(job, OPEN)
    mci.store([replace(ran, seen=replace(ran.seen, memory={"samples": [3]}))])  # of the definition before the edit
    assert _check(mci).memory is None


def test_impact_is_kept_with_the_run_in_buckets(mci: Tracker) -> None:
    since = mci.clock.time
    covered = Window(since, since + timedelta(hours=1))
    come_across(mci, impact=Impact("2-9", "10-99", (covered,), complete=False, first_at=since))
    with mci.read() as session:
        run = session.get_one(Run, _check(mci).last_run_id)
    assert run.verdict is Verdict.open
    assert run.impact == {
        "principals": "2-9",
        "accesses": "10-99",
        "complete": False,
        "first_at": "2026-06-18T09:00:00.000000Z",
        "last_at": None,
        "covered": [{"since": "2026-06-18T09:00:00.000000Z", "until": "2026-06-18T10:00:00.000000Z"}],
    }


def test_a_check_that_only_informs_is_told_the_time_that_its_sevs_are_about(mci: Tracker) -> None:
    """From the earliest that any of them was exposed, until all were verified closed: others are told nothing."""
    with mci.work("dana") as work:
        checks.run_now(work, 1)
        work.session.get_one(Check, 1).weight = Weight.informs
    second = mci.file(exposed_from="2026-06-08T09:00:00Z")
    [job] = mci.claim()
    assert (job.since, job.until) == (datetime(2026, 6, 8, 9, tzinfo=UTC), None)
    mci.store([mci.seen(job, OPEN)])
    for number, hour in ((1, 10), (second, 12)):
        with mci.work("dana") as work:
            work.session.get_one(Sev, number).verified_closed_at = datetime(2026, 6, 18, hour, tzinfo=UTC)
            checks.run_now(work, 1)
    [job] = mci.claim()
    assert (job.since, job.until) == (datetime(2026, 6, 8, 9, tzinfo=UTC), datetime(2026, 6, 18, 12, tzinfo=UTC))
    with mci.work("dana") as work:
        work.session.get_one(Check, 1).weight = Weight.decides
    mci.store([mci.seen(job, OPEN)])
    with mci.work("dana") as work:
        checks.run_now(work, 1)
    assert [(job.since, job.until) for job in mci.claim()] == [(None, None)]
