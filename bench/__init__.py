"""Measures how fast the tracker is, always beside a bare reference in the same run: ``make bench``. See README.md."""
