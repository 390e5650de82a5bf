"""References to secrets. The configuration says where a secret is; it never holds one that a check uses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from sevtracker.errors import ConfigError


def is_secret_reference(text: str) -> bool:
    """Whether ``text`` points at a secret (``env:NAME`` or ``file:PATH``) rather than being one."""
    kind, _, rest = text.partition(":")
    return kind in {"env", "file"} and bool(rest.strip())


def _secret_reference(text: str) -> str:
    if not is_secret_reference(text):  # the text may be the secret itself: never echo it
        raise ValueError(
            "expected a reference, not the secret itself: env:NAME reads the environment variable NAME,"
            " file:PATH reads a file"
        )
    return text


def resolve_secret(reference: str, environ: Mapping[str, str]) -> str:
    """The secret behind ``env:NAME`` or ``file:PATH`` (one trailing line break is dropped).

    Raises ConfigError, which names the reference and never what was found there.
    """
    if not is_secret_reference(reference):
        raise ConfigError("A secret has to be a reference: env:NAME or file:PATH.")
    kind, _, place = reference.partition(":")
    if kind == "env":
        found = environ.get(place, "")
        trouble = f"the environment variable {place} is not set"
    else:
        try:
            found = Path(place).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
            trouble = "the file is empty"
        except OSError as error:
            raise ConfigError(f"{reference}: the file cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{reference}: the file is not UTF-8 text") from None
    if not found:
        raise ConfigError(f"{reference}: {trouble}")
    return found


SecretReference = Annotated[str, AfterValidator(_secret_reference)]
