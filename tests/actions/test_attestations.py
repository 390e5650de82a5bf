"""Attestations: two people's word on a copy that no probe can reach. Never verified, never above an open door."""

from __future__ import annotations

import pytest

from sevtracker.actions import checks
from sevtracker.actions.enforce import Denied
from sevtracker.actions.guarding import Refused
from sevtracker.actions.resolve import Resolved
from sevtracker.domain.sentences import sentence
from sevtracker.domain.vocabulary import Status
from sevtracker.errors import Conflict, InputError, NotFound, NotPermitted
from tests.actions.test_checks import change
from tests.actions.words import EVIDENCE, attest, case, codes, sign, told, withdraw
from tests.cast import CLOSED, OPEN, Tracker

DAY = 24 * 60


@pytest.fixture
def tape(mci: Tracker) -> Tracker:
    """Closed and counted on the primary; the tape has no check. It is minute 51."""
    from sevtracker.actions import datasets
    from sevtracker.actions.inputs import NewCopy, parse

    with mci.work("dana") as work:
        datasets.add_copy(
            work, mci.settings, mci.runtime.probes, "mci-events", parse(NewCopy, {"slug": "tape", "kind": "backup"})
        )
    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    mci.go_to(51)
    return mci


def messages(tracker: Tracker) -> list[str]:
    return [b.message for b in case(tracker).gate().blockers]


def test_it_takes_two_people(tape: Tracker) -> None:
    assert codes(tape) == ["uncovered"]
    attest(tape)
    assert messages(tape)[0] == "The attestation for mci-events/tape needs two different people."
    assert codes(tape) == ["attestation", "uncovered"]
    sign(tape)
    assert codes(tape) == []
    assert isinstance(tape.resolve(1), Resolved)
    assert (tape.sev().exceptions, tape.sev().verified_closed_at) == (1, None)
    said = told(tape, "sev:resolved")
    assert sentence(said.kind, said.facts) == "Resolved with 1 exception: mci-events/tape (attested)."


def test_the_same_person_does_not_sign_twice(tape: Tracker) -> None:
    attest(tape)
    with pytest.raises(Conflict, match="second person"):
        sign(tape, by="priya")
    assert "attestation" in codes(tape)


def test_an_author_of_a_patch_neither_attests_nor_signs_and_that_is_recorded(tape: Tracker) -> None:
    assert isinstance(attest(tape, by="dana"), Denied)
    attest(tape)
    assert isinstance(sign(tape, by="dana"), Denied)
    assert tape.kinds().count("attestation:refused") == 2
    assert "attestation" in codes(tape)


def test_a_signer_who_logs_a_patch_later_signed_for_nothing(tape: Tracker) -> None:
    attest(tape)
    sign(tape)
    assert codes(tape) == []
    tape.patch(1, by="eve")
    assert messages(tape)[-2:] == [
        "The attestation for mci-events/tape is attested by an author of the patch.",
        "No required check looks at mci-events/tape at all.",
    ]


