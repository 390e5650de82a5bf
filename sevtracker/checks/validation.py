"""A check's definition as people send it, made into one that can be stored and run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import rfc8785
from pydantic import ValidationError

from sevtracker.checks.guard import Guard, NameUnknown
from sevtracker.checks.hosts import web_place
from sevtracker.checks.identities import Identities
from sevtracker.checks.interface import CheckKind, CheckParams, Definition, Endpoint, Locator, Pinned
from sevtracker.checks.local import LocalRules
from sevtracker.checks.twins.places import Aimed, wrong_places
from sevtracker.errors import FieldError, InputError, TargetRefused

#: Characters of a locator that can be kept.
_LONGEST = 1000

Reach = list[tuple[Endpoint, Sequence[Pinned]]]


class Surroundings(Protocol):
    """What validation needs of the settings. ``ProbeEnvironment`` has it."""

    @property
    def identities(self) -> Identities: ...
    @property
    def guard(self) -> Guard: ...
    @property
    def local(self) -> LocalRules: ...


@dataclass(frozen=True, slots=True)
class Validated:
    """A definition ready to be stored. ``params`` and ``twins`` are plain JSON; ``target_key`` is ``host:port`` or the
    kind's lane."""

    params: dict[str, Any]
    locator: Locator
    target_key: str
    fingerprint: str
    control: str | None
    twins: dict[str, Any] | None = None


def validate(kinds: Mapping[str, CheckKind[Any]], settings: Surroundings, definition: Definition) -> Validated:
    """Judge every part of ``definition``. Raises InputError that names every bad field at once.

    The guard and the identities' bound hosts are applied here as on every run. Without a control, the only configured
    identity of class ``control`` that is bound to the target becomes it, unless the kind makes its own.
    """
    errors: list[FieldError] = []
    kind = kinds.get(definition.kind)
    if kind is None:
        errors.append(FieldError("kind", f"There is no such kind. There are: {', '.join(sorted(kinds))}."))
    errors += _people(settings.identities, definition)
    if kind is None:
        raise InputError(*errors)
    params, locator, wrong = _params(kind, definition.params, "params")
    errors += wrong
    if params is None or locator is None:
        raise InputError(*errors)
    reach, refused = _reach(settings.guard, kind, locator)
    errors += refused
    errors += [FieldError(f"params.{field}", sentence) for field, sentence in kind.refuse(params, settings.local)]
    twins, wrong = _twins(kind, definition, Aimed(params, locator), settings.local)
    errors += wrong
    alone = refused or kind.own_control
    control = definition.control or (None if alone else _default_control(settings, definition, reach))
    for field, name in (("identity", definition.identity), ("control", control)):
        if name is not None and name in settings.identities:
            errors += _may(settings, field, name, reach)
            if kind.needs_user_name(params, is_control=field == "control"):
                errors += _signs_in(settings, kind, field, name)
    if errors:
        raise InputError(*errors)
    return Validated(
        params=params.model_dump(mode="json", exclude_none=True),
        locator=locator,
        target_key=str(locator.endpoints[0]) if locator.endpoints else locator.lane,
        fingerprint=fingerprint(kind, params, locator, definition.identity),
        control=control,
        twins=twins,
    )


def _twins(
    kind: CheckKind[Any], definition: Definition, target: Aimed, local: LocalRules
) -> tuple[dict[str, Any] | None, list[FieldError]]:
    """The twins as they are stored, and what is wrong with them. Each is judged as parameters of the kind are."""
    if definition.twins is None:
        return None, []
    errors: list[FieldError] = []
    aimed: dict[str, Aimed] = {}
    stored: dict[str, Any] = {}
    base = target.params.model_dump(mode="json", exclude_none=True)
    for which, given in (("open", definition.twins.open), ("locked", definition.twins.locked)):
        field = f"twins.{which}"
        params, locator, wrong = _params(kind, {**base, **given}, field)
        errors += wrong
        if params is None or locator is None:
            continue
        errors += [FieldError(f"{field}.{name}", sentence) for name, sentence in kind.refuse(params, local)]
        aimed[which] = Aimed(params, locator)
        written = params.model_dump(mode="json", exclude_none=True)
        stored[which] = {name: written.get(name) for name in sorted(given)}
    errors += wrong_places(kind, definition.twins, target, aimed)
    return stored, errors


