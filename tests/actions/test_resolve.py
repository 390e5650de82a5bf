"""Resolving: refused with reasons, or done on the evidence of final runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sevtracker.actions import resolve
from sevtracker.actions.resolve import FinalRuns, Refused, Resolved
from sevtracker.domain.vocabulary import Exposure, Status
from sevtracker.errors import NotFound, NotPermitted
from tests.cast import CLOSED, DOWN, OPEN, Tracker


@pytest.fixture
def green(mci: Tracker) -> Tracker:
    """Patched at 10, seen closed at 20, 35 and 50: it is minute 50."""
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    return mci


def codes(answer: object) -> list[str]:
    assert isinstance(answer, Refused), answer
    return [blocker.code.value for blocker in answer.blockers]


def test_it_is_refused_while_the_door_is_open_and_the_refusal_stays_on_the_timeline(mci: Tracker) -> None:
    assert codes(mci.begin(1)) == ["open", "no_patch"]
    assert mci.sev().status is Status.reported
    assert mci.sev().blockers == 2
    refused = mci.timeline()[-1]
    assert refused.kind == "gate:refused"
    assert refused.facts["blockers"] == [{"code": "open", "check": 1}, {"code": "no_patch", "check": None}]
    assert refused.actor_name == "Priya"


def test_it_is_resolved_on_final_runs(green: Tracker) -> None:
    green.go_to(51)
    answer = green.resolve(1)
    assert isinstance(answer, Resolved)
    sev = green.sev()
    assert (sev.status, sev.exposure, sev.resolved_at) == (Status.resolved, Exposure.watching, answer.at)
    assert (sev.verified_closed_at, sev.blockers, sev.harm) == (green.at(20), 0, None)
    resolved = next(item for item in green.timeline() if item.kind == "sev:resolved")
    assert resolved.text == "closed for good"
    assert [e["verdict"] for e in resolved.evidence] == ["closed"]
    assert resolved.evidence[0]["run"] == green.vantage().last_run_id


def test_the_evidence_says_of_an_optional_check_what_it_saw(green: Tracker) -> None:
    green.check("side", copy="primary", required=False)
    green.look(50.5, primary=CLOSED, side=DOWN)
    green.go_to(51)
    answer = green.resolve(1)
    assert isinstance(answer, Resolved)
    assert [e.verdict for e in answer.evidence] == ["closed", "inconclusive"]


def test_an_open_final_run_refuses(green: Tracker) -> None:
    green.go_to(51)
    final = green.begin(1)
    green.wait(0.1)
    green.doors["primary"] = OPEN
    green.run_queued()
    assert codes(green.finish(1, final)) == ["open"]
    assert green.sev().status is Status.patched
    assert green.sev().exposure is Exposure.exposed


def test_a_final_run_that_could_not_see_refuses(green: Tracker) -> None:
    green.go_to(51)
    final = green.begin(1)
    green.wait(0.1)
    green.doors["primary"] = DOWN
    green.run_queued()
    assert codes(green.finish(1, final)) == ["inconclusive"]


def test_a_final_run_that_never_came_refuses(green: Tracker) -> None:
    green.go_to(51)
    final = green.begin(1)
    assert isinstance(final, FinalRuns)
    with green.read() as session:
        assert resolve.awaited(session, final) == [1]
    refused = green.finish(1, final)
    assert codes(refused) == ["inconclusive"]
    assert "has not come back" in refused.blockers[0].message


def test_a_run_from_before_the_question_is_no_final_run(green: Tracker) -> None:
    green.go_to(51)
    final = green.begin(1)
    [job] = green.claim()
    green.store([green.seen(job, at=green.at(50.9))])
    with green.read() as session:
        assert resolve.awaited(session, final) == [1]
    assert codes(green.finish(1, final)) == ["inconclusive"]


def test_a_check_edited_between_question_and_answer_refuses(green: Tracker) -> None:
    from sevtracker.actions import checks
    from sevtracker.actions.inputs import ChangeCheck, parse

    green.go_to(51)
    final = green.begin(1)
    green.wait(0.1)
    green.run_queued()
    with green.work("priya") as work:
        changed = parse(ChangeCheck, {"params": {"door": "primary", "hint": "other"}})
        checks.change(work, green.settings, green.runtime.probes, 1, changed)
    assert "unproven" in codes(green.finish(1, final))


def test_asking_again_is_harmless(green: Tracker) -> None:
    green.go_to(51)
    assert isinstance(green.resolve(1), Resolved)
    assert codes(green.begin(1)) == ["status"]


def test_an_open_after_resolving_reopens_at_once_and_a_closed_does_not_undo_it(green: Tracker) -> None:
    green.go_to(51)
    green.resolve(1)
    green.look(90, primary=OPEN)
    sev = green.sev()
    assert (sev.status, sev.exposure, sev.reopens) == (Status.investigating, Exposure.exposed, 1)
    assert (sev.resolved_at, sev.verified_closed_at) == (None, None)
    assert "sev:reopened" in green.notices()
    reopened = next(item for item in green.timeline() if item.kind == "sev:reopened")
    assert (reopened.facts["cause"], reopened.by_machine) == ("seen_open", True)
    assert reopened.evidence[0]["verdict"] == "open"
    green.look(120, primary=CLOSED)
    assert green.sev().status is Status.investigating
    assert green.sev().exposure is Exposure.unattributed


def test_an_open_run_that_began_before_the_resolution_and_came_back_after_it_reopens(green: Tracker) -> None:
    """The narrow gap: the door opened again between the final run and the resolution."""
    green.go_to(51)
    final = green.begin(1)
    green.wait(0.1)
    green.run_queued()
    with green.work("dana") as work:
        from sevtracker.actions import checks

        checks.run_now(work, 1)
    [job] = green.claim()
    began = green.clock.now()
    green.wait(0.1)
    assert isinstance(green.finish(1, final), Resolved)
    green.store([green.seen(job, OPEN, at=began)])
    assert green.sev().status is Status.investigating


def test_the_watch_finds_a_regrant_by_itself(green: Tracker) -> None:
    green.go_to(51)
    green.resolve(1)
    green.live(125)
    assert green.sev().exposure is Exposure.watching
    green.doors["primary"] = OPEN
    green.live(65)
    assert green.sev().status is Status.investigating


def test_a_watch_that_sees_nothing_pages_then_reopens(green: Tracker) -> None:
    green.go_to(51)
    green.resolve(1)
    green.doors["primary"] = DOWN
    green.live(62)
    began = green.vantage().state.blind_since
    assert began is not None
    green.clock.time = began + timedelta(minutes=179)
    green.tick()
    assert green.sev().exposure is Exposure.watching
    green.clock.time = began + timedelta(minutes=181)
    green.tick()
    assert green.sev().exposure is Exposure.watch_blind
    assert green.notices().count("exposure:watch_blind") == 1
    assert green.sev().harm is not None
    green.clock.time = began + timedelta(hours=72, seconds=1)
    green.tick()
    assert green.sev().status is Status.investigating
    lost = next(item for item in green.timeline() if item.kind == "sev:reopened")
    assert lost.facts["cause"] == "verification_lost"


def test_a_halted_watch_is_blind_too(green: Tracker) -> None:
    green.go_to(51)
    green.resolve(1)
    green.look(60, primary="locked_out")
    green.look(61)
    green.go_to(60 + 181)
    green.tick()
    assert green.sev().exposure is Exposure.watch_blind


def test_time_alone_makes_it_stale(green: Tracker) -> None:
    green.go_to(79)
    green.tick()
    assert green.sev().exposure is Exposure.verified
    green.go_to(81)
    green.tick()
    assert green.sev().exposure is Exposure.stale
    assert codes(green.begin(1)) == ["stale"]


def test_what_a_grave_sev_owes_has_to_be_recorded_since_the_patch(mci: Tracker) -> None:
    from sevtracker.actions import sevs
    from sevtracker.actions.inputs import ChangeSev, parse

    with mci.work("priya") as work:
        sevs.change(work, mci.settings, 1, parse(ChangeSev, {"level": "SEV2"}))
    mci.act(1, "access_review")
    mci.go_to(10)
    mci.patch(1)
    step = mci.settings.policy.SEV2.interval.total_seconds() / 60
    for n in range(18):
        mci.look(20 + n * step, primary=CLOSED)
    assert codes(mci.begin(1)) == ["access_review", "sessions"]
    mci.act(1, "access_review")
    mci.act(1, "sessions", by="priya")
    assert isinstance(mci.resolve(1), Resolved)


def test_only_the_reporter_can_retest(mci: Tracker) -> None:
    with pytest.raises(NotPermitted, match="Only the reporter"):
        mci.act(1, "retest", by="priya")
    mci.act(1, "retest", by="dana")
    assert mci.kinds()[-1] == "act:retest"


def test_acts_of_an_earlier_cycle_do_not_count_again(green: Tracker) -> None:
    from sevtracker.actions import sevs

    green.go_to(51)
    green.act(1, "access_review")
    green.resolve(1)
    green.go_to(60)
    with green.work("priya") as work:
        sevs.reopen(work, green.settings, 1, "not convinced")
    with green.read() as session:
        from sevtracker.store import facts

        sev = green.sev()
        [case] = facts.gather(session, [sev], green.settings.policy, green.settings.identities, green.clock.now())
    assert case.acts == {}


def test_admin_and_auditor_do_not_resolve_and_outsiders_see_nothing(green: Tracker) -> None:
    for name in ("ada", "aud"):
        with pytest.raises(NotPermitted):
            green.begin(1, by=name)
    hidden = green.file(restricted=True)
    with pytest.raises(NotFound):
        green.begin(hidden, by="eve")
    with pytest.raises(NotFound):
        green.begin(99)


def test_a_sev_without_checks_is_not_resolved(tracker: Tracker) -> None:
    tracker.dataset("mci-events", "primary", "export")
    tracker.file()
    tracker.patch(1)
    assert codes(tracker.begin(1)) == ["uncovered", "uncovered", "no_check"]


def test_every_copy_needs_its_check(green: Tracker) -> None:
    from sevtracker.actions import datasets
    from sevtracker.actions.inputs import NewCopy, parse

    with green.work("dana") as work:
        datasets.add_copy(
            work,
            green.settings,
            green.runtime.probes,
            "mci-events",
            parse(NewCopy, {"slug": "export", "kind": "export"}),
        )
    assert green.sev().exposure is Exposure.unverified
    assert codes(green.begin(1)) == ["uncovered"]
