"""What making canary twins at a target takes, whatever the target: an order, whose hands do it, and how it may fail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sevtracker.checks.environment import ProbeEnvironment
from sevtracker.checks.guard import NameUnknown
from sevtracker.checks.interface import Access, CheckParams, Endpoint, Locator, Pinned, Twins
from sevtracker.errors import ConfigError, Conflict, NotFound, TargetRefused

#: Seconds that the keeper's work at the target may take.
PATIENCE = 20.0


class NotMade(Conflict):
    """The twins could not be made, or not dropped. The message says why and what to do, in our own words."""


@dataclass(frozen=True, slots=True)
class Order:
    """Twins for this check, made by ``keeper``. ``mark`` goes with what is made, and says whose it is."""

    check: int
    mark: str
    kind: str
    params: CheckParams
    locator: Locator
    identity: str
    control: str | None
    keeper: str


@dataclass(frozen=True, slots=True)
class Made:
    """``readers``: whom something was granted to, as the target calls them, so that it can be taken back."""

    twins: Twins
    readers: tuple[str, ...] = ()


class Maker(Protocol):
    """One kind of target. Both may be asked for again: what they find of their own they replace, or miss."""

    def make(self, order: Order, environment: ProbeEnvironment) -> Made:
        """Make both twins, or nothing. Raises NotMade."""
        ...

    def drop(self, order: Order, readers: tuple[str, ...], environment: ProbeEnvironment) -> None:
        """Remove what ``make`` made. Raises NotMade."""
        ...


def access_of(name: str, order: Order, environment: ProbeEnvironment) -> Access:
    """The target as ``name`` gets there: by the guard, within its bound hosts. Raises NotMade."""
    try:
        pins = [_admitted(name, endpoint, environment)[0] for endpoint in order.locator.endpoints]
        credentials = environment.identities.credentials(name)
    except (TargetRefused, NotFound, ConfigError) as error:
        raise NotMade(f"{name} can't be used at the target: {error}") from None
    except NameUnknown:
        raise NotMade("The target's host has no address, or no answer came.") from None
    return Access(
        credentials=credentials,
        pins=tuple(pins),
        timeout=PATIENCE,
        clock=environment.clock,
        is_control=False,
        admit=partial(_admitted_for, name, environment),
        secret=environment.identities.secret,
        identity=name,
    )


def _admitted(name: str, endpoint: Endpoint, environment: ProbeEnvironment) -> tuple[Pinned, ...]:
    pins = environment.guard.admit(endpoint)
    if not environment.identities.bound(name, endpoint, pins):
        raise TargetRefused(f"{name}'s hosts do not hold {endpoint}.")
    return pins


def _admitted_for(name: str, environment: ProbeEnvironment, endpoint: Endpoint) -> tuple[Pinned, ...]:
    return _admitted(name, endpoint, environment)
