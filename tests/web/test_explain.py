"""Every reason, state and phase has its plain words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sevtracker.config import Policy
from sevtracker.domain.exposure import Uncounted
from sevtracker.domain.policy import rules_for
from sevtracker.domain.vocabulary import Exposure, Level, Phase, Reason, Verdict
from sevtracker.web import explain, words

NAMES = {"who": "any-employee", "control": "privacy-team"}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_why_and_what_would_change_it(reason: Reason) -> None:
    why = explain.REASONS[reason]
    for text in (why.says.format(**NAMES), why.changes.format(**NAMES)):
        assert text.endswith(".")
        assert "{" not in text
    assert words.REASON[reason]


def test_every_state_says_what_it_means_and_what_would_change_it() -> None:
    assert set(words.EXPOSURE_CHANGES) == set(words.EXPOSURE_MEANS) == set(Exposure)


def test_a_phase_without_a_step_was_not_needed_or_not_reached() -> None:
    assert explain.missing({Phase.connect, Phase.self_test, Phase.target}, Verdict.open) == {
        Phase.control: "Not needed: an open door speaks for itself."
    }
    told = explain.missing({Phase.connect}, Verdict.inconclusive)
    assert set(told) == {Phase.self_test, Phase.target, Phase.control}
    assert set(told.values()) == {"Not reached: the run had ended before."}


def test_what_does_not_count_says_by_how_much() -> None:
    rules = rules_for(Policy(), Level.SEV3)
    for why in Uncounted:
        assert explain.not_counted(why, rules, timedelta(minutes=3))
    assert "only 3 min after" in explain.not_counted(Uncounted.too_soon, rules, timedelta(minutes=3))
