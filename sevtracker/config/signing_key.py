"""The key that signs sessions."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from sevtracker.config.settings import Settings
from sevtracker.errors import ConfigError

NO_SECRET_KEY = (
    "server.secret_key: expected a key of 16 characters or more (or SEVTRACKER_SERVER__SECRET_KEY): sessions are shared"
    " by every node on PostgreSQL, and there is no default"
)


def require_secret_key(settings: Settings) -> str:
    """The key that signs sessions. Embedded mode makes one on first use, in ``<var>/secret_key`` with mode 0600.

    Safe with several processes starting at once: all get the same key. Raises ConfigError when there is no key and
    the database is shared, and when others on the machine can read the key's file.
    """
    if settings.server.secret_key is not None:
        return settings.server.secret_key.get_secret_value()
    if settings.var_dir is None:
        raise ConfigError(NO_SECRET_KEY)
    path = settings.var_dir / "secret_key"
    try:
        if not path.exists():
            _create_key(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"{path}: expected that only its owner can read it: chmod 600 it, or replace it")
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ConfigError(f"{path}: the secret key cannot be kept there ({error.strerror})") from None
    if not key:
        raise ConfigError(f"{path}: expected a key, but the file is empty; delete it to have a new one made")
    return key


def known_secret_key(settings: Settings) -> str | None:
    """The key that there is: configured, or made before in embedded mode. None is made here, and nothing is raised."""
    if settings.server.secret_key is not None:
        return settings.server.secret_key.get_secret_value()
    try:
        key = (settings.var_dir / "secret_key").read_text(encoding="ascii").strip() if settings.var_dir else ""
    except (OSError, ValueError):
        return None
    return key or None


def _create_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        path.hardlink_to(draft)  # fails when it exists, so that nobody's key is ever replaced
    except FileExistsError:
        return  # another process was first: its key is the key
    finally:
        draft.unlink()
