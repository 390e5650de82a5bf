"""A Chromium for the module, and a tracker with its target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.stage import Stage, staged
from tests.browser.test_gallery import FLAGS
from tests.worker.targets import serving


@pytest.fixture(scope="module")
def chrome(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=20_000)  # runs, polls of two seconds, and a machine that does other things, too
        browser = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        yield browser
        expect.set_options(timeout=5_000)
        browser.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One tracker for the module: its tests live through one story."""
    with pytest.MonkeyPatch.context() as patch, serving() as target:
        patch.setenv("OWNER_TOKEN", "control")
        with staged(f"sqlite:///{tmp_path_factory.mktemp('stage')}/sevtracker.db", target) as stage:
            yield stage
