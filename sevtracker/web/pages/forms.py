"""What was typed into a form: as raw input for ``inputs.parse``, and as a ``Form`` that shows it and what is wrong.

Fields of a form are single texts; those that may come several times are named as ``many``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from flask import request

from sevtracker.errors import Conflict, FieldError, InputError, NotPermitted, SevtrackerError
from sevtracker.web.contexts import Form

T = TypeVar("T")

_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?")
#: Errors on what only machines send are told about the field that people see.
_BAD_MOMENT = "Write it as 2026-06-18T09:10. It means UTC."
_FIELD_OF_FORM = "csrf_token"


def text(name: str) -> str:
    """What was typed into ``name``; nothing if the field did not come."""
    return request.form.get(name, "")


def ticked(name: str) -> bool:
    """Is this box ticked?"""
    return bool(request.form.get(name))


def moment(name: str) -> str | None:
    """A time as ``datetime-local`` sends it, as UTC. Empty: None. Anything else goes on, for parsing to complain of."""
    given = text(name).strip()
    if not given:
        return None
    return f"{given.replace(' ', 'T')}Z" if _LOCAL.fullmatch(given) else given


def lines(name: str) -> list[str]:
    """One value a line; blank lines mean nothing."""
    return [line.strip() for line in text(name).splitlines() if line.strip()]


def only(**values: Any) -> dict[str, Any]:
    """Those of ``values`` that were given at all."""
    return {name: value for name, value in values.items() if value not in (None, "")}


def typed(many: Iterable[str] = (), secret: Iterable[str] = ()) -> Form:
    """Everything that came, to be shown again. ``secret`` fields are not."""
    hidden = {_FIELD_OF_FORM, *many, *secret}
    values = {name: value for name, value in request.form.items() if name not in hidden}
    return Form(values, {name: tuple(request.form.getlist(name)) for name in many})


def prefilled(many: Iterable[str] = ()) -> Form:
    """A form filled in by the address: any field may come as an argument."""
    hidden = set(many)
    values = {name: value for name, value in request.args.items() if name not in hidden and value}
    return Form(values, {name: tuple(request.args.getlist(name)) for name in hidden})


def refused(error: SevtrackerError, form: Form, fields: Mapping[str, str] | None = None) -> Form:
    """``form`` with what was wrong. ``fields``: what the page calls a field that the input model calls otherwise."""
    if not isinstance(error, InputError):
        return Form(form.values, form.chosen, problem=str(error))
    errors: dict[str, str] = {}
    for wrong in error.errors:
        name = (fields or {}).get(_head(wrong.field), _head(wrong.field))
        errors.setdefault(name, _about(wrong.field) + _words(wrong.message))
    return Form(form.values, form.chosen, errors)


def _head(field: str) -> str:
    """``datasets.0`` is about ``datasets``; ``params.url`` is a field of its own, and so is ``twins.open``."""
    parts = field.split(".")
    return ".".join(parts[:2]) if parts[0] in ("params", "twins") else parts[0]


def _about(field: str) -> str:
    """Twins are written into one field each, so that an error says which of their parameters it is about."""
    parts = field.split(".")
    return f"{parts[2]}: " if parts[0] == "twins" and len(parts) > 2 else ""


_TOLD_BETTER: tuple[tuple[str, str], ...] = (
    (r"This field is required\.|Field required|String should have at least 1 character", "This can't be empty."),
    (r"List should have at least 1 item.*", "Choose at least one."),
    (r"Value should have at least 1 item after validation.*", "This can't be empty."),
    (r"Dictionary should have at least 1 item.*", "Say where it is. A twin alone is none."),
    (r"Value should have at most (\d+) items after validation.*", r"This takes \1 characters at most."),
    (r"Input should be a valid datetime.*", _BAD_MOMENT),
    (r"Input should be 'SEV0'.*", "Choose one of SEV0 to SEV4."),
    (r"String should match pattern '\^\[a-z0-9\].*", "Lower case letters, digits, dots and dashes only."),
    (r"String should match pattern '\^\[\^@.*", "This is no e-mail address."),
    (r"String should have at least (\d+) characters", r"This takes \1 characters or more."),
    (r"String should have at most (\d+) characters", r"This takes \1 characters at most."),
    (r"Input should be a valid (?:integer|number).*", "Write a number."),
    (r"Input should be less than or equal to (\S+)", r"\1 at most."),
    (r"Input should be greater than or equal to (\S+)", r"\1 at least."),
    (r"Input should be greater than (\S+)", r"This has to be more than \1."),
    (r"Input should be '(.+)'", r"Choose \1."),
    (r"say what was done and found.*", "Say what was done, and what was found."),
    (r"has (to be .*|characters .*)", r"This has \1."),
)


def _words(message: str) -> str:
    for pattern, better in _TOLD_BETTER:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return found.expand(better)
    sentence = message[:1].upper() + message[1:]
    return sentence if sentence.endswith((".", ":", "?")) else f"{sentence}."


STATUS: Mapping[type[SevtrackerError], int] = {InputError: 422, Conflict: 409, NotPermitted: 403}


def status_of(error: SevtrackerError) -> int:
    """The status with which a form is shown again."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 422)


def together(*parts: Callable[[], T]) -> list[T]:
    """Every part's value. Raises one InputError with the complaints of all of them."""
    values: list[T] = []
    errors: list[FieldError] = []
    for part in parts:
        try:
            values.append(part())
        except InputError as error:
            errors += error.errors
    if errors:
        raise InputError(*errors)
    return values
