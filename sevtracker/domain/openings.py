"""What an open door means, in plain words: not every kind of check tries whether its identity reads the data."""

from __future__ import annotations

from collections.abc import Mapping

from sevtracker.domain.vocabulary import Reason

_CAN_READ = "{who} can still read {place}."

_OPEN: Mapping[Reason, str] = {
    Reason.grant_found: "Grants let others than those on the list read {place}.",
    Reason.object_listed: "{who} can still list {place}.",
    Reason.public_grant: "{place} is granted to everybody.",
    Reason.connected: "{who} can still connect to {place}.",
    Reason.still_collecting: "{place} still collects.",
    Reason.undisclosed: "{place} holds something that was not disclosed.",
    Reason.plaintext: "{place} is stored unencrypted, or under another key.",
    Reason.accessed: "Somebody who is not on the list came into {place}.",
    Reason.command_open: "The registered command says that {place} is open.",
}

#: Kinds with one meaning of open, for when the latest run could not tell and its reason says something else.
_OF_KIND: Mapping[str, Reason] = {
    "sql_grants": Reason.grant_found,
    "tcp": Reason.connected,
    "collection_stopped": Reason.still_collecting,
    "disclosure": Reason.undisclosed,
    "encryption": Reason.plaintext,
    "access_log": Reason.accessed,
    "command": Reason.command_open,
}


def special(kind: str, reason: Reason | None) -> str | None:
    """The sentence, with ``{who}`` and ``{place}``, where open means something else than that the identity gets in."""
    if reason is not None and reason in _OPEN:
        return _OPEN[reason]
    return _OPEN[_OF_KIND[kind]] if kind in _OF_KIND else None


def stands_open(kind: str, reason: Reason | None, who: str, place: str) -> str:
    """What a check of ``kind`` that last saw the door open says. ``reason``: of its latest run, whatever that was."""
    return (special(kind, reason) or _CAN_READ).format(who=who, place=place)
