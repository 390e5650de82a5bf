"""What probing does for every kind: deadlines, broken plugins, missing secrets, and never raising."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sevtracker.checks.interface import (
    Access,
    Attempt,
    CheckKind,
    CheckParams,
    Endpoint,
    Locator,
    Result,
)
from sevtracker.checks.probing import environment_from
from sevtracker.clock import SystemClock
from sevtracker.config import Policy, Settings
from sevtracker.domain.vocabulary import Phase, Reason
from sevtracker.errors import TargetRefused
from tests.checks.sites import Site, World, outcome, person, site

CANARY = "canary-row-078-05-1120"


@dataclass(eq=False)
class Scripted(CheckKind[CheckParams]):
    """A kind of an outsider's that does as it is told."""

    act: Callable[[Access], Attempt]
    endpoints: tuple[Endpoint, ...] = ()
    asked: list[Access] = field(default_factory=list)
    name = "scripted"
    params = CheckParams

    def locate(self, params: CheckParams) -> Locator:
        return Locator("somewhere", self.endpoints)

    def attempt(self, params: CheckParams, access: Access) -> Attempt:
        self.asked.append(access)
        return self.act(access)


def saying(result: Result, reason: Reason, phase: Phase = Phase.target) -> Callable[[Access], Attempt]:
    """The control gets in; everybody else meets this."""
    return lambda access: (
        Attempt(Result.got_in, Reason.row_read, Phase.target) if access.is_control else Attempt(result, reason, phase)
    )


def look(kind: CheckKind[Any], deadline: float = 60.0, **params: Any) -> tuple[str, str]:
    world = World(kinds={"scripted": kind}, deadline=deadline)
    return outcome(world.look("scripted", params, "any-employee", "privacy-team"))


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (saying(Result.got_in, Reason.row_read), ("open", "row_read")),
        (saying(Result.got_in, Reason.denied), ("open", "content_served")),
        (saying(Result.denied, Reason.denied), ("closed", "denied")),
        (saying(Result.denied, Reason.timeout), ("closed", "denied")),
        (saying(Result.absent, Reason.hidden), ("closed", "hidden")),
        (saying(Result.empty, Reason.empty), ("inconclusive", "empty")),
        (saying(Result.denied, Reason.denied, Phase.self_test), ("inconclusive", "auth_failed")),
        (saying(Result.absent, Reason.hidden, Phase.connect), ("inconclusive", "auth_failed")),
        (saying(Result.trouble, Reason.identity_drift), ("inconclusive", "identity_drift")),
        (saying(Result.trouble, Reason.denied), ("inconclusive", "plugin_error")),
    ],
)
def test_a_kinds_words_become_a_verdict(act: Callable[[Access], Attempt], expected: tuple[str, str]) -> None:
    assert look(Scripted(act)) == expected


def test_a_kind_that_fails_ends_plugin_error_and_its_text_stays_inside(caplog: pytest.LogCaptureFixture) -> None:
    def fail(access: Access) -> Attempt:
        raise ValueError(CANARY)

    kind = Scripted(fail)
    with caplog.at_level(logging.DEBUG):
        seen = World(kinds={"scripted": kind}).look("scripted", {}, "any-employee", "privacy-team")
    assert outcome(seen) == ("inconclusive", "plugin_error")
    assert "ValueError" in caplog.text
    assert CANARY not in caplog.text + repr(seen)


def test_a_control_that_fails_confirms_nothing() -> None:
    def fail(access: Access) -> Attempt:
        if access.is_control:
            raise ValueError(CANARY)
        return Attempt(Result.denied, Reason.denied, Phase.target)

    assert look(Scripted(fail)) == ("inconclusive", "control_failed")


def test_a_kind_that_hangs_is_left_behind_at_its_timeout() -> None:
    release = threading.Event()

    def hang(access: Access) -> Attempt:
        release.wait(20)
        return Attempt(Result.denied, Reason.denied, Phase.target)

    began = time.monotonic()
    assert look(Scripted(hang), timeout=0.1) == ("inconclusive", "timeout")
    assert look(Scripted(hang), deadline=0.1) == ("inconclusive", "timeout")
    assert time.monotonic() - began < 2
    release.set()


def test_the_deadline_is_shared_by_the_identity_and_the_control() -> None:
    def slow(access: Access) -> Attempt:
        time.sleep(0.6)
        return Attempt(Result.denied, Reason.denied, Phase.target)

    kind = Scripted(slow)
    assert look(kind, deadline=1.0) == ("inconclusive", "control_failed")
    assert kind.asked[-1].timeout < 0.5


