"""Whether an ACL or a bucket's policy lets everybody read. Pure. The document is judged and thrown away.

What "everybody" is, and which conditions take it back, follows AWS' "The meaning of public" (S3 user guide, "Blocking
public access"): a condition counts only if it pins the caller's network, account or organisation to fixed values. All
that is unclear reads as public.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

#: READ of a bucket lists it, of an object reads it; who may WRITE_ACP gives himself READ.
_READING_GRANTS = frozenset({b"READ", b"FULL_CONTROL", b"WRITE_ACP"})
_GRANT = re.compile(rb"<Grant\b.{0,4000}?</Grant>", re.DOTALL)
_EVERYBODY = re.compile(rb"/groups/(?:global/AllUsers|global/AuthenticatedUsers)\s*</URI>")
_PERMISSION = re.compile(rb"<Permission>\s*(\w+)\s*</Permission>")

_OBJECT_ACTIONS = ("s3:getobject", "s3:getobjectversion")
_BUCKET_ACTIONS = ("s3:listbucket", "s3:listbucketversions")
_PINNING_OPERATORS = frozenset(
    {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"}
)
_PINNING_KEYS = frozenset(
    {
        *("aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:sourceip"),
        *("aws:sourceorgid", "aws:vpcsourceip", "aws:principalorgid", "aws:principalaccount", "aws:principalarn"),
        *("aws:userid", "s3:dataaccesspointaccount", "s3:dataaccesspointarn"),
    }
)
#: Networks wider than these are everybody's (AWS).
_WIDEST = {4: 8, 6: 32}


def acl_is_public(body: bytes) -> bool:
    """Whether an ACL grants reading to AllUsers or to AuthenticatedUsers, who are all people with any AWS account."""
    grants = _GRANT.findall(body)
    return any(_EVERYBODY.search(one) and _reads(one) for one in grants)


def _reads(grant: bytes) -> bool:
    found = _PERMISSION.search(grant)
    return found is None or found[1] in _READING_GRANTS


def policy_is_public(body: bytes, bucket: str, key: str | None) -> bool | None:
    """Whether a bucket's policy lets everybody read ``key`` (None: any key) or list. None: it is no policy."""
    try:
        statements = json.loads(body)["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    told = [statements] if isinstance(statements, Mapping) else statements
    if not isinstance(told, list) or not all(isinstance(one, Mapping) for one in told):
        return None
    return any(_open(told, action, bucket, place) for action, place in _readings(bucket, key))


def _readings(bucket: str, key: str | None) -> Iterator[tuple[str, str | None]]:
    """Each action that reads, with what it reads; None: some key."""
    for action in _OBJECT_ACTIONS:
        yield action, f"{bucket}/{key}" if key is not None else None
    for action in _BUCKET_ACTIONS:
        yield action, bucket


def _open(statements: list[Mapping[str, Any]], action: str, bucket: str, place: str | None) -> bool:
    about = [one for one in statements if _matches(one, "Action", action.lower()) and _covers(one, bucket, place)]
    if any(one.get("Effect") == "Deny" and _denies_everybody(one, place) for one in about):
        return False
    return any(one.get("Effect") == "Allow" and _everybody(one) and not _pinned(one) for one in about)


def _denies_everybody(statement: Mapping[str, Any], place: str | None) -> bool:
    """Only a Deny without any exception takes a grant back, and none does for "some key"."""
    exceptions = {"Condition", "NotPrincipal", "NotAction", "NotResource"} & statement.keys()
    varies = any("${" in resource for resource in _list(statement.get("Resource")))
    return place is not None and not exceptions and not varies and _everybody(statement)


def _everybody(statement: Mapping[str, Any]) -> bool:
    """``"*"``, ``{"AWS": "*"}``, a list with it, or everybody but some."""
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, Mapping) else principal
    return "*" in _list(named)


def _matches(statement: Mapping[str, Any], element: str, value: str) -> bool:
    """Whether an Action element, or its negation, takes ``value`` in. Actions are compared in lower case."""
    if (excluded := statement.get(f"Not{element}")) is not None:
        return not any(_like(value, one.lower()) for one in _list(excluded))
    return any(_like(value, one.lower()) for one in _list(statement.get(element)))


def _covers(statement: Mapping[str, Any], bucket: str, place: str | None) -> bool:
    if (excluded := statement.get("NotResource")) is not None:
        return place is None or not any(_like(place, _place(one)) for one in _list(excluded))
    places = [_place(one) for one in _list(statement.get("Resource"))]
    if place is None:
        return any("/" in one or _like(f"{bucket}/", one) for one in places)
    return any(_like(place, one) for one in places)


def _place(resource: str) -> str:
    """``arn:aws:s3:::bucket/key`` -> ``bucket/key``, in whatever partition. ``*`` stays."""
    return resource.split(":", 5)[5] if resource.count(":") >= 5 else resource


def _like(text: str, pattern: str) -> bool:
    """AWS' wildcards, ``*`` and ``?``; brackets mean themselves. A policy variable may stand for anything."""
    plain = re.sub(r"\$\{[^}]*\}", "*", pattern).replace("[", "[[]")
    return fnmatchcase(text, plain)


def _pinned(statement: Mapping[str, Any]) -> bool:
    """Whether a condition leaves somebody in particular. All conditions of a statement have to hold, so one is enough.
    ``...IfExists`` and ``ForAllValues:`` hold for a caller without the key, hence for everybody."""
    conditions = statement.get("Condition")
    if not isinstance(conditions, Mapping):
        return False
    return any(
        key.lower() in _PINNING_KEYS and _fixed(key.lower(), values)
        for operator, tested in conditions.items()
        if operator.lower().removeprefix("foranyvalue:") in _PINNING_OPERATORS and isinstance(tested, Mapping)
        for key, values in tested.items()
    )


def _fixed(key: str, values: object) -> bool:
    texts = _list(values)
    if key in ("aws:sourceip", "aws:vpcsourceip"):
        return bool(texts) and all(_narrow(text) for text in texts)
    return bool(texts) and not any(mark in text for text in texts for mark in ("*", "?", "${"))


def _narrow(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _WIDEST[network.version]


def _list(value: object) -> list[str]:
    """A text or a list of texts, as a list. Anything else has none."""
    found = value if isinstance(value, list) else [value]
    return [one for one in found if isinstance(one, str)]
