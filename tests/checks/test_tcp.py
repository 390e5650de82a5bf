"""The kind ``tcp``, with real listeners."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sevtracker.checks import tcp
from sevtracker.checks.guard import Guard
from sevtracker.checks.interface import Definition, Endpoint, Observation, Result
from sevtracker.checks.probing import Validated, validate
from sevtracker.checks.registry import load_kinds
from sevtracker.domain.vocabulary import Phase, Weight
from sevtracker.errors import InputError
from tests.checks.machine import Port, ports
from tests.checks.sites import World, outcome

CLOSED = ("closed", "no_connection")
FAILED = ("inconclusive", "control_failed")


@pytest.fixture
def door() -> Iterator[Port]:
    with ports("127.0.0.1") as (port,):
        yield port


@pytest.fixture
def other() -> Iterator[Port]:
    with ports("127.0.0.1") as (port,):
        yield port


def look(door: Port, world: World | None = None, control: str | None = None, **params: Any) -> Observation:
    return (world or World()).look("tcp", {"host": door.host, "port": door.port, **params}, control=control)


def valid(world: World | None = None, **params: Any) -> Validated:
    environment = (world or World()).environment
    return validate(environment.kinds, environment, Definition("tcp", "anonymous", None, params))


def wrong(world: World | None = None, **params: Any) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        valid(world, **params)
    return {error.field: error.message for error in caught.value.errors}


def test_a_handshake_is_open_and_nothing_is_sent(door: Port) -> None:
    assert outcome(look(door)) == ("open", "connected")
    assert door.heard() == b""


def test_an_open_door_needs_no_control(door: Port) -> None:
    with ports("127.0.0.1") as (gone,):
        gone.shut()
        assert outcome(look(door, control_port=gone.port)) == ("open", "connected")


def test_refused_is_closed_only_while_the_control_place_accepts(door: Port, other: Port) -> None:
    door.shut()
    seen = look(door, control_port=other.port)
    assert (outcome(seen), seen.control) == (CLOSED, Result.got_in)
    assert [(step.phase, step.ok) for step in seen.steps] == [(Phase.target, True), (Phase.control, True)]
    assert other.heard() == b""
    other.shut()
    seen = look(door, control_port=other.port)
    assert (outcome(seen), seen.control) == (FAILED, Result.denied)
    assert not seen.steps[-1].ok


@pytest.mark.parametrize("control", [None, "privacy-team"])
def test_without_a_control_place_nothing_is_closed_whoever_is_the_control(door: Port, control: str | None) -> None:
    door.shut()
    seen = look(door, control=control)
    assert outcome(seen) == FAILED
    assert "control_host, control_port" in seen.steps[-1].note


def test_no_answer_is_as_good_as_refused_and_the_control_still_has_its_time(other: Port) -> None:
    """A queue that is full answers no more handshakes, as a firewall that drops them does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        place = full.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(place)
        time.sleep(0.1)
        params = {"host": place[0], "port": place[1], "timeout": 1}
        began = time.monotonic()
        assert outcome(World().look("tcp", {**params, "control_port": other.port})) == CLOSED
        assert time.monotonic() - began < 0.9  # half of the time: the rest is the control's
        assert outcome(World().look("tcp", params)) == FAILED
        assert time.monotonic() - began < 3
        for one in waiting:
            one.close()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        *(("ECONNREFUSED", CLOSED), ("EHOSTUNREACH", CLOSED), ("ENETUNREACH", CLOSED), ("ETIMEDOUT", CLOSED)),
        *(("EACCES", ("inconclusive", "not_permitted")), ("EPERM", ("inconclusive", "not_permitted"))),
        *(("EMFILE", ("inconclusive", "unreachable")), ("EADDRNOTAVAIL", ("inconclusive", "unreachable"))),
    ],
)
def test_this_machines_own_trouble_is_no_closed_door(
    other: Port, monkeypatch: pytest.MonkeyPatch, code: str, expected: tuple[str, str]
) -> None:
    import errno

    class Line(socket.socket):
        def connect(self, address: Any) -> None:
            if address[1] == 9:
                raise OSError(getattr(errno, code), "told by the test")
            super().connect(address)

    monkeypatch.setattr(tcp.socket, "socket", Line)
    params = {"host": "127.0.0.1", "port": 9, "control_port": other.port}
    assert outcome(World().look("tcp", params)) == expected


