"""What every kind has to show, against its real service. For a new kind add a ``Doorway``; the tests are there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sevtracker.checks.interface import Observation
from tests.checks.sites import World


@dataclass
class Doorway:
    """A real service with one door in it. The callables change it; ``reopen`` brings the open twin back.

    ``closed_as`` is the reason of the locked twin's closed; ``own_control``: the kind makes its own control.
    ``stopped_as``, ``dead_as``, ``renamed_as``: what is seen then; a doorway that says other than these says why.
    """

    kind: str
    params: dict[str, Any]
    identity: str
    identity_with_dead_password: str
    control: str
    reopen: Callable[[], object]
    lock: Callable[[], object]
    stop: Callable[[], object]
    rename: Callable[[], object]
    world: World = field(default_factory=World)
    closed_as: str = "denied"
    own_control: bool = False
    stopped_as: tuple[str, str] = ("inconclusive", "unreachable")
    dead_as: tuple[str, str] = ("inconclusive", "auth_failed")
    renamed_as: tuple[str, str] = ("inconclusive", "control_failed")

    def look(self, identity: str | None = None) -> Observation:
        return self.world.look(self.kind, self.params, identity or self.identity, self.control)


#: name -> how to bring it up. The name starts with the kind's.
DOORWAYS: dict[str, Callable[[], AbstractContextManager[Doorway]]] = {}


def doorway(name: str) -> Callable[[Callable[[], AbstractContextManager[Doorway]]], None]:
    """Register a way to bring up a doorway."""

    def register(make: Callable[[], AbstractContextManager[Doorway]]) -> None:
        DOORWAYS[name] = make

    return register
