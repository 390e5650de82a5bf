"""Who checks try the door as. Secrets are read when a probe starts, used, and forgotten."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from sevtracker.checks.guard import endpoint_allowed_for
from sevtracker.checks.interface import Credentials, Endpoint, Pinned
from sevtracker.config import Identity, is_secret_reference, resolve_secret
from sevtracker.errors import ConfigError, NotFound

ANONYMOUS = "anonymous"
_NOBODY = Credentials()


class Identities:
    """The configured identities, and ``anonymous``, by name. ``repr`` shows names only."""

    def __init__(self, configured: Mapping[str, Identity], environ: Mapping[str, str] | None = None) -> None:
        self._configured = {ANONYMOUS: Identity(cls="anonymous"), **configured}
        self._environ = os.environ if environ is None else environ

    def __repr__(self) -> str:
        return f"Identities({', '.join(sorted(self._configured))})"

    def __contains__(self, name: object) -> bool:
        return name in self._configured

    def __iter__(self) -> Iterator[str]:
        return iter(self._configured)

    def get(self, name: str) -> Identity:
        """The configuration of ``name``. Raises NotFound."""
        try:
            return self._configured[name]
        except KeyError:
            raise NotFound("No identity of that name is configured.") from None

    def credentials(self, name: str) -> Credentials:
        """The secrets of ``name``, read now. Raises NotFound, or ConfigError naming the reference that gave nothing."""
        identity = self.get(name)
        if not identity.has_secrets and identity.username is None and identity.self_test_url is None:
            return _NOBODY
        return Credentials(
            username=identity.username,
            password=self._secret(identity.password),
            token=self._secret(identity.token),
            headers={header: self._value(text) for header, text in identity.headers.items()},
            self_test_url=identity.self_test_url,
            self_test_marker=identity.self_test_marker,
            roles=identity.roles,
        )

    def bound(self, name: str, endpoint: Endpoint, pins: Sequence[Pinned] = ()) -> bool:
        """Whether the secrets of ``name`` may be sent to ``endpoint``. Raises NotFound."""
        return endpoint_allowed_for(self.get(name), endpoint, pins)

    def default_control(self, reach: Sequence[tuple[Endpoint, Sequence[Pinned]]]) -> str | None:
        """The identity of class ``control`` that is bound to all of ``reach``; None unless there is exactly one."""
        fitting = [
            name
            for name, identity in self._configured.items()
            if identity.cls == "control" and all(endpoint_allowed_for(identity, place, pins) for place, pins in reach)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def secret(self, reference: str) -> str:
        """What a secret reference (``env:NAME``, ``file:PATH``) gives now. Raises ConfigError, which names it."""
        return resolve_secret(reference, self._environ)

    def _secret(self, reference: str | None) -> str | None:
        return None if reference is None else resolve_secret(reference, self._environ)

    def _value(self, text: str) -> str:
        value = resolve_secret(text, self._environ) if is_secret_reference(text) else text
        if any(character in value for character in "\r\n\0"):
            raise ConfigError("A header's value has a line break in it.")
        return value
