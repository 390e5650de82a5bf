"""What a change of a check was from and to, on a SEV's timeline. The record names parameters and no values, since
it can hold no floats; the revisions and proposals that it is about have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sevtracker.store import checks, proposals
from sevtracker.store.session import Session
from sevtracker.store.tables import CheckRevision
from sevtracker.store.timeline import Item
from sevtracker.store.work import Viewer
from sevtracker.web.contexts import Change
from sevtracker.web.pages import revisions

_CHANGED, _REFUSED, _DENIED = "check:changed", "check:change_refused", "check:change_denied"
KINDS = (_CHANGED, _REFUSED, _DENIED)


@dataclass(frozen=True, slots=True)
class Definitions:
    """What the records of one page are about: revisions by check and number, proposals by number."""

    revisions: Mapping[tuple[int, int], CheckRevision] = field(default_factory=dict)
    proposals: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def changes(self, item: Item, names: Mapping[str, str]) -> Iterator[Change] | None:
        """What the record changed, or would have; None if that is not kept."""
        check, number = item.facts.get("check", 0), item.facts.get("revision", 0)
        now, before = self.revisions.get((check, number)), self.revisions.get((check, number - 1))
        if item.kind == _CHANGED and now and before:
            return self._named(item, names, revisions.differences(before, now))
        wanted = self.proposals.get(item.facts.get("proposal") or 0)
        if item.kind == _REFUSED and now and wanted is not None:
            return revisions.proposed(now, wanted)
        return self._named(item, names, iter(())) if item.kind == _DENIED else None

    def _named(self, item: Item, names: Mapping[str, str], changes: Iterator[Change]) -> Iterator[Change]:
        yield from changes
        if by := item.facts.get("proposed_by"):
            yield Change("proposed by", names.get(by, "somebody"))


def read(session: Session, viewer: Viewer, items: Sequence[Item]) -> Definitions:
    """No statement where none of the records is about a check's definition; else two at most."""
    wanted = [item.facts for item in items if item.kind in (_CHANGED, _REFUSED)]
    pairs = {(f["check"], f["revision"] - back) for f in wanted for back in (0, 1)}
    asked = {f["proposal"] for item in items if item.kind == _REFUSED and (f := item.facts).get("proposal")}
    return Definitions(checks.revisions_at(session, pairs), proposals.changes(session, viewer, asked))
