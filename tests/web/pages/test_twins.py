"""Canary twins on the pages: written into the form, told on the check's page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sevtracker.config import Settings
from sevtracker.store.tables import Check
from sevtracker.web.pages.check_proof import proof_shown
from tests.web.pages.conftest import Cast, text_of
from tests.web.world import World
from tests.worker.targets import MARKER

NOW = datetime(2026, 6, 18, 9, tzinfo=UTC)


def _fields(world: World, **more: Any) -> dict[str, Any]:
    where = {"kind": "http", "dataset": "events", "copy": "primary", "identity": "anonymous", "control": "owner"}
    return {**where, "required": "true", "params.url": world.target.url("/"), "params.marker": MARKER, **more}


def test_twins_are_written_a_parameter_a_line_and_kept_over_an_edit(cast: Cast) -> None:
    world = cast.world
    world.dataset()
    both = {f"twins.{which}": f"url = {world.target.url('/' + which)}" for which in ("open", "locked")}
    said = text_of(cast.dana.send("/checks", **_fields(world, **both)))
    assert "open twin url = http" in said
    assert "its twins have not been looked at" in said
    page = cast.dana.open("/checks/1/edit")
    assert both["twins.open"] in page
    kept = {key: value for key, value in _fields(world, **both).items() if key not in ("kind", "dataset", "copy")}
    cast.dana.send("/checks/1/edit", **{**kept, "twins.open": "", "twins.locked": "", "reason": "No canaries there"})
    assert world.dana.get("/checks/1")["twins"] is None


def test_a_wrong_twin_is_told_at_its_field_with_the_parameter(cast: Cast) -> None:
    world = cast.world
    world.dataset()
    for text, told in (
        ("url: x", "Write a parameter a line, as url ="),
        ("colour = red", "colour: Extra inputs"),
        ("url = http://127.0.0.2:9/x", "url: A twin has to be on the very server"),
        ("", "Say where it is."),
    ):
        given = {"twins.open": text, "twins.locked": f"url = {world.target.url('/locked')}"}
        page = cast.dana.send("/checks", 422, **_fields(world, **given))
        assert told in text_of(page), told
        assert "Open twin" in page


def test_the_page_says_how_it_stands_and_what_would_change_it(cast: Cast) -> None:
    world = cast.world
    world.dataset()
    world.check()
    world.target.status = 403
    world.drain()
    said = text_of(cast.dana.open("/checks/1"))
    assert "Unproven : it never saw this door open" in said
    assert "Canary twins are named by hand" in said
    assert "Canary twins are named by hand" not in text_of(cast.otto.open("/checks/1"))
    both = {which: {"url": world.target.url(f"/{which}")} for which in ("open", "locked")}
    world.dana.patch("/checks/1", {"twins": both})
    world.drain()
    assert "When it last looked, the open twin was closed (denied)" in text_of(cast.dana.open("/checks/1"))
    world.target.status = 200
    world.dana.post("/checks/1/run", status=202)
    world.drain()
    assert "Proven: seen open on" in text_of(cast.dana.open("/checks/1"))


def test_making_twins_of_a_kind_that_takes_none_says_so_on_the_page(cast: Cast) -> None:
    cast.world.dataset()
    cast.world.check()
    said = text_of(cast.dana.send("/checks/1/twins", 409, keeper="owner"))
    assert "Name two places on the same server by hand" in said
    assert "made by sevtracker" in text_of(cast.dana.send("/checks/1/twins/drop", 409))


def _check(**told: Any) -> Check:
    given = {"kind": "sql_read", "identity": "staff", "fingerprint": "f", "locator": "l", "target": "t", "name": "n"}
    return Check(dataset_id=1, copy_id=1, params={}, created_at=NOW, **{**given, **told})


def test_a_proof_on_twins_is_shown_with_its_end() -> None:
    proved = NOW - timedelta(hours=2)
    shown = proof_shown(_check(proved_at=proved), None, Settings(), NOW)
    assert (shown.on_twins, shown.twins_until) == (True, proved + timedelta(days=7))
    ended = proof_shown(_check(proved_at=proved), None, Settings(), NOW + timedelta(days=7))
    assert (ended.on_twins, ended.ended) == (False, True)


def test_twins_can_be_made_where_we_can_and_none_were_named_by_hand() -> None:
    by_hand = {"open": {"table": "a.b"}, "locked": {"table": "a.c"}}
    assert proof_shown(_check(), None, Settings(), NOW).can_be_made
    assert not proof_shown(_check(twins=by_hand), None, Settings(), NOW).can_be_made
    assert not proof_shown(_check(kind="http"), None, Settings(), NOW).can_be_made
