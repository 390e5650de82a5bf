"""What a measurement found, and how it is shown and written down."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

OUT = Path(__file__).with_name("out")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``value`` is what ``limit`` is about; ``seen`` tells the figures behind it."""

    goal: str
    case: str
    value: float
    limit: float
    sense: Literal["at least", "at most"]
    unit: str
    seen: str

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.sense == "at least" else self.value <= self.limit

    def cells(self) -> tuple[str, ...]:
        sign = "≥" if self.sense == "at least" else "≤"
        return (
            self.goal,
            self.case,
            f"{sign} {_told(self.limit, self.unit)}",
            _told(self.value, self.unit),
            "met" if self.met else "MISSED",
            self.seen,
        )


HEAD = ("goal", "case", "limit", "measured", "", "seen")


def _told(value: float, unit: str) -> str:
    match unit:
        case "%":
            return f"{value * 100:.0f} %"
        case "x":
            return f"{value:.2f}x"
        case "/s":
            return f"{value:,.0f}/s"
        case _:
            return f"{value:.3g} {unit}"


def table(figures: Sequence[Figure]) -> str:
    """Aligned Markdown."""
    lines = [HEAD, *(f.cells() for f in figures)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    rows = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines]
    rows.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(rows)


def machine() -> str:
    """Cores and memory, which is all that may be said of a machine."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    python = platform.python_version()
    return f"{os.cpu_count()} cores, {round(pages / 2**30)} GiB of memory, Python {python}"


def write(figures: Iterable[Figure]) -> Path:
    """JSON and Markdown into ``bench/out``. Returns that folder."""
    listed = list(figures)
    OUT.mkdir(exist_ok=True)
    document = {"machine": machine(), "figures": [{**asdict(f), "met": f.met} for f in listed]}
    (OUT / "results.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    (OUT / "results.md").write_text(f"{machine()}\n\n{table(listed)}\n")
    return OUT
