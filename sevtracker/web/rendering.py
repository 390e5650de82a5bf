"""The Jinja environment: where templates lie, what they may call, and how static files are found and cached.

``install(app)`` is called once by the app factory (which makes the app with ``static_folder=None``);
``render(page, chrome)`` turns a typed context into HTML. Templates never read the clock: *now* comes with ``chrome``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, current_app, request, send_from_directory, url_for
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup, escape

from sevtracker.domain.spans import span
from sevtracker.domain.vocabulary import Exposure, Level, PatchOutcome, Reason, Role, Status, Verdict
from sevtracker.web import words
from sevtracker.web.contexts import BarMark, BarSegment, Chrome, ExposureBar, PageContext, RunLine, Theme, TimelineEntry

YEAR_S = 31_536_000


# ---- templates ---------------------------------------------------------------------------------------------------


def templates_folder() -> Path:
    """The repository's ``templates/`` when it lies beside the package (editable install), else the wheel's copy."""
    package = Path(str(files("sevtracker")))
    beside = package.parent / "templates"
    return beside if (beside / "base.html").is_file() else package / "templates"


class _OncePerProcess(BytecodeCache):
    """Templates are compiled once, however many apps a process builds: compiling all of them takes two seconds."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Jinja itself sees whether it is still of the same source."""
        if (code := self._compiled.get(bucket.key)) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _OncePerProcess()


def install(app: Flask) -> None:
    """Give ``app`` our templates, filters, globals and ``/static/``."""
    env = app.jinja_env
    env.loader = FileSystemLoader(templates_folder())
    env.bytecode_cache = _COMPILED
    env.undefined = StrictUndefined
    env.trim_blocks = env.lstrip_blocks = True
    env.filters.update(span=span, bytes=human_bytes, utc=utc, clock=clock, number=number, groupby_day=by_day)
    env.globals.update(
        when=when,
        ago=ago,
        aged=_time,
        left=left,
        icon=icon,
        asset=asset,
        link=link,
        url_prefix=url_prefix,
        place=place,
        strip=strip,
        words=words,
        Exposure=Exposure,
        Level=Level,
        PatchOutcome=PatchOutcome,
        Reason=Reason,
        Role=Role,
        Status=Status,
        Verdict=Verdict,
    )
    badge = env.get_template("components/state.html").module
    env.globals["exposure_badge"] = {e: badge.exposure(e) for e in Exposure}  # type: ignore[attr-defined]  # a template's macros
    env.globals["level_tag"] = {v: badge.level(v) for v in Level}  # type: ignore[attr-defined]  # a template's macros
    env.globals["status_of"] = badge.status  # type: ignore[attr-defined]  # a template's macros
    env.globals["status_tag"] = {v: badge.status(v) for v in Status}  # type: ignore[attr-defined]  # a template's macros
    _remember_rows(env, env.get_template("components/rows.html").module)
    app.add_url_rule("/static/<path:name>", "static", static)


def _remember_rows(env: Environment, rows: Any) -> None:
    """A list shows a hundred rows, mostly those that it showed before. Their HTML depends on the arguments alone."""
    sev = lru_cache(maxsize=4096)(rows.sev)
    env.globals["sev_row"] = lambda row, base, now: sev(row, base, age(row.filed_at, now))
    env.globals["chip"] = lru_cache(maxsize=128)(rows.chip)


def render(page: PageContext, chrome: Chrome) -> str:
    """The HTML of ``page``, by the template that its class names."""
    return current_app.jinja_env.get_template(page.template).render(page=page, chrome=chrome)


def link(endpoint: str) -> str:
    """``url_for`` of a page without arguments, built once: every page names a dozen of them."""
    known: dict[tuple[str, str], str] = current_app.extensions.setdefault("sevtracker_links", {})
    key = request.script_root, endpoint
    return known.get(key) or known.setdefault(key, url_for(endpoint))


