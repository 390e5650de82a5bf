"""Which secret references of a configuration point at nothing, as seen from where the command runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sevtracker.config import Settings
from sevtracker.config.references import is_secret_reference, resolve_secret
from sevtracker.errors import ConfigError


def unresolved(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each: the key and the reference, never what is behind one. A worker elsewhere may see others."""
    for key, reference in _references(settings):
        try:
            resolve_secret(reference, environ)
        except ConfigError as error:
            yield f"{key}: {error}"


def _references(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every one in the configuration, by its key. A header may hold a literal text, which is none."""
    for name, identity in sorted(settings.identities.items()):
        for field, reference in (("password", identity.password), ("token", identity.token)):
            if reference:
                yield f"identities.{name}.{field}", reference
        for header, value in sorted(identity.headers.items()):
            if is_secret_reference(value):
                yield f"identities.{name}.headers.{header}", value
