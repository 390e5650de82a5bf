"""Every page opens, for everybody who may see it, on an empty tracker and on one with a story in it."""

from __future__ import annotations

from tests.web.pages.conftest import Cast, text_of

EMPTY = ("/", "/sevs", "/sevs/new", "/datasets", "/datasets/new", "/checks", "/checks/new", "/people", "/account")


def test_an_empty_tracker_teaches_the_first_step(cast: Cast) -> None:
    for path in EMPTY:
        cast.dana.open(path)
    assert "Here is how it begins" in cast.dana.open("/")


def test_every_page_opens_once_there_is_a_story(cast: Cast) -> None:
    world = cast.world
    world.dataset(programme="mci")
    check = world.check()
    number = world.sev()
    world.drain()
    for who in (cast.dana, cast.vera, cast.ada):
        for path in (*EMPTY, f"/sevs/{number}", "/datasets/events", "/datasets/events/edit", "/programmes/mci"):
            who.open(path)
        who.open(f"/checks/{check}")
        who.open(f"/checks/{check}/edit")
        who.open(f"/checks/{check}/runs/1")
    cast.dana.open(f"/sevs/{number}/resolve")
    for kind in ("http", "sql_read"):
        cast.dana.open("/checks/new", kind=kind)
    assert "exposed" in text_of(cast.dana.open("/"))
    cast.otto.open("/settings")
    cast.ada.open("/settings")
