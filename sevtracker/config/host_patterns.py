"""``host:port`` patterns: which places an identity or a probe is meant for."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from sevtracker.config.values import MAX_PORT, json_when_text

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HostPattern:
    """A parsed ``host:port`` pattern. Exactly one of ``host`` (lower case; ``*.`` first = any subdomain) and
    ``network`` is set. ``port`` None means any port."""

    host: str | None
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    port: int | None


def parse_host_pattern(text: str) -> HostPattern:
    """Parse ``db1:5432``, ``*.corp.example:443``, ``10.0.0.0/8:443``, ``[fd00::/8]:*``. Raises ValueError."""
    where, colon, port_text = text.strip().rpartition(":")
    if not colon or not where:
        raise ValueError(f"expected host:port, such as db1:5432, 10.0.0.0/8:443 or *.corp.example:*, not {text!r}")
    if port_text != "*" and not (port_text.isascii() and port_text.isdigit() and 0 < int(port_text) <= MAX_PORT):
        raise ValueError(f"expected a port from 1 to {MAX_PORT}, or *, at the end of {text!r}")
    port = None if port_text == "*" else int(port_text)
    bracketed = where.startswith("[") and where.endswith("]")
    if bracketed or "/" in where or re.fullmatch(r"[\d.]+", where):
        try:
            network = ipaddress.ip_network(where[1:-1] if bracketed else where)
        except ValueError as error:
            raise ValueError(f"expected an address or network in {text!r}: {error}") from None
        if bracketed != (network.version == 6):
            raise ValueError(f"expected IPv6 in brackets and IPv4 without, such as [fd00::/8]:443, not {text!r}")
        return HostPattern(host=None, network=network, port=port)
    if ":" in where:
        raise ValueError(f"expected IPv6 in brackets, such as [fd00::/8]:443, not {text!r}")
    if not _HOST_NAME.fullmatch(where):
        raise ValueError(f"expected a host name, with * only as its whole first label, not {text!r}")
    return HostPattern(host=where.lower().removesuffix("."), network=None, port=port)


def _host_pattern(text: str) -> str:
    parse_host_pattern(text)
    return text.strip()


HostPatternText = Annotated[str, AfterValidator(_host_pattern)]
HostPatterns = Annotated[tuple[HostPatternText, ...], BeforeValidator(json_when_text)]
