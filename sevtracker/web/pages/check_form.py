"""A kind's parameters as form fields, made from its pydantic model: a new kind needs no page of its own."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

from flask import request
from pydantic.fields import FieldInfo

from sevtracker.checks.interface import CheckKind
from sevtracker.errors import FieldError, InputError
from sevtracker.web.contexts import Form, Option, ParamField
from sevtracker.web.pages import forms, kinds

PREFIX = "params."
FieldType = Literal["text", "url", "number", "bool", "list", "select", "textarea"]


def fields(kind: CheckKind[Any], form: Form) -> tuple[ParamField, ...]:
    """One field a parameter: required ones first, what every kind has (its timeout) last. Filled in from ``form``."""
    own = kind.params.model_fields
    common = [name for name in own if name in kind.params.outside_fingerprint]
    ordered = sorted(own, key=lambda name: (name in common, not own[name].is_required()))
    return tuple(_field(name, own[name], form, kinds.example(kind, name)) for name in ordered)


def _field(name: str, info: FieldInfo, form: Form, example: str) -> ParamField:
    type_ = _type(name, info.annotation)
    options = tuple(Option(str(choice), str(choice)) for choice in _choices(info.annotation))
    return ParamField(
        name=name,
        label=info.title or _LABELS.get(name) or _label(name),
        help=info.description or _HELP.get(name, ""),
        type=type_,
        required=info.is_required(),
        value=form.value(PREFIX + name, _default(info) if not form.values.get(_SENT) else ""),
        error=form.error(PREFIX + name),
        options=options,
        example=example,
    )


#: A form that was sent shows what was sent, also where that was nothing.
_SENT = "kind"
_WORDS = {"url": "URL", "uid": "UID", "rls": "RLS", "sql": "SQL", "signin": "Sign-in", "id": "ID"}

#: What a parameter is called, where its name says it to programmers only.
_LABELS: Mapping[str, str] = {
    "rls_is_fix": "Row-level security is what closed the door",
    "held": "Keep one session open, and look through it",
}

#: What a parameter means, where its own model doesn't say.
_HELP: Mapping[str, str] = {
    "url": "Without user name and password: the identities carry those.",
    "table": "schema.table, as the database spells it.",
    "sensitive_columns": "Each is tried by itself: a column left readable is an open door.",
    "rls_is_fix": "Tick it where the patch was a policy in the database that hides rows from this identity. Reading"
    " none then counts as denied, as long as the control sees one; else it is inconclusive.",
    "method": "GET sees the body, HEAD only the status.",
    "marker": "A text that only the exposed content has. Found: open.",
    "signin_hosts": "A redirect there counts as denied.",
    "login_signature": "A text that only the sign-in page has. Found instead of the marker: denied.",
    "timeout": "Seconds that one attempt may take.",
}


def _label(name: str) -> str:
    words = [_WORDS.get(word, word) for word in name.split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _default(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True, validated_data={}) if not info.is_required() else None
    return shown(value)


def shown(value: Any) -> str:
    """A parameter's value as its field shows it."""
    match value:
        case None | False:
            return ""
        case True:
            return "true"
        case float() if value.is_integer():
            return str(int(value))
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return "\n".join(str(item) for item in value)
    return str(value)


def _plain(annotation: Any) -> Any:
    """``X`` of ``Annotated[X, ...]`` and of ``X | None``."""
    if hasattr(annotation, "__metadata__"):
        return _plain(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [arg for arg in get_args(annotation) if arg is not type(None)]
        return _plain(inner[0]) if len(inner) == 1 else str
    return annotation


def _choices(annotation: Any) -> tuple[Any, ...]:
    plain = _plain(annotation)
    return get_args(plain) if get_origin(plain) is Literal else ()


def _type(name: str, annotation: Any) -> FieldType:
    plain = _plain(annotation)
    if plain is bool:
        return "bool"
    if plain in (int, float):
        return "number"
    if get_origin(plain) is Literal:
        return "select"
    if get_origin(plain) in (list, tuple, set, frozenset):
        return "list"
    return "url" if name == "url" or name.endswith("_url") else "text"


def given(kind: CheckKind[Any] | None) -> dict[str, Any]:
    """The parameters that were typed, as the kind's model takes them. What isn't filled in is left to its default."""
    own = kind.params.model_fields if kind else {}
    found: dict[str, Any] = {}
    for field in request.form:
        if field.startswith(PREFIX) and field.removeprefix(PREFIX) not in own and kind is not None:
            found[field.removeprefix(PREFIX)] = forms.text(field)
    for name, info in own.items():
        field, type_ = PREFIX + name, _type(name, info.annotation)
        if type_ == "bool":
            found[name] = forms.ticked(field)
        elif type_ == "list":
            found |= {name: forms.lines(field)} if forms.lines(field) else {}
        elif forms.text(field).strip():
            found[name] = forms.text(field).strip()
    return found


def values(params: Mapping[str, Any], twins: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Saved parameters as the form's values."""
    found = {PREFIX + name: shown(value) for name, value in params.items()}
    return found | {TWINS + which: twin_text(twin, "\n") for which, twin in (twins or {}).items()}


# ---- canary twins ------------------------------------------------------------------------------------------------

TWINS = "twins."
_EXAMPLES = {"table": "canaries.readable", "key": "canaries/readable.txt", "url": "https://the.same.host/canary"}


def twin_text(twin: Mapping[str, Any], between: str) -> str:
    """A twin as people write it: ``table = canaries.readable``, one parameter a line."""
    return between.join(f"{name} = {shown(value).replace(chr(10), ', ')}" for name, value in twin.items())


def twin_example(kind: CheckKind[Any]) -> str:
    """What a twin of this kind might say."""
    own = kind.params.model_fields
    return next((f"{name} = {text}" for name, text in _EXAMPLES.items() if name in own), "name = value")


def given_twins(kind: CheckKind[Any] | None) -> dict[str, Any] | None:
    """The twins that were typed; None if neither was. Raises InputError for a line that is no parameter."""
    lines = {which: forms.lines(TWINS + which) for which in ("open", "locked")}
    if not any(lines.values()):
        return None
    odd = [(which, line) for which, own in lines.items() for line in own if "=" not in line]
    if odd:
        example = twin_example(kind) if kind else "name = value"
        raise InputError(*(FieldError(TWINS + which, f"Write a parameter a line, as {example}.") for which, _ in odd))
    return {which: dict(_parameter(kind, line) for line in own) for which, own in lines.items()}


def _parameter(kind: CheckKind[Any] | None, line: str) -> tuple[str, Any]:
    name, _, value = (part.strip() for part in line.partition("="))
    info = kind.params.model_fields.get(name) if kind else None
    if info is not None and _type(name, info.annotation) == "list":
        return name, [part.strip() for part in value.split(",") if part.strip()]
    return name, value or None
