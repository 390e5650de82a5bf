"""Where probes may go: nowhere but to the configured places, and to some places never.

A name is resolved once, every address that came back is judged, and the probe connects to those addresses only. So a
name that answers differently the second time (DNS rebinding) gains nothing, and one bad address refuses all of it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sevtracker.checks.addresses import METADATA_NAMES, IPAddress, refusal
from sevtracker.checks.deadline import within
from sevtracker.checks.hosts import literal, normal_host
from sevtracker.checks.interface import Endpoint, Pinned
from sevtracker.config import HostPattern, Identity, parse_host_pattern
from sevtracker.errors import TargetRefused

Resolver = Callable[[str, int], Sequence[tuple[Any, ...]]]

#: Seconds that a look-up may take.
LOOK_UP = 5.0


class NameUnknown(Exception):
    """The name has no address, or no answer came. Not a refusal."""


def look_up(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    """``socket.getaddrinfo`` through its module, for stream sockets. No AI_ADDRCONFIG: an AAAA record counts even where
    this machine has no IPv6, since somebody else may come in by it."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Guard:
    """``allow`` are patterns as in the configuration; ``refused`` is the tracker's own database."""

    def __init__(
        self,
        allow: Sequence[str],
        refused: Sequence[Endpoint] = (),
        resolver: Resolver = look_up,
        wait: float = LOOK_UP,
    ) -> None:
        self._allow = tuple(_pattern(text) for text in allow)
        self._refused = tuple(refused)
        self._resolver = resolver
        self._wait = wait

    def check_endpoint(self, endpoint: Endpoint) -> tuple[Pinned, ...]:
        """For saving: raises TargetRefused for what ``admit`` would refuse today.

        A name on the list that has no address yet is accepted, as () (``admit`` judges it on every run).
        """
        host = _normal(endpoint)
        try:
            return self.admit(endpoint)
        except NameUnknown:
            if any(_names(pattern, host, endpoint.port) for pattern in self._allow):
                return ()
            raise TargetRefused(
                f"{endpoint} is not in targets.allow by name, and it has no address to look for there."
            ) from None

    def admit(self, endpoint: Endpoint) -> tuple[Pinned, ...]:
        """Resolve once and judge every address. Raises TargetRefused, or NameUnknown when there is no address.

        1. A name of a metadata service is refused. 2. The name is resolved. 3. Any address that is always refused, or
        where our own database is, refuses all of it. 4. The name has to be on the list, or each address.
        """
        host = _normal(endpoint)
        if host in METADATA_NAMES:
            raise TargetRefused(f"{endpoint} is refused: it is a cloud's metadata service.")
        addresses = self._addresses(host, endpoint.port)
        for address in addresses:
            if reason := refusal(address):
                raise TargetRefused(f"{endpoint} is refused: it is {reason}.")
        if any(self._is_own(own, host, addresses, endpoint) for own in self._refused):
            raise TargetRefused(f"{endpoint} is refused: it is the tracker's own database.")
        if not _covers(self._allow, host, addresses, endpoint.port):
            raise TargetRefused(f"{endpoint} is not in targets.allow.")
        return tuple(_pin(address, endpoint.port) for address in addresses)

    def _addresses(self, host: str, port: int) -> tuple[IPAddress, ...]:
        if known := literal(host):
            return (known,)
        try:
            found = within(self._wait, lambda: self._resolver(host, port))
            addresses = dict.fromkeys(_plain(entry[4][0]) for entry in found)
        except (OSError, UnicodeError, ValueError):  # TimeoutError is an OSError
            raise NameUnknown from None
        if not addresses:
            raise NameUnknown
        return tuple(addresses)

    def _is_own(self, own: Endpoint, host: str, addresses: Iterable[IPAddress], endpoint: Endpoint) -> bool:
        """Another database of the same server is not ours, for a probe that can reach that one only."""
        port = endpoint.port
        if own.port != port or (own.database and endpoint.database and own.database != endpoint.database):
            return False
        own_is_here = not own.host or own.host.startswith("/")  # a socket in the file system
        theirs: tuple[IPAddress, ...] = ()
        if not own_is_here:
            own_host = _normal(own)
            if own_host == host:
                return True
            try:
                theirs = self._addresses(own_host, port)
            except NameUnknown:
                return False
        if any(address in theirs for address in addresses):
            return True
        return (own_is_here or any(map(_is_local, theirs))) and any(map(_is_local, addresses))


def endpoint_allowed_for(identity: Identity, endpoint: Endpoint, pins: Sequence[Pinned] = ()) -> bool:
    """Whether the identity's secrets may go there: its ``hosts`` name the host, or hold every one of ``pins``."""
    if not identity.has_secrets and not identity.hosts:
        return True
    patterns = tuple(_pattern(text) for text in identity.hosts)
    host = _normal(endpoint)
    known = literal(host)
    addresses = tuple(_plain(pin.address) for pin in pins) or ((known,) if known else ())
    return _covers(patterns, host, addresses, endpoint.port)


@lru_cache(maxsize=4096)
def _pattern(text: str) -> HostPattern:
    return parse_host_pattern(text)


def _covers(patterns: Iterable[HostPattern], host: str, addresses: Sequence[IPAddress], port: int) -> bool:
    here = [pattern for pattern in patterns if pattern.port in (None, port)]
    if any(_names(pattern, host, port) for pattern in here):
        return True
    networks = [pattern.network for pattern in here if pattern.network is not None]
    return bool(addresses) and all(any(address in network for network in networks) for address in addresses)


def _names(pattern: HostPattern, host: str, port: int) -> bool:
    if pattern.host is None or pattern.port not in (None, port):
        return False
    if pattern.host.startswith("*."):
        return host.endswith(pattern.host[1:]) and literal(host) is None
    return host == pattern.host


@lru_cache(maxsize=4096)
def _normal(endpoint: Endpoint) -> str:
    try:
        return normal_host(endpoint.host)
    except ValueError as error:
        raise TargetRefused(f"The target's host is refused: {error}.") from None


def _plain(text: str) -> IPAddress:
    """An address as sockets give it. A scope (``fe80::1%eth0``) is link-local's, and is refused as that."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address


def _pin(address: IPAddress, port: int) -> Pinned:
    return Pinned(str(address), socket.AF_INET if address.version == 4 else socket.AF_INET6, port)


def _is_local(address: IPAddress) -> bool:
    """Whether ``address`` is one of this machine's: only those can be bound."""
    if address.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
