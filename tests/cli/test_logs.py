"""Logging: one line an event, and never what an exception says."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from sevtracker.cli import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_an_event_is_one_line_with_its_ids(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    structlog.contextvars.bind_contextvars(request_id="abc")
    structlog.get_logger("sevtracker.x").info("filed", sev=7, note="two\nlines")
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("ts=")
    assert "level=info event=filed" in line
    assert "request_id=abc" in line
    assert "sev=7" in line
    assert 'note="two lines"' in line


def test_an_exception_is_told_by_type_and_place_only(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        raise ValueError("canary: a row of data")
    except ValueError:
        logging.getLogger("sevtracker.y").exception("storing failed")
        structlog.get_logger("sevtracker.y").error("again", exc_info=True)
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 2
    assert told.count("error=ValueError") == 2
    assert "where=test_logs.py:" in told
    assert "canary" not in told


def test_others_are_quiet_unless_it_matters(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("apscheduler.scheduler").warning("noise")
    logging.getLogger("somebody").info("noise")
    logging.getLogger("somebody").warning("matters: %s", 1)
    [line] = capsys.readouterr().err.splitlines()
    assert 'event="matters: 1"' in line
