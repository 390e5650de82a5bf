"""What people do on a SEV's page."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.pages.conftest import Cast, text_of
from tests.web.world import World


@pytest.fixture
def number(world: World) -> int:
    """An exposed SEV with one check."""
    world.dataset()
    world.check()
    number = world.sev()
    world.drain()
    return number


def _seq(page: str, text: str) -> int:
    """The number of the timeline's entry that has this text."""
    found = re.search(rf'<li id="r-(\d+)"(?:(?!</li>).)*?{re.escape(text)}', page, re.DOTALL)
    assert found is not None
    return int(re.findall(r'<li id="r-(\d+)"', found[0])[-1])


def test_the_page_tells_what_was_seen_and_what_blocks(cast: Cast, number: int) -> None:
    said = text_of(cast.dana.open(f"/sevs/{number}"))
    assert "anonymous at events/primary last got in" in said
    assert "anonymous can still read events/primary." in said
    assert "No patch has been logged." in said
    assert "SEV filed as SEV3" in said


def test_a_note_comes_to_the_timeline_at_its_own_time(cast: Cast, number: int) -> None:
    page = cast.dana.send(f"/sevs/{number}/notes", text="Seen earlier", at="2026-06-08T09:00")
    assert "Seen earlier" in page
    assert "recorded" in text_of(page)


def test_an_empty_note_is_refused_and_keeps_its_time(cast: Cast, number: int) -> None:
    page = cast.dana.send(f"/sevs/{number}/notes", 422, text=" ", at="2026-06-08T09:00")
    assert "This can't be empty." in text_of(page)
    assert 'value="2026-06-08T09:00"' in page


def test_a_note_is_revised_by_its_writer_and_keeps_its_history(cast: Cast, number: int) -> None:
    seq = _seq(cast.dana.send(f"/sevs/{number}/notes", text="First words"), "First words")
    assert "First words</textarea>" in cast.dana.open(f"/sevs/{number}", revise=seq)
    page = cast.dana.send(f"/sevs/{number}/notes/{seq}", text="Better words")
    assert f"Note {seq} revised." in page
    assert re.search(r"Better words</p>.*revised, 1 earlier.*First words", page, re.DOTALL)
    assert f"revise={seq}" not in cast.erik.open(f"/sevs/{number}")
    cast.erik.send(f"/sevs/{number}/notes/{seq}", 403, text="Not mine")
    cast.dana.send(f"/sevs/{number}/notes/1", 404, text="No note")


def test_a_patch_is_logged_and_shown_failed_when_the_door_stays_open(cast: Cast, number: int) -> None:
    assert "Patch 1" in cast.dana.send(f"/sevs/{number}/patches", summary="Revoked", url="https://git.example/1")
    cast.world.drain()
    said = text_of(cast.dana.open(f"/sevs/{number}"))
    assert "Patch 1 failed" in said


def test_a_bad_patch_is_refused_and_kept(cast: Cast, number: int) -> None:
    page = cast.dana.send(f"/sevs/{number}/patches", 422, summary="", url="javascript:alert(1)", applied_at="soon")
    assert page.count('aria-invalid="true"') == 3
    assert 'value="javascript:alert(1)"' in page
    assert 'href="javascript' not in page


def test_facts_are_changed_with_old_and_new_on_the_timeline(cast: Cast, number: int) -> None:
    edit: dict[str, Any] = {
        "title": "A better title",
        "level": "SEV4",
        "commander": "2",
        "summary": "Why",
        "exposed_from": "",
    }
    page = cast.dana.send(f"/sevs/{number}/edit", **edit)
    assert "A better title" in page
    assert re.search(r"<del>SEV3</del>.*<ins>SEV4</ins>", page)
    assert re.search(r"<del>nobody</del>.*<ins>Erik</ins>", page)
    page = cast.dana.send(f"/sevs/{number}/edit", 422, **{**edit, "title": "", "commander": "Bob", "exposed_from": "x"})
    assert page.count('aria-invalid="true"') == 3
    page = cast.dana.send(f"/sevs/{number}/edit", 422, **{**edit, "exposed_from": "2190-01-01T00:00"})
    assert "This lies in the future." in page
    assert 'value="2190-01-01T00:00"' in page


def test_the_72_hours_begin_when_the_page_says_so_and_a_time_that_came_back_as_shown_keeps_its_seconds(
    cast: Cast, number: int
) -> None:
    cast.world.dana.patch(f"/sevs/{number}", {"exposed_from": "2026-06-01T08:00:41Z"})
    edit = {"title": "T", "level": "SEV3", "exposed_from": "2026-06-01T08:00"}
    page = cast.dana.send(f"/sevs/{number}/edit", **edit, aware_at="2026-06-02T09:00")
    assert 'value="2026-06-02T09:00"' in page
    assert cast.world.dana.get(f"/sevs/{number}")["clocks"]["aware_at"].startswith("2026-06-02T09:00:00")
    assert cast.world.dana.get(f"/sevs/{number}")["clocks"]["exposed_from"].startswith("2026-06-01T08:00:41")
    cast.dana.send(f"/sevs/{number}/edit", **edit, aware_at="")
    assert cast.world.dana.get(f"/sevs/{number}")["clocks"]["aware_at"] is None


