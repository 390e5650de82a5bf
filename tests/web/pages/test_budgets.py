"""How many statements a page takes: the same whatever there is to show."""

from __future__ import annotations

import pytest

from tests.web.pages.conftest import Cast
from tests.web.world import World

#: Everything of the request, with the one that finds out who asks.
BUDGETS = {
    "/": 6,
    "/live?since=0": 6,
    "/sevs": 4,
    "/sevs?rows=100": 4,
    "/sevs?q=readable&level=SEV3&dataset=events": 4,
    "/sevs/new": 2,
    "/sevs/1": 14,
    "/sevs/1/live?since=0": 12,
    "/sevs/1/resolve": 7,
    "/datasets": 4,
    "/datasets/events": 8,
    "/checks": 3,
    "/checks/1": 16,
    "/checks/1/runs/1": 7,
    "/programmes/mci": 7,
    "/people": 2,
    "/account": 2,
}


@pytest.fixture
def busy(world: World) -> World:
    """One SEV with a story, and 110 more."""
    world.dataset(programme="mci")
    world.check()
    world.check("/other")
    first = world.sev(restricted=True)
    world.dana.post(f"/sevs/{first}/patches", {"summary": "Revoked"})
    world.drain()
    for text in ("One", "Two", "Three"):
        world.erik.ask("POST", f"/sevs/{first}/notes", {"text": text})
        world.dana.post(f"/sevs/{first}/notes", {"text": text})
    for place in range(110):
        world.sev(title=f"Readable {place}")
    return world


def test_every_page_keeps_to_its_budget(cast: Cast, busy: World) -> None:
    spent = {}
    for path in BUDGETS:
        cast.dana.open(path)  # the first may look up what a process keeps
        with busy.statements() as statements:
            cast.dana.open(path)
        spent[path] = len(statements)
        assert statements.commits == 0, path
    assert {p: n for p, n in spent.items() if n > BUDGETS[p]} == {}


def test_a_page_that_is_open_asks_little_while_nothing_changes(
    cast: Cast, busy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = busy.runtime.clock.now()  # an open page is told anew every few seconds: not between these two requests
    monkeypatch.setattr(type(busy.runtime.clock), "now", lambda _self: stopped)
    for path, most in (("/", 2), ("/sevs/1", 2)):
        page = cast.dana.open(path)
        live = page.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
        with busy.statements() as statements:
            cast.dana.open(live, 204)
        assert len(statements) <= most, path
