"""What a run counts of sign-ins, and whom it does not try any more."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from sevtracker.checks.interface import Attempt, Definition, Endpoint, Observation, Result, Step
from sevtracker.checks.probing import probe
from sevtracker.domain.vocabulary import Phase, Reason
from tests.checks.sites import World, cast, outcome
from tests.checks.test_probing import Scripted, saying

DEAD = Attempt(Result.trouble, Reason.auth_failed, Phase.self_test)
GREETED = Step(Phase.self_test, True, "the identity's self-test passed", 1.0)


def look(kind: Any, **failed: int) -> Observation:
    before = {name.replace("_", "-"): number for name, number in failed.items()}
    meant = Definition("scripted", "any-employee", "privacy-team", {}, failed_sign_ins=before)
    return probe(meant, World(kinds={"scripted": kind}).environment)


def test_a_failed_sign_in_counts_on_from_those_before() -> None:
    kind = Scripted(lambda access: DEAD)
    assert look(kind).failed_sign_ins == {"any-employee": 1}
    assert look(kind, any_employee=1).failed_sign_ins == {"any-employee": 2}


def test_whoever_failed_twice_is_not_tried() -> None:
    kind = Scripted(saying(Result.got_in, Reason.row_read))
    seen = look(kind, any_employee=2)
    assert (outcome(seen), kind.asked, seen.failed_sign_ins) == (("inconclusive", "auth_failed"), [], {})


def test_of_several_addresses_no_more_than_two_are_tried_with_a_dead_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with five addresses: the account is the same behind all of them."""
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", 80)) for n in range(1, 6)],
    )
    kind = Scripted(lambda access: DEAD, (Endpoint("many.example", 80),))
    world = World(allow=("127.0.0.0/8:*",), kinds={"scripted": kind}, identities=cast(("127.0.0.0/8:*",)))
    seen = world.look("scripted", {}, "any-employee", "privacy-team")
    assert (outcome(seen), len(kind.asked)) == (("inconclusive", "auth_failed"), 2)
    assert seen.failed_sign_ins == {"any-employee": 2}


@pytest.mark.parametrize(
    ("attempt", "counted"),
    [
        (Attempt(Result.got_in, Reason.row_read, Phase.target), {"any-employee": 0}),
        (Attempt(Result.denied, Reason.denied, Phase.target), {"any-employee": 0}),
        (Attempt(Result.trouble, Reason.timeout, Phase.target, (GREETED,)), {"any-employee": 0}),
        (Attempt(Result.trouble, Reason.timeout, Phase.target), {}),
        (Attempt(Result.trouble, Reason.unreachable, Phase.connect), {}),
    ],
)  # fmt: skip
def test_only_who_surely_signed_in_starts_anew(attempt: Attempt, counted: dict[str, int]) -> None:
    """An unreachable server has let nobody in, so what failed before it and after it failed in a row."""
    kind = Scripted(lambda access: attempt)
    assert look(kind, any_employee=1).failed_sign_ins == counted
    assert look(kind).failed_sign_ins == {}


def test_a_control_that_failed_twice_is_not_asked_and_an_open_door_is_still_open() -> None:
    kind = Scripted(saying(Result.denied, Reason.denied))
    assert outcome(look(kind, privacy_team=2)) == ("inconclusive", "control_failed")
    assert [access.is_control for access in kind.asked] == [False]
    assert outcome(look(Scripted(saying(Result.got_in, Reason.row_read)), privacy_team=2)) == ("open", "row_read")
