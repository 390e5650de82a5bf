"""A twin is tried in the same way as the check's target."""

from __future__ import annotations

from typing import Any

import pytest

from sevtracker.checks.interface import Definition, Twins
from sevtracker.checks.probing import validate
from sevtracker.errors import InputError
from tests.checks.sites import World

SQL = {"url": "postgresql://127.0.0.1:5/hr", "table": "tracking.events", "held": True}
GRANTS = {"url": "postgresql://127.0.0.1:5/hr", "table": "tracking.events", "allowed_roles": ["privacy", "report"]}
BUCKET = {"endpoint": "http://127.0.0.1:5", "bucket": "hr", "expected_key": "hr-key"}
WEB = {"url": "http://127.0.0.1:5/people", "method": "HEAD"}


@pytest.mark.parametrize(
    ("kind", "identity", "params", "twin", "field"),
    [
        ("sql_read", "any-employee", SQL, {"table": "t.open", "held": False}, "twins.open.held"),
        ("http", "anonymous", WEB, {"url": "http://127.0.0.1:5/open", "method": "GET"}, "twins.open.method"),
        ("encryption", "anonymous", BUCKET, {"bucket": "plain", "expected_key": "other"}, "twins.open.expected_key"),
    ],
)
def test_a_twin_that_is_tried_in_another_way_is_refused(
    kind: str, identity: str, params: dict[str, Any], twin: dict[str, Any], field: str
) -> None:
    world = World()
    twins = Twins(twin, {name: value for name, value in twin.items() if name in ("table", "url", "bucket")})
    with pytest.raises(InputError) as found:
        validate(world.kinds, world.environment, Definition(kind, identity, None, params, twins=twins))
    assert field in {error.field for error in found.value.errors}


def wrong_lists(of_open: list[str] | None, of_locked: list[str]) -> list[str]:
    """The fields of a check of grants that are wrong, with these lists on its twins."""
    world = World()
    twins = Twins(
        {"table": "t.open", **({} if of_open is None else {"allowed_roles": of_open})},
        {"table": "t.locked", "allowed_roles": of_locked},
    )
    with pytest.raises(InputError) as found:  # of who signs in, whatever the twins are
        validate(world.kinds, world.environment, Definition("sql_grants", "nobody-such", None, GRANTS, twins=twins))
    return [error.field for error in found.value.errors if error.field.startswith("twins")]


def test_whom_the_check_lets_pass_its_open_twin_has_to_let_pass() -> None:
    """Else a twin could be open by the very role that was wrongly put on the check's list."""
    assert wrong_lists(["report"], ["privacy"]) == ["twins.open.allowed_roles"]
    assert wrong_lists([], []) == ["twins.open.allowed_roles"]


def test_a_longer_list_of_the_open_twin_and_any_of_the_locked_one_will_do() -> None:
    assert wrong_lists(["privacy", "report", "keeper"], []) == []
    assert wrong_lists(None, ["privacy"]) == [], "without a list of its own it has the check's"


def test_what_was_disclosed_is_the_check_s_for_its_twins_too() -> None:
    world = World()
    told = {"url": SQL["url"], "table": "tracking.events", "disclosed": ["id"]}
    twins = Twins({"table": "t.open", "disclosed": []}, {"table": "t.locked"})
    with pytest.raises(InputError) as found:
        validate(world.kinds, world.environment, Definition("disclosure", "any-employee", None, told, twins=twins))
    assert [error.field for error in found.value.errors] == ["twins.open.disclosed"]


def test_what_only_informs_takes_no_twins() -> None:
    world = World()
    told = {"url": SQL["url"], "table": "tracking.log", "columns": {"principal": "usr", "at": "ts"}}
    twins = Twins({"table": "t.open"}, {"table": "t.locked"})
    with pytest.raises(InputError) as found:
        validate(world.kinds, world.environment, Definition("access_log", "any-employee", None, told, twins=twins))
    assert "twins" in [error.field for error in found.value.errors]
