"""A whole tracker for the browser: a fresh database, a web server, a worker, a real HTTP target, a fast policy."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from sevtracker.actions import people
from sevtracker.actions.inputs import NewPerson
from sevtracker.actions.runtime import Runtime
from sevtracker.config import load_settings
from sevtracker.domain.vocabulary import Role
from sevtracker.store import migrate
from sevtracker.web.app import create_app
from sevtracker.wiring import build
from sevtracker.worker import Worker
from tests.worker.targets import Target

#: Where to leave screenshots, for people to look at. Unset: none are made.
SHOTS = os.environ.get("SEVTRACKER_SHOTS")
PASSWORD = "correct horse battery staple"


def environment(url: str, port: int) -> dict[str, str]:
    """The story of four days, in seconds."""
    return {
        "SEVTRACKER_DATABASE__URL": url,
        "SEVTRACKER_SERVER__SECRET_KEY": "not-a-secret-for-tests",
        "SEVTRACKER_TARGETS__ALLOW": f'["127.0.0.0/8:{port}"]',
        "SEVTRACKER_IDENTITIES__ANY_EMPLOYEE__CLASS": "staff",
        "SEVTRACKER_IDENTITIES__PRIVACY_TEAM__CLASS": "control",
        "SEVTRACKER_IDENTITIES__PRIVACY_TEAM__TOKEN": "env:OWNER_TOKEN",
        "SEVTRACKER_IDENTITIES__PRIVACY_TEAM__HOSTS": '["127.0.0.0/8:*"]',
        "SEVTRACKER_POLICY__SETTLE": "0.1s",
        "SEVTRACKER_POLICY__FRESHNESS_FACTOR": "600",
        "SEVTRACKER_POLICY__MAX_GAP_FACTOR": "600",
        "SEVTRACKER_POLICY__AFTER_PATCH": '["0.3s", "0.6s"]',
        "SEVTRACKER_POLICY__SEV1__INTERVAL": "0.5s",
        "SEVTRACKER_POLICY__SEV1__CONSECUTIVE": "3",
        "SEVTRACKER_POLICY__SEV1__SOAK": "1s",
        "SEVTRACKER_WORKER__TICK": "0.1s",
        "SEVTRACKER_WORKER__RESOLVE_WAIT": "10s",
    }


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


@dataclass
class Stage:
    """A tracker that answers at ``base``, and the target that its checks try."""

    runtime: Runtime
    base: str
    target: Target

    def first_link(self) -> str:
        """What the first start prints."""
        with self.runtime.work(None) as work:
            return f"{self.base}/welcome/{people.first_link(work)}"

    def add(self, name: str, role: Role) -> str:
        """Somebody who can sign in with ``PASSWORD``. Returns their e-mail address."""
        email = f"{name.split(maxsplit=1)[0].lower()}@corp.example"
        with self.runtime.work(None) as work:
            people.add(work, NewPerson(email=email, name=name, role=role, password=PASSWORD))
        return email


@contextmanager
def staged(url: str, target: Target) -> Iterator[Stage]:
    """Everything started, until the block ends."""
    settings = load_settings(environment(url, target.port))
    migrate.upgrade(settings.database)
    runtime = build(settings)
    worker = Worker(runtime)
    server = make_server("127.0.0.1", 0, create_app(runtime), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    worker.start()
    yield Stage(runtime, f"http://127.0.0.1:{server.server_port}", target)
    server.shutdown()
    thread.join()
    server.server_close()
    worker.stop()
    runtime.close()


# ---- the browser -------------------------------------------------------------------------------------------------


@dataclass
class Tab:
    """A page, and what must not happen on it: errors in the console, refusals by the CSP, requests to others."""

    page: Page
    base: str
    wrong: list[str] = field(default_factory=list)
    #: Refused forms answer 422 and 409, and Chromium says so in the console.
    expected: tuple[str, ...] = ("status of 409", "status of 422")

    def __post_init__(self) -> None:
        page = self.page
        page.on("console", lambda m: self._note(f"console: {m.text}") if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self._note(f"error: {e}"))
        page.on("request", lambda r: None if r.url.startswith(self.base) else self._note(f"foreign: {r.url}"))
        page.on("response", lambda r: self._note(f"{r.status}: {r.url}") if r.status >= 500 else None)

    def _note(self, what: str) -> None:
        if not any(part in what for part in self.expected):
            self.wrong.append(what)

    def open(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else self.base + path)

    def sign_in(self, email: str) -> None:
        self.open("/sign-in")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.base}/")

    def too_wide(self) -> int:
        """Pixels that the page is wider than the screen."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def violations(self) -> list[str]:
        """What axe finds."""
        found = Axe().run(self.page).response["violations"]
        return [f"{v['id']}: {'; '.join(' '.join(map(str, n['target'])) for n in v['nodes'][:4])}" for v in found]


def tab(browser: Browser, base: str, width: int = 1280, scheme: str = "light", js: bool = True) -> Tab:
    """A fresh browser, as another person has it."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=js,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    return Tab(context.new_page(), base)


def shoot(page: Page, name: str) -> None:
    """A picture of the whole page, if anybody wants to look."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