def test_a_kind_that_is_not_there_and_parameters_that_no_longer_fit_are_plugin_errors() -> None:
    assert outcome(World().look("no-such-kind", {})) == ("inconclusive", "plugin_error")
    assert outcome(World().look("http", {"uri": CANARY})) == ("inconclusive", "plugin_error")


@pytest.mark.parametrize("name", ["gone", "no-secret"])
def test_an_identity_that_cannot_be_used_is_auth_failed(name: str) -> None:
    world = World(kinds={"scripted": Scripted(saying(Result.denied, Reason.denied))})
    world.identities["no-secret"] = person("staff", username="u", password="env:NOT_SET")
    assert outcome(world.look("scripted", {}, name, "privacy-team")) == ("inconclusive", "auth_failed")
    assert outcome(world.look("scripted", {}, "any-employee", name)) == ("inconclusive", "control_failed")


def test_secrets_show_in_no_repr_of_what_a_kind_is_given() -> None:
    kind = Scripted(saying(Result.denied, Reason.denied))
    look(kind)
    for access in kind.asked:
        assert access.credentials.password
        assert access.credentials.password not in repr(access)


@pytest.fixture
def mute() -> Iterator[int]:
    """A port where a listener takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def dripping() -> Iterator[int]:
    """A port where a listener says one byte every 50 ms, as the start of a packet that never ends."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=8) as listener:
        listener.settimeout(0.1)

        def drip() -> None:
            taken = []
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    taken.append(listener.accept()[0])
                for connection in taken:
                    with contextlib.suppress(OSError):
                        connection.send(b"\xff")
            for connection in taken:
                connection.close()

        thread = threading.Thread(target=drip)
        thread.start()
        yield listener.getsockname()[1]
        stop.set()
        thread.join()


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_a_database_that_says_nothing_times_out(mute: int, scheme: str) -> None:
    params = {"url": f"{scheme}://127.0.0.1:{mute}/hr", "table": "a.b", "timeout": 2}
    began = time.monotonic()
    assert outcome(World().look("sql_read", params, "any-employee")) == ("inconclusive", "timeout")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb", "http"])
def test_a_server_that_drips_is_cut_at_the_timeout(dripping: int, scheme: str) -> None:
    params: dict[str, Any] = {"url": f"{scheme}://127.0.0.1:{dripping}/hr", "timeout": 1}
    kind = "http" if scheme == "http" else "sql_read"
    if kind == "sql_read":
        params["table"] = "a.b"
    began = time.monotonic()
    assert World().look(kind, params, "any-employee").verdict == "inconclusive"
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_something_else_on_the_databases_port_is_no_denial(scheme: str) -> None:
    with site() as web:
        params = {"url": f"{scheme}://127.0.0.1:{web.port}/hr", "table": "a.b", "timeout": 1}
        assert World().look("sql_read", params, "any-employee", "privacy-team").verdict == "inconclusive"


def test_steps_tell_the_story_in_our_own_words() -> None:
    with site() as running:
        assert isinstance(running, Site)
        seen = World().look("http", {"url": running.url(), "marker": "MARKER-41"})
    assert [(step.phase, step.ok) for step in seen.steps] == [(Phase.connect, True), (Phase.target, True)]
    assert seen.duration_ms > 0
    assert seen.started_at.tzinfo is not None


def test_the_environment_comes_from_the_settings_and_refuses_the_trackers_database() -> None:
    settings = Settings.model_validate(
        {
            "database": {"url": "postgresql+psycopg://u:canary@127.0.0.1:5999/sev"},
            "targets": {"allow": ["127.0.0.1:*"]},
            "worker": {"run_deadline": "7s"},
        }
    )
    environment = environment_from(settings, SystemClock())
    assert environment.deadline == 7
    assert "anonymous" in environment.identities
    assert environment.guard.admit(Endpoint("127.0.0.1", 5432))
    with pytest.raises(TargetRefused, match="own database"):
        environment.guard.admit(Endpoint("127.0.0.1", 5999))


def test_a_proof_by_twins_is_renewed_well_before_it_ends() -> None:
    days = [
        Policy.model_validate(given).proving_every.total_seconds() / 86_400 for given in ({}, {"proof_valid": "1d"})
    ]
    assert days == [1.0, 0.5]
