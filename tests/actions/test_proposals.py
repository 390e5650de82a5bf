"""What its patch's author wants of a check that judges it: refused, on the record, and a second person's to allow."""

from __future__ import annotations

from typing import Any

import pytest

from sevtracker.actions import checks, proposals
from sevtracker.actions.guarding import Refused
from sevtracker.actions.inputs import ChangeCheck, parse
from sevtracker.domain.sentences import sentence
from sevtracker.domain.vocabulary import Exposure, ProposalState
from sevtracker.errors import Conflict, NotFound, NotPermitted
from sevtracker.store import checks as stored
from sevtracker.store import ledger
from sevtracker.store import proposals as kept
from sevtracker.store.tables import Check
from sevtracker.store.timeline import Item
from tests.cast import CLOSED, OPEN, Tracker

WEAKER: list[dict[str, Any]] = [
    {"enabled": False},
    {"required": False},
    {"identity": "contractor"},
    {"control": "privacy"},
    {"params": {"door": "elsewhere"}},
    {"params": {"door": "primary", "hint": "judged otherwise"}},
    {"params": {"door": "primary", "timeout": 0.001}},
]


@pytest.fixture
def patched(mci: Tracker) -> Tracker:
    """Dana's patch, judged by check 1, which sees the door closed since."""
    mci.go_to(10)
    mci.patch(1)
    mci.look(20, primary=CLOSED)
    return mci


def attempt(tracker: Tracker, by: str = "dana", **given: Any) -> Check | Refused:
    with tracker.work(by) as work:
        return checks.change(work, tracker.settings, tracker.runtime.probes, 1, parse(ChangeCheck, given))


def retire(tracker: Tracker, by: str = "priya") -> Check | Refused:
    with tracker.work(by) as work:
        return checks.retire(work, tracker.settings, tracker.runtime.probes, 1, "The copy is gone.")


def approve(tracker: Tracker, by: str = "priya", proposal: int = 1) -> Check | Refused:
    with tracker.work(by) as work:
        return proposals.approve(work, tracker.settings, tracker.runtime.probes, 1, proposal, "Seen, and all right.")


def deny(tracker: Tracker, by: str = "priya", proposal: int = 1) -> None:
    with tracker.work(by) as work:
        proposals.deny(work, 1, proposal, "It judges your patch.")


def check(tracker: Tracker) -> Check:
    with tracker.read() as session:
        return session.get_one(Check, 1)


def states(tracker: Tracker) -> list[str]:
    """Of the check's proposals, oldest first."""
    with tracker.read() as session:
        return [line.state.value for line in reversed(kept.listing(session, 1, tracker.viewer("dana"), limit=100))]


def refusals(tracker: Tracker) -> list[Item]:
    return [item for item in tracker.timeline() if item.kind == "check:change_refused"]


@pytest.mark.parametrize("weaker", WEAKER)
def test_the_author_of_a_patch_changes_nothing_of_what_judges_it(patched: Tracker, weaker: dict[str, Any]) -> None:
    before = check(patched)
    answer = attempt(patched, **weaker, reason="It is in my way.")
    assert isinstance(answer, Refused)
    assert (type(answer.why), answer.proposal) == (NotPermitted, 1)
    assert check(patched) == before
    [told] = refusals(patched)
    assert (told.actor_pid, told.text) == (patched.cast["dana"].pid, "It is in my way.")
    assert (told.facts["check"], told.facts["proposal"], told.facts["why"]) == (1, 1, "own_patch")
    assert "Proposal 1 waits for a second person." in sentence(told.kind, told.facts)
    assert states(patched) == ["proposed"]
    assert "check:change_refused" in patched.notices()


def test_the_record_has_old_and_new_values(patched: Tracker) -> None:
    attempt(patched, enabled=False, params={"door": "elsewhere"})
    [told] = refusals(patched)
    assert told.facts["changed"]["enabled"] == {"old": True, "new": False}
    assert told.facts["changed"]["locator"] == {"old": "door primary", "new": "door elsewhere"}
    assert told.facts["params"] == ["door"]


def test_the_name_is_the_authors_to_change(patched: Tracker) -> None:
    assert isinstance(attempt(patched, name="front door"), Check)
    assert isinstance(attempt(patched, name="front door", params={"door": "primary"}), Check)
    assert refusals(patched) == []


def test_a_check_that_does_not_gate_is_the_authors_to_strengthen_only(patched: Tracker) -> None:
    attempt(patched, by="priya", required=False)
    assert isinstance(attempt(patched, enabled=False), Refused)
    assert isinstance(attempt(patched, required=True), Check)
    attempt(patched, by="priya", enabled=False)
    assert isinstance(attempt(patched, params={"door": "elsewhere"}), Refused)
    assert isinstance(attempt(patched, enabled=True), Check)


def test_who_wrote_no_patch_may(patched: Tracker) -> None:
    for weaker in WEAKER:
        patched.look(30)
        assert isinstance(attempt(patched, by="priya", **weaker), Check)
        attempt(patched, by="priya", enabled=True, required=True, identity="any-employee", params={"door": "primary"})