def url_prefix(endpoint: str, **arguments: Any) -> str:
    """A link without its last number, so that a list of rows asks the router once: ``/sevs/``, to which ``7`` is added.

    That last argument is passed as 0, e.g. ``url_prefix("pages.sev_show", number=0)``.
    """
    return url_for(endpoint, **arguments).removesuffix("0")


# ---- times and figures -------------------------------------------------------------------------------------------


def utc(at: datetime) -> str:
    """``2026-06-18 09:10`` of an aware datetime."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def clock(at: datetime) -> str:
    """``09:10:05``."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def _time(at: datetime, text: str) -> Markup:
    """``at`` is in UTC. Cut from ``isoformat`` because a list has a hundred of these, and strftime is slow."""
    stamp = at.isoformat(" ", "seconds")[:19]
    return Markup(f'<time datetime="{stamp[:10]}T{stamp[11:]}Z" title="{stamp} UTC">{text}</time>')


def when(at: datetime, style: str = "minute") -> Markup:
    """The one way to show a time: UTC, with the seconds (and, by app.js, the reader's own zone) on hover.

    ``style``: ``minute`` (2026-06-18 09:10), ``second``, ``clock`` (09:10:05), ``day`` (Thu 18 Jun 2026), ``short``
    (18 Jun 09:10).
    """
    at = at.astimezone(UTC)
    return _time(at, at.strftime(_STYLES[style]))


_STYLES = {
    "minute": "%Y-%m-%d %H:%M",
    "second": "%Y-%m-%d %H:%M:%S",
    "clock": "%H:%M:%S",
    "day": "%a %-d %b %Y",
    "short": "%-d %b %H:%M",
}


def ago(at: datetime, now: datetime) -> Markup:
    """``12 min ago``: the largest unit only, for dense rows. A time ahead reads ``in 12 min``."""
    at = at.astimezone(UTC)
    return _time(at, age(at, now))


def age(at: datetime, now: datetime) -> str:
    """The text of ``ago``."""
    seconds = (now - at).total_seconds()
    if 0 <= seconds < 5:
        return "just now"
    return f"in {_coarse(-seconds)}" if seconds < 0 else f"{_coarse(seconds)} ago"


