"""A SEV's timeline: its records with filters, notes in their latest words, deep links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import request

from sevtracker.domain.sentences import sentence
from sevtracker.store import timeline
from sevtracker.store.session import Session
from sevtracker.store.timeline import OF_BOTH, OF_THE_MACHINE, Item
from sevtracker.web.contexts import Change, EntryTone, KindGroup, Revision, Timeline, TimelineEntry
from sevtracker.web.pages.names import whole
from sevtracker.web.pages.sev_changes import Definitions

A_PAGE = 50

#: A filter's name and label, and the kinds (prefixes) that it takes. What no other takes belongs to the last.
GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "evidence": ("evidence", ("check:", "exposure:")),
    "patches": ("patches", ("patch:",)),
    "notes": ("notes", ("note:",)),
    "changes": ("changes", ("sev:", "gate:", "act:", "dataset:", "waiver:", "attestation:", "decision:")),
}

_TONES: Mapping[str, EntryTone] = {
    "check:opened": "bad",
    "patch:failed": "bad",
    "patch:unverified": "bad",
    "sev:reopened": "bad",
    "check:closed": "good",
    "patch:held": "good",
    "sev:resolved": "good",
    "sev:closed": "good",
    "check:blind": "doubt",
    "check:halted": "doubt",
    "check:control_halted": "doubt",
    "gate:refused": "doubt",
    "check:change_refused": "doubt",
    "waiver:granted": "doubt",
    "waiver:expired": "doubt",
    "attestation:expired": "doubt",
    "patch:partial": "doubt",
    "patch:claimed": "patch",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. ``at``: where this page of the timeline begins; None: at its end."""

    kind: tuple[str, ...]
    by: Literal["all", "people", "machine"]
    order: Literal["newest", "oldest"]
    at: int | None

    @property
    def shown(self) -> tuple[str, ...]:
        return self.kind or tuple(GROUPS)


def asked() -> Asked:
    """From the request's arguments. What is none of ours is ignored."""
    kind = tuple(name for name in GROUPS if name in request.args.getlist("kind"))
    by = request.args.get("by")
    at = request.args.get("before", "")
    return Asked(
        kind=() if len(kind) == len(GROUPS) else kind,
        by="people" if by == "people" else "machine" if by == "machine" else "all",
        order="oldest" if request.args.get("order") == "oldest" else "newest",
        at=whole(at, most=16),
    )


def read(session: Session, number: int, wanted: Asked) -> list[Item]:
    """One page of records and one more, if there are that many. One statement."""
    prefixes = [prefix for name in wanted.kind for prefix in GROUPS[name][1]]
    newest = wanted.order == "newest"
    return timeline.records(
        session,
        number,
        limit=A_PAGE + 1,
        before=wanted.at if newest else None,
        after=None if newest else wanted.at,
        newest_first=newest,
        kinds=prefixes,
        by_machine=None if wanted.by == "all" else wanted.by == "machine",
    )


def build(
    found: Sequence[Item],
    wanted: Asked,
    tally: Mapping[str, int],
    revised: Mapping[int, Sequence[Item]],
    names: Mapping[str, str],
    mine: str | None,
    definitions: Definitions,
) -> Timeline:
    """``revised``: each note's revisions, oldest first. ``names`` by pseudonym. ``mine``: who may revise theirs."""
    shown = found[:A_PAGE]
    total = sum(tally.values())
    in_sight = sum(count for kind, count in tally.items() if _group(kind) in wanted.shown and _by(kind, wanted.by))
    return Timeline(
        entries=tuple(_entry(item, revised.get(item.seq, ()), names, mine, definitions) for item in shown),
        groups=tuple(_groups(wanted, tally)),
        kind=wanted.kind,
        by=wanted.by,
        order=wanted.order,
        hidden=total - in_sight,
        total=total,
        before=str(shown[-1].seq) if len(found) > A_PAGE else None,
        at=None if wanted.at is None else str(wanted.at),
    )


def _group(kind: str) -> str:
    return next((name for name, (_, prefixes) in GROUPS.items() if kind.startswith(prefixes)), "changes")


def _by(kind: str, by: str) -> bool:
    if by == "all" or kind in OF_BOTH:
        return True
    return (kind in OF_THE_MACHINE) == (by == "machine")


