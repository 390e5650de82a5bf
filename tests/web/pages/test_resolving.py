"""Resolving through the page: told beforehand, refused with reasons, or done after the final run."""

from __future__ import annotations

import threading
import time

from sevtracker.worker.service import Worker
from tests.web.pages.conftest import Cast, text_of
from tests.web.world import World


def _closed_and_counted(world: World) -> int:
    """A SEV whose one door was open, was patched, and was seen closed often enough."""
    world.dataset()
    world.check()
    number = world.sev()
    world.drain()
    world.target.status = 403
    world.dana.post(f"/sevs/{number}/patches", {"summary": "Closed"})
    ends = time.monotonic() + 10
    while world.dana.get(f"/sevs/{number}")["exposure"] != "verified":
        assert time.monotonic() < ends
        world.dana.post(f"/sevs/{number}/verify", status=202)
        world.drain()
        threading.Event().wait(0.1)
    return number


def test_the_page_tells_the_blockers_and_a_try_is_refused_with_what_was_typed(cast: Cast) -> None:
    cast.world.dataset()
    number = cast.world.sev()
    assert "No patch has been logged." in cast.dana.open(f"/sevs/{number}/resolve")
    page = cast.dana.send(f"/sevs/{number}/resolve", 409, summary="It is fine")
    assert "Not resolved" in page
    assert "No required check of this SEV can see access closed." in page
    assert "It is fine</textarea>" in page
    assert "Resolving refused" in cast.dana.open(f"/sevs/{number}")


def test_a_summary_is_needed(cast: Cast) -> None:
    cast.world.dataset()
    page = cast.dana.send(f"/sevs/{cast.world.sev()}/resolve", 422, summary=" ")
    assert "This can&#39;t be empty." in page


def test_the_final_run_is_announced_and_made_and_the_sev_resolved(cast: Cast) -> None:
    number = _closed_and_counted(cast.world)
    said = text_of(cast.dana.open(f"/sevs/{number}/resolve"))
    assert "runs each required check once more" in said
    assert "runs when you resolve" in said
    worker = Worker(cast.world.runtime)
    worker.start()
    try:
        page = cast.dana.send(f"/sevs/{number}/resolve", summary="PUBLIC could read it; revoked.")
    finally:
        worker.stop()
    said = text_of(page)
    assert "SEV-1 is resolved" in said
    assert "PUBLIC could read it; revoked." in said
    assert "Resolved" in said


def test_a_door_that_opened_again_is_found_by_the_final_run(cast: Cast) -> None:
    number = _closed_and_counted(cast.world)
    cast.world.target.status = 200
    threads = Worker(cast.world.runtime).dispatcher  # without the clock, which might look before we ask
    threads.start()
    try:
        page = cast.dana.send(f"/sevs/{number}/resolve", 409, summary="Sure")
    finally:
        threads.stop(5.0)
    said = text_of(page)
    assert "anonymous can still read events/primary." in said
    assert "Each required check was run once more." in said


def test_an_admin_does_not_resolve_by_that_role(cast: Cast) -> None:
    cast.world.dataset()
    number = cast.world.sev()
    cast.ada.open(f"/sevs/{number}/resolve", 403)
    cast.ada.send(f"/sevs/{number}/resolve", 403, summary="I may not")