def left(deadline: datetime, now: datetime) -> str:
    """``60 h 12 min left``, or ``over by 3 h``. Hours on purpose: the clock of 72 is read in hours."""
    minutes = int((deadline - now).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    text = f"{hours} h {rest} min" if hours < 10 else f"{hours} h"
    return f"over by {text}" if minutes < 0 else f"{text} left"


def _coarse(seconds: float) -> str:
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {name}"
    return f"{int(seconds)} s"


def human_bytes(size: int) -> str:
    """``1.5 MiB``."""
    amount = float(size)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def number(count: int) -> str:
    """``12 345``, with narrow no-break spaces."""
    return f"{count:,}".replace(",", "\u202f")


def by_day(entries: Iterable[TimelineEntry]) -> Iterator[tuple[datetime, list[TimelineEntry]]]:
    """Timeline entries under the UTC day that they belong to, in the order in which they come."""
    for _, group in groupby(entries, key=lambda e: e.at.astimezone(UTC).date()):
        day = list(group)
        yield day[0].at, day


# ---- drawing -----------------------------------------------------------------------------------------------------


def icon(name: str, label: str = "") -> Markup:
    """A shape of the sprite in base.html. Without a label it is decoration, and the word beside it speaks."""
    told = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(f'<svg class="ico i-{name}" {told}><use href="#i-{name}"></use></svg>')


@dataclass(frozen=True, slots=True)
class PlacedSegment:
    """``x`` and ``width`` in percent of the bar."""

    segment: BarSegment
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class PlacedMark:
    """``lane`` 0 is nearest to the bar; ``anchor`` keeps the label inside."""

    mark: BarMark
    x: float
    lane: int
    anchor: str


@dataclass(frozen=True, slots=True)
class PlacedBar:
    segments: tuple[PlacedSegment, ...]
    marks: tuple[PlacedMark, ...]
    lanes: int


#: Width for which labels are laid out, and of one character of them, in pixels. A phone lists the marks instead.
_BAR_PX, _CHAR_PX = 720, 6.4


def place(bar: ExposureBar) -> PlacedBar:
    """Where everything on an exposure bar goes.

    Labels that would touch go to the next lane below. Laid out from the right, so that the stem of a deeper label comes
    down left of the labels above it and crosses none.
    """
    total = max((bar.end - bar.start).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return round(min(max((at - bar.start).total_seconds() / total, 0.0), 1.0) * 100, 2)

    segments = tuple(PlacedSegment(s, x(s.since), max(round(x(s.until) - x(s.since), 2), 0.15)) for s in bar.segments)
    marks = []
    taken: list[list[tuple[float, float]]] = []
    for mark in sorted(bar.marks, key=lambda m: m.at, reverse=True):
        at = x(mark.at)
        width = max(len(mark.label), 12) * _CHAR_PX / _BAR_PX * 100
        anchor = "end" if at + width > 100 else "start"
        begins, ends = (at - width, at) if anchor == "end" else (at, at + width)
        free = (i for i, lane in enumerate(taken) if all(ends + 1 < b or e + 1 < begins for b, e in lane))
        lane = next(free, len(taken))
        taken[lane:] = taken[lane:] or [[]]
        taken[lane].append((begins, ends))
        marks.append(PlacedMark(mark, at, lane, anchor))
    marks.reverse()
    return PlacedBar(segments, tuple(marks), max(len(taken), 1))


def strip(runs: tuple[RunLine, ...]) -> Iterator[tuple[RunLine, float, float]]:
    """Each run with the ``x`` and ``width`` (percent) of its stroke in the history strip, newest at the right end."""
    slots = max(len(runs), 40)
    width = 100 / slots
    first = slots - len(runs)
    for index, run in enumerate(runs):
        yield run, round((first + index) * width, 3), round(width * 0.72, 3)


# ---- static files ------------------------------------------------------------------------------------------------


@cache
def _sources() -> Mapping[str, Path]:
    """First part of a static file's name -> its folder. Bootstrap and htmx come from their packages, unchanged."""
    return {
        "": Path(str(files("sevtracker"))) / "web" / "static",
        "bootstrap": Path(str(files("flask_bootstrap"))) / "static" / "bootstrap5" / "css",
        "htmx": Path(str(files("js_lib_htmx"))) / "static" / "htmx",
    }


#: Nothing else of those packages is served.
_VENDORED = frozenset({"bootstrap/bootstrap.min.css", "htmx/htmx.min.js"})


def find_static(name: str) -> tuple[Path, str] | None:
    """Folder and file name of a static file, or None. ``name`` is e.g. ``app.css`` or ``htmx/htmx.min.js``."""
    folder, _, rest = name.rpartition("/")
    if folder:
        return (_sources()[folder], rest) if name in _VENDORED else None
    return (_sources()[""], rest) if (_sources()[""] / rest).is_file() else None


@cache
def _versioned(name: str) -> str:
    """Asked of the disk once a process, like the templates: a page names seven files."""
    found = find_static(name)
    if found is None:
        raise LookupError(f"no static file {name}")
    return f"{name}?v={hashlib.sha256((found[0] / found[1]).read_bytes()).hexdigest()[:12]}"


def asset(name: str) -> str:
    """The URL of a static file with the hash of its content, so that browsers may keep it for a year."""
    return f"{request.script_root}/static/{_versioned(name)}"


def static(name: str) -> Response:
    """A static file: for a year when asked for by its hash, else to be asked for again."""
    found = find_static(name)
    if found is None:
        abort(404)
    answer = send_from_directory(*found, max_age=YEAR_S if request.args.get("v") else 0)
    if request.args.get("v"):
        answer.cache_control.immutable = True
    return answer


def theme_of(cookie: str | None) -> Theme:
    """``auto``, ``light`` or ``dark`` from the cookie, whatever it holds."""
    match cookie:
        case "light" | "dark":
            return cookie
        case _:
            return "auto"