def test_a_connection_with_ourselves_is_none(door: Port, other: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    """On loopback, a connection to a free port may get just that port as its own, and then meets itself."""
    door.shut()

    class Line(socket.socket):
        def connect(self, address: Any) -> None:
            if address[1] == door.port:
                self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self.bind(address)
            super().connect(address)

    monkeypatch.setattr(tcp.socket, "socket", Line)
    assert outcome(look(door, control_port=other.port)) == CLOSED


def world_of(door: str, *addresses: tuple[str, int], control: tuple[tuple[str, int], ...] = ()) -> World:
    """A world in which the names ``door.test`` and ``control.test`` have just these addresses."""
    known = {"door.test": addresses, "control.test": control}

    def resolver(host: str, port: int) -> list[tuple[Any, ...]]:
        return [(family(a), socket.SOCK_STREAM, 6, "", (a, port)) for a, _ in known[host]]

    def family(address: str) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in address else socket.AF_INET

    class Named(World):
        @property
        def environment(self) -> Any:
            from dataclasses import replace

            allow = ["door.test:*", "control.test:*"]
            return replace(super().environment, guard=Guard(allow, resolver=resolver))

    return Named()


def test_every_address_is_tried_and_one_open_is_open() -> None:
    with ports("::1") as (six,):
        world = world_of("door.test", ("127.0.0.1", 0), ("::1", 0))
        seen = world.look("tcp", {"host": "door.test", "port": six.port})
        assert outcome(seen) == ("open", "connected")
        assert [step.note for step in seen.steps if "connect" in step.note] == [
            "127.0.0.1: no connection: refused",
            "::1: connected",
        ]


def test_a_control_by_ipv4_says_nothing_about_ipv6() -> None:
    with ports("127.0.0.1", "::1") as (four, six):
        six.shut()
        params = {"host": "door.test", "port": six.port, "control_host": "control.test", "control_port": four.port}
        only_six = world_of("door.test", ("::1", 0), control=(("127.0.0.1", 0),))
        seen = only_six.look("tcp", params)
        assert outcome(seen) == FAILED
        assert "same family" in seen.steps[-1].note


def test_a_control_place_that_is_not_allowed_is_refused_on_saving_and_asked_on_no_run(door: Port, other: Port) -> None:
    world = World(allow=[f"127.0.0.1:{door.port}"])
    params = {"host": "127.0.0.1", "port": door.port, "control_port": other.port}
    assert set(wrong(world, **params)) == {"params.control_port"}
    assert set(wrong(world, **params, control_host="10.0.0.9")) == {"params.control_host"}
    door.shut()
    assert outcome(look(door, world, control_port=other.port)) == FAILED


def test_the_guard_stands_before_the_door() -> None:
    assert set(wrong(host="169.254.169.254", port=80)) == {"params.host"}
    assert outcome(World().look("tcp", {"host": "10.1.2.3", "port": 22})) == ("inconclusive", "blocked_by_policy")


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({}, {"params.host", "params.port"}),
        ({"host": "127.1", "port": 1}, {"params.host"}),
        ({"host": "127.0.0.1", "port": 0}, {"params.port"}),
        ({"host": "127.0.0.1", "port": 65536}, {"params.port"}),
        ({"host": "127.0.0.1", "port": 1, "control_host": "0x7f.1"}, {"params.control_host"}),
        ({"host": "127.0.0.1", "port": 1, "control_port": 1}, {"params"}),
        ({"host": "127.0.0.1", "port": 1, "control_host": "127.0.0.1"}, {"params"}),
    ],
)
def test_bad_parameters_are_named(params: dict[str, Any], fields: set[str]) -> None:
    assert set(wrong(**params)) == fields


def test_a_saved_check() -> None:
    saved = valid(host="127.0.0.1", port=5432, control_host="[::1]")
    assert (saved.locator.text, saved.target_key) == ("tcp://127.0.0.1:5432", "127.0.0.1:5432")
    assert saved.locator.further == (("control_host", Endpoint("::1", 5432)),)
    assert saved.fingerprint != valid(host="127.0.0.1", port=5432).fingerprint


def test_it_is_never_sole_evidence() -> None:
    assert load_kinds()["tcp"].weight is Weight.supports
