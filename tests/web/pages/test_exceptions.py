"""Waiving and attesting at a browser, without JavaScript; and that exceptions are told wherever the status is."""

from __future__ import annotations

import re

import pytest

from sevtracker.worker.service import Worker
from tests.web.pages.conftest import Browser, Cast, text_of

WORD = {"place": "events/tape", "statement": "Locked in the vault", "evidence": "https://wiki.example/tape"}


@pytest.fixture
def number(cast: Cast) -> int:
    """A SEV whose one check sees the door open, patched by Dana; the tape has no check."""
    world = cast.world
    world.dataset(copies=[{"slug": "primary"}, {"slug": "tape"}])
    world.check()
    number = world.sev()
    world.dana.post(f"/sevs/{number}/patches", {"summary": "Revoked"})
    world.drain()
    return number


def waived(cast: Cast, number: int) -> str:
    return cast.vera.send(f"/sevs/{number}/waivers", check="1:open", reason="Gone until Monday")


def attested(cast: Cast, number: int) -> str:
    cast.erik.send(f"/sevs/{number}/attestations", **WORD)
    return cast.vera.send(f"/sevs/{number}/attestations/1/sign")


def resolve(cast: Cast, browser: Browser, number: int) -> str:
    worker = Worker(cast.world.runtime)
    worker.start()
    try:
        return browser.send(f"/sevs/{number}/resolve", summary="As closed as it gets")
    finally:
        worker.stop()


def test_a_blocker_leads_an_executive_to_the_form_that_waives_it(cast: Cast, number: int) -> None:
    page = cast.vera.open(f"/sevs/{number}")
    [link] = re.findall(r'href="([^"]+)">Waive…', page)
    assert link == f"/sevs/{number}?waive=1#waive"
    page = cast.vera.open(link.split("#")[0])
    assert re.search(r'<option value="1:open" selected>check 1: anonymous · http · [^<]+ at primary, GET http', page)
    assert "Waive…" not in cast.erik.open(f"/sevs/{number}")


def test_a_waiver_is_told_with_who_until_when_and_why(cast: Cast, number: int) -> None:
    said = text_of(waived(cast, number))
    assert "Waived until" in said
    assert "Gone until Monday granted by Vera" in said
    assert "the door was known to be open" in said
    assert "anonymous can still read" not in said.partition("What blocks resolving")[2].partition("Patch attempts")[0]
    assert "waived until" in text_of(cast.otto.open(f"/sevs/{number}"))


def test_a_waiver_that_lacks_something_is_shown_again_as_typed(cast: Cast, number: int) -> None:
    page = cast.vera.send(f"/sevs/{number}/waivers", 422, check="1:open", reason=" ", expires_at="2199-01-01T00:00")
    assert "This can&#39;t be empty." in page
    assert 'value="2199-01-01T00:00"' in page
    page = cast.vera.send(
        f"/sevs/{number}/waivers", 422, check="1:open", reason="Because", expires_at="2199-01-01T00:00"
    )
    assert "more than 30 days away" in page
    assert "Because</textarea>" in page
    page = cast.vera.send(f"/sevs/{number}/waivers", 409, check="1:shut", reason="Because")
    assert "opened since you looked" in page


def test_the_author_of_a_patch_is_offered_nothing_and_refused_on_the_record(cast: Cast, number: int) -> None:
    cast.vera.send(f"/sevs/{number}/patches", summary="Mine")
    page = cast.vera.open(f"/sevs/{number}")
    assert "Waive…" not in page
    assert "Attest a copy" not in page
    page = cast.vera.send(f"/sevs/{number}/waivers", 403, check="1:open", reason="Mine to waive")
    assert "waiver:refused" in page
    cast.erik.send(f"/sevs/{number}/waivers", 403, check="1:open", reason="No executive")


def test_a_waiver_is_revoked_with_a_reason(cast: Cast, number: int) -> None:
    waived(cast, number)
    page = cast.vera.open(f"/sevs/{number}", revoke=1)
    assert f'action="/sevs/{number}/waivers/1/revoke"' in page
    refused = cast.vera.send(f"/sevs/{number}/waivers/1/revoke", 422, reason=" ")
    assert f'action="/sevs/{number}/waivers/1/revoke"' in refused
    said = text_of(cast.vera.send(f"/sevs/{number}/waivers/1/revoke", reason="No more"))
    assert "was revoked" in said
    assert "anonymous can still read events/primary." in said
    assert "Revoke…" not in said
    cast.vera.send(f"/sevs/{number}/waivers/9/revoke", 404, reason="None")


