"""Who may do what. One table; doors ask it for a page or a button, actions ask it before they act."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sevtracker.domain.vocabulary import Role
from sevtracker.errors import NotPermitted
from sevtracker.store.work import Person


class May(StrEnum):
    """What a role may do."""

    read = "read"
    work_on_sevs = "work_on_sevs"
    resolve_sevs = "resolve_sevs"
    grant_waivers = "grant_waivers"
    accept_definitions = "accept_definitions"
    keep_datasets = "keep_datasets"
    keep_checks = "keep_checks"
    manage_people = "manage_people"
    see_settings = "see_settings"
    own_tokens = "own_tokens"


_EVERYBODY = frozenset({May.read, May.own_tokens})
_WORKERS = _EVERYBODY | {May.work_on_sevs, May.resolve_sevs, May.keep_datasets, May.keep_checks}

#: ``admin`` configures; by that role nobody decides or resolves. ``auditor`` reads all and changes nothing.
PERMISSIONS: dict[Role, frozenset[May]] = {
    Role.engineer: _WORKERS,
    Role.executive: _WORKERS | {May.grant_waivers, May.accept_definitions},
    Role.auditor: _EVERYBODY | {May.see_settings},
    Role.admin: _EVERYBODY
    | {May.work_on_sevs, May.keep_datasets, May.keep_checks, May.manage_people, May.see_settings},
}


def may(role: Role, what: May) -> bool:
    """May this role do that?"""
    return what in PERMISSIONS[role]


def require(person: Person, what: May) -> None:
    """Raise NotPermitted, in words, unless ``person`` may do ``what``."""
    if not may(person.role, what):
        raise NotPermitted(f"The role {person.role} may not do this ({what.replace('_', ' ')}).")


@dataclass(frozen=True, slots=True)
class Denied:
    """Refused, and that is on the record: a door commits it, then answers as to ``NotPermitted``."""

    why: str
