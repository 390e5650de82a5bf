"""Every page, as people meet it: wide and narrow, light and dark, with a strict CSP, without JavaScript, and by axe."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.gallery import PAGES, make_app

CHROMIUM = os.environ.get("SEVTRACKER_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = pytest.mark.browser
#: Where to leave screenshots, for people to look at. Unset: none are made.
SHOTS = os.environ.get("SEVTRACKER_SHOTS")


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """The gallery, served on a free port."""
    with make_server("127.0.0.1", 0, make_app(), handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def _open(browser: Browser, base: str, width: int, scheme: str = "light", js: bool = True) -> tuple[Page, list[str]]:
    """A page in a fresh context, and the list that collects what must not happen: errors and foreign requests."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=js,
        reduced_motion="reduce",
    )
    page, wrong = context.new_page(), []
    page.on("console", lambda m: wrong.append(f"console: {m.text}") if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: wrong.append(f"error: {e}"))
    page.on("request", lambda r: None if r.url.startswith(base) else wrong.append(f"foreign request: {r.url}"))
    page.on("response", lambda r: wrong.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
    return page, wrong


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_is_quiet_and_accessible(browser: Browser, base: str, width: int, scheme: str) -> None:
    page, wrong = _open(browser, base, width, scheme)
    axe, faults = Axe(), []
    for name in PAGES:
        page.goto(f"{base}/page/{name}", wait_until="load")
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            faults.append(f"{name}: {over} px too wide")
        found = axe.run(page)
        for violation in found.response["violations"]:
            where = "; ".join(" ".join(map(str, node["target"])) for node in violation["nodes"][:4])
            faults.append(f"{name}: {violation['id']} ({len(violation['nodes'])}): {where}")
        faults.extend(f"{name}: {line}" for line in wrong)
        wrong.clear()
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png", full_page=True)
    assert faults == []


def test_every_page_fits_a_phone_without_javascript(browser: Browser, base: str) -> None:
    page, wrong = _open(browser, base, 390, js=False)
    for name in PAGES:
        page.goto(f"{base}/page/{name}")
        assert page.locator("html.has-js").count() == 0
        assert not page.locator(".js").filter(visible=True).count(), f"{name} shows what only JavaScript can do"
    assert wrong == []


def test_the_theme_is_chosen_by_the_server_without_javascript(browser: Browser, base: str) -> None:
    page, wrong = _open(browser, base, 1280, js=False)
    page.goto(f"{base}/page/home")
    assert page.locator("html[data-bs-theme]").count() == 0
    page.get_by_role("button", name="switch to dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(19, 23, 28)")
    page.get_by_role("button", name="switch to light").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.get_by_role("button", name="switch to auto").click()
    assert page.locator("html[data-bs-theme]").count() == 0
    assert wrong == []


def test_live_update_changes_the_evidence_and_keeps_what_is_being_typed(browser: Browser, base: str) -> None:
    page, wrong = _open(browser, base, 1280)
    page.goto(f"{base}/page/sev")
    text = page.locator("#n-text")
    text.fill("Half a sentence, and")
    expect(page.locator("#live-state")).to_contain_text("exposed")
    expect(page.locator("#live-state")).to_contain_text("verified", timeout=6000)
    expect(page.locator("#live-patches li")).to_have_count(2)
    expect(text).to_have_value("Half a sentence, and")
    expect(text).to_be_focused()
    expect(page.locator("#live-moved")).to_be_hidden()
    text.press_sequentially(" more")
    expect(text).to_have_value("Half a sentence, and more")
    assert page.locator("[id^=live-] form, [id^=live-] input, [id^=live-] textarea").count() == 0
    assert wrong == []


def test_a_link_that_has_the_focus_keeps_it_over_a_live_update(browser: Browser, base: str) -> None:
    page, _ = _open(browser, base, 1280)
    page.goto(f"{base}/page/sev#r-9")
    page.locator("#l-9").focus()
    expect(page.locator("#live-state")).to_contain_text("verified", timeout=6000)
    expect(page.locator("#l-9")).to_be_focused()
    expect(page.locator("#r-9")).to_have_class(re.compile(r"\btarget\b"))


def test_the_keyboard_reaches_what_matters(browser: Browser, base: str) -> None:
    page, wrong = _open(browser, base, 1280)
    page.goto(f"{base}/page/sev-list")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#keys")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("[data-row]").first).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("c")
    expect(page.locator("[data-search]")).to_have_value("c")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.wait_for_url("**/sevs/new")
    assert wrong == []


def test_a_blocker_leads_to_the_form_that_clears_it(browser: Browser, base: str) -> None:
    page, _ = _open(browser, base, 1280)
    page.goto(f"{base}/page/sev#access-review")
    expect(page.locator("#access_review-evidence")).to_be_visible()
    expect(page.locator("#access_review-evidence")).to_be_focused()


def test_typing_narrows_the_datasets_and_keeps_the_ticked_ones(browser: Browser, base: str) -> None:
    page, _ = _open(browser, base, 1280)
    page.goto(f"{base}/page/sev-new")
    page.get_by_label("Payroll export").check()
    page.locator("#narrow").fill("table 13")
    expect(page.locator("#dataset-options li:visible")).to_have_count(2)


def test_a_time_tells_the_readers_own_zone_on_hover(browser: Browser, base: str) -> None:
    page, _ = _open(browser, base, 1280)
    page.goto(f"{base}/page/sev-list")
    time = page.locator("tbody time").first
    expect(time).to_have_attribute("title", re.compile(r"^2026-06-22 10:42:17 UTC$"))
    time.hover()
    expect(time).to_have_attribute("title", re.compile(r"UTC\n.+"))