def _groups(wanted: Asked, tally: Mapping[str, int]) -> Iterator[KindGroup]:
    for name, (label, _) in GROUPS.items():
        count = sum(number for kind, number in tally.items() if _group(kind) == name)
        on = name in wanted.shown
        rest = tuple(n for n in GROUPS if (n in wanted.shown) != (n == name))
        if count:
            yield KindGroup(name, label, count, on, () if len(rest) == len(GROUPS) else rest)


# ---- one entry ---------------------------------------------------------------------------------------------------


def _entry(
    item: Item,
    revisions: Sequence[Item],
    names: Mapping[str, str],
    mine: str | None,
    definitions: Definitions,
) -> TimelineEntry:
    note = item.kind == "note:added"
    words = [item, *revisions]
    earlier = tuple(Revision(i.text or "", i.recorded_at, names.get(i.actor_pid, i.actor_name)) for i in words[:-1])
    return TimelineEntry(
        seq=item.seq,
        kind=item.kind,
        at=item.at,
        recorded_at=item.recorded_at,
        actor=_actor(item, names),
        machine=item.by_machine or item.kind in OF_THE_MACHINE,
        text=(words[-1].text or "") if note else _text(item),
        tone=_tone(item),
        changes=tuple(definitions.changes(item, names) or _changes(item, names)),
        revisions=tuple(reversed(earlier)) if note else (),
        backdated=(item.recorded_at - item.at).total_seconds() > 60 and not item.kind.startswith("check:"),
        revisable=note and mine is not None and item.actor_pid == mine,
        check=item.facts.get("check"),
        run=item.facts.get("run"),
    )


def _tone(item: Item) -> EntryTone:
    excepted = item.kind == "sev:resolved" and (item.facts.get("exceptions") or item.facts.get("attested"))
    return "doubt" if excepted else _TONES.get(item.kind, "plain")


def _actor(item: Item, names: Mapping[str, str]) -> str:
    """What evidence makes of somebody's act is the tracker's own doing, and their occasion."""
    name = names.get(item.actor_pid, item.actor_name)
    return f"sevtracker, as {name} acted" if item.kind in OF_THE_MACHINE and not item.by_machine else name


def _text(item: Item) -> str:
    told = sentence(item.kind, item.facts)
    if item.kind in ("sev:changed", "note:revised") or not item.text:
        return told
    return f"{told}\n{item.text}"


def _changes(item: Item, names: Mapping[str, str]) -> Iterator[Change]:
    """What a change was from and to. Titles and summaries are in the record's text, one a line."""
    if item.kind not in ("sev:changed", "check:changed", "check:change_refused"):
        return
    for name, change in item.facts.get("changed", item.facts).items():
        if name == "fingerprint":  # of people, only what it was made of
            continue
        if name == "twins":
            yield Change("canary twins", "changed")
        elif isinstance(change, Mapping) and "old" in change and "new" in change:
            blank = "nobody" if name == "commander" else "nothing"
            yield Change(_label(name), _word(change["new"], names, blank), _word(change["old"], names, blank))
        elif name == "members" and isinstance(change, Mapping):
            for what, pids in change.items():
                yield from (Change(f"person {what}", names.get(pid, "somebody")) for pid in pids)
        elif name == "datasets" and isinstance(change, Mapping):
            yield Change("datasets added", ", ".join(change.get("added", ())))
    for line in (item.text or "").splitlines() if item.kind == "sev:changed" else ():
        name, colon, rest = line.partition(": ")
        old, arrow, new = rest.partition(" -> ")
        if colon and arrow and name in ("title", "summary"):
            yield Change(name, new or "nothing", old or "nothing")


def _label(name: str) -> str:
    return name.replace("_", " ")


def _word(value: Any, names: Mapping[str, str], blank: str) -> str:
    match value:
        case None:
            return blank
        case True:
            return "yes"
        case False:
            return "no"
    text = str(value)
    return names.get(text, text)


def pids_in(found: Sequence[Item]) -> Iterator[str]:
    """Everybody whom these records name, as actors or in a change."""
    for item in found:
        yield item.actor_pid
        if isinstance(proposer := item.facts.get("proposed_by"), str):
            yield proposer
        if item.kind == "sev:changed":
            commander, members = item.facts.get("commander"), item.facts.get("members")
            if isinstance(commander, Mapping):
                yield from (pid for pid in (commander.get("old"), commander.get("new")) if pid)
            if isinstance(members, Mapping):
                yield from (pid for pids in members.values() for pid in pids)
