"""An executive accepts what a check judges by now: the way out after an open that an edit rightly mended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sevtracker.actions import accepting, sevs
from sevtracker.actions.enforce import Denied
from sevtracker.actions.inputs import AcceptDefinition, Dismiss, parse
from sevtracker.actions.resolve import Resolved
from sevtracker.domain.sentences import sentence
from sevtracker.domain.vocabulary import Exposure, Status
from sevtracker.errors import Conflict, InputError, NotPermitted
from sevtracker.store.tables import CheckAcceptance
from tests.actions.test_checks import HINTED, change, refused
from tests.actions.test_twins import TOLD_APART, TWINS, look
from tests.actions.words import codes, told
from tests.cast import CLOSED, OPEN, Tracker

EVIDENCE = "https://wiki.example/told-everybody"


def accept(tracker: Tracker, *, by: str = "vik", check: int = 1, **more: Any) -> Denied | None:
    given = parse(AcceptDefinition, {"reason": "People were told.", "evidence_url": EVIDENCE, **more})
    with tracker.work(by) as work:
        found = accepting.accept(work, tracker.settings, tracker.runtime.probes, check, given)
        return found if isinstance(found, Denied) else None


@pytest.fixture
def mended(mci: Tracker) -> Tracker:
    """Seen open; Dana's patch; then Priya changed what the check judges by, and it says closed since minute 20."""
    mci.go_to(10)
    mci.patch(1)
    change(mci, params=HINTED, twins=TWINS)
    mci.doors["primary"] = CLOSED
    look(mci, 20, TOLD_APART)
    return mci


def test_accepted_it_is_proven_and_soaked_as_any_other_and_resolves(mended: Tracker) -> None:
    assert mended.sev().exposure is Exposure.unproven
    assert accept(mended) is None
    assert (mended.sev().exposure, mended.vantage().streak) == (Exposure.verifying, 0)
    for minute in (35, 50):
        look(mended, minute, TOLD_APART, CLOSED)
        assert codes(mended) == ["soak"]
    look(mended, 65, TOLD_APART, CLOSED)
    assert isinstance(mended.resolve(1), Resolved)


def test_it_is_on_the_record_with_what_changed_since_the_open(mended: Tracker) -> None:
    accept(mended)
    said = told(mended, "check:definition_accepted")
    assert said.facts["changed"] == {"hint": {"old": "", "new": "another"}}
    assert (said.facts["since"], said.facts["revision"]) == (1, 2)
    assert said.text == f"People were told.\n\n{EVIDENCE}"
    wanted = "New definition of check 1 accepted: revision 2 differs from revision 1, which saw the door open, in hint."
    assert sentence(said.kind, said.facts) == f"{wanted} It still has to be proven."
    with mended.read() as session:
        kept = session.get_one(CheckAcceptance, 1)
        assert (kept.reason, kept.evidence) == ("People were told.", EVIDENCE)
        assert kept.at == mended.at(20) + timedelta(microseconds=1), "behind the run that saw it closed"


