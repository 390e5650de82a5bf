"""The kinds of checks as the new-check form offers them: by what they are worth, each with what it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sevtracker.checks.interface import CheckKind
from sevtracker.domain.vocabulary import Weight
from sevtracker.web.contexts import KindChoices, Option

#: In the order of the form: what can see a SEV closed comes first. A kind from outside comes after those of its weight.
_HINTS: Mapping[str, str] = {
    "sql_read": "A table in PostgreSQL or MariaDB: can this identity read a row, or a sensitive column?",
    "sql_grants": "A table in PostgreSQL or MariaDB: can anybody off a list read it, or a view or partition of it?",
    "http": "A web address: does it serve to this identity what it should not?",
    "s3": "A bucket: can this identity read a key, list it, or use an old presigned URL? Is it open to all?",
    "filesystem": "A file or folder on the worker's machine: can this user open it?",
    "command": "A program that an administrator registered: does it say that the door is open?",
    "collection_stopped": "A table in PostgreSQL or MariaDB: did it stop growing? This closes no access.",
    "disclosure": "A table in PostgreSQL or MariaDB: is every column of it disclosed? This closes no access.",
    "encryption": "A bucket: are its objects encrypted at rest, with the key they should be? This closes no access.",
    "tcp": "A port: does it take connections from here? Nothing is sent or read.",
    "access_log": "A log in a table or CSV file: who else came in while the door was open? Informs, and never gates.",
}

_WEIGHTS: Mapping[Weight, tuple[str, str]] = {
    Weight.decides: ("They decide", "Each tries the door. A SEV is resolved on what these saw closed."),
    Weight.supports: (
        "They support",
        "Where one is required it has to be closed, too, but it covers no copy and is never the only evidence.",
    ),
    Weight.informs: ("They inform", "They tell what happened while the door was open, and never keep a SEV open."),
}

_SQL_URL = "postgresql://db1.corp.example:5432/tracking"
#: An example of a parameter, where one helps. By kind, then for all kinds that have it.
_EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "http": {"url": "https://data.corp.example/export", "marker": "employee_id", "signin_hosts": "login.corp.example"},
    "filesystem": {"path": "/srv/exports/events.csv"},
    "access_log": {"url": _SQL_URL, "table": "audit.reads", "csv": "/srv/logs/reads.csv"},
}
_COMMON: Mapping[str, str] = {
    "table": "tracking.events",
    "endpoint": "https://s3.corp.example",
    "bucket": "tracking-exports",
    "host": "db1.corp.example",
}


def hint(kind: CheckKind[Any]) -> str:
    """What the kind is for; of one that came from outside, what it says of itself."""
    return _HINTS.get(kind.name) or (type(kind).__doc__ or "").strip().partition("\n")[0]


def choices(kinds: Mapping[str, CheckKind[Any]]) -> tuple[KindChoices, ...]:
    """The kinds by their weight, those first that can see a SEV closed."""
    return tuple(_choices(kinds))


def _choices(kinds: Mapping[str, CheckKind[Any]]) -> Iterator[KindChoices]:
    order = list(_HINTS)
    for weight, (title, means) in _WEIGHTS.items():
        own = [name for name, kind in kinds.items() if kind.weight is weight]
        own.sort(key=lambda name: (order.index(name) if name in order else len(order), name))
        if own:
            yield KindChoices(title, means, tuple(Option(name, name, hint(kinds[name])) for name in own))


def example(kind: CheckKind[Any], parameter: str) -> str:
    """What a parameter of this kind looks like; empty where its name says it all."""
    own = _EXAMPLES.get(kind.name, {})
    if parameter == "url" and "url" not in own and "table" in kind.params.model_fields:
        return _SQL_URL
    return own.get(parameter) or _COMMON.get(parameter, "")
