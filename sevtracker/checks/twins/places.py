"""Whether two places can be a check's canary twins. Pure. Why these rules: docs/checks/twins.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sevtracker.checks.interface import CheckKind, CheckParams, Locator, Twins
from sevtracker.domain.vocabulary import Weight
from sevtracker.errors import FieldError


@dataclass(frozen=True, slots=True)
class Aimed:
    """Parameters that a kind accepted, and where they look."""

    params: CheckParams
    locator: Locator

    @property
    def place(self) -> tuple[str, Any]:
        """What makes two places the same. A locator doesn't show a URL's query."""
        return self.locator.text, getattr(self.params, "url", None)

    @property
    def way(self) -> tuple[Any, ...]:
        """Which servers (and for a database that has it: which database) it takes to get there."""
        return self.locator.endpoints, {place for _, place in self.locator.further}, self.locator.lane


def wrong_places(kind: CheckKind[Any], twins: Twins, target: Aimed, aimed: Mapping[str, Aimed]) -> Iterator[FieldError]:
    """What is wrong with these twins of ``target``. ``aimed``: those of ``open`` and ``locked`` that the kind accepts.

    1. The kind's closed counts. 2. A twin lies on the target's own server: elsewhere it proves nothing about this way
    in. 3. It is judged as the target is. 4. It is neither the target nor the other twin. 5. What the target allows, the
    open twin allows, too: it has to be open by something that is on neither list.
    """
    if kind.weight is Weight.informs:
        yield FieldError("twins", f"A check of the kind {kind.name} is never taken for closed, so twins prove nothing.")
    judged = (kind.params.outside_place | kind.params.twins_fixed) - kind.params.twins_own
    for which, given in (("open", twins.open), ("locked", twins.locked)):
        for name in sorted(judged & given.keys()):
            yield FieldError(
                f"twins.{which}.{name}",
                "A twin is tried and judged as the target is. It may differ in where it is, not in this.",
            )
        twin = aimed.get(which)
        if twin is None:
            continue
        field = _first(f"twins.{which}", given)
        if twin.way != target.way:
            yield FieldError(field, "A twin has to be on the very server, port and database of the check's target.")
        elif twin.place == target.place:
            yield FieldError(field, "This is the check's target itself. A twin has to be another place.")
    yield from _narrower(kind, target, aimed.get("open"))
    if len(aimed) == 2 and aimed["open"].place == aimed["locked"].place != target.place:
        yield FieldError(_first("twins.locked", twins.locked), "Both twins are the same place.")


def _narrower(kind: CheckKind[Any], target: Aimed, twin: Aimed | None) -> Iterator[FieldError]:
    """An open twin with a narrower list may be open by what the target's lets pass: that proves another check."""
    if twin is None:
        return
    for name in sorted(kind.params.twins_own):
        listed = set(getattr(twin.params, name))
        missing = [one for one in getattr(target.params, name) if one not in listed]
        if missing:
            more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
            yield FieldError(
                f"twins.open.{name}",
                f"The check's own list has {missing[0]}{more}, and this one has to have all of it: else the twin could"
                " be open by what the check lets pass.",
            )


def _first(prefix: str, given: Mapping[str, Any]) -> str:
    """The field to blame: what the twin says of itself, if it is one thing."""
    return f"{prefix}.{next(iter(given))}" if len(given) == 1 else prefix
