"""Who can try a door: the identities that a check's form offers, and the one that it begins with."""

from __future__ import annotations

from typing import Any

from sevtracker.checks.interface import CheckKind
from sevtracker.config import Settings
from sevtracker.domain.vocabulary import IdentityClass
from sevtracker.web.contexts import Form, Option

#: Whom a form begins with, where the address names nobody: who is most likely to get in though they must not.
_TRIES = (
    IdentityClass.staff,
    IdentityClass.contractor,
    IdentityClass.service,
    IdentityClass.ex_member,
    IdentityClass.held_session,
)
#: And where the identity is who looks: an account made for it.
_LOOKS = (IdentityClass.service, IdentityClass.control)


def choices(settings: Settings, kind: CheckKind[Any] | None, chosen: str) -> tuple[Option, ...]:
    """Whom a check of this kind can try as, with their classes where the name doesn't say it.

    A kind that has to sign in has no use for somebody without a user name; but for who is ``chosen`` already.
    """
    return tuple(
        Option(name, name, "" if name == known.cls else known.cls.replace("_", " "))
        for name, known in sorted(settings.identities.items())
        if kind is None or not kind.signs_in or known.username or name == chosen
    )


def preset(settings: Settings, kind: CheckKind[Any] | None, form: Form) -> Form:
    """The form of a new check, begun. An identity is chosen that the kind has a use for; an address may name a class,
    where that is what nobody tries as yet. The control is whoever is configured to be one, if that is one only.
    """
    if kind is None or form.errors or form.problem or "kind" in form.values:
        return form
    values = dict(form.values)
    values["identity"] = _identity(settings, kind, form.value("identity"))
    controls = [name for name, known in settings.identities.items() if known.cls == IdentityClass.control]
    if len(controls) == 1 and controls[0] != values["identity"] and not kind.own_control:
        values.setdefault("control", controls[0])
    return Form(values, form.chosen, form.errors, form.problem)


def _identity(settings: Settings, kind: CheckKind[Any], named: str) -> str:
    """Who was named, or somebody of the class that was named; else the first of those whom one would think of."""
    offered = [option.value for option in choices(settings, kind, "")]
    if named in offered:
        return named
    of_class = [name for name in offered if settings.identities[name].cls == named]
    if of_class:
        return of_class[0]
    if not kind.signs_in and not kind.looks and IdentityClass.anonymous in offered:
        return IdentityClass.anonymous
    wanted = _LOOKS if kind.looks else _TRIES
    ranked = [name for cls in wanted for name in offered if settings.identities[name].cls == cls]
    return ranked[0] if ranked else ""
