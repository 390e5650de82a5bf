"""The contract that every kind keeps, on every service that it is for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sevtracker.checks.registry import BUILT_IN
from sevtracker.domain.vocabulary import Reason, Verdict
from tests.checks import doorways  # noqa: F401  # registers them
from tests.checks.contract import DOORWAYS, Doorway
from tests.checks.sites import outcome


@pytest.fixture(scope="module", params=sorted(DOORWAYS))
def brought_up(request: pytest.FixtureRequest) -> Iterator[Doorway]:
    with DOORWAYS[request.param]() as door:
        yield door


@pytest.fixture
def door(brought_up: Doorway) -> Doorway:
    brought_up.reopen()
    return brought_up


def test_every_built_in_kind_has_a_doorway() -> None:
    assert {name.split()[0] for name in DOORWAYS} == set(BUILT_IN)


def test_the_open_twin_is_open(door: Doorway) -> None:
    assert door.look().verdict is Verdict.open


def test_the_locked_twin_is_closed_while_the_control_gets_in(door: Doorway) -> None:
    door.lock()
    assert outcome(door.look()) == ("closed", door.closed_as)


def test_a_stopped_service_is_inconclusive(door: Doorway) -> None:
    door.lock()
    door.stop()
    assert outcome(door.look()) == door.stopped_as


def test_a_dead_password_is_no_denial(door: Doorway) -> None:
    door.lock()
    assert outcome(door.look(door.identity_with_dead_password)) == door.dead_as


def test_a_renamed_target_is_inconclusive(door: Doorway) -> None:
    door.lock()
    door.rename()
    assert outcome(door.look()) == door.renamed_as


def test_a_denial_without_a_control_is_never_closed(door: Doorway) -> None:
    door.lock()
    seen = door.world.look(door.kind, door.params, door.identity, control=None)
    if door.own_control:
        assert (outcome(seen), seen.control) == (("closed", door.closed_as), "got_in")
        return
    assert (seen.verdict, seen.reason) == (Verdict.inconclusive, Reason.control_failed)
    assert "no control identity is configured" in seen.steps[-1].note