def test_owed_acts_are_recorded_and_told(cast: Cast, world: World) -> None:
    world.dataset()
    number = world.sev(level="SEV1")
    assert "owed" in text_of(cast.dana.open(f"/sevs/{number}"))
    cast.erik.send(f"/sevs/{number}/retest", 403, evidence="It is gone")
    cast.dana.send(f"/sevs/{number}/retest", evidence="It is gone")
    cast.dana.send(f"/sevs/{number}/access-review", no_logs="yes")
    page = cast.dana.send(f"/sevs/{number}/sessions-handled", evidence="412 sessions ended")
    for told in ("It is gone", "No logs exist for that time", "412 sessions ended"):
        assert told in page
    assert "Only the reporter, Dana" not in page
    refused = cast.dana.send(f"/sevs/{number}/sessions-handled", 422, evidence=" ")
    assert "Say what was done, and what was found." in refused


def test_status_moves_by_the_forms_and_a_wrong_move_is_a_conflict(cast: Cast, number: int) -> None:
    page = cast.dana.send(f"/sevs/{number}/dismiss", 409, reason="Not real")
    assert "exposed can&#39;t be dismissed" in page
    assert "Not real</textarea>" in page
    cast.dana.send(f"/sevs/{number}/close", 409, reason="Reviewed")
    page = cast.dana.send(f"/sevs/{number}/dismiss", 422, reason="Same", duplicate_of="SEV-99")
    assert "There is no other SEV with this number" in page
    other = cast.world.sev()
    assert "Dismissed" in cast.dana.send(f"/sevs/{number}/dismiss", reason="Same", duplicate_of=f"SEV-{other}")
    assert f'Duplicate of <a href="/sevs/{other}">' in cast.dana.open(f"/sevs/{number}")
    assert "Reopened" in cast.dana.send(f"/sevs/{number}/reopen", reason="It is another one")


def test_running_the_checks_asks_for_every_one(cast: Cast, number: int) -> None:
    assert "Asked for: 1 check." in cast.dana.send(f"/sevs/{number}/verify")
    assert cast.world.drain() == 1


def test_the_timeline_is_filtered_by_kind_and_by_people_or_machine(cast: Cast, number: int) -> None:
    cast.dana.send(f"/sevs/{number}/notes", text="By a person")
    notes = cast.dana.open(f"/sevs/{number}", kind="notes")
    assert "By a person" in notes
    assert "SEV filed as SEV3" not in notes
    machine = cast.dana.open(f"/sevs/{number}", by="machine")
    assert "By a person" not in machine
    assert "Exposure went from unverified to exposed." in machine
    assert "hidden" in text_of(machine)
    people = cast.dana.open(f"/sevs/{number}", by="people", order="oldest")
    assert "Exposure went" not in people
    assert people.index("SEV filed as SEV3") < people.index("By a person")


def test_a_long_timeline_goes_on_at_its_cursor(cast: Cast, number: int) -> None:
    for place in range(60):
        cast.world.dana.post(f"/sevs/{number}/notes", {"text": f"Note number {place}."})
    page = cast.dana.open(f"/sevs/{number}")
    assert "Note number 59." in page
    assert "Note number 3." not in page
    older = re.search(r'id="to-more" href="([^"#]+)', page)
    assert older is not None
    page = cast.dana.open(older[1].replace("&amp;", "&"))
    assert "Note number 3." in page
    assert "Note number 59." not in page
    live = re.search(r'hx-get="([^"]+)"', page)
    assert live is not None
    assert "before=" in live[1]


def test_the_live_part_says_nothing_until_something_changed(
    cast: Cast, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = cast.world.runtime.clock.now()  # it is told anew every few seconds: not between these requests
    monkeypatch.setattr(type(cast.world.runtime.clock), "now", lambda _self: stopped)
    page = cast.dana.open(f"/sevs/{number}")
    live = re.search(r'hx-get="([^"]+)"', page)
    assert live is not None
    path = live[1].replace("&amp;", "&")
    cast.dana.open(path, 204)
    cast.world.dana.post(f"/sevs/{number}/notes", {"text": "Something new"})
    fragment = cast.dana.open(path)
    assert "Something new" in fragment
    assert fragment.count('hx-swap-oob="true"') == 9
    assert "<form" not in fragment
    assert "<html" not in fragment


def test_who_may_only_read_is_offered_no_form(cast: Cast, number: int) -> None:
    page = cast.otto.open(f"/sevs/{number}")
    forms = set(re.findall(r'<form[^>]*action="([^"]+)"', page))
    assert forms == {"/sevs", "/theme", "/sign-out"}
    cast.otto.send(f"/sevs/{number}/notes", 403, text="Not I")
