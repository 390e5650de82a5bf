"""The incident, lived through in a browser: real server, real worker, a real target that somebody patches badly."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.stage import PASSWORD, Stage, Tab, shoot, tab
from tests.worker.targets import MARKER

pytestmark = pytest.mark.browser


def _register(page: Page, url: str, name: str, slug: str) -> None:
    page.goto(url + "/datasets/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Short name").fill(slug)
    page.get_by_role("button", name="Register it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def _point_a_check(page: Page, stage: Stage, path: str) -> None:
    """From the page that asks for the kind."""
    page.get_by_role("link", name=re.compile("^http")).click()
    page.get_by_label("As (must not get in)").select_option("any-employee")
    page.get_by_label("Positive control").select_option("privacy-team")
    page.get_by_label("URL").fill(stage.target.url(path))
    page.get_by_label("Marker").fill(MARKER)
    page.get_by_role("button", name="Add it and run it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("any-employee")


def test_the_story_from_the_first_link_to_resolved(chrome: Browser, stage: Stage) -> None:
    ada = tab(chrome, stage.base)
    people = _first_admin_adds_people(ada, stage)
    _an_engineer_sets_a_password(chrome, stage, people["Dana Whitfield"])
    dana = tab(chrome, stage.base)
    dana.sign_in("dana@corp.example")
    page = dana.page

    _register(page, stage.base, "MCI events", "mci-events")
    shoot(page, "story-dataset")
    page.keyboard.press("c")
    page.wait_for_url("**/sevs/new")
    page.get_by_label("In one line").fill("Tracking database readable by all staff")
    page.get_by_label("MCI events").check()
    page.get_by_role("radio", name=re.compile("SEV1")).check()
    page.get_by_role("button", name="File it").click()
    page.wait_for_url("**/sevs/1?filed=1")
    expect(page.locator(".next li").first).to_contain_text("Reproduce it")
    shoot(page, "story-filed")

    page.locator(".next li a").first.click()
    _point_a_check(page, stage, "/events")
    expect(page.locator(".verdict-word")).to_contain_text(re.compile("open|not run yet"))

    page.goto(f"{stage.base}/sevs/1")
    note = page.locator("#n-text")
    note.fill("Half a sentence, and")
    expect(page.locator("#live-state")).to_contain_text("exposed")
    page.locator("#p-summary").fill("Revoked SELECT from one role; PUBLIC was forgotten")
    page.get_by_role("button", name="Log it and run the checks").click()
    expect(page.locator("#live-patches li").first).to_contain_text("failed")
    shoot(page, "story-patch-failed")
    expect(page.locator("#live-timeline")).to_contain_text("Patch 1 failed")

    page.get_by_role("link", name=re.compile(r"^Resolve: \d+ blockers?")).click()
    page.get_by_label("What was wrong, and what closed it").fill("Revoked.")
    page.get_by_role("button", name="Try all the same").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Not resolved")
    expect(page.locator(".blockers")).to_contain_text("any-employee can still read mci-events/primary.")
    expect(page.get_by_label("What was wrong, and what closed it")).to_have_value("Revoked.")
    shoot(page, "story-refused")

    _second_patch_holds(page, stage)
    _people_do_what_they_owe(page)
    _resolve(page)
    assert dana.wrong == []
    assert ada.wrong == []


def _first_admin_adds_people(ada: Tab, stage: Stage) -> dict[str, str]:
    """Returns the one-time link of each."""
    page = ada.page
    ada.open(stage.first_link())
    page.get_by_label("Your name").fill("Ada Lindqvist")
    page.get_by_label("Email").fill("ada@corp.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("People")
    links = {}
    for name, role in (("Dana Whitfield", "engineer"), ("Priya Raman", "executive")):
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_label("Email", exact=True).fill(f"{name.split()[0].lower()}@corp.example")
        page.get_by_label("Role", exact=True).select_option(role)
        page.get_by_role("button", name="Add, and make a one-time link").click()
        expect(page.locator(".panel")).to_contain_text(name)
        links[name] = page.locator(".secret").inner_text().strip()
    shoot(page, "story-people")
    return links


def _an_engineer_sets_a_password(chrome: Browser, stage: Stage, link: str) -> None:
    their = tab(chrome, stage.base)
    their.open(stage.base + "/set-password/" + link.rsplit("/", 1)[1])
    their.page.get_by_label("Password", exact=True).fill(PASSWORD)
    their.page.get_by_label("Password again").fill(PASSWORD)
    their.page.get_by_role("button", name="Set it and sign in").click()
    expect(their.page.get_by_role("heading", level=1)).to_contain_text("Nothing is filed")
    assert their.wrong == []


def _second_patch_holds(page: Page, stage: Stage) -> None:
    """Another tab logs the patch, so that this one learns of it without a reload, and loses nothing typed."""
    page.goto(f"{stage.base}/sevs/1")
    note = page.locator("#n-text")
    note.fill("Half a sentence, and")
    page.evaluate("window.neverReloaded = true")
    stage.target.status = 403
    other = page.context.new_page()
    other.goto(f"{stage.base}/sevs/1")
    other.locator("#p-summary").fill("Revoked SELECT from PUBLIC")
    other.get_by_role("button", name="Log it and run the checks").click()
    expect(other.locator("#live-patches li")).to_have_count(2)
    other.close()
    expect(page.locator("#live-patches li")).to_have_count(2)
    expect(page.locator("#live-state")).to_contain_text("verified closed")
    expect(page.locator("#live-state .verdict-word")).to_have_text("verified")
    expect(note).to_have_value("Half a sentence, and")
    note.press_sequentially(" the rest.")
    expect(note).to_have_value("Half a sentence, and the rest.")
    assert page.evaluate("window.neverReloaded") is True
    shoot(page, "story-verified-live")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#live-timeline")).to_contain_text("Half a sentence, and the rest.")


def _people_do_what_they_owe(page: Page) -> None:
    for field, said, button in (
        ("#retest-evidence", "I tried again with my own account: 403.", "It is gone"),
        (
            "#access_review-evidence",
            "14 readers since June, all of them named to the privacy team.",
            "Record the review",
        ),
        ("#sessions-evidence", "412 sessions ended.", "Record it"),
    ):
        page.locator(field).evaluate("e => { for (let d = e.closest('details'); d; d = null) d.open = true }")
        page.locator(field).fill(said)
        page.locator("form", has=page.locator(field)).get_by_role("button", name=button).click()
        expect(page.locator(".flash.f-done")).to_contain_text("recorded")
    expect(page.locator("#live-blockers")).to_contain_text("Nothing blocks resolving")
    shoot(page, "story-nothing-blocks")


def _resolve(page: Page) -> None:
    page.locator("#go-resolve").click()
    expect(page.locator("body")).to_contain_text("runs each required check once more")
    shoot(page, "story-resolve")
    page.get_by_label("What was wrong, and what closed it").fill(
        "PUBLIC could read; revoked, and default privileges set."
    )
    page.get_by_role("button", name="Resolve").click()
    page.wait_for_url("**/sevs/1")
    expect(page.locator(".flash.f-done")).to_contain_text("SEV-1 is resolved")
    expect(page.locator("#said-status")).to_have_text("resolved")
    expect(page.locator("#live-state .verdict-word")).to_have_text("watching")
    shoot(page, "story-resolved")
