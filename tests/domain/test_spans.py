"""Durations in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sevtracker.domain.spans import span


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(milliseconds=500), "0.5 s"),
        (timedelta(seconds=9.96), "10 s"),
        (timedelta(seconds=10), "10 s"),
        (timedelta(seconds=59.6), "1 min"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(minutes=12, seconds=5), "12 min 5 s"),
        (timedelta(hours=3, minutes=55), "3 h 55 min"),
        (timedelta(hours=24), "1 d"),
        (timedelta(days=3, hours=20, minutes=59), "3 d 20 h"),
        (timedelta(days=4, minutes=59), "4 d"),
        (-timedelta(minutes=2), "-2 min"),
    ],
)
def test_a_length_is_told_by_its_two_largest_units(length: timedelta, words: str) -> None:
    assert span(length) == words
