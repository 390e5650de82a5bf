"""Whatever was done, in whatever order: folding the stored runs anew gives every stored state."""

from __future__ import annotations

import contextlib
import random

import pytest

from sevtracker.actions import accepting, checks, evaluation, sevs
from sevtracker.actions.inputs import AcceptDefinition, ChangeCheck, ChangeSev, parse
from sevtracker.domain.policy import Rules, rules_for
from sevtracker.domain.vocabulary import WATCHED, Exposure, Level, Verdict
from sevtracker.errors import Conflict, NotPermitted
from sevtracker.store import ledger
from sevtracker.store import sevs as stored
from tests.cast import CLOSED, DOWN, OPEN, Tracker


def act(tracker: Tracker, dice: random.Random) -> None:
    """One thing that somebody or the clock might do."""
    number = dice.choice([1, 2])
    match dice.randrange(13):
        case 0 | 1:
            tracker.doors[dice.choice(["primary", "export"])] = dice.choice([OPEN, CLOSED, CLOSED, DOWN])
        case 2 | 3 | 4 | 5:
            tracker.live(dice.choice([10, 16, 31]), step=8)
        case 6:
            tracker.look(_minute(tracker) + 1)
        case 7:
            later = dice.choice([0, 0, 7, 30])
            tracker.patch(number, applied_at=tracker.at(_minute(tracker) - later))
        case 8:
            hint = dice.choice(["", "a"])
            changed = parse(ChangeCheck, {"params": {"door": "export", "hint": hint}, "required": dice.random() < 0.8})
            with tracker.work("priya") as work:
                checks.change(work, tracker.settings, tracker.runtime.probes, 2, changed)
        case 9:
            with tracker.work("priya") as work:
                sevs.change(work, tracker.settings, number, parse(ChangeSev, {"level": dice.choice(["SEV3", "SEV2"])}))
        case 10:
            tracker.resolve(number)
        case 12:
            accepted = parse(AcceptDefinition, {"reason": "told", "evidence_url": "https://wiki.example/told"})
            with contextlib.suppress(Conflict), tracker.work("vik") as work:
                accepting.accept(work, tracker.settings, tracker.runtime.probes, 2, accepted)
        case 11:  # a run that was under way while a patch was logged
            with tracker.work("dana") as work:
                checks.run_now(work, 1)
            claimed, began = tracker.claim(), tracker.clock.now()
            tracker.wait(0.2)
            tracker.patch(number)
            tracker.store([tracker.seen(job, at=began) for job in claimed])


def _minute(tracker: Tracker) -> float:
    return (tracker.clock.time - tracker.at(0)).total_seconds() / 60


@pytest.mark.parametrize("seed", range(4))
def test_replaying_the_stored_runs_reproduces_the_stored_state(mci: Tracker, seed: int) -> None:
    dice = random.Random(seed)
    with mci.work("dana") as work:
        from sevtracker.actions import datasets
        from sevtracker.actions.inputs import NewCopy

        datasets.add_copy(
            work, mci.settings, mci.runtime.probes, "mci-events", parse(NewCopy, {"slug": "export", "kind": "export"})
        )
    mci.check("export")
    mci.file()
    for _ in range(30):
        try:
            act(mci, dice)
        except (Conflict, NotPermitted):
            continue
        for number in (1, 2):
            sev = mci.sev(number)
            if sev.status in WATCHED:
                assert all(v.state.decisive is not Verdict.open for v in mci.vantages(number))
            if sev.exposure is Exposure.verified:
                assert all(v.state.proven(_rules(mci), mci.clock.now()) for v in mci.vantages(number) if v.required)
    before = {n: [(v.check_id, v.state, v.exposure) for v in mci.vantages(n)] for n in (1, 2)}
    with mci.work(None) as work:
        for sev in stored.lock(work.session, [1, 2]):
            evaluation.refold_all(work, mci.settings, sev)
    after = {n: [(v.check_id, v.state) for v in mci.vantages(n)] for n in (1, 2)}
    assert after == {n: [pair[:2] for pair in pairs] for n, pairs in before.items()}
    with mci.read() as session:
        assert ledger.verify(session).records > 0


def _rules(tracker: Tracker) -> Rules:
    return rules_for(tracker.settings.policy, Level.SEV3)
