"""Addresses where no probe may ever go, whatever the allow-list says.

A cloud's metadata service hands out credentials to whoever can reach it, and it listens on link-local addresses and a
few others. An IPv4 address can travel inside an IPv6 one in several ways; each is unwrapped before judging, since
``ipaddress.is_global`` calls most of those wrappings global.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Sources: the providers' documentation of their instance metadata. Most are link-local; these are not.
METADATA = {
    ipaddress.ip_network(text)
    for text in (
        "100.100.100.200/32",  # Alibaba Cloud
        "168.63.129.16/32",  # Azure wire server
        "192.0.0.192/32",  # Oracle Cloud (classic)
        "fd00:ec2::/32",  # AWS: metadata ::254, pod identity ::23, time and DNS
        "fd20:ce::/32",  # Google Cloud over IPv6
        "fd00:42::42/128",  # Scaleway
    )
}
METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "metadata.azure.internal"}
)

_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")  # RFC 1122 section 3.2.1.3
_BROADCAST = ipaddress.ip_address("255.255.255.255")
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")
_LOW_32 = 0xFFFF_FFFF
_ISATAP = {0x0000_5EFE, 0x0200_5EFE}  # RFC 5214 section 6.1
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")  # RFC 8215


@lru_cache(maxsize=4096)
def refusal(address: IPAddress) -> str | None:
    """Why no probe may connect to ``address``, or None. The words fit after "refused: it is"."""
    if reason := _refusal(address):
        return reason
    for inner in embedded(address):
        if reason := _refusal(inner):
            return f"an IPv6 wrapping of {reason}"
    return None


def _refusal(address: IPAddress) -> str | None:
    if address.is_unspecified or (address.version == 4 and address in _THIS_NETWORK):
        return "an unspecified address"
    if address.is_link_local or (address.version == 6 and address in _SITE_LOCAL):
        return "a link-local address, where clouds keep their metadata service"
    if any(address in network for network in METADATA):
        return "a cloud's metadata service"
    if address.is_multicast:
        return "a multicast address"
    if address == _BROADCAST:
        return "the broadcast address"
    return None


def embedded(address: IPAddress) -> Iterator[ipaddress.IPv4Address]:
    """Every IPv4 address that ``address`` could carry traffic to."""
    if address.version == 4:
        return
    number = int(address)
    low = number & _LOW_32
    high = number >> 32
    if high in (0, 0xFFFF, 0xFFFF_0000) and number > 1:  # compatible (but ::1), mapped, and SIIT's ::ffff:0:a.b.c.d
        yield ipaddress.IPv4Address(low)
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if number >> 32 == 0x0064_FF9B << 64:  # 64:ff9b::/96, RFC 6052
        yield ipaddress.IPv4Address(low)
    if address in _NAT64_LOCAL:
        yield from _in_local_prefix(number)
    if (high & _LOW_32) in _ISATAP:
        yield ipaddress.IPv4Address(low)


def _in_local_prefix(number: int) -> Iterator[ipaddress.IPv4Address]:
    """RFC 6052 section 2.2 puts the IPv4 address around octet 8, by the prefix's length, which is not ours to know."""
    octets = number.to_bytes(16, "big")
    for start in (6, 7, 8, 12):  # prefixes of 48, 56, 64 and 96 bits
        rest = octets[start:8] + octets[9:] if start < 12 else octets[12:]
        yield ipaddress.IPv4Address(rest[:4])
