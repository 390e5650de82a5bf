"""Who came in while the doors were open, as far as logs tell: a SEV's impact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sevtracker.domain.vocabulary import Verdict
from sevtracker.store.impacts import Told
from sevtracker.web.contexts import ImpactLine, Stretch


def build(told: Sequence[Told]) -> tuple[ImpactLine, ...]:
    """One line for each check that looks into a log."""
    return tuple(_line(one) for one in told)


def _line(one: Told) -> ImpactLine:
    seen = one.impact
    return ImpactLine(
        check=one.check,
        name=one.name,
        place=f"{one.dataset}/{one.copy}",
        run=one.run,
        at=one.at,
        says=_says(one.verdict, seen),
        complete=bool(seen["complete"]),
        first_at=_moment(seen["first_at"]),
        last_at=_moment(seen["last_at"]),
        covered=tuple(Stretch(_moment(c["since"]), _moment(c["until"])) for c in seen["covered"]),
    )


def _says(verdict: Verdict, seen: dict[str, Any]) -> str:
    """In one sentence. What a log does not speak for is unknown, never none."""
    if seen["principals"] != "0":
        who = "one who is" if seen["principals"] == "1" else f"{seen['principals']} who are"
        times = "once" if seen["accesses"] == "1" else f"{seen['accesses']} times"
        rest = "" if seen["complete"] else " That is what the log tells; it does not speak for the whole time."
        return f"{who.capitalize()} not on the list came in, {times} in all.{rest}"
    if verdict is Verdict.closed:
        return "Nobody off the list came in: the log covers the whole time and shows the read that must be in it."
    return "Unknown: the log does not speak for the whole time. Nobody off the list is in what there is."


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
