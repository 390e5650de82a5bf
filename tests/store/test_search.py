"""Searching SEVs by words: the same answers on both databases, and no input is an error."""

from __future__ import annotations

import pytest

from sevtracker.store import search, sevs
from sevtracker.store.sevs import Filters
from tests.cast import Tracker

TITLES = {
    1: ("Tracking database readable by all staff", "at db1.corp.example:5432, table tracking.events"),
    2: ("Payroll export in a public bucket", "s3://payroll-exports/2026-06-18.csv, seen by Zoë"),
    3: ("Contractors' session tokens still work", "access_log of any-employee@corp.example"),
    4: ("Tracking cache without a password", "50% of keys; it's \\ odd"),
}


@pytest.fixture
def filed(tracker: Tracker) -> Tracker:
    tracker.dataset()
    for number, (title, summary) in TITLES.items():
        assert tracker.file(title=title, summary=summary, restricted=number == 4) == number
    return tracker


def found(tracker: Tracker, text: str, name: str = "dana") -> list[int]:
    with tracker.read() as session:
        return [line.number for line in sevs.listing(session, tracker.viewer(name), Filters(text=text), limit=50)]


ANSWERS = {
    "tracking": [4, 1],
    "TRACKING": [4, 1],
    "tracking staff": [1],
    "staff tracking": [1],
    "track": [4, 1],
    "track staff": [],  # only the last word may be cut short
    "staff track": [1],
    "SEV-3": [3],
    " sev-3 ": [3],
    "3": [3],
    "SEV-99": [],
    "db1.corp.example": [1],
    "tracking.events": [1],
    "corp": [3, 1],
    "any-employee": [3],
    "access_log": [3],
    "payroll-exports": [2],
    "2026-06": [2],
    "Zoë": [2],
    "contractors": [3],
    "50%": [4],
    "bucket OR": [],
    "nothing like it": [],
}


def test_words_are_found(filed: Tracker) -> None:
    assert {text: found(filed, text) for text in ANSWERS} == ANSWERS


NASTY = [
    "'",
    "''",
    '"',
    '"tracking',
    "tracking'",
    "tracking:*",
    "a & b | !c",
    "!!!",
    "<->",
    "\\",
    "\\'",
    "%",
    "_",
    "NEAR(a b)",
    "title:tracking",
    "^tracking",
    "tracking*",
    "-tracking",
    "(",
    ")",
    "\x00",
    "tracking\x00staff",
    "\ud800",
    "😀",
    "ünïcödé",
    "日本語",
    "٣",
    "²",
    "a" * 5000,
    " ".join("word" for _ in range(500)),
    "   ",
    "\n\t",
    "0" * 40,
    "999999999",
    "'; DROP TABLE sev; --",
    "{}",
    ":words",
    "%(words)s",
]


def test_no_text_is_an_error(filed: Tracker) -> None:
    for text in NASTY:
        found(filed, text)
    assert found(filed, "tracking*") == [4, 1]


def test_a_changed_title_is_found_by_its_new_words_only(filed: Tracker) -> None:
    from sevtracker.actions import sevs as acts
    from sevtracker.actions.inputs import ChangeSev, parse

    with filed.work("dana") as work:
        acts.change(work, filed.settings, 1, parse(ChangeSev, {"title": "Telemetry store readable"}))
    assert found(filed, "telemetry") == [1]
    assert found(filed, "readable staff") == []
    assert found(filed, "tracking") == [4, 1]  # the summary still says so


def test_searching_shows_nobody_what_they_may_not_know(filed: Tracker) -> None:
    assert found(filed, "password", "eve") == []
    assert found(filed, "SEV-4", "eve") == []
    assert found(filed, "password", "vik") == [4]


def test_old_ones_are_found_as_the_newest_are(filed: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "NEWEST", 1)  # of four: PostgreSQL has to ask its index for the others
    assert {text: found(filed, text) for text in ANSWERS} == ANSWERS
    with filed.read() as session:
        filters = Filters(text="tracking")
        pages = [
            [line.number for line in sevs.listing(session, filed.viewer("vik"), filters, limit=1, before=before)]
            for before in (None, 4, 3, 1)
        ]
    assert pages == [[4], [1], [1], []]
