"""What changed between two definitions of a check: each part with its old and its new value, as people write it.

Secrets are references in a definition, so there is nothing to hide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sevtracker.store.tables import Check, CheckRevision
from sevtracker.web.contexts import Change
from sevtracker.web.pages import check_form


def differences(before: CheckRevision, now: CheckRevision) -> Iterator[Change]:
    """From one revision to the next."""
    for name in ("name", "identity", "control", "required", "enabled"):
        if getattr(before, name) != getattr(now, name):
            yield Change(name, word(getattr(now, name)), word(getattr(before, name)))
    yield from params_changed(before.params, now.params)
    yield from twins_changed(before.twins, now.twins)


def proposed(then: Check | CheckRevision, change: Mapping[str, Any]) -> Iterator[Change]:
    """From a revision to what somebody wanted of it. ``change``: the fields that were sent."""
    for name in ("name", "identity", "control", "required", "enabled"):
        if name in change and change[name] != getattr(then, name):
            yield Change(name, word(change[name]), word(getattr(then, name)))
    if "params" in change:
        yield from params_changed(then.params, change["params"])
    if "twins" in change:
        yield from twins_changed(then.twins, change["twins"])


def params_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """Each parameter that differs."""
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield Change(name, word(now.get(name)), word(before.get(name)))


def twins_changed(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Iterator[Change]:
    """Where the twins were, and are."""
    for which in ("open", "locked"):
        old, new = ((twins or {}).get(which) or {} for twins in (before, now))
        if old != new:
            texts = [check_form.twin_text(twin, ", ") or "none" for twin in (new, old)]
            yield Change(f"{which} twin", *texts)


def word(value: object) -> str:
    """A value of a definition, in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return check_form.shown(value).replace("\n", ", ") or "none"
