"""Host names and URLs as people write them, in the one form that is compared, stored and connected to.

Parsers disagree on odd spellings, and each disagreement is a way around the guard. So whatever has more than one
reading is refused here: ``0x7f.1``, ``2130706433``, zone ids, percent signs, user info, backslashes, full-width digits.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

from sevtracker.checks.interface import Endpoint

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")  # the WHATWG URL standard's "ends in a number"
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
_MAX_NAME = 253
_DEFAULT_PORTS = {"http": 80, "https": 443}


def normal_host(text: str) -> str:
    """``DB1.Corp.Example.`` -> ``db1.corp.example``; ``[FD00::0:1]`` -> ``fd00::1``; IDN -> its ``xn--`` form.

    Raises ValueError for anything that two programs could read as two places.
    """
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "%" in host:
        raise ValueError("a host with a percent sign (a zone id or an encoding) is not supported")
    if ":" in host:
        return _normal_v6(host)
    try:
        name = host.encode("idna").decode("ascii").lower().removesuffix(".") if not host.isascii() else host.lower()
    except UnicodeError:
        raise ValueError("the host name is not valid") from None
    name = name.removesuffix(".")
    labels = name.split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        return _normal_v4(name)
    if len(name) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("the host name is not valid")
    return name


def _normal_v4(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise ValueError("write an IPv4 address as four decimal numbers, such as 10.0.0.5") from None


def _normal_v6(text: str) -> str:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError("the IPv6 address is not valid") from None
    return str(address.ipv4_mapped or address)


@lru_cache(maxsize=4096)
def literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a normal host is, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class WebPlace:
    """An http(s) URL, taken apart and put together again in one way. ``url`` is what is sent."""

    url: str
    scheme: str
    endpoint: Endpoint
    path: str
    #: For showing: values of a query may be secrets, so a query is shown as "?…".
    text: str


@lru_cache(maxsize=4096)
def web_place(url: str) -> WebPlace:
    """Take an absolute URL apart. Raises ValueError; the message never quotes the URL."""
    if _NOT_IN_A_URL.search(url):
        raise ValueError("a URL has no spaces, control characters or backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname
    except ValueError:
        raise ValueError("the URL is not valid") from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ValueError("expected an absolute http:// or https:// URL")
    if "@" in parts.netloc:
        raise ValueError("a URL here has no user name or password: credentials belong to the identity")
    if parts.fragment:
        raise ValueError("a URL here has no #fragment: it is never sent")
    endpoint = Endpoint(normal_host(f"[{host}]" if ":" in host else host), port or _DEFAULT_PORTS[parts.scheme])
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._[]")
    base = f"{parts.scheme}://{endpoint}{path}"
    if not parts.query:
        return WebPlace(base, parts.scheme, endpoint, path, base)
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]{}|^`\"")
    return WebPlace(f"{base}?{query}", parts.scheme, endpoint, path, f"{base}?…")
