"""A twin is tried in the same way as the check's target."""

from __future__ import annotations

from typing import Any

import pytest

from sevtracker.checks.interface import Definition, Twins
from sevtracker.checks.probing import validate
from sevtracker.errors import InputError
from tests.checks.sites import World

SQL = {"url": "postgresql://127.0.0.1:5/hr", "table": "tracking.events", "held": True}
WEB = {"url": "http://127.0.0.1:5/people", "method": "HEAD"}


@pytest.mark.parametrize(
    ("kind", "identity", "params", "twin", "field"),
    [
        ("sql_read", "any-employee", SQL, {"table": "t.open", "held": False}, "twins.open.held"),
        ("http", "anonymous", WEB, {"url": "http://127.0.0.1:5/open", "method": "GET"}, "twins.open.method"),
    ],
)
def test_a_twin_that_is_tried_in_another_way_is_refused(
    kind: str, identity: str, params: dict[str, Any], twin: dict[str, Any], field: str
) -> None:
    world = World()
    twins = Twins(twin, {name: value for name, value in twin.items() if name in ("table", "url")})
    with pytest.raises(InputError) as found:
        validate(world.kinds, world.environment, Definition(kind, identity, None, params, twins=twins))
    assert field in {error.field for error in found.value.errors}
