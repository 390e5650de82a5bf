"""Every real page, wide and narrow, light and dark: it fits, axe finds nothing, nothing is refused by the CSP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from sevtracker.actions import checks, datasets, patches, sevs
from sevtracker.actions.inputs import ChangeSev, FileSev, LogPatch, NewCheck, NewCopy, NewDataset, Note, parse
from sevtracker.domain.vocabulary import Role
from sevtracker.store.people import by_email
from sevtracker.store.work import Person
from tests.browser.stage import SHOTS, Stage, Tab, shoot, staged, tab
from tests.worker.targets import MARKER, Target, serving

pytestmark = pytest.mark.browser

LONG = "Überlange Überschrift: the quarterly compensation export of every subsidiary, in a bucket that contractors list"
PATHS = {
    "home": "/",
    "sevs": "/sevs",
    "sevs-filtered": "/sevs?level=SEV0&q=nothing",
    "sev-new": "/sevs/new?dataset=mci-events&title=Prefilled",
    "sev-exposed": "/sevs/1",
    "sev-resolve": "/sevs/1/resolve",
    "sev-restricted": "/sevs/2",
    "sev-fresh": "/sevs/3?filed=1",
    "datasets": "/datasets",
    "dataset": "/datasets/mci-events",
    "dataset-new": "/datasets/new",
    "dataset-edit": "/datasets/mci-events/edit",
    "checks": "/checks",
    "check-open": "/checks/1",
    "check-blind": "/checks/2",
    "check-new": "/checks/new",
    "check-new-http": "/checks/new?kind=http&dataset=mci-events",
    "check-new-sql": "/checks/new?kind=sql_read&sev=3",
    "check-edit": "/checks/1/edit",
    "run-open": "/checks/1/runs/1",
    "run-blind": "/checks/2/runs/2",
    "programme": "/programmes/mci",
    "people": "/people",
    "account": "/account",
    "settings": "/settings",
    "not-found": "/sevs/999",
}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A tracker with a bit of everything. Its checks run once, so that nothing moves while pictures are taken."""
    with pytest.MonkeyPatch.context() as patch, serving() as target:
        patch.setenv("OWNER_TOKEN", "control")
        patch.setenv("SEVTRACKER_POLICY__SEV1__INTERVAL", "10m")
        with staged(f"sqlite:///{tmp_path_factory.mktemp('quiet')}/sevtracker.db", target) as stage:
            _fill(stage, target)
            yield stage


def _fill(stage: Stage, target: Target) -> None:
    for name, role in (("Dana Whitfield", Role.engineer), ("Ada Lindqvist", Role.admin), ("Otto Brandt", Role.auditor)):
        stage.add(name, role)
    runtime = stage.runtime
    with runtime.read() as session:
        row = by_email(session, "dana@corp.example")
    assert row is not None
    dana = Person(row.id or 0, row.pid, row.role, "web")
    with runtime.work(dana) as work:
        for slug, name in (("mci-events", "MCI events"), ("payroll-export", LONG), ("badge-log", "Badge log")):
            datasets.register(work, NewDataset(slug=slug, name=name, owner="Aïsha Benali", programme="mci"))
        datasets.add_copy(
            work, runtime.settings, runtime.probes, "mci-events", NewCopy(slug="nightly-export", kind="export")
        )
    for identity, url in (("any-employee", target.url("/events")), ("anonymous", target.url("/events", host=9))):
        params = {"url": url, "marker": MARKER}
        raw = {
            "dataset": "mci-events",
            "kind": "http",
            "identity": identity,
            "control": "privacy-team",
            "params": params,
        }
        with runtime.work(dana) as work:
            checks.create(work, runtime.settings, runtime.probes, parse(NewCheck, raw))
    _until_run(stage, 2)
    filed = (
        FileSev(title="Tracking database readable by all staff", level="SEV1", datasets=["mci-events"]),
        FileSev(title=LONG, level="SEV0", datasets=["payroll-export", "mci-events"], restricted=True),
        FileSev(title="Badge log: who reads it?", level="SEV3", datasets=["badge-log"]),
    )
    for given in filed:
        with runtime.work(dana) as work:
            sevs.file(work, runtime.settings, given)
    with runtime.work(dana) as work:
        patches.log(
            work, runtime.settings, 1, LogPatch(summary="Revoked SELECT from the role", url="https://git.example/1")
        )
    with runtime.work(dana) as work:
        sevs.note(work, 1, Note(text="הטבלה עדיין נקראת מחשבון של כל עובד.\nPUBLIC still holds SELECT."))
        sevs.change(work, runtime.settings, 1, parse(ChangeSev, {"commander": "dana@corp.example", "level": "SEV1"}))
    threading.Event().wait(2)