def test_a_second_persons_approval_makes_the_change(patched: Tracker) -> None:
    attempt(patched, params={"door": "primary", "hint": "moved"}, required=False, reason="The page changed.")
    patched.go_to(25)
    assert isinstance(approve(patched), Check)
    after = check(patched)
    assert (after.revision, after.required, after.params["hint"]) == (2, False, "moved")
    [told] = [item for item in patched.timeline() if item.kind == "check:changed"]
    assert told.actor_pid == patched.cast["priya"].pid
    assert told.facts["proposed_by"] == patched.cast["dana"].pid
    assert told.text == "Seen, and all right."
    assert sentence(told.kind, told.facts) == ("Check 1 changed (required, hint), as proposal 1 of somebody else.")
    with patched.read() as session:
        assert stored.revisions(session, 1)[-1].by_pid == patched.cast["priya"].pid
        [line] = kept.listing(session, 1, patched.viewer("dana"), limit=10)
        assert (line.state, line.proposer, line.decider) == (ProposalState.approved, "Dana", "Priya")
        ledger.verify(session)


@pytest.mark.parametrize("who", ["dana", "eve"])
def test_neither_who_proposed_it_nor_another_author_is_a_second_person(patched: Tracker, who: str) -> None:
    patched.patch(1, by="eve")
    attempt(patched, enabled=False)
    answer = approve(patched, who)
    assert isinstance(answer, Refused)
    assert isinstance(answer.why, NotPermitted)
    assert check(patched).enabled
    assert [item.facts["proposal"] for item in refusals(patched)] == [1, 1]
    assert states(patched) == ["proposed"]
    with pytest.raises(NotPermitted, match="second person"):
        deny(patched, who)
    with pytest.raises(NotPermitted):
        deny(patched, "aud")


def test_an_open_door_refuses_an_approval_too_and_the_proposal_waits_on(patched: Tracker) -> None:
    attempt(patched, enabled=False)
    patched.look(30, primary=OPEN)
    answer = approve(patched)
    assert isinstance(answer, Refused)
    assert (type(answer.why), answer.proposal) == (Conflict, 1)
    assert patched.sev().exposure is Exposure.exposed
    assert [item.facts["why"] for item in refusals(patched)] == ["own_patch", "saw_open"]
    assert states(patched) == ["proposed"]
    patched.look(50, primary=CLOSED)
    assert isinstance(approve(patched), Check)


def test_denied_is_denied(patched: Tracker) -> None:
    attempt(patched, enabled=False)
    deny(patched)
    told = next(item for item in patched.timeline() if item.kind == "check:change_denied")
    assert (told.text, told.facts["proposed_by"]) == ("It judges your patch.", patched.cast["dana"].pid)
    assert sentence(told.kind, told.facts) == "Check 1 stays as it is: proposal 1 denied."
    with pytest.raises(Conflict, match="denied already"):
        approve(patched)
    with pytest.raises(NotFound):
        approve(patched, proposal=9)


def test_a_newer_proposal_or_any_other_change_supersedes(patched: Tracker) -> None:
    attempt(patched, enabled=False)
    attempt(patched, required=False)
    assert states(patched) == ["superseded", "proposed"]
    attempt(patched, by="priya", params={"door": "primary", "hint": "another"})
    assert states(patched) == ["superseded", "superseded"]
    with pytest.raises(Conflict, match="superseded already"):
        approve(patched, proposal=2)


def test_a_retired_check_is_gone_for_good_and_nothing_of_it_is_lost(patched: Tracker) -> None:
    assert isinstance(retire(patched), Check)
    gone = check(patched)
    assert (gone.enabled, gone.due_at, gone.retired_at) == (False, None, patched.clock.now())
    with patched.read() as session:
        assert stored.listing(session, limit=10) == []
        assert len(stored.runs(session, 1, patched.viewer("dana"), limit=10)) == 2
        assert len(stored.revisions(session, 1)) == 2
    with pytest.raises(Conflict, match="retired"):
        attempt(patched, by="priya", enabled=True)
    assert [b.code for b in patched.begin(1).blockers] == ["uncovered", "no_check"]
    [told] = [item for item in patched.timeline() if item.kind == "check:changed"]
    assert sentence(told.kind, told.facts) == "Check 1 retired."


def test_retiring_is_refused_as_disabling_is(patched: Tracker) -> None:
    answer = retire(patched, "dana")
    assert isinstance(answer, Refused)
    assert (type(answer.why), answer.proposal) == (NotPermitted, 1)
    assert isinstance(approve(patched), Check)
    assert check(patched).retired_at is not None


def test_a_door_seen_open_cannot_be_retired(mci: Tracker) -> None:
    answer = retire(mci)
    assert isinstance(answer, Refused)
    assert isinstance(answer.why, Conflict)
    assert mci.sev().exposure is Exposure.exposed
    assert [item.facts["retires"] for item in refusals(mci)] == [True]


def test_a_check_whose_kind_is_gone_can_be_retired(mci: Tracker) -> None:
    mci.go_to(10)
    mci.look(20, primary=CLOSED)
    with mci.work("priya") as work:
        row = work.session.get_one(Check, 1)
        row.kind = "taken-out"
        work.session.add(row)
    assert isinstance(retire(mci), Check)
