"""Editing and retiring copies on a dataset's page, and through the API."""

from __future__ import annotations

import pytest

from tests.web.pages.conftest import Cast, text_of
from tests.web.world import World


@pytest.fixture
def events(world: World) -> World:
    """A dataset with a primary and a tape."""
    world.dataset(copies=[{"slug": "primary"}, {"slug": "tape", "kind": "backup", "location": "vault 1"}])
    return world


def test_a_copy_is_edited_on_the_page(cast: Cast, events: World) -> None:
    page = cast.dana.open("/datasets/events")
    assert 'value="vault 1"' in page
    said = text_of(cast.dana.send("/datasets/events/copies/tape/edit", kind="backup", location="vault 2"))
    assert "The copy tape is changed. Its checks look where they looked before." in said
    assert "vault 2" in said


def test_a_password_in_a_location_is_refused_and_nothing_else_is_lost(cast: Cast, events: World) -> None:
    page = cast.dana.send("/datasets/events/copies/tape/edit", 422, kind="kept", location="postgresql://a:b@db/hr")
    assert 'value="kept"' in page
    assert 'id="c-tape-location-error"' in page


def test_a_copy_is_retired_with_a_reason(cast: Cast, events: World) -> None:
    assert "This can't be empty." in text_of(cast.dana.send("/datasets/events/copies/tape/retire", 422, reason=" "))
    said = text_of(cast.dana.send("/datasets/events/copies/tape/retire", reason="Shredded"))
    assert "Retired: tape" in said
    assert "Edit or retire tape" not in said
    assert "1 copy" in text_of(cast.dana.open("/datasets"))


def test_what_is_in_the_way_is_told(cast: Cast, events: World) -> None:
    number = events.sev()
    page = cast.dana.send("/datasets/events/copies/tape/retire", 409, reason="Shredded")
    assert f"can't be retired: SEV-{number} on this dataset is not over." in text_of(page)
    assert "Shredded</textarea>" in page


def test_an_auditor_finds_no_such_form(cast: Cast, events: World) -> None:
    assert "Edit or retire" not in cast.otto.open("/datasets/events")
    cast.otto.send("/datasets/events/copies/tape/retire", 403, reason="Shredded")


def test_the_api_edits_and_retires(events: World) -> None:
    changed = events.dana.patch("/datasets/events/copies/tape", {"location": "vault 3"})
    assert {"slug": "tape", "kind": "backup", "location": "vault 3", "retired_at": None} in changed["copies"]
    refused = events.dana.patch("/datasets/events/copies/tape", {"location": "https://u:p@x"}, 422)
    assert [e["field"] for e in refused["errors"]] == ["location"]
    events.otto.patch("/datasets/events/copies/tape", {"location": "x"}, 403)
    answer = events.dana.ask("DELETE", "/datasets/events/copies/tape", {"reason": "Shredded"})
    assert answer.status_code == 200
    told = answer.get_json()
    assert told["copy_count"] == 1
    assert next(c for c in told["copies"] if c["slug"] == "tape")["retired_at"]
    assert events.dana.ask("DELETE", "/datasets/events/copies/primary", {"reason": "x"}).status_code == 409
    assert events.dana.ask("DELETE", "/datasets/events/copies/none", {"reason": "x"}).status_code == 404
