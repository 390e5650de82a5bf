"""Home: alarms are taken off by who saw them, and by nobody who only reads."""

from __future__ import annotations

import re

from tests.web.pages.conftest import Cast, text_of


def _notices(page: str) -> str:
    found = re.search(r'name="notices" value="([^"]+)"', page)
    return found[1] if found else ""


def test_an_alarm_is_taken_off_with_the_older_ones_it_stands_for(cast: Cast) -> None:
    world = cast.world
    world.dataset()
    world.check()
    number = world.sev()
    world.drain()
    for summary in ("First", "Second"):
        world.dana.post(f"/sevs/{number}/patches", {"summary": summary})
        world.drain()
    page = cast.dana.open("/")
    assert "Patch failed" in text_of(page)
    assert len(_notices(page).split()) == 2
    assert _notices(cast.otto.open("/")) == ""
    cast.otto.send("/alarms/seen", 403, notices=_notices(page))
    page = cast.dana.send("/alarms/seen", notices=_notices(page))
    assert "The record says that you have seen it." in text_of(page)
    assert "Patch failed" not in text_of(page)
    assert "Notice acknowledged: failed." in text_of(cast.dana.open(f"/sevs/{number}"))
    cast.dana.send("/alarms/seen", 404, notices="none-such")