def test_an_unproven_definition_stays_unproven(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    change(mci, params=HINTED)
    mci.look(20, primary=CLOSED)
    accept(mci)
    for minute in (35, 50, 65):
        mci.look(minute)
    assert mci.sev().exposure is Exposure.unproven


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"evidence_url": ""}, "evidence_url"),
        ({"evidence_url": "http://wiki.example"}, "evidence_url"),
        ({"revision": 0}, "revision"),
    ],
)
def test_what_is_wrong_is_named(mended: Tracker, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as error:
        accept(mended, **given)
    assert {e.field for e in error.value.errors} == {field}


@pytest.mark.parametrize("who", ["priya", "aud", "ada"])
def test_only_an_executive_accepts(mended: Tracker, who: str) -> None:
    with pytest.raises(NotPermitted):
        accept(mended, by=who)


def test_an_author_of_a_patch_does_not_and_that_is_recorded(mended: Tracker) -> None:
    mended.patch(1, by="vik")
    assert isinstance(accept(mended), Denied)
    said = told(mended, "check:acceptance_refused")
    assert sentence(said.kind, said.facts).endswith("refused: it judges a patch of whoever asked.")
    assert mended.vantage().state.door_open


def test_nor_an_author_of_a_patch_on_another_sev_that_looks_through_it(mended: Tracker) -> None:
    other = mended.file()
    mended.patch(other, by="vik")
    assert isinstance(accept(mended), Denied)


def test_nor_does_whoever_changed_it_since_it_saw_the_door_open(mci: Tracker) -> None:
    change(mci, by="vik", params=HINTED)
    change(mci, by="priya", name="Another name")
    mci.look(20, primary=CLOSED)
    assert isinstance(accept(mci), Denied)
    said = told(mci, "check:acceptance_refused")
    assert sentence(said.kind, said.facts).endswith("refused: whoever asked had changed it.")
    assert mci.vantage().state.door_open


def test_an_open_is_nobody_s_to_accept(mci: Tracker) -> None:
    with pytest.raises(Conflict, match="last that this check said is open"):
        accept(mci)
    change(mci, params=HINTED)  # it has not run since
    with pytest.raises(Conflict, match="last that this check said is open"):
        accept(mci)
    mci.look(20, primary=OPEN)
    with pytest.raises(Conflict, match="last that this check said is open"):
        accept(mci)


def test_nor_what_has_not_been_seen_closed_by_this_very_definition(mended: Tracker) -> None:
    change(mended, params={"door": "primary", "hint": "a third"})
    with pytest.raises(Conflict, match="has not seen the door closed as it is defined now"):
        accept(mended)


def test_nor_where_there_is_nothing_to_take_back(mci: Tracker) -> None:
    mci.look(20, primary=CLOSED)
    with pytest.raises(Conflict, match="nothing to accept"):
        accept(mci)


def test_once_is_enough(mended: Tracker) -> None:
    accept(mended)
    with pytest.raises(Conflict, match="nothing to accept"):
        accept(mended)


def test_a_check_that_looks_elsewhere_is_not_accepted(mci: Tracker) -> None:
    from tests.actions.words import waive

    waive(mci)
    change(mci, params={"door": "elsewhere"})
    mci.look(20, elsewhere=CLOSED)
    with pytest.raises(Conflict, match=r"looks elsewhere since it saw the door open \(door, locator\)"):
        accept(mci)


def test_it_is_for_what_the_giver_saw(mended: Tracker) -> None:
    with pytest.raises(Conflict, match="at revision 2 since you looked"):
        accept(mended, revision=1)
    accept(mended, revision=2)


def test_another_edit_voids_it(mended: Tracker) -> None:
    accept(mended)
    change(mended, params={"door": "primary", "hint": "a third"})
    change(mended, params=HINTED)
    for minute in (35, 50, 65):
        look(mended, minute, TOLD_APART, CLOSED)
    assert mended.sev().exposure is Exposure.unproven
    accept(mended)
    assert mended.sev().exposure is Exposure.verifying


def test_a_later_open_voids_it(mended: Tracker) -> None:
    accept(mended)
    look(mended, 35, None, OPEN)
    change(mended, params={"door": "primary", "hint": "a third"})
    look(mended, 50, TOLD_APART, CLOSED)
    assert mended.vantage().state.door_open
    accept(mended)
    assert told(mended, "check:definition_accepted").facts["since"] == 2


def test_a_sev_that_is_filed_later_knows_of_it(mended: Tracker) -> None:
    accept(mended)
    mended.go_to(5 * 24 * 60)
    other = mended.file()
    mended.patch(other)
    for minute in (20, 35, 50):
        look(mended, 5 * 24 * 60 + minute, TOLD_APART, CLOSED)
    assert mended.sev(other).exposure is Exposure.verified


def test_the_check_may_be_disabled_again(mended: Tracker) -> None:
    assert "have an executive accept" in refused(mended, enabled=False, by="eve").message
    accept(mended)
    assert not change(mended, enabled=False, by="eve").enabled


def test_an_edit_of_a_watched_check_blinds_the_watch_until_the_next_word(mended: Tracker) -> None:
    accept(mended)
    for minute in (35, 50, 65):
        look(mended, minute, TOLD_APART, CLOSED)
    assert isinstance(mended.resolve(1), Resolved)
    change(mended, by="eve", params={"door": "primary", "hint": "a third"})
    assert (mended.sev().status, mended.sev().exposure) == (Status.resolved, Exposure.watch_blind)
    look(mended, 90, TOLD_APART, CLOSED)
    assert mended.sev().exposure is Exposure.watch_blind
    accept(mended)
    look(mended, 110, TOLD_APART, CLOSED)
    assert mended.sev().exposure is Exposure.watching


def test_it_is_proven_after_it_was_accepted_too(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    change(mci, params=HINTED)
    mci.look(20, primary=CLOSED)
    accept(mci)
    mci.go_to(25)
    change(mci, twins=TWINS)
    for minute in (35, 50, 65):
        look(mci, minute, TOLD_APART, CLOSED)
    assert mci.sev().exposure is Exposure.verified


def test_other_twins_of_a_watched_check_void_it_not(mended: Tracker) -> None:
    accept(mended)
    for minute in (35, 50, 65):
        look(mended, minute, TOLD_APART, CLOSED)
    assert isinstance(mended.resolve(1), Resolved)
    mended.go_to(70)
    change(mended, by="eve", twins={**TWINS, "open": {"door": "another twin"}})
    look(mended, 90, TOLD_APART, CLOSED)
    assert mended.sev().exposure is Exposure.watching


def test_a_sev_that_is_filed_when_it_had_run_again_knows_of_it(mended: Tracker) -> None:
    accept(mended)
    for minute in (35, 50, 65):
        look(mended, minute, TOLD_APART, CLOSED)
    mended.go_to(5 * 24 * 60)
    other = mended.file()
    mended.patch(other)
    for minute in (20, 35, 50):
        look(mended, 5 * 24 * 60 + minute, TOLD_APART, CLOSED)
    assert mended.sev(other).exposure is Exposure.verified


def test_a_word_that_nothing_proves_does_not_let_the_check_go(mci: Tracker) -> None:
    mci.go_to(10)
    mci.patch(1)
    change(mci, params=HINTED)
    mci.look(20, primary=CLOSED)
    accept(mci)
    for off in ({"enabled": False}, {"required": False}):
        assert "has not been proven since" in refused(mci, by="eve", **off).message


def test_an_author_of_a_patch_on_its_duplicate_does_not_accept(mended: Tracker) -> None:
    other = mended.file(by="vik")
    mended.patch(other, by="vik")
    with mended.work("priya") as work:
        sevs.dismiss(work, mended.settings, other, parse(Dismiss, {"reason": "The same.", "duplicate_of": 1}))
    assert isinstance(accept(mended), Denied)


def test_whoever_only_gave_it_another_name_accepts(mended: Tracker) -> None:
    change(mended, by="vik", name="Another name")
    assert accept(mended) is None
