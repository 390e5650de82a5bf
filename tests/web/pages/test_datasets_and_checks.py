"""Registering datasets, pointing checks at them, changing and disabling those."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sevtracker.domain.vocabulary import Reason
from sevtracker.store.tables import Check, SignIn
from tests.web.pages.conftest import Cast, text_of
from tests.web.world import World
from tests.worker.targets import MARKER


def _fields(world: World, **more: Any) -> dict[str, Any]:
    where = {"kind": "http", "dataset": "events", "copy": "primary", "identity": "anonymous", "control": "owner"}
    return {**where, "required": "true", "params.url": world.target.url("/"), "params.marker": MARKER, **more}


def test_a_dataset_is_registered_with_its_programme_and_changed(cast: Cast) -> None:
    given: dict[str, Any] = {
        "slug": "events",
        "name": "Events",
        "owner": "Aïsha",
        "programme": "mci",
        "disclosed_fields": "a\n\nb ",
    }
    said = text_of(cast.dana.send("/datasets", **given))
    assert "Events is registered." in said
    assert "a, b" in said
    cast.dana.send("/datasets/events/edit", name="Better name", programme="", disclosed_fields="")
    said = text_of(cast.dana.open("/datasets/events"))
    assert "Better name" in said
    assert "no owner" in said
    assert "mci" not in said.replace("mci-", "")


def test_a_refused_dataset_names_each_field_and_keeps_what_was_typed(cast: Cast) -> None:
    page = cast.dana.send("/datasets", 422, slug="A B", name="", description="A <i>story</i>")
    assert page.count('aria-invalid="true"') == 2
    assert "A &lt;i&gt;story&lt;/i&gt;" in page
    assert 'value="A B"' in page
    cast.world.dataset()
    assert "There is a dataset" in text_of(cast.dana.send("/datasets", 422, slug="events", name="Again"))
    assert 'aria-invalid="true"' in cast.dana.send("/datasets/events/edit", 422, name="")


def test_a_copy_is_registered_and_nothing_looks_at_it_yet(cast: Cast) -> None:
    cast.world.dataset()
    page = cast.dana.send("/datasets/events/copies", slug="nightly", kind="export", location="bucket://x")
    assert "Nothing looks at this copy." in page
    page = cast.dana.send("/datasets/events/copies", 422, slug="nightly", kind="export", location="kept")
    assert 'value="kept"' in page


def test_lists_are_narrowed_and_paged(cast: Cast) -> None:
    for place in range(60):
        cast.world.dana.post("/datasets", {"slug": f"d{place:02}", "name": f"Dataset {place}", "owner": "Ops"})
    page = cast.dana.open("/datasets")
    assert "d49" in page
    assert "d50" not in page
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    page = cast.dana.open(older[1].replace("&amp;", "&"))
    assert "d50" in page
    newer = re.search(r'rel="prev" href="([^"]+)"', page)
    assert newer is not None
    assert "d00" in cast.dana.open(newer[1].replace("&amp;", "&"))
    assert "d07" in cast.dana.open("/datasets", q="Dataset 7")


def test_a_check_is_added_run_and_told_in_plain_words(cast: Cast) -> None:
    world = cast.world
    world.dataset()
    page = cast.dana.send("/checks", **_fields(world))
    assert "A run is under way." in text_of(page)
    world.drain()
    said = text_of(cast.dana.open("/checks/1"))
    assert "proven yes" in said
    said = text_of(cast.dana.open("/checks/1/runs/1"))
    assert "The answer that anonymous got holds the marker of the exposed content." in said
    assert "Not needed: an open door speaks for itself." in said
    assert "What would change it: Closing it" in said
    world.target.status = 403
    cast.dana.send("/checks/1/run")
    world.drain()
    said = text_of(cast.dana.open("/checks/1/runs/2"))
    assert "Anonymous was denied at the target itself, while owner got in." in said
    assert "Positive control" in said
    assert "anonymous" in cast.dana.open("/checks", verdict="closed")
    assert "No check matches." in cast.dana.open("/checks", verdict="open")


def test_parameters_are_asked_for_by_the_kinds_own_model(cast: Cast) -> None:
    cast.world.dataset()
    page = cast.dana.open("/checks/new", kind="http", dataset="events")
    for name in ("url", "method", "marker", "signin_hosts", "login_signature", "timeout"):
        assert f'name="params.{name}"' in page
    page = cast.dana.open("/checks/new", kind="sql_read")
    assert 'type="checkbox" id="params.rls_is_fix"' in page
    assert 'name="params.table"' in page


def test_a_refused_check_names_every_field_and_keeps_what_was_typed(cast: Cast) -> None:
    cast.world.dataset()
    bad = {"params.url": "ftp://nowhere", "params.timeout": "soon", "identity": "nobody-here", "name": "My name"}
    page = cast.dana.send("/checks", 422, **_fields(cast.world, **bad))
    for name in ("params.url", "params.timeout", "identity"):
        assert f'href="#{name}"' in page
    for kept in ("ftp://nowhere", "soon", "My name", MARKER):
        assert f'value="{kept}"' in page
    assert "There is no dataset" in text_of(cast.dana.send("/checks", 422, **_fields(cast.world, dataset="gone")))
    outside = _fields(cast.world, **{"params.url": "http://169.254.169.254/latest"})
    assert 'href="#params.url"' in cast.dana.send("/checks", 422, **outside)


def test_a_change_is_a_revision_with_its_reason_and_voids_proof(cast: Cast) -> None:
    cast.world.dataset()
    cast.world.check()
    cast.world.target.status = 403
    cast.world.drain()
    edit = {k: v for k, v in _fields(cast.world).items() if k not in ("kind", "dataset", "copy")}
    changed = {**edit, "params.marker": "another marker", "reason": "The page changed."}
    said = text_of(cast.dana.send("/checks/1/edit", **changed))
    assert "Saved as revision 2." in said
    assert "voids proof and streak" in said
    assert "The page changed." in said
    page = cast.dana.send("/checks/1/edit", 422, **{**changed, "params.url": "nonsense", "reason": "Kept"})
    assert 'value="nonsense"' in page
    assert "Kept</textarea>" in page


@pytest.mark.parametrize("status", [200, 403])
def test_only_a_check_that_does_not_see_the_door_open_can_be_disabled(cast: Cast, status: int) -> None:
    cast.world.dataset()
    cast.world.check()
    cast.world.target.status = status
    cast.world.drain()
    if status == 200:
        page = cast.dana.send("/checks/1/disable", 409, reason="It annoys")
        assert "This check last saw the door open." in page
        assert "It annoys</textarea>" in page
        return
    cast.dana.send("/checks/1/disable", 422, reason="")
    assert "disabled" in text_of(cast.dana.send("/checks/1/disable", reason="Retired"))
    assert "A run is under way" in text_of(cast.dana.send("/checks/1/enable"))


def test_whoever_wrote_the_patch_may_not_weaken_what_judges_it(cast: Cast) -> None:
    cast.world.dataset()
    cast.world.check()
    number = cast.world.sev()
    cast.world.target.status = 403
    cast.world.drain()
    cast.dana.send(f"/sevs/{number}/patches", summary="Mine")
    assert "This check gates a patch of yours." in cast.dana.open("/checks/1/edit")
    assert "This check gates" not in cast.erik.open("/checks/1/edit")
    said = text_of(cast.dana.send("/checks/1/disable", 403, reason="It annoys"))
    assert "The attempt is recorded; it waits as proposal 1 for a second person." in said
    assert "somebody else has to decide" in said
    assert "/checks/1/proposals/1/approve" not in cast.dana.open("/checks/1")
    assert "Change of a check refused" in text_of(cast.vera.open("/"))
    edit = {k: v for k, v in _fields(cast.world).items() if k not in ("kind", "dataset", "copy")}
    said = text_of(cast.dana.send("/checks/1/edit", 403, **{**edit, "params.marker": "other", "reason": "Moved"}))
    assert "waits as proposal 2" in said
    page = cast.erik.open("/checks/1")
    assert '<del class="mono">' + MARKER in page
    assert "Denying needs a reason." in page
    assert "This can't be empty." in text_of(cast.erik.send("/checks/1/proposals/2/deny", 422, reason=""))
    said = text_of(cast.erik.send("/checks/1/proposals/2/approve", reason="I looked"))
    assert "Approved. The check is at revision 2 now." in said
    assert "I looked" in said
    assert "superseded already" in text_of(cast.erik.send("/checks/1/proposals/1/approve", 409, reason=""))
    cast.erik.send("/checks/1/proposals/9/approve", 404, reason="")


def test_a_second_person_denies_and_the_check_stays(cast: Cast) -> None:
    cast.world.dataset()
    cast.world.check()
    number = cast.world.sev()
    cast.world.target.status = 403
    cast.world.drain()
    cast.dana.send(f"/sevs/{number}/patches", summary="Mine")
    cast.dana.send("/checks/1/retire", 403, reason="It annoys")
    page = cast.erik.open("/checks/1")
    assert "Retire this check" in page
    said = text_of(cast.erik.send("/checks/1/proposals/1/deny", reason="It judges your patch"))
    assert "Denied. The check stays as it is." in said
    assert "Waiting for a second person" not in said
    assert "It judges your patch" in text_of(cast.dana.open(f"/sevs/{number}"))
    said = text_of(cast.erik.send("/checks/1/retire", reason="The copy is gone"))
    assert "Retired. What it was and saw is kept." in said
    assert "Enable again" not in said
    assert "/checks/1" not in cast.dana.open("/checks")


def test_a_long_history_is_shown_whole_when_asked_for(cast: Cast) -> None:
    cast.world.dataset()
    check = cast.world.check()
    for n in range(52):
        cast.world.dana.patch(f"/checks/{check}", {"name": f"name {n}"})
    page = cast.dana.open(f"/checks/{check}")
    assert "3 older" in page
    assert "name 0<" not in page
    assert "name 0<" in cast.dana.open(f"/checks/{check}", revisions="all")


def test_a_check_that_stopped_says_why_and_how_it_goes_on(cast: Cast) -> None:
    world = cast.world
    world.dataset()
    world.check()
    world.check("/two", identity="owner", control=None)
    world.drain()
    target = f"127.0.0.1:{world.target.port}"
    with world.runtime.database.writing() as session:
        session.get_one(Check, 2).halted = Reason.auth_failed
        session.add(SignIn(identity="owner", target=target, failures=2, halted_at=world.runtime.clock.now()))
    said = text_of(cast.dana.open("/checks/1"))
    assert f"owner, the control, is not tried at {target} any more." in said
    said = text_of(cast.dana.open("/checks/2"))
    assert f"owner is not tried at {target} any more." in said
    assert "The credentials are mended: try once" in said
    cast.dana.send("/checks/2/run")
    world.drain()
    assert "not tried" not in text_of(cast.dana.open("/checks/1"))


def test_what_is_not_there_is_a_page_not_found(cast: Cast) -> None:
    for path in ("/datasets/none", "/checks/9", "/checks/9/edit", "/checks/9/runs/1", "/programmes/none", "/sevs/9"):
        cast.dana.open(path, 404)
    cast.dana.open("/sevs/99999999999999999999", 404)
    cast.dana.send("/checks/9/run", 404)


def test_a_run_says_whether_it_counted_and_why_not(cast: Cast) -> None:
    world = cast.world
    world.dataset()
    world.check()
    number = world.sev()
    world.drain()
    world.target.status = 403
    world.dana.post("/checks/1/run", status=202)
    world.drain()
    [shut] = [run["id"] for run in world.dana.get("/checks/1/runs")["items"] if run["verdict"] == "closed"]
    said = text_of(cast.dana.open(f"/checks/1/runs/{shut}"))
    assert f"not for SEV-{number} : no patch had been logged" in said
    world.dana.post(f"/sevs/{number}/patches", {"summary": "Revoked"})
    world.drain()
    newest = world.dana.get("/checks/1/runs")["items"][0]["id"]
    assert f"yes, for SEV-{number}" in text_of(cast.dana.open(f"/checks/1/runs/{newest}"))
