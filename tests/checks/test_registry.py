"""Kinds come by entry points, and a broken one of an outsider's stops nobody."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from sevtracker.checks import registry
from sevtracker.checks.http import HttpKind
from tests.checks.sites import World, outcome


def outsiders(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    found = [EntryPoint(name, value, registry.GROUP) for name, value in values.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)


def test_the_built_in_kinds_are_there() -> None:
    kinds = registry.load_kinds()
    assert {"http", "sql_read"} <= set(kinds)
    assert registry.broken_kinds(kinds) == {}
    assert all(kind.name == name for name, kind in kinds.items())


@pytest.mark.parametrize(
    "value", ["no.such.module:Kind", "sevtracker.checks.http:Nothing", "builtins:object", "os:getcwd"]
)
def test_a_broken_plugin_is_reported_and_its_checks_end_plugin_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    outsiders(monkeypatch, theirs=value)
    kinds = registry.load_kinds()
    assert set(registry.broken_kinds(kinds)) == {"theirs"}
    assert "theirs" in caplog.text
    assert outcome(World(kinds=kinds).look("theirs", {})) == ("inconclusive", "plugin_error")


def test_a_plugin_cannot_take_a_built_in_kinds_name(monkeypatch: pytest.MonkeyPatch) -> None:
    outsiders(monkeypatch, http="sevtracker.checks.sql_read:SqlReadKind")
    assert isinstance(registry.load_kinds()["http"], HttpKind)
