"""What came with a request, read strictly: JSON objects only, no unknown fields, no unknown query parameters."""

from __future__ import annotations

import base64
import binascii
import json
from functools import cache
from typing import Annotated, Any, NoReturn, TypeVar, get_origin

from flask import request
from pydantic import BaseModel, Field
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from sevtracker.actions.inputs import Input, parse
from sevtracker.errors import FieldError, InputError

M = TypeVar("M", bound=BaseModel)

#: Deeper than any body of ours, shallower than any stack.
MAX_DEPTH = 32
_MAX_ID = 2**63 - 1


class Nothing(Input):
    """Takes no fields."""


def body(model: type[M]) -> M:
    """The request's body as ``model``. Raises 400, 413, 415, and InputError naming every bad field."""
    raw = request.get_data(cache=True)
    if request.content_length is None and len(raw) >= (request.max_content_length or len(raw) + 1):
        raise RequestEntityTooLarge  # sent in chunks, it is cut off at the cap
    if not raw and not model.model_fields:
        return parse(model, {})
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON: Content-Type: application/json.")
    found = _json(raw)
    if not isinstance(found, dict):
        raise BadRequest("The body has to be a JSON object.")
    return parse(model, found)


def _json(raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8")
        if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _too_deep(text):
            raise BadRequest(f"The body is nested more than {MAX_DEPTH} levels deep.")
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # no UTF-8, no JSON, NaN, or a number of thousands of digits
        raise BadRequest("The body is not valid JSON.") from None


def _too_deep(text: str) -> bool:
    """Is it, outside of strings?"""
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            quoted, escaped = escaped or character != '"', not escaped and character == "\\"
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif character in "]}":
            depth -= 1
    return False


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


# ---- query parameters --------------------------------------------------------------------------------------------

Limit = Annotated[int, Field(ge=1, le=100, description="How many items at most.")]
CursorText = Annotated[str, Field(max_length=200, description="Where to go on: `next` of the answer before.")]


class Paging(Input):
    """What every list takes."""

    limit: Limit = 25
    cursor: CursorText | None = None


def query(model: type[M]) -> M:
    """The query parameters as ``model``. Raises InputError naming each that is unknown, wrong, or given twice."""
    lists = _lists(model)
    raw: dict[str, Any] = {}
    twice = []
    for name, values in request.args.lists():
        raw[name] = values if name in lists else values[0]
        if len(values) > 1 and name not in lists:
            twice.append(FieldError(name, "This may be given once."))
    if twice:
        raise InputError(*twice)
    try:
        return parse(model, raw)
    except InputError as error:  # a parameter has a name; which of its values it was is told by the message
        named = dict.fromkeys((e.field.partition(".")[0], e.message) for e in error.errors)
        raise InputError(*(FieldError(field, message) for field, message in named)) from None


@cache
def _lists(model: type[BaseModel]) -> frozenset[str]:
    """The parameters that may be given several times."""
    return frozenset(name for name, field in model.model_fields.items() if get_origin(field.annotation) is tuple)


# ---- cursors -----------------------------------------------------------------------------------------------------


def cursor(what: str, place: int | str | None) -> str | None:
    """An opaque cursor of the list ``what``; None at its end."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(f"{what}:{place}".encode()).decode().rstrip("=")


def place(what: str, text: str | None) -> str | None:
    """Where a cursor of the list ``what`` points. Raises InputError for anything else."""
    if text is None:
        return None
    try:
        told = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        told = ""
    kind, _, found = told.partition(":")
    if kind != what or not found.isprintable() or cursor(what, found) != text:
        raise InputError.of("cursor", "This is no cursor of this list.")
    return found


def number(what: str, text: str | None) -> int | None:
    """Like ``place``, for lists that go by a number."""
    found = place(what, text)
    if found is None:
        return None
    if not (found.isascii() and found.isdigit() and len(found) <= 19 and int(found) <= _MAX_ID):
        raise InputError.of("cursor", "This is no cursor of this list.")
    return int(found)
