"""A log of accesses in a CSV file on the worker's machine: line by line, within bounds of size, time and memory.

The file is opened once what it leads to was seen to lie in ``targets.paths``, so no symbolic link leads elsewhere.
"""

from __future__ import annotations

import csv
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sevtracker.checks.access_tally import Stay, Tally, seconds
from sevtracker.checks.local import LocalRules

#: Bytes of a file, and of a line, that are read; principals that are told apart.
MAX_FILE, MAX_LINE, MAX_PRINCIPALS = 2 * 2**30, 65_536, 100_000
_LOOK_EVERY = 500
#: The end of the year 9999. What is later is no time.
_LAST = 253_402_300_800.0


class NotRead(Exception):
    """The file can't be read as a log. The text is our own words."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Which entries are meant: see the parameters of ``access_log``. ``begin`` and ``end`` are Unix times."""

    principal: str
    at: str
    count: str | None
    match: Mapping[str, str]
    allowed: frozenset[str]
    canary: str | None
    begin: float
    end: float
    max_gap: float


@dataclass(slots=True)
class _Counter:
    """What was counted so far."""

    wanted: Entries
    accesses: int = 0
    first: float | None = None
    last: float | None = None
    canary: bool = False
    unclear: bool = False
    _others: set[bytes] = field(default_factory=set)
    _stays: dict[int, Stay] = field(default_factory=dict)

    def add(self, principal: str, at: float, times: int, *, matches: bool) -> None:
        wanted = self.wanted
        if not wanted.begin - wanted.max_gap <= at <= wanted.end + wanted.max_gap:
            return
        slot = int(at // wanted.max_gap)
        was = self._stays.get(slot)
        self._stays[slot] = Stay(at, at) if was is None else Stay(min(was.first, at), max(was.last, at))
        if not matches or not wanted.begin <= at <= wanted.end:
            return
        if principal == wanted.canary:
            self.canary = True
        elif principal not in wanted.allowed:
            self.accesses += times
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)
            if len(self._others) < MAX_PRINCIPALS:
                self._others.add(hashlib.blake2b(principal.encode(), digest_size=8).digest())

    def tally(self, cut: str | None) -> Tally:
        return Tally(
            len(self._others),
            self.accesses,
            self.first,
            self.last,
            self.canary,
            tuple(self._stays.values()),
            self.unclear,
            cut,
        )


def tally_of(path: str, local: LocalRules, wanted: Entries, late: Callable[[], bool]) -> Tally:
    """Count the entries of the file. ``late``: the time is over. Raises NotRead."""
    counter = _Counter(wanted)
    with _opened(path, local) as file:
        cut = "the file is larger than 2 GiB" if os.fstat(file.fileno()).st_size > MAX_FILE else None
        lines = _lines(file, counter)
        rows = csv.reader(lines)
        header = next(rows, None)
        if not header:
            raise NotRead("the file is empty")
        places = _places([name.strip().removeprefix("\ufeff") for name in header], wanted)
        number = 0
        while True:
            number += 1
            if number % _LOOK_EVERY == 0 and late():
                cut = "there was no time to read all of the file"
                break
            try:
                row = next(rows)
            except StopIteration:
                break
            except csv.Error:
                counter.unclear = True
                rows = csv.reader(lines)
                continue
            if row:
                _count(row, places, counter)
    return counter.tally(cut)


def _count(row: Sequence[str], places: Mapping[str, int], counter: _Counter) -> None:
    wanted = counter.wanted
    try:
        at = moment(row[places[wanted.at]])
        principal = row[places[wanted.principal]].strip()
        times = int(row[places[wanted.count]]) if wanted.count else 1
        matches = all(row[places[name]] == value for name, value in wanted.match.items())
    except (IndexError, ValueError, OverflowError):
        counter.unclear = True
        return
    counter.add(principal, at, max(times, 1), matches=matches)


def moment(text: str) -> float:
    """ISO 8601 (without an offset: UTC) or a Unix time as Unix time in seconds. Raises ValueError, OverflowError."""
    text = text.strip()
    if text.replace(".", "", 1).removeprefix("-").isdecimal():
        number = seconds(float(text))
        if number > _LAST:
            raise ValueError("no time")
        return number
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _places(header: Sequence[str], wanted: Entries) -> dict[str, int]:
    names = [wanted.principal, wanted.at, *([wanted.count] if wanted.count else []), *wanted.match]
    if any(header.count(name) != 1 for name in names):
        raise NotRead("the first line does not name each of the columns once")
    return {name: header.index(name) for name in names}


def _lines(file: BinaryIO, counter: _Counter) -> Iterator[str]:
    """The lines as text. One that is too long, or no UTF-8, is unclear; a file without an end of line is no trap."""
    left = MAX_FILE
    while left > 0 and (line := file.readline(MAX_LINE)):
        left -= len(line)
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            counter.unclear = True
            while (rest := file.readline(MAX_LINE)) and left > 0:
                left -= len(rest)
                if rest.endswith(b"\n"):
                    break
            continue
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError:
            counter.unclear = True


def _opened(path: str, local: LocalRules) -> BinaryIO:
    """Open the very file that the path leads to, if it may be looked at. Raises NotRead."""
    roots = tuple(way for root in local.paths for way in (root, os.path.realpath(root)))
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        raise NotRead("the file is not there, or the worker may not read it") from None
    try:
        leads_to = str(Path(f"/proc/self/fd/{handle}").readlink())
        if LocalRules(roots, local.own).refusal(leads_to):
            raise NotRead("a symbolic link leads to a place that is not in targets.paths")
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotRead("it is no file")
        return open(f"/proc/self/fd/{handle}", "rb")  # noqa: PTH123  # the caller closes it; a path can't be reopened
    except OSError:
        raise NotRead("the worker may not read the file") from None
    finally:
        os.close(handle)
