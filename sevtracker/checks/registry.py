"""The kinds of checks there are: by the entry point ``sevtracker.checks``, built-ins and outsiders' alike."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from sevtracker.checks.interface import Access, Attempt, CheckKind, CheckParams, Locator

GROUP = "sevtracker.checks"
#: Declared in pyproject.toml as well. Here too, so that a new one needs no reinstallation while it is being written.
BUILT_IN = {
    "access_log": "sevtracker.checks.access_log:AccessLogKind",
    "collection_stopped": "sevtracker.checks.collection_stopped:CollectionStoppedKind",
    "command": "sevtracker.checks.command:CommandKind",
    "disclosure": "sevtracker.checks.disclosure:DisclosureKind",
    "encryption": "sevtracker.checks.encryption:EncryptionKind",
    "filesystem": "sevtracker.checks.filesystem:FilesystemKind",
    "http": "sevtracker.checks.http:HttpKind",
    "s3": "sevtracker.checks.s3:S3Kind",
    "sql_grants": "sevtracker.checks.sql_grants:SqlGrantsKind",
    "sql_read": "sevtracker.checks.sql_read:SqlReadKind",
    "tcp": "sevtracker.checks.tcp:TcpKind",
}

log = logging.getLogger(__name__)


class BrokenKind(CheckKind[CheckParams]):
    """Stands in for a plugin that could not be loaded: its checks end ``plugin_error``, and everything else goes on."""

    params = CheckParams

    def __init__(self, name: str, error: str) -> None:
        self.name = name  # type: ignore[misc]  # a stand-in is made for each name
        #: The exception's type and no text: an import error may quote a file.
        self.error = error

    def locate(self, params: CheckParams) -> Locator:
        raise ValueError(f"the plugin of this kind could not be loaded ({self.error})")

    def attempt(self, params: CheckParams, access: Access) -> Attempt:
        raise RuntimeError


def load_kinds() -> Mapping[str, CheckKind[Any]]:
    """Every kind by name. Never raises for a plugin's fault. A name taken twice is the built-in's, else the first's."""
    kinds: dict[str, CheckKind[Any]] = {}
    for entry in _entries():
        if entry.name in kinds:
            if BUILT_IN.get(entry.name) != entry.value:
                log.error("check kind %s is declared twice; %s is ignored", entry.name, entry.value)
            continue
        kinds[entry.name] = _load(entry)
    return kinds


def broken_kinds(kinds: Mapping[str, CheckKind[Any]]) -> dict[str, str]:
    """The kinds that could not be loaded, with the type of the error."""
    return {name: kind.error for name, kind in kinds.items() if isinstance(kind, BrokenKind)}


def _entries() -> Iterator[EntryPoint]:
    for name, value in BUILT_IN.items():
        yield EntryPoint(name, value, GROUP)
    yield from entry_points(group=GROUP)


def _load(entry: EntryPoint) -> CheckKind[Any]:
    try:
        kind = entry.load()()
        if not isinstance(kind, CheckKind) or kind.name != entry.name:
            raise TypeError
    except (Exception, SystemExit) as error:
        log.exception("check kind %s could not be loaded", entry.name)
        return BrokenKind(entry.name, type(error).__name__)
    return kind
