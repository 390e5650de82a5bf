"""How a problem with a key is told: its place, dotted, and what was expected there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from sevtracker.config.settings import Settings

KeyPath = tuple[str | int, ...]


def dotted(loc: KeyPath, *, inside: bool = False) -> str:
    """``policy.watch[0].every``; ``inside`` a variable's value it begins with its dot or bracket."""
    words = [f"[{word}]" if isinstance(word, int) else f".{word}" for word in loc]
    text = "".join(words)
    return text if inside else text.removeprefix(".")


def expectation(kind: str, message: str, loc: KeyPath) -> str:
    """What was expected at ``loc``, in our words, from pydantic's ``kind`` of error and its ``message``."""
    if kind == "extra_forbidden":
        known = list(_keys_at(loc[:-1]))
        close = difflib.get_close_matches(str(loc[-1]), known, n=1)
        return f"unknown key; did you mean {close[0]}?" if close else f"unknown key; expected one of {', '.join(known)}"
    if kind == "missing":
        return "missing; this key is required"
    if kind in {"model_type", "model_attributes_type", "mapping_type", "dict_type"}:
        return "expected a table"
    message = message.removeprefix("Value error, ")
    return re.sub(r"^(Input|Value|String|Tuple) should (be|have) ", "expected ", message)


def _keys_at(loc: KeyPath) -> Iterator[str]:
    """The keys that the table at ``loc`` knows, as they are written in TOML."""
    model: type[BaseModel] = Settings
    words = iter(word for word in loc if isinstance(word, str))
    for word in words:
        annotation = next(f.annotation for n, f in model.model_fields.items() if word in {n, f.alias})
        if get_origin(annotation) is Mapping:
            next(words, None)  # the name that the user chose
        inner = _model_in(annotation)
        if inner is None:
            return
        model = inner
    yield from (field.alias or name for name, field in model.model_fields.items())


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