def _until_run(stage: Stage, count: int) -> None:
    from sevtracker.store import checks as stored

    for _ in range(200):
        with stage.runtime.read() as session:
            if all(line.last_at for line in stored.listing(session, limit=count)):
                return
        threading.Event().wait(0.05)
    raise TimeoutError


#: For looking at, each of both; for the suite one of each, since the gallery has every combination.
_LOOKS = [(1280, "light"), (390, "dark"), *([(1280, "dark"), (390, "light")] if SHOTS else [])]


@pytest.mark.parametrize(("width", "scheme"), _LOOKS)
def test_every_page_fits_is_quiet_and_accessible(chrome: Browser, quiet: Stage, width: int, scheme: str) -> None:
    faults = []
    for name, email in (("dana", "dana@corp.example"), ("ada", "ada@corp.example")):
        someone = tab(chrome, quiet.base, width, scheme)
        someone.expected = (*someone.expected, "status of 404", "status of 403")
        someone.sign_in(email)
        paths = PATHS if name == "dana" else {k: PATHS[k] for k in ("people", "settings", "sev-exposed")}
        for page, path in paths.items():
            someone.open(path)
            faults += _faults(someone, f"{name} {page}")
            shoot(someone.page, f"{page}-{name}-{width}-{scheme}")
        someone.page.context.close()
    outside = tab(chrome, quiet.base, width, scheme)
    outside.open("/sign-in?next=/sevs/1")
    faults += _faults(outside, "sign-in")
    shoot(outside.page, f"sign-in-{width}-{scheme}")
    assert faults == []


def _faults(someone: Tab, name: str) -> list[str]:
    over = someone.too_wide()
    found = [f"{name}: {over} px too wide"] if over > 0 else []
    found += [f"{name}: {violation}" for violation in someone.violations()]
    found += [f"{name}: {line}" for line in someone.wrong]
    someone.wrong.clear()
    return found


def test_shortcuts_lead_where_they_say(chrome: Browser, quiet: Stage) -> None:
    dana = tab(chrome, quiet.base)
    dana.sign_in("dana@corp.example")
    page = dana.page
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("[data-row]").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/sevs/*")
    page.keyboard.press("n")
    expect(page.locator("#n-text")).to_be_focused()
    page.keyboard.type("/?c")
    expect(page.locator("#n-text")).to_have_value("/?c")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.locator("#p-summary")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("badge")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sevs?q=badge")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("body").click()
    page.keyboard.press("c")
    page.wait_for_url("**/sevs/new")
    assert dana.wrong == []


def test_everything_works_without_javascript(chrome: Browser, quiet: Stage, tmp_path: Path) -> None:
    dana = tab(chrome, quiet.base, js=False)
    dana.sign_in("dana@corp.example")
    page = dana.page
    page.get_by_role("link", name="File a SEV").first.click()
    page.get_by_label("In one line").fill("")
    page.get_by_role("button", name="File it").click()
    expect(page.locator(".refused")).to_contain_text("Nothing you typed is lost")
    page.get_by_label("In one line").fill("Filed without JavaScript")
    page.locator("details.unregistered summary").click()
    page.get_by_label("Name", exact=True).fill("Fresh table")
    page.get_by_label("Short name").fill("fresh-table")
    page.get_by_role("radio", name="SEV4").check()
    page.get_by_role("button", name="File it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Filed without JavaScript")
    page.locator("#n-text").fill("A note without JavaScript")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#live-timeline")).to_contain_text("A note without JavaScript")
    page.locator("#p-summary").fill("A patch without JavaScript")
    page.get_by_role("button", name="Log it and run the checks").click()
    expect(page.locator("#live-patches")).to_contain_text("A patch without JavaScript")
    page.get_by_role("button", name="switch to dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.get_by_role("heading", level=1)).to_have_text("Filed without JavaScript")
    assert dana.wrong == []
