"""Filing a SEV by the form."""

from __future__ import annotations

import re
from typing import Any

from sevtracker.store import datasets, sevs
from tests.web.pages.conftest import Cast, text_of

GIVEN: dict[str, Any] = {"title": "Events readable by all", "dataset": "events", "level": "SEV3"}


def _key(html: str) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', html)
    assert found is not None
    return found[1]


def _count(cast: Cast) -> int:
    with cast.world.runtime.read() as session:
        return len(sevs.listing(session, _viewer(cast), sevs.Filters(), limit=50))


def _viewer(cast: Cast) -> Any:
    from sevtracker.domain.vocabulary import Role
    from sevtracker.store.work import Viewer

    return Viewer(0, Role.auditor)


def test_three_fields_are_enough_and_the_next_step_is_to_reproduce_it(cast: Cast) -> None:
    cast.world.dataset()
    page = cast.dana.send("/sevs", **GIVEN, form_key=_key(cast.dana.open("/sevs/new")))
    said = text_of(page)
    assert "SEV-1 is filed." in said
    assert said.index("Reproduce it") < said.index("Name a commander")
    assert "/checks/new?dataset=events" in page


def test_a_dataset_that_is_not_registered_yet_is_made_with_the_sev(cast: Cast) -> None:
    fields: dict[str, Any] = {
        "title": "Somebody's table",
        "level": "SEV2",
        "new_dataset_slug": "fresh",
        "new_dataset_name": "Fresh",
    }
    assert "Fresh" in text_of(cast.dana.send("/sevs", **fields, form_key="k"))
    assert "None was ever filed" not in text_of(cast.dana.open("/datasets/fresh"))


def test_what_is_wrong_is_named_and_nothing_typed_is_lost(cast: Cast) -> None:
    cast.world.dataset("events")
    cast.world.dataset("payroll")
    page = cast.dana.send(
        "/sevs",
        422,
        title="",
        dataset=["payroll"],
        level="SEV9",
        new_dataset_slug="A B",
        new_dataset_name="My new table",
        exposed_from="yesterday",
        summary="I typed <b>this</b> & want to keep it.",
        restricted="yes",
        form_key="kept",
    )
    said = text_of(page)
    for told in ("This can't be empty.", "Choose one of SEV0 to SEV4.", "Lower case letters", "It means UTC."):
        assert told in said
    assert "I typed &lt;b&gt;this&lt;/b&gt; &amp; want to keep it." in page
    assert 'value="payroll" checked' in page
    assert 'value="events" checked' not in page
    for kept in ("A B", "My new table", "yesterday", "kept"):
        assert f'value="{kept}"' in page
    assert _count(cast) == 0


def test_a_refused_new_dataset_files_nothing_and_a_refused_sev_registers_nothing(cast: Cast) -> None:
    cast.world.dataset("events")
    cast.dana.send("/sevs", 422, **GIVEN, new_dataset_slug="events", form_key="a")
    assert _count(cast) == 0
    cast.dana.send(
        "/sevs", 422, title="x", level="SEV3", new_dataset_slug="fresh", detected_at="2190-01-01T00:00", form_key="b"
    )
    with cast.world.runtime.read() as session:
        assert datasets.by_slug(session, "fresh") is None


def test_pressing_the_button_twice_files_once(cast: Cast) -> None:
    cast.world.dataset()
    key = _key(cast.dana.open("/sevs/new"))
    first = cast.dana.goes_to("/sevs", **GIVEN, form_key=key)
    assert cast.dana.goes_to("/sevs", **GIVEN, form_key=key) == first
    assert cast.dana.goes_to("/sevs", **GIVEN, form_key=_key(cast.dana.open("/sevs/new"))) != first
    assert _count(cast) == 2


def test_a_form_that_was_refused_can_be_sent_again_with_the_same_key(cast: Cast) -> None:
    cast.world.dataset()
    page = cast.dana.send("/sevs", 422, **{**GIVEN, "title": ""}, form_key="one")
    assert cast.dana.goes_to("/sevs", **GIVEN, form_key=_key(page)).startswith("/sevs/1")


def test_times_typed_mean_utc(cast: Cast) -> None:
    cast.world.dataset()
    page = cast.dana.send("/sevs", **GIVEN, exposed_from="2026-06-08T09:00", form_key="k")
    assert "2026-06-08T09:00:00Z" in page


def test_any_field_can_be_filled_in_by_the_address(cast: Cast) -> None:
    cast.world.dataset()
    page = cast.dana.open("/sevs/new", title="From a link", dataset="events", level="SEV2", summary="Because")
    assert 'value="From a link"' in page
    assert 'value="events" checked' in page
    assert 'value="SEV2" checked' in page
    assert "Because" in page


def test_an_auditor_may_not_file(cast: Cast) -> None:
    cast.otto.open("/sevs/new", 403)
    cast.otto.send("/sevs", 403, **GIVEN)
