"""The resolve gate: each blocker by itself, all of them together, and who may not clear one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from sevtracker.domain.exposure import assess, fold
from sevtracker.domain.gate import Attestation, Code, Facts, Gate, Hole, SwitchedOff, Vantage, Waiver, evaluate, vouched
from sevtracker.domain.vocabulary import Level, Reason, Status, Verdict, Weight
from tests.domain.stories import RULES, at, told

NOW = at(51)
GREEN = "O@0 P@10 C@20,35,50"


def vantage(story: str = GREEN, now: datetime = NOW, **changed: Any) -> Vantage:
    state = fold(told(story), RULES)
    given = Vantage(
        check=1,
        place="mci-events/primary",
        identity="any-employee",
        required=True,
        weight=Weight.decides,
        assessment=assess(state, RULES, now),
        decisive=state.decisive,
        last=state.last,
        reason=Reason.timeout if state.last is Verdict.inconclusive else None,
        last_at=state.last_at,
        still_open=state.still_open,
    )
    return replace(given, **changed)


def facts(*vantages: Vantage, **changed: Any) -> Facts:
    given = Facts(
        level=Level.SEV3,
        status=Status.patched,
        rules=RULES,
        now=NOW,
        vantages=vantages or (vantage(),),
        holes=(),
        patches=1,
        patched_at=at(10),
    )
    return replace(given, **changed)


def codes(gate: Gate) -> list[str]:
    return [blocker.code.value for blocker in gate.blockers]


OWED = replace(RULES, access_review=True, reporter_retest=True, sessions=True)


def test_it_opens_when_everything_was_seen() -> None:
    gate = evaluate(facts())
    assert gate.open
    assert gate.exceptions == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (facts(status=Status.resolved), ["status"]),
        (facts(status=Status.dismissed), ["status"]),
        (facts(holes=(Hole("mci-events/export"),)), ["uncovered"]),
        (facts(holes=(Hole("mci-events/primary", "contractor"),)), ["uncovered"]),
        (facts(vantage(weight=Weight.informs)), ["no_check"]),
        (facts(vantage(required=False)), ["no_check"]),
        (facts(vantage("O@0 C@20,35,50"), patches=0, patched_at=None), ["no_patch"]),
        (facts(vantage("O@0 X@10 C@20,35,50")), ["no_patch", "soak"]),
        (facts(vantage(GREEN + " O@50.5")), ["open"]),
        (facts(vantage(GREEN + " I@50.5")), ["inconclusive"]),
        (facts(vantage("C@0 P@10 C@20,35,50")), ["unproven", "soak"]),
        (facts(vantage("O@0 P@10 O@16 C@20,35,50")), ["unattributed", "soak"]),
        (facts(vantage("O@0 P@1 C@6 O@11 P@11 C@16 O@18 P@18 C@23,35,50")), ["flapping", "soak"]),
        (facts(vantage("O@0 P@10 C@35,50")), ["soak"]),
        (facts(vantage(GREEN, at(200)), now=at(200)), ["stale"]),
        (facts(rules=replace(RULES, reporter_retest=True)), ["retest"]),
        (facts(rules=replace(RULES, access_review=True)), ["access_review"]),
        (facts(rules=replace(RULES, sessions=True)), ["sessions"]),
        (facts(attestations=(Attestation("mci-events/tape", "", ("dana", "priya"), at(9000)),)), ["attestation"]),
    ],
)
def test_each_reason_not_to_resolve_is_named(given: Facts, expected: list[str]) -> None:
    assert codes(evaluate(given)) == expected


def test_a_sev_that_nobody_has_looked_at_names_all_that_is_missing() -> None:
    empty = facts(rules=OWED, vantages=(), holes=(Hole("a/primary"), Hole("b/primary")), patches=0, patched_at=None)
    wanted = ["uncovered", "uncovered", "no_check", "no_patch", "retest", "access_review", "sessions"]
    assert codes(evaluate(empty)) == wanted


def test_a_check_that_never_ran_is_told_apart_from_one_that_could_not_see() -> None:
    assert codes(evaluate(facts(vantage("P@10")))) == ["inconclusive", "soak"]
    [blocker, _] = evaluate(facts(vantage("P@10"))).blockers
    assert blocker.message == "The check of any-employee at mci-events/primary has not run yet."


def test_every_blocker_says_what_why_and_what_would_clear_it() -> None:
    worst = facts(vantage(GREEN + " O@50.5", check=9), rules=OWED, holes=(Hole("x/y"),), status=Status.closed)
    for blocker in evaluate(worst).blockers:
        assert blocker.message.endswith(".")
        assert blocker.clears.endswith(".")
        assert (blocker.check == 9) is (blocker.code is Code.open)


def test_one_open_vantage_blocks_whatever_the_others_say() -> None:
    optional = vantage("O@0", check=2, required=False)
    assert codes(evaluate(facts(vantage(), optional))) == ["open"]


def test_an_optional_check_that_cannot_see_blocks_nothing() -> None:
    assert evaluate(facts(vantage(), vantage("I@50", check=2, required=False))).open


def test_acts_from_before_the_last_patch_do_not_count() -> None:
    before, after = at(9), at(10)
    owed = facts(rules=OWED, retest_at=before, access_review_at=before, sessions_at=before)
    assert codes(evaluate(owed)) == ["retest", "access_review", "sessions"]
    assert evaluate(replace(owed, retest_at=after, access_review_at=after, sessions_at=after)).open


def test_a_waiver_lets_one_vantage_through_until_it_expires() -> None:
    waived = vantage(GREEN + " I@50.5", check=2, waivers=(Waiver(at(60), knew_open=False),))
    gate = evaluate(facts(vantage(), waived))
    assert (gate.open, gate.exceptions) == (True, (2,))
    later = facts(vantage(GREEN + " C@59", at(60)), waived, now=at(60))
    assert codes(evaluate(later)) == ["inconclusive"]


def test_a_waiver_that_nothing_needs_is_no_exception() -> None:
    assert evaluate(facts(vantage(waivers=(Waiver(at(60), knew_open=False),)))).exceptions == ()


def test_a_waiver_covers_an_open_door_only_if_that_was_known_when_it_was_granted() -> None:
    opened = vantage(GREEN + " O@50.5", check=2)
    unaware = evaluate(facts(vantage(), replace(opened, waivers=(Waiver(at(60), knew_open=False),))))
    aware = evaluate(facts(vantage(), replace(opened, waivers=(Waiver(at(60), knew_open=True),))))
    assert "open" in codes(unaware)
    assert (aware.open, aware.exceptions) == (True, (2,))


WEAKENED = "O@0 P@10 E@15 K@18 C@20,35,50"


def test_a_door_that_an_edit_made_look_closed_is_open_as_far_as_we_know() -> None:
    [blocker, _] = evaluate(facts(vantage(WEAKENED))).blockers
    assert (blocker.code, blocker.check) == (Code.unproven, 1)
    assert blocker.message.startswith("The check of any-employee at mci-events/primary saw this door open and was")
    assert "an executive accepts the new definition" in blocker.clears
    assert not vantage(WEAKENED).made_good()


def test_an_optional_check_that_was_weakened_after_its_open_blocks_as_before() -> None:
    assert codes(evaluate(facts(vantage(), vantage("O@0 E@15 C@20", check=2, required=False)))) == ["unproven"]


def test_a_weakened_check_takes_a_waiver_that_knew_and_outvotes_people_s_word() -> None:
    weakened = vantage(WEAKENED, check=2, place="mci-events/tape")
    unaware = replace(weakened, waivers=(Waiver(at(60), knew_open=False),))
    assert "unproven" in codes(evaluate(facts(vantage(), unaware)))
    assert unaware.waived_until(NOW) is None
    assert evaluate(facts(vantage(), replace(weakened, waivers=(Waiver(at(60), knew_open=True),)))).exceptions == (2,)
    assert vouched(facts(vantage(), weakened, holes=(TAPE,), attestations=(GOOD,))) == set()


@pytest.mark.parametrize(
    ("story", "good"),
    [(GREEN, True), ("O@0 P@10 C@20,35", False), ("C@0 P@10 C@20,35,50", False), (GREEN + " O@50.5", False)],
)
def test_a_waived_vantage_is_made_good_by_what_any_other_needs(story: str, good: bool) -> None:
    assert vantage(story, waivers=(Waiver(at(60), knew_open=True),)).made_good() is good


def test_what_only_supports_gates_but_is_no_evidence_by_itself() -> None:
    supports = vantage(weight=Weight.supports)
    assert codes(evaluate(facts(supports))) == ["no_check"]
    opened = vantage("O@0 P@10 C@20 O@35", check=2, weight=Weight.supports)
    assert codes(evaluate(facts(vantage(), opened))) == ["open"]


def test_what_only_informs_never_gates() -> None:
    assert evaluate(facts(vantage(), vantage("O@0", check=2, weight=Weight.informs, required=False))).open


# ---- attestations ------------------------------------------------------------------------------------------------

AUD, PRIYA, DANA = 1, 2, 3
GOOD = Attestation("mci-events/tape", "https://wiki.example/tape", (AUD, PRIYA), at(30 * 24 * 60), frozenset({DANA}))
TAPE = Hole("mci-events/tape")


def test_two_people_can_attest_where_no_probe_can_exist() -> None:
    assert evaluate(facts(holes=(TAPE,), attestations=(GOOD,))).open


@pytest.mark.parametrize(
    ("bad", "because"),
    [
        (replace(GOOD, evidence_url=""), "has no link to its evidence"),
        (replace(GOOD, attested_by=(PRIYA,)), "needs two different people"),
        (replace(GOOD, attested_by=(PRIYA, PRIYA)), "needs two different people"),
        (replace(GOOD, attested_by=(PRIYA, DANA)), "is attested by an author of the patch"),
        (replace(GOOD, expires_at=NOW), "has expired"),
    ],
)
def test_an_attestation_that_lacks_something_covers_nothing(bad: Attestation, because: str) -> None:
    gate = evaluate(facts(holes=(TAPE,), attestations=(bad,)))
    assert codes(gate) == ["attestation", "uncovered"]
    assert gate.blockers[0].message == f"The attestation for mci-events/tape {because}."


def test_an_attestation_never_outvotes_an_open() -> None:
    opened = vantage(GREEN + " O@50.5", place="mci-events/tape", required=False)
    gate = evaluate(facts(vantage(), opened, holes=(TAPE,), attestations=(GOOD,)))
    assert codes(gate) == ["open", "attestation", "uncovered"]
    assert gate.attested == ()


def test_an_attestation_does_not_count_where_a_check_was_switched_off() -> None:
    gate = evaluate(facts(holes=(TAPE,), attestations=(GOOD,), switched_off=(SwitchedOff(7, "mci-events/tape"),)))
    assert (codes(gate), gate.attested) == (["attestation", "uncovered"], ())
    attestation, uncovered = gate.blockers
    told = "The attestation for mci-events/tape does not count: check 7 can look there, and was switched off."
    assert attestation.message == told
    assert attestation.clears.startswith("Enable check 7 and make it required")
    assert uncovered.message == "No required check looks at mci-events/tape at all: check 7 was switched off."


def test_an_attestation_does_not_count_where_a_check_is_optional_or_looks_as_somebody_else() -> None:
    optional = vantage("I@50", check=2, place="mci-events/tape", required=False)
    gate = evaluate(facts(vantage(), optional, holes=(TAPE,), attestations=(GOOD,)))
    assert gate.blockers[0].message.endswith("check 2 can look there, and is optional.")
    as_staff = evaluate(
        facts(holes=(Hole("a/b", "contractor"),), attestations=(replace(GOOD, place="a/b"),)),
    )
    assert as_staff.open
    looking = vantage(check=2, place="a/b")
    as_staff = evaluate(
        facts(vantage(), looking, holes=(Hole("a/b", "contractor"),), attestations=(replace(GOOD, place="a/b"),))
    )
    assert codes(as_staff) == ["attestation", "uncovered"]
    assert as_staff.blockers[0].message == "The attestation for a/b does not count: check 2 looks there."


@pytest.mark.parametrize("weight", [Weight.supports, Weight.informs])
def test_a_check_that_covers_no_copy_takes_no_attestation_s_place(weight: Weight) -> None:
    beside = vantage(check=2, place="mci-events/tape", weight=weight)
    assert evaluate(facts(vantage(), beside, holes=(TAPE,), attestations=(GOOD,))).open


def test_what_is_covered_by_people_s_word_only_is_told_as_attested() -> None:
    gate = evaluate(facts(vantage(), holes=(TAPE,), attestations=(GOOD,)))
    assert (gate.open, gate.attested) == (True, ("mci-events/tape",))


def test_attestations_alone_never_resolve() -> None:
    assert codes(evaluate(facts(vantage(weight=Weight.informs), holes=(TAPE,), attestations=(GOOD,)))) == ["no_check"]


# ---- which waivers count -----------------------------------------------------------------------------------------

STANDS = Waiver(at(60), knew_open=True, fingerprint="f1", granted_by=PRIYA, patch_authors=frozenset({DANA}))


@pytest.mark.parametrize(
    ("bad", "because"),
    [
        (replace(STANDS, until=NOW), "has expired"),
        (replace(STANDS, granted_by=DANA), "was granted by an author of a patch"),
        (replace(STANDS, fingerprint="f0"), "is for what the check looked at before it was changed"),
    ],
)
def test_a_waiver_that_lacks_something_lets_nothing_through(bad: Waiver, because: str) -> None:
    opened = vantage(GREEN + " O@50.5", check=2, fingerprint="f1")
    assert bad.trouble(NOW, "f1") == because
    assert "open" in codes(evaluate(facts(vantage(), replace(opened, waivers=(bad,)))))
    assert evaluate(facts(vantage(), replace(opened, waivers=(bad, STANDS)))).exceptions == (2,)


def test_of_several_waivers_any_that_covers_will_do() -> None:
    unaware = replace(STANDS, until=at(900), knew_open=False)
    opened = vantage(GREEN + " O@50.5", check=2, fingerprint="f1", waivers=(unaware, STANDS))
    assert opened.waived_until(NOW) == at(60)
    assert opened.standing(NOW) == (unaware, STANDS)
    assert vantage(fingerprint="f1", waivers=(unaware, STANDS)).waived_until(NOW) == at(900)


def test_an_unfinished_attestation_blocks_nothing_where_another_one_is_good() -> None:
    again = replace(GOOD, attested_by=(PRIYA,))
    assert evaluate(facts(holes=(TAPE,), attestations=(GOOD, again))).open


def test_an_expired_attestation_is_history_once_a_check_looks_there() -> None:
    assert evaluate(facts(attestations=(replace(GOOD, expires_at=NOW),))).open


def test_the_same_trouble_is_told_once() -> None:
    expired = replace(GOOD, expires_at=NOW)
    assert codes(evaluate(facts(holes=(TAPE,), attestations=(expired, expired)))) == ["attestation", "uncovered"]


def test_a_blocker_about_a_copy_names_it() -> None:
    gate = evaluate(facts(holes=(TAPE,), attestations=(replace(GOOD, attested_by=(PRIYA,)),)))
    assert [b.place for b in gate.blockers] == ["mci-events/tape", "mci-events/tape"]