def test_statement_and_evidence_are_text_beside_the_record(tape: Tracker) -> None:
    attest(tape)
    said = told(tape, "attestation:made")
    assert said.text == f"in the vault\n\n{EVIDENCE}"
    assert "vault" not in str(said.facts)
    wanted = "mci-events/tape attested until 2026-07-18 09:51 UTC; a second person has to sign."
    assert sentence(said.kind, said.facts) == wanted


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"evidence": ""}, "evidence"),
        ({"evidence": "in my head"}, "evidence"),
        ({"statement": ""}, "statement"),
        ({"dataset": "other"}, "dataset"),
        ({"copy": "nowhere"}, "copy"),
        ({"expires_at": "2026-07-19T09:51:00Z"}, "expires_at"),
        ({"days": 31}, "days"),
    ],
)
def test_what_is_wrong_with_it_is_named(tape: Tracker, given: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as error:
        attest(tape, **given)
    assert [e.field for e in error.value.errors] == [field]


def test_the_statement_may_be_called_its_reason(tape: Tracker) -> None:
    attest(tape, statement="", reason="locked away")
    assert (told(tape, "attestation:made").text or "").startswith("locked away")


def test_auditors_and_outsiders_attest_nothing(tape: Tracker) -> None:
    with pytest.raises(NotPermitted):
        attest(tape, by="aud")
    hidden = tape.file(restricted=True)
    with pytest.raises(NotFound):
        attest(tape, by="eve", number=hidden)
    with pytest.raises(NotFound):
        sign(tape, 99)
    attest(tape)
    with pytest.raises(NotFound):
        sign(tape, 1, number=tape.file())


def test_it_never_outvotes_an_open_door(tape: Tracker) -> None:
    attest(tape)
    sign(tape)
    side = tape.check("side", copy="tape", required=False)
    tape.look(52, side, side=OPEN)
    assert codes(tape) == ["open", "attestation", "uncovered"]


def test_people_s_word_alone_never_resolves(tracker: Tracker) -> None:
    tracker.dataset("mci-events", "tape")
    tracker.file()
    tracker.patch(1)
    attest(tracker)
    sign(tracker)
    assert codes(tracker) == ["no_check"]


def test_it_expires_and_a_resolved_sev_is_reopened(tape: Tracker) -> None:
    attest(tape, days=1)
    sign(tape)
    tape.resolve(1)
    tape.live(DAY - 60, step=30)
    assert tape.sev().status is Status.resolved
    tape.live(120)
    assert tape.sev().status is Status.investigating
    said = told(tape, "sev:reopened")
    assert sentence(said.kind, said.facts) == "Reopened: an attestation ended (mci-events/tape)."
    assert tape.kinds().count("attestation:expired") == 1
    assert "The attestation for mci-events/tape has expired." in messages(tape)


def test_a_renewed_one_carries_on_and_the_expired_one_blocks_nothing(tape: Tracker) -> None:
    attest(tape, days=1)
    sign(tape)
    tape.resolve(1)
    attest(tape, by="eve", days=3)
    tape.live(60)
    assert tape.sev().status is Status.resolved  # one person's word takes nothing away from two people's
    sign(tape, 2, by="vik")
    tape.live(DAY + 60, step=30)
    assert (tape.sev().status, tape.sev().exceptions) == (Status.resolved, 1)


def test_an_unfinished_one_on_a_sev_that_was_resolved_without_any_reopens_nothing(mci: Tracker) -> None:
    from sevtracker.actions import datasets
    from sevtracker.actions.inputs import NewCopy, parse

    mci.go_to(10)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    assert isinstance(mci.resolve(1), Resolved)
    with mci.work("dana") as work:
        datasets.add_copy(
            work, mci.settings, mci.runtime.probes, "mci-events", parse(NewCopy, {"slug": "tape", "kind": "backup"})
        )
    attest(mci, days=1)
    mci.live(DAY + 60, step=30)
    assert mci.sev().status is Status.resolved


def test_a_signer_or_an_executive_withdraws_it_with_the_same_effect(tape: Tracker) -> None:
    attest(tape)
    sign(tape)
    tape.resolve(1)
    with pytest.raises(NotPermitted):
        withdraw(tape, by="dana")
    withdraw(tape, by="vik")
    assert tape.sev().status is Status.investigating
    assert told(tape, "attestation:withdrawn").text == "it was read after all"
    assert codes(tape) == ["uncovered"]  # what was withdrawn is no attestation that lacks something
    with pytest.raises(Conflict, match="ended already"):
        sign(tape, by="vik")
    with pytest.raises(Conflict, match="ended already"):
        withdraw(tape)


def test_a_check_that_covers_the_copy_and_is_made_good_takes_its_place(tape: Tracker) -> None:
    attest(tape, days=1)
    sign(tape)
    tape.resolve(1)
    check = tape.check("side", copy="tape")
    tape.look(53, check, side=OPEN)
    assert told(tape, "sev:reopened").facts["cause"] == "seen_open"
    tape.patch(1, by="ada")
    for minute in (60, 75, 90):
        tape.look(minute, primary=CLOSED, side=CLOSED)
    assert isinstance(tape.resolve(1), Resolved)
    assert tape.sev().exceptions == 0
    tape.live(DAY + 60, step=20)
    assert tape.sev().status is Status.resolved


# ---- only where no check can look --------------------------------------------------------------------------------


def test_a_check_that_was_switched_off_takes_no_word_in_its_place(tape: Tracker) -> None:
    check = tape.check("side", copy="tape")
    change(tape, check, by="eve", enabled=False)
    told_ = "No required check looks at mci-events/tape at all: check 2 was switched off."
    assert told_ in messages(tape)
    with pytest.raises(InputError) as error:
        attest(tape)
    [wrong] = error.value.errors
    assert wrong.field == "copy"
    assert wrong.message.startswith("Check 2 can look at mci-events/tape. It was switched off.")


@pytest.mark.parametrize(
    ("given", "how"), [({"required": False}, "is optional"), ({"enabled": False}, "was switched off")]
)
def test_an_attestation_from_before_the_check_counts_no_more(tape: Tracker, given: dict[str, bool], how: str) -> None:
    attest(tape)
    check = tape.check("side", copy="tape")
    with pytest.raises(Conflict, match="Check 2 can look"):
        sign(tape)
    change(tape, check, by="eve", **given)
    wanted = f"The attestation for mci-events/tape does not count: check 2 can look there, and {how}."
    assert wanted in messages(tape)
    assert codes(tape) == ["attestation", "uncovered"]


def test_a_signed_one_counts_no_more_either(tape: Tracker) -> None:
    attest(tape)
    sign(tape)
    assert codes(tape) == []
    change(tape, tape.check("side", copy="tape"), by="eve", enabled=False)
    assert codes(tape) == ["attestation", "uncovered"]


def test_switching_off_the_check_of_an_attested_copy_reopens_what_was_resolved_on_the_check(tape: Tracker) -> None:
    attest(tape)
    sign(tape)
    check = tape.check("side", copy="tape")
    tape.look(52, check, side=OPEN)
    tape.patch(1)
    for minute in (60, 75, 90):
        tape.look(minute, primary=CLOSED, side=CLOSED)
    assert isinstance(tape.resolve(1), Resolved)
    change(tape, check, by="eve", enabled=False)
    assert tape.sev().status is Status.investigating
    assert told(tape, "sev:reopened").facts["cause"] == "check_taken_away"


def test_a_check_that_is_added_later_leaves_standing_what_was_resolved_on_people_s_word(tape: Tracker) -> None:
    attest(tape)
    sign(tape)
    assert isinstance(tape.resolve(1), Resolved)
    check = tape.check("side", copy="tape")
    assert (tape.sev().status, tape.sev().exceptions) == (Status.resolved, 1)
    change(tape, check, by="eve", enabled=False)
    assert tape.sev().status is Status.resolved


def test_who_retired_the_check_of_a_copy_neither_attests_nor_signs(tape: Tracker) -> None:
    check = tape.check("side", copy="tape")
    with tape.work("eve") as work:
        checks.retire(work, tape.settings, tape.runtime.probes, check, "it never worked")
    with pytest.raises(InputError, match="You retired check 2"):
        attest(tape, by="eve")
    attest(tape)
    with pytest.raises(Conflict, match="You retired check 2"):
        sign(tape, by="eve")
    sign(tape, by="vik")
    assert codes(tape) == []


def test_what_its_patch_s_author_may_not_switch_off_they_may_not_retire(tape: Tracker) -> None:
    check = tape.check("side", copy="tape")
    with tape.work("dana") as work:
        assert isinstance(checks.retire(work, tape.settings, tape.runtime.probes, check, "away"), Refused)
