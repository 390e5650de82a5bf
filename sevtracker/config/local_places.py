"""What checks may touch on the worker's own machine: folders, and commands by name. Nothing else."""

from __future__ import annotations

import posixpath
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from sevtracker.config.section import Section
from sevtracker.config.values import json_when_text

_ODD = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def plain_path(text: str) -> str:
    """``text`` if it is an absolute path that can be read in one way only. Raises ValueError."""
    if not text.startswith("/") or text.startswith("//") or posixpath.normpath(text) != text or _ODD.search(text):
        raise ValueError(
            "expected an absolute path without . or .. in it, double slashes, one at the end or control characters,"
            " such as /srv/data"
        )
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression ({error})") from None
    return text


def _word(text: str) -> str:
    if "\0" in text:
        raise ValueError("expected a text without a NUL character")
    return text


def _begins_with_a_path(argv: tuple[str, ...]) -> tuple[str, ...]:
    plain_path(argv[0])
    return argv


PlainPath = Annotated[str, AfterValidator(plain_path)]
PlainPaths = Annotated[tuple[PlainPath, ...], BeforeValidator(json_when_text)]
Argv = Annotated[
    tuple[Annotated[str, AfterValidator(_word)], ...],
    Field(min_length=1),
    BeforeValidator(json_when_text),
    AfterValidator(_begins_with_a_path),
]


class Command(Section):
    """A program that checks of the kind ``command`` may run, by the name of its table."""

    argv: Argv
    #: What each argument that a check adds has to be, whole. None: a check adds none.
    args: Annotated[str, AfterValidator(_pattern)] | None = None
    #: Whether it gets the identity's secrets, on its standard input.
    credentials: bool = False

    def takes(self, arg: str) -> bool:
        """Whether a check may add ``arg``."""
        return self.args is not None and re.fullmatch(self.args, arg) is not None
