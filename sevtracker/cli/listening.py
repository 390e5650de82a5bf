"""Whether we can listen where the configuration says, and what to tell when we can't."""

from __future__ import annotations

import errno
import os
import socket

from sevtracker.config import Server
from sevtracker.errors import ConfigError


def require_free(server: Server) -> None:
    """Raises ConfigError when another program listens there, also one that would share the port with us."""
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        raise ConfigError(why_not(error, server)) from None


def why_not(error: OSError, server: Server) -> str:
    place = f"{server.host}:{server.port}"
    if error.errno == errno.EADDRINUSE:
        return f"{place} is in use by another program: stop that one, or choose another port, such as PORT=8001."
    return f"{place}: can't listen there ({os.strerror(error.errno) if error.errno else type(error).__name__})."