def fingerprint(kind: CheckKind[Any], params: CheckParams, locator: Locator, identity: str) -> str:
    """SHA-256 (hex) over RFC 8785 JSON of what is proven. A parameter at its default does not count, so that a new
    optional one changes no fingerprint."""
    told = params.model_dump(mode="json", exclude_defaults=True, exclude=set(params.outside_fingerprint))
    facts: dict[str, Any] = {
        "kind": kind.name,
        "version": kind.version,
        "locator": locator.text,
        "identity": identity,
        "params": told,
    }
    return hashlib.sha256(rfc8785.dumps(facts)).hexdigest()


def _people(identities: Identities, definition: Definition) -> list[FieldError]:
    errors = []
    if definition.identity not in identities:
        errors.append(FieldError("identity", "No identity of that name is configured."))
    if definition.control is None:
        return errors
    if definition.control not in identities:
        errors.append(FieldError("control", "No identity of that name is configured."))
    elif definition.control == definition.identity:
        errors.append(FieldError("control", "The control has to be somebody else: one who must be let in."))
    return errors


def _params(
    kind: CheckKind[Any], given: Mapping[str, Any], prefix: str
) -> tuple[CheckParams | None, Locator | None, list[FieldError]]:
    try:
        params: CheckParams = kind.params.model_validate(dict(given))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        return (
            None,
            None,
            [FieldError(_field(prefix, e["loc"]), e["msg"].removeprefix("Value error, ")) for e in details],
        )
    try:
        locator = kind.locate(params)
    except ValueError as error:
        return None, None, [FieldError(_place_field(kind, prefix), str(error))]
    if len(locator.text) > _LONGEST:
        return None, None, [FieldError(_place_field(kind, prefix), f"names a place in more than {_LONGEST} characters")]
    return params, locator, []


def _field(prefix: str, location: tuple[int | str, ...]) -> str:
    return ".".join((prefix, *map(str, location)))


def _place_field(kind: CheckKind[Any], prefix: str = "params") -> str:
    return next(
        (f"{prefix}.{name}" for name in ("url", "host", "endpoint") if name in kind.params.model_fields), prefix
    )


def _reach(guard: Guard, kind: CheckKind[Any], locator: Locator) -> tuple[Reach, list[FieldError]]:
    reach: Reach = []
    errors = []
    for endpoint in locator.endpoints:
        try:
            reach.append((endpoint, guard.check_endpoint(endpoint)))
        except TargetRefused as error:
            errors.append(FieldError(_place_field(kind), str(error)))
    for field, endpoint in locator.further:
        try:
            guard.check_endpoint(endpoint)
        except TargetRefused as error:
            errors.append(FieldError(f"params.{field}", str(error)))
    return reach, errors


def _default_control(settings: Surroundings, definition: Definition, reach: Reach) -> str | None:
    found = settings.identities.default_control(reach) if reach else None
    return None if found == definition.identity else found


def _signs_in(settings: Surroundings, kind: CheckKind[Any], field: str, name: str) -> list[FieldError]:
    if settings.identities.get(name).username:
        return []
    return [FieldError(field, f"{name} has no username, and {kind.name} has to sign in as somebody.")]


def _may(settings: Surroundings, field: str, name: str, reach: Reach) -> list[FieldError]:
    identity = settings.identities.get(name)
    errors = [
        FieldError(field, f"{name} may not be used at {endpoint}: its hosts do not hold that place.")
        for endpoint, pins in reach
        if not settings.identities.bound(name, endpoint, pins)
    ]
    if identity.self_test_url:
        try:
            place = web_place(identity.self_test_url).endpoint
            if not settings.identities.bound(name, place, settings.guard.check_endpoint(place)):
                errors.append(FieldError(field, f"{name}'s self_test_url is outside its hosts."))
        except (TargetRefused, NameUnknown, ValueError) as error:
            errors.append(FieldError(field, f"{name}'s self_test_url: {error}"))
    return errors