def test_a_hole_leads_to_the_form_that_attests_it_and_a_second_person_signs(cast: Cast, number: int) -> None:
    page = cast.erik.open(f"/sevs/{number}")
    [link] = re.findall(r'href="([^"]+)">Attest…', page)
    assert link == f"/sevs/{number}?attest=events/tape#attest"
    assert '<option value="events/tape" selected>' in cast.erik.open(link.split("#")[0])
    page = cast.erik.send(f"/sevs/{number}/attestations", **WORD)
    assert "needs two different people" in page
    assert "Sign…" not in page
    assert "Withdraw…" in page
    other = cast.vera.open(f"/sevs/{number}", sign=1)
    assert "Locked in the vault" in other
    said = text_of(cast.vera.send(f"/sevs/{number}/attestations/1/sign", reason="Looked at the seal"))
    assert "attested until" in said
    assert "signed by Erik" in said
    assert "Looked at the seal" in said
    assert "people's word until" in said  # in the matrix, in place of "no check"


def test_a_bad_attestation_is_shown_again_as_typed(cast: Cast, number: int) -> None:
    page = cast.erik.send(f"/sevs/{number}/attestations", 422, **{**WORD, "evidence": "javascript:alert(1)"})
    assert page.count('aria-invalid="true"') == 1
    assert 'value="javascript:alert(1)"' in page
    assert 'href="javascript' not in page
    assert "Locked in the vault</textarea>" in page
    cast.erik.send(f"/sevs/{number}/attestations", 422, **{**WORD, "place": "events/none"})


def test_an_attestation_is_withdrawn_by_who_signed_it(cast: Cast, number: int) -> None:
    cast.erik.send(f"/sevs/{number}/attestations", **WORD)
    cast.dana.send(f"/sevs/{number}/attestations/1/withdraw", 403, reason="Not mine")
    assert "Withdraw the attestation" in cast.erik.open(f"/sevs/{number}", withdraw=1)
    assert "was withdrawn" in cast.erik.send(f"/sevs/{number}/attestations/1/withdraw", reason="It was read")


def test_resolving_lists_the_exceptions_first_and_every_page_says_so_afterwards(cast: Cast, number: int) -> None:
    waived(cast, number)
    attested(cast, number)
    said = text_of(cast.erik.open(f"/sevs/{number}/resolve"))
    assert "It would read resolved with 2 exceptions" in said
    assert "Waived anonymous at events/primary" in said
    assert "Attested events/tape" in said
    assert "Resolve with 2 exceptions" in said
    assert "waived, whatever it says" in said
    said = text_of(resolve(cast, cast.erik, number))
    assert "SEV-1 is resolved with 2 exceptions" in said
    assert "Resolved with 2 exceptions just now" in said
    assert "Resolved with 2 exceptions: anonymous at events/primary (waived), events/tape (attested)." in said
    for path in ("/", "/sevs", "/sevs?q=readable", "/datasets/events", "/checks/1"):
        assert "resolved with 2 exceptions" in text_of(cast.dana.open(path)), path
    home = text_of(cast.dana.open("/"))
    assert "1 exposed now" in home
    said = text_of(cast.vera.send(f"/sevs/{number}/waivers/1/revoke", reason="No more"))
    assert "Reopened: a waiver ended" in said
    assert "with 2 exceptions" not in text_of(cast.dana.open("/sevs"))


def test_words_that_were_given_cost_two_statements_however_many(cast: Cast, number: int) -> None:
    cast.erik.open(f"/sevs/{number}")
    with cast.world.statements() as before:
        cast.erik.open(f"/sevs/{number}")
    for _ in range(3):
        waived(cast, number)
        cast.erik.send(f"/sevs/{number}/attestations", **WORD)
    with cast.world.statements() as after:
        cast.erik.open(f"/sevs/{number}")
    assert len(after) == len(before) + 2, after.sent
