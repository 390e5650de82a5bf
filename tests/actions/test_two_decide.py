"""Two people decide on the same thing at the same moment: one does, the other is told that it is done."""

from __future__ import annotations

import sqlalchemy as sa

from sevtracker.actions.guarding import Refused
from sevtracker.domain.vocabulary import Role
from sevtracker.store import ledger
from sevtracker.store.tables import Waiver, table
from tests.actions.test_proposals import approve, attempt, deny, states
from tests.actions.threads import both, conflict_of
from tests.actions.words import revoke, waive
from tests.cast import CLOSED, Tracker

TURNS = range(1, 7)


def _patched(web: Tracker, worker: Tracker) -> None:
    """By Dana, judged by check 1; Vik and Eve are executives."""
    for tracker in (web, worker):
        tracker.as_("eve", Role.executive)
    web.go_to(10)
    web.patch(1)
    web.look(20, primary=CLOSED)


def test_of_two_who_revoke_a_waiver_one_does(two_nodes: tuple[Tracker, Tracker]) -> None:
    web, worker = two_nodes
    _patched(web, worker)
    for turn in TURNS:
        assert waive(web) == turn
        told = conflict_of(lambda w=turn: revoke(web, w), lambda w=turn: revoke(worker, w, by="eve"))
        assert told == "This waiver has ended already."
        assert web.kinds().count("waiver:revoked") == turn


def test_two_who_waive_a_check_both_do_as_one_after_the_other(two_nodes: tuple[Tracker, Tracker]) -> None:
    """A second waiver carries on where the first ends, so neither is in the other's way."""
    web, worker = two_nodes
    _patched(web, worker)
    assert sorted(both(lambda: waive(web), lambda: waive(worker, by="eve"))) == [1, 2]  # type: ignore[type-var]  # both return numbers
    assert web.kinds().count("waiver:granted") == 2
    assert web.sev().blockers == 0


def test_a_waiver_that_is_revoked_as_another_is_granted_leaves_the_other(two_nodes: tuple[Tracker, Tracker]) -> None:
    web, worker = two_nodes
    _patched(web, worker)
    for turn in TURNS:
        first = waive(web)
        assert isinstance(first, int)
        _, second = both(lambda w=first: revoke(web, w), lambda: waive(worker, by="eve"))
        with web.read() as session:
            in_force = sa.select(table(Waiver).c.id).where(table(Waiver).c.revoked_at.is_(None))
            assert list(session.connection().execute(in_force).scalars()) == [second]
        revoke(web, second)  # type: ignore[arg-type]  # ``both`` keeps no types apart
        assert web.kinds().count("waiver:revoked") == 2 * turn


def test_of_two_who_decide_on_a_proposal_one_does(two_nodes: tuple[Tracker, Tracker]) -> None:
    web, worker = two_nodes
    _patched(web, worker)
    for turn in TURNS:
        asked = attempt(web, params={"door": "primary", "hint": f"wish {turn}"})
        assert isinstance(asked, Refused)
        assert asked.proposal == turn
        told = conflict_of(
            lambda p=turn: approve(web, by="priya", proposal=p),
            lambda p=turn: deny(worker, by="eve", proposal=p),
        )
        assert told == f"This proposal is {states(web)[-1]} already."
    with web.read() as session:
        ledger.verify(session)


def test_of_two_who_approve_a_proposal_one_does(two_nodes: tuple[Tracker, Tracker]) -> None:
    web, worker = two_nodes
    _patched(web, worker)
    for turn in TURNS:
        attempt(web, params={"door": "primary", "hint": f"wish {turn}"})
        told = conflict_of(
            lambda p=turn: approve(web, by="priya", proposal=p),
            lambda p=turn: approve(worker, by="eve", proposal=p),
        )
        assert told == "This proposal is approved already."
        assert states(web) == ["approved"] * turn
