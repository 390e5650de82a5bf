"""Four properties over random stories. The first is judged by an oracle that knows nothing of the fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sevtracker.domain.exposure import (
    Edited,
    Event,
    Patched,
    Ran,
    TwinsProven,
    VantageState,
    apply,
    assess,
    fold,
    follows,
)
from sevtracker.domain.policy import Rules
from sevtracker.domain.vocabulary import Exposure, Verdict
from sevtracker.store.vantages import decode, encode
from tests.domain.stories import RULES, end, minutes, told

#: Streaks of closeds first, or nothing would ever be verified. ``D`` is a closed of the definition before.
LETTERS = st.sampled_from("CCCCOIPXEBKDA")
STEPS = st.sampled_from([0.0, 0.5, 2.0, 5.0, 10.0, 12.0, 15.0, 15.0, 15.0, 30.0, 45.0, 46.0, 1500.0])
BEGINNINGS = st.sampled_from(
    [
        "",
        "O@0 P@5",
        "O@0 E@1 P@2 C@8 A@9 K@10",
        "O@0 P@5",
        "K@0 P@5",
        "C@0 P@5",
        "O@0",
        "O@0 P@1 C@6 O@7 P@7 C@12 O@13 P@13",
    ]
)


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    words = draw(BEGINNINGS).split()
    minute = float(words[-1][2:]) if words else 0.0
    middle = draw(st.lists(st.tuples(LETTERS, STEPS, st.integers(1, 7)), max_size=4))
    last = draw(st.tuples(st.just("C"), STEPS, st.integers(0, 7)))
    for letter, step, count in (*middle, last):
        for _ in range(count if letter == "C" else 1):
            minute += step
            words.append(f"{letter}@{minute}")
    return told(" ".join(words))


# ---- 1. the oracle -----------------------------------------------------------------------------------------------


def may_be_verified(story: Sequence[Event], rules: Rules, now: datetime) -> bool:
    """Is there any choice of closed runs that satisfies every rule for ``verified``? Brute force over the raw story."""
    runs = [(place, e) for place, e in enumerate(story) if isinstance(e, Ran)]
    edits = [(place, e) for place, e in enumerate(story) if isinstance(e, Edited)]
    patches = [e for e in story if isinstance(e, Patched)]
    own = [p for p in patches if p.in_scope]
    decisive = [(place, r) for place, r in runs if r.verdict is not Verdict.inconclusive]
    if not own or not decisive or runs[-1][1].verdict is not Verdict.closed:
        return False
    if now - runs[-1][1].at > rules.freshness:
        return False
    fingerprint = edits[-1][1].fingerprint
    edited = max(
        place
        for (place, e), before in zip(edits, [None, *edits], strict=False)
        if before is None or before[1].fingerprint != e.fingerprint
    )
    opens = [(place, r) for place, r in runs if r.verdict is Verdict.open]
    settled = max(p.at for p in patches) + rules.settle
    if any(r.at >= own[-1].at + rules.settle for _, r in opens):
        return False
    swings = [
        b.at for (_, a), (_, b) in pairwise(decisive) if a.verdict is Verdict.closed and b.verdict is Verdict.open
    ]

    def proven(place: int, moment: datetime) -> bool:
        reproduced = any(p < place and r.fingerprint == fingerprint for p, r in opens)
        twins = [e for e in story[:place] if isinstance(e, TwinsProven)]
        return reproduced or bool(
            twins and twins[-1].fingerprint == fingerprint and moment - twins[-1].at <= rules.proof_valid
        )

    last_open = max((place for place, _ in opens), default=-1)
    good = [
        r.at
        for place, r in runs
        if r.verdict is Verdict.closed
        and r.fingerprint == fingerprint
        and place > max(edited, last_open)
        and r.at >= settled
        and proven(place, r.at)
    ]
    if not proven(len(story), now):
        return False
    for start, first in enumerate(good):
        factor = 2 if sum(1 for s in swings if first - s <= rules.flapping_window) >= 2 else 1
        longest = {start: 1}
        for j in range(start + 1, len(good)):
            chains = [longest[k] + 1 for k in longest if rules.spacing <= good[j] - good[k] <= rules.max_gap]
            if chains:
                longest[j] = max(chains)
            if longest.get(j, 0) >= factor * rules.consecutive and good[j] - first >= factor * rules.soak:
                return True
    return False


@settings(max_examples=200, deadline=None)
@given(stories(), st.sampled_from([0.0, 1.0, 29.0, 31.0, 120.0]))
def test_nothing_is_verified_without_spaced_proven_closeds_after_the_last_patch(
    story: list[Event], later: float
) -> None:
    now = end(story) + minutes(later)
    seen = assess(fold(story, RULES), RULES, now)
    if seen.exposure is Exposure.verified:
        assert may_be_verified(story, RULES, now)
        assert seen.soaked
        assert seen.proven
        assert seen.attributed
        assert seen.fresh
        assert not seen.flapping


def test_the_oracle_says_yes_where_the_table_does() -> None:
    for story in ("O@0 P@10 C@20,35,50", "O@0 P@10 O@12 C@20,35,50", "K@0 P@10 C@20,35,50"):
        events = told(story)
        assert may_be_verified(events, RULES, end(events))
    for story in ("O@0 P@10 C@20,35", "C@0 P@10 C@20,35,50", "O@0 P@10 C@20,35 O@50 C@65,80,95"):
        events = told(story)
        assert not may_be_verified(events, RULES, end(events))


# ---- 2, 3. what one more run can't do ----------------------------------------------------------------------------


def with_run(story: list[Event], place: int, verdict: Verdict) -> list[Event]:
    """``story`` with one more run at ``place``, at the time of the event before it."""
    fingerprint = next(e.fingerprint for e in reversed(story[:place]) if isinstance(e, Edited))
    return [*story[:place], Ran(story[place - 1].at, verdict, fingerprint), *story[place:]]


PLACES = st.integers(min_value=1, max_value=10_000)


@settings(max_examples=120, deadline=None)
@given(stories(), PLACES)
def test_one_more_inconclusive_never_makes_verified(story: list[Event], where: int) -> None:
    now = end(story) + minutes(1)
    changed = with_run(story, 1 + where % len(story), Verdict.inconclusive)
    if assess(fold(changed, RULES), RULES, now).exposure is Exposure.verified:
        assert assess(fold(story, RULES), RULES, now).exposure is Exposure.verified


@settings(max_examples=120, deadline=None)
@given(stories(), PLACES)
def test_one_more_open_after_the_last_patch_settled_never_makes_verified(story: list[Event], where: int) -> None:
    now = end(story) + minutes(1)
    changed = with_run(story, 1 + where % len(story), Verdict.open)
    patches = [e.at for e in changed if isinstance(e, Patched)]
    added = next(new for new, old in zip(changed, [*story, None], strict=True) if new is not old)
    if patches and added.at >= max(patches) + RULES.settle:
        assert assess(fold(changed, RULES), RULES, now).exposure is not Exposure.verified


# ---- 4. replaying ------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(stories())
def test_replaying_gives_the_state_that_was_kept(story: list[Event]) -> None:
    """As actions do it: a run that follows is applied; whatever else happens, the story so far is folded anew."""
    told_so_far: list[Event] = []
    state = VantageState()
    for event in story:
        told_so_far.append(event)
        simply = isinstance(event, Ran) and follows(state, event)
        state = apply(state, event, RULES) if simply else fold(told_so_far, RULES)
        assert state == fold(told_so_far, RULES)
    assert decode(encode(state)) == state


@settings(max_examples=200, deadline=None)
@given(stories(), st.data())
def test_what_people_say_may_be_told_later(story: list[Event], data: st.DataObject) -> None:
    """Patches, edits and proofs that arrive in any order give the same once they are all told."""
    runs = [e for e in story if isinstance(e, Ran)]
    said = [e for e in story if not isinstance(e, Ran)]
    # Two patches at the same minute: the later number is the later patch.
    spread = [replace(e, at=e.at + timedelta(microseconds=place)) for place, e in enumerate(said)]
    shuffled = data.draw(st.permutations(spread))
    assert fold([*runs, *shuffled], RULES) == fold([*spread, *runs], RULES)


@settings(max_examples=200, deadline=None)
@given(stories(), st.floats(min_value=0, max_value=6000))
def test_nothing_changes_by_time_before_until(story: list[Event], later: float) -> None:
    state, now = fold(story, RULES), end(story)
    seen = assess(state, RULES, now)
    then = now + minutes(later)
    if seen.until is None or then <= seen.until:
        assert assess(state, RULES, then).exposure is seen.exposure
        assert assess(state, RULES, then).needed == seen.needed
