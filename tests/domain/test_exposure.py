"""What counts as closed: every row of the table, then what no row says but somebody will try."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sevtracker.domain.exposure import (
    Accepted,
    Edited,
    Ran,
    Uncounted,
    VantageState,
    apply,
    assess,
    composite,
    fold,
    follows,
    uncounted,
    until,
    worst,
)
from sevtracker.domain.vocabulary import Exposure, Verdict
from tests.domain.stories import FIRST, RULES, at, end, minutes, told

X = Exposure


@pytest.mark.parametrize(
    ("story", "exposure", "streak"),
    [
        ("O@0 P@10 O@20", X.exposed, 0),
        ("O@0 P@10 C@20", X.verifying, 1),
        ("O@0 P@10 C@20,35,50", X.verified, 3),
        ("O@0 P@10 C@20,20.5,21", X.verifying, 1),
        ("O@0 P@10 C@11,20,35", X.verifying, 2),
        ("O@0 P@10 O@12 C@20,35,50", X.verified, 3),
        ("O@0 P@10 C@20,35 O@50 C@65,80,95", X.unattributed, 0),
        ("O@0 P@10 I@20,35,50", X.exposed, 0),
        ("O@0 P@10 C@20 I@35 C@50,65", X.verified, 3),
        ("O@0 P@10 C@20 I@35,50,65,80 C@95,110", X.verifying, 2),
        ("O@0 P@10 C@20,35,50 I@65", X.uncertain, 3),
        ("C@0 P@10 C@20,35,50", X.unproven, 0),
        ("K@0 P@10 C@20,35,50", X.verified, 3),
        ("O@0 P@10 C@20,35 P@40 C@50", X.verifying, 1),
        ("O@0 P@10 C@20,35 E@40 C@50,65,80", X.unproven, 0),
        ("O@0 C@20,35,50", X.no_patch, 0),
        ("O@0 P@10 C@20 O@30 P@35 C@45 O@55 P@60 C@70,85,100", X.flapping, 3),
        # beyond the table
        ("", X.unverified, 0),
        ("I@0,15", X.unverified, 0),
        ("C@0", X.unproven, 0),
        ("O@0 P@10 C@20,35,49", X.verifying, 3),  # three in a row, but 29 minutes only
        ("O@0 P@10 C@15,25,35,45", X.verified, 4),  # settle and spacing count to the minute
        ("O@0 P@10 C@14.9,24.8,34.7,44.7", X.verifying, 2),
        ("O@0 P@10 C@20,65,80", X.verified, 3),  # a gap of exactly three intervals is none
        ("O@0 P@10 C@20,65.1,80", X.verifying, 2),
        ("O@0 P@10 C@20,35 P@40", X.verifying, 0),
        ("O@0 X@10 C@20,35,50", X.no_patch, 0),  # a patch elsewhere explains nothing here
        ("O@0 P@10 C@20,35 X@40 C@50", X.verifying, 1),  # but it restarts the streak
        ("O@0 P@10 X@18 O@20 C@30,45,60", X.unattributed, 0),  # nor does it put off that this one failed
        ("O@0 P@10 C@20,35 E@40 B@41 C@50", X.verifying, 1),  # back to what was reproduced: proven, streak from nothing
        ("O@0 E@5 P@10 C@20,35,50", X.unproven, 0),
        ("O@0 E@5 O@6 P@10 C@20,35,50", X.verified, 3),
        ("O@0 P@10 C@20,35,50 K@55", X.verified, 3),
        ("C@0 P@10 C@20,35 K@40 C@50", X.verifying, 1),  # closed before proof never counts
        ("O@0 P@10 C@20,35,50 O@65 P@70", X.exposed, 0),  # a patch alone closes nothing
        ("O@0 P@-30 C@20,35,50", X.unattributed, 0),  # backdated to before the open: it failed
        ("O@0 P@1 C@20,35,50", X.verified, 3),
        # an edit after an open, and an executive's word on it
        ("O@0 P@10 E@15 K@18 C@20,35,50", X.unproven, 0),  # twins don't take back what was seen open
        ("O@0 P@10 E@15 C@20 A@25 C@35,50,65", X.unproven, 0),  # accepted, and still to be proven
        ("O@0 P@10 E@15 C@20 A@25 K@35 C@35,50,65", X.verified, 3),
        ("O@0 P@10 E@15 K@18 C@20 A@25 C@35,50", X.verifying, 2),  # what was seen before it does not count
        ("O@0 P@10 E@15 A@18 K@20 C@20,35,50", X.unproven, 0),  # the last that was seen is open: nobody's to accept
        ("O@0 P@10 E@15 C@20 A@25 E@30 K@35 C@35,50,65", X.unproven, 0),  # another edit voids it
        ("O@0 P@10 E@15 C@20 A@25 E@30 B@31 K@35 C@35,50,65", X.verified, 3),  # the first saw it open, now closed
        ("O@0 P@10 E@15 C@20 A@25 O@35", X.exposed, 0),
        ("O@0 P@10 E@15 C@20 A@25 O@35 P@40 C@50,65,80", X.verified, 3),  # an open of its own reproduces it
        ("O@0 P@10 E@15 O@20 A@21", X.exposed, 0),
        # what a stricter definition saw open, a looser one does not close, though it saw the door open, too
        ("O@0 W@5 O@6 P@10 C@20,35,50", X.unproven, 0),
        ("O@0 E@5 W@6 O@7 P@10 C@20,35,50", X.unproven, 0),  # nor by way of one that never looked
        ("O@0 W@5 E@6 O@7 P@10 C@20,35,50", X.unproven, 0),
        ("O@0 W@5 O@6 P@10 C@20 B@21 C@35,50,65", X.verified, 3),  # the first sees it closed, by itself
        ("O@0 W@5 O@6 P@10 C@20 A@25 C@35,50,65", X.verified, 3),  # or an executive accepts the looser one
        ("O@0 W@5 P@10 C@20 A@25 O@35 P@40 C@50,65,80", X.verified, 3),  # whose own open takes nothing of that back
        ("O@0 W@5 O@6 P@10 C@20 A@25 E@30 O@31 P@40 C@50,65,80", X.unproven, 0),  # but another edit does
    ],
)
def test_a_story_comes_to_its_exposure(story: str, exposure: Exposure, streak: int) -> None:
    events = told(story)
    seen = assess(fold(events, RULES), RULES, end(events) + minutes(1))
    assert (seen.exposure, seen.streak) == (exposure, streak)


def test_a_patch_that_was_open_after_settling_has_failed() -> None:
    assert fold(told("O@0 P@10 O@14.9"), RULES).failed_patches == ()
    assert fold(told("O@0 P@10 O@15"), RULES).failed_patches == (1,)
    assert fold(told("O@0 P@10 C@20,35,50 O@600"), RULES).failed_patches == (1,)


def test_nothing_but_errors_since_the_patch_is_blind_and_undecided() -> None:
    state = fold(told("O@0 P@10 I@20,35,50"), RULES)
    assert assess(state, RULES, at(51)).blind
    assert not state.decided_since_patch
    assert state.blind_since == at(20)
    assert fold(told("O@0 P@10 C@12"), RULES).decided_since_patch is False  # inside settle decides nothing
    assert fold(told("O@0 P@10 X@14 C@16"), RULES).decided_since_patch is True


def test_without_runs_verified_goes_stale() -> None:
    state = fold(told("O@0 P@10 C@20,35,50"), RULES)
    assert assess(state, RULES, at(80)).exposure is X.verified
    assert assess(state, RULES, at(80)).until == at(80)
    assert assess(state, RULES, at(80.1)).exposure is X.stale
    assert assess(state, RULES, at(170)).exposure is X.stale


def test_a_run_from_the_future_is_not_fresh() -> None:
    state = fold(told("O@0 P@10 C@20,35,50"), RULES)
    assert assess(state, RULES, at(49.5)).fresh
    assert not assess(state, RULES, at(48)).fresh


# ---- flapping ----------------------------------------------------------------------------------------------------

FLAPPING = "O@0 P@10 C@20 O@30 P@35 C@45 O@55 P@60 "


def test_flapping_doubles_the_streak_and_the_soak() -> None:
    seen = assess(fold(told(FLAPPING + "C@70,85,100"), RULES), RULES, at(101))
    assert (seen.exposure, seen.streak, seen.needed) == (X.flapping, 3, 6)
    assert assess(fold(told(FLAPPING + "C@70,80,90,100,110,120"), RULES), RULES, at(121)).exposure is X.flapping
    assert assess(fold(told(FLAPPING + "C@70,80,90,100,110,130"), RULES), RULES, at(131)).exposure is X.verified


def test_flapping_ends_with_its_window_if_nothing_is_being_counted() -> None:
    state = fold(told(FLAPPING), RULES)
    day = 24 * 60
    assert assess(state, RULES, at(56)).needed == 6
    assert assess(state, RULES, at(200)).until == at(30 + day)
    assert assess(state, RULES, at(30 + day)).needed == 6
    assert assess(state, RULES, at(30.1 + day)).needed == 3


def test_a_soak_as_long_as_the_window_is_doubled_too() -> None:
    """SEV1 soaks for 24 h, as long as the window; were it measured from now, flapping would cost nothing."""
    rules = replace(RULES, soak=timedelta(hours=24), consecutive=6)
    closeds = "C@" + ",".join(str(70 + 15 * n) for n in range(200))
    events = told(FLAPPING + closeds)
    for hours, exposure in ((25, X.flapping), (47, X.flapping), (49.5, X.verified)):
        upto = [e for e in events if e.at <= at(60 * hours)]
        assert assess(fold(upto, rules), rules, at(60 * hours)).exposure is exposure


# ---- after resolving ---------------------------------------------------------------------------------------------

GREEN = "O@0 P@10 C@20,35,50 "


def test_the_watch_goes_on() -> None:
    seen = assess(fold(told(GREEN), RULES), RULES, at(61), resolved_at=at(60))
    assert seen.exposure is X.watching
    assert seen.until == at(60 + 180)  # no run for three intervals would make it blind


def test_an_open_ends_the_watch() -> None:
    seen = assess(fold(told(GREEN + "O@90"), RULES), RULES, at(91), resolved_at=at(60))
    assert seen.exposure is X.exposed


def test_an_open_that_began_just_before_resolving_ends_it_too() -> None:
    seen = assess(fold(told(GREEN + "O@59.9"), RULES), RULES, at(61), resolved_at=at(60))
    assert seen.exposure is X.exposed


def test_only_errors_make_the_watch_blind_then_lost() -> None:
    errors = "I@" + ",".join(str(70 + 15 * n) for n in range(300))
    state = fold(told(GREEN + errors), RULES)
    early = assess(state, RULES, at(70 + 179), resolved_at=at(60))
    assert (early.exposure, early.lost, early.until) == (X.watching, False, at(70 + 180))
    assert assess(state, RULES, at(70 + 180), resolved_at=at(60)).exposure is X.watch_blind
    assert not assess(state, RULES, at(69 + 72 * 60), resolved_at=at(60)).lost
    assert assess(state, RULES, at(70 + 72 * 60), resolved_at=at(60)).lost


def test_no_run_at_all_makes_the_watch_blind_then_lost() -> None:
    state = fold(told(GREEN), RULES)
    assert assess(state, RULES, at(60 + 180), resolved_at=at(60)).exposure is X.watch_blind
    assert assess(state, RULES, at(60 + 180 + 72 * 60), resolved_at=at(60)).lost


def test_the_watch_thins_out() -> None:
    def every(days: float) -> timedelta:
        return RULES.watch_every(at(0), at(0) + timedelta(days=days))

    assert [every(d) for d in (0, 6.9, 7, 96.9, 97, 5000)] == [
        *[timedelta(hours=1)] * 2,
        *[timedelta(days=1)] * 2,
        *[timedelta(days=7)] * 2,
    ]


# ---- proof -------------------------------------------------------------------------------------------------------


def test_a_canary_proof_runs_out_after_seven_days() -> None:
    state = fold(told("K@0 P@10 C@20,35,50"), RULES)
    days = 7 * 24 * 60
    assert assess(state, RULES, at(55)).until == at(80)
    rules = replace(RULES, freshness=timedelta(days=30))
    assert assess(state, rules, at(55)).until == at(days)
    assert assess(state, rules, at(days)).exposure is X.verified
    assert assess(state, rules, at(days + 0.1)).exposure is X.unproven


def test_another_definitions_proof_proves_nothing() -> None:
    assert assess(fold(told("K@0 E@1 P@10 C@20,35,50"), RULES), RULES, at(51)).exposure is X.unproven


def test_a_run_of_an_older_definition_counts_for_nothing_but_an_open_one_still_opens() -> None:
    state = fold(told("O@0 E@1 O@2 P@10 C@20"), RULES)
    assert fold(told("O@0 E@1 O@2 P@10 C@20 D@35"), RULES).counted == state.counted == 1
    assert assess(apply(state, Ran(at(55), Verdict.open, FIRST), RULES), RULES, at(56)).exposure is X.exposed


def test_an_accepted_definition_that_is_edited_and_edited_back_was_not_accepted() -> None:
    [first, second] = [Edited(at(15), "other"), Edited(at(30), "third")]
    accepted = [*told("O@0 P@10"), first, Ran(at(20), Verdict.closed, "other"), Accepted(at(25), "other")]
    assert not fold(accepted, RULES).door_open
    assert fold([*accepted, second], RULES).door_open
    back = Edited(at(31), "other")
    assert fold([*accepted, second, back], RULES).door_open


def test_it_is_for_the_definition_that_was_accepted_only() -> None:
    assert fold([*told("O@0 P@10 E@15 C@20"), Accepted(at(25), FIRST)], RULES).door_open


def test_a_run_that_was_under_way_and_saw_it_open_is_not_accepted_away() -> None:
    state = fold([*told("O@0 P@10 E@15 C@20 A@25"), Ran(at(24), Verdict.open, "definition-1")], RULES)
    assert (state.door_open, state.decisive) == (True, Verdict.open)


def test_an_edit_that_voids_it_blinds_the_watch() -> None:
    story = "O@0 P@10 E@15 C@20 A@25 K@35 C@35,50,65"
    assert assess(fold(told(story), RULES), RULES, at(80), at(70)).exposure is X.watching
    assert assess(fold(told(f"{story} E@75"), RULES), RULES, at(80), at(70)).exposure is X.watch_blind


# ---- clocks that jump, times that tie ------------------------------------------------------------------------------


def test_a_clock_that_jumps_back_hides_no_open() -> None:
    state = fold(told("O@0 P@10 C@100,115,130 O@40"), RULES)
    assert assess(state, RULES, at(41)).exposure is X.exposed
    assert state.counted == 0


def test_after_a_jump_back_nothing_from_before_it_counts() -> None:
    state = fold(told("O@0 P@10 C@100,115 C@40"), RULES)
    assert (state.counted, state.first_counted_at) == (1, at(40))
    near = fold(told("O@0 P@10 C@100,115 C@114"), RULES)
    assert (near.counted, near.last_counted_at) == (2, at(115))


def test_a_jump_forward_restarts_the_streak() -> None:
    day = 24 * 60
    assert fold(told(f"O@0 P@10 C@20,35,{day},{day + 15}"), RULES).counted == 2


def test_at_the_same_minute_the_patch_comes_before_the_run() -> None:
    state = fold(told("O@10 P@10"), RULES)
    assert state.failed_patches == ()
    assert state.decided_since_patch is False
    assert fold(told("O@0 P@10 C@15"), RULES).counted == 1


def test_two_opens_at_the_same_time_are_one_proof_and_no_swing() -> None:
    state = fold(told("O@0,0 P@10 C@20,20"), RULES)
    assert (state.reproduced, state.swings, state.counted) == ((FIRST,), (), 1)


def test_a_run_follows_unless_something_was_said_meanwhile() -> None:
    state = fold(told("O@0 P@10"), RULES)
    assert follows(state, Ran(at(10), Verdict.open, FIRST))
    assert not follows(state, Ran(at(9.9), Verdict.open, FIRST))
    assert follows(VantageState(), Ran(at(0), Verdict.open, FIRST))


# ---- several vantages --------------------------------------------------------------------------------------------


def test_a_sev_has_its_worst_vantage() -> None:
    assert worst([X.verified, X.exposed, X.uncertain]) is X.exposed
    assert worst([X.verified, X.verifying]) is X.verifying
    assert worst([]) is X.unverified


def test_open_outvotes_everything_and_an_error_outvotes_closed() -> None:
    o, c, i = Verdict.open, Verdict.closed, Verdict.inconclusive
    assert composite([c, i, o]) is o
    assert composite([c, i]) is i
    assert composite([c, c]) is c
    assert composite([]) is i


@pytest.mark.parametrize(
    ("story", "why"),
    [
        ("O@0 P@10 C@20", None),
        ("O@0 P@10 C@20,35", None),
        ("O@0 P@10 C@20,110", None),  # the gap is too long: it counts as the first of another streak
        ("O@0 P@10 O@20", Uncounted.not_closed),
        ("O@0 P@10 I@20", Uncounted.not_closed),
        ("O@0 P@10 C@12", Uncounted.settling),
        ("O@0 C@20", Uncounted.no_patch),
        ("O@0 P@10 O@20 C@35", Uncounted.unattributed),
        ("O@0 P@10 E@12 D@20", Uncounted.edited),
        ("C@0 P@10 C@20", Uncounted.unproven),
        ("O@0 P@10 C@20,24", Uncounted.too_soon),
    ],
)
def test_a_run_that_does_not_count_says_why(story: str, why: Uncounted | None) -> None:
    """Judged by what the run met, whatever was said after it."""
    events = told(f"{story} P@500 C@600")
    run = [event for event in events if isinstance(event, Ran)][-2]
    met = until(events, run, RULES)
    assert uncounted(met, run, RULES) is why
    assert (apply(met, run, RULES).counted > 0) is (why in (None, Uncounted.too_soon))
