"""Stories of one vantage, written as they are told: ``O@0 P@10 C@20,35,50``.

``O`` open, ``C`` closed, ``I`` inconclusive, ``P`` patch, ``X`` patch elsewhere (out of scope), ``K`` canary proof,
``E`` check edited, ``W`` edited so that it is looser, ``B`` edited back to the first definition,
``D`` closed, but by the definition before the edit, ``A`` the present definition accepted by an executive.
What follows ``@`` are minutes, one event each.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sevtracker.domain.exposure import Accepted, Edited, Event, Patched, Ran, TwinsProven
from sevtracker.domain.policy import Rules, WatchStep
from sevtracker.domain.vocabulary import Verdict

START = datetime(2026, 6, 18, 9, 0, tzinfo=UTC)
FIRST = "definition-0"

_VERDICTS = {"O": Verdict.open, "C": Verdict.closed, "I": Verdict.inconclusive}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def at(minute: float) -> datetime:
    return START + minutes(minute)


#: The rules that the table in docs/verification.md is told with.
RULES = Rules(
    interval=minutes(15),
    consecutive=3,
    soak=minutes(30),
    settle=minutes(5),
    spacing=minutes(10),
    max_gap=minutes(45),
    freshness=minutes(30),
    flapping_window=timedelta(hours=24),
    proof_valid=timedelta(days=7),
    patch_unverified=minutes(30),
    watch=(
        WatchStep(timedelta(hours=1), timedelta(days=7)),
        WatchStep(timedelta(days=1), timedelta(days=90)),
        WatchStep(timedelta(days=7), None),
    ),
    watch_blind=minutes(180),
    watch_lost=timedelta(hours=72),
    access_review=False,
    reporter_retest=False,
    sessions=False,
    identity_classes=(),
)


def told(story: str) -> list[Event]:
    """The events of ``story``, in the order of the text."""
    events: list[Event] = [Edited(at(-1000), FIRST)]
    fingerprint, before, patches, edits = FIRST, FIRST, 0, 0
    for word in story.split():
        letter, _, times = word.partition("@")
        for minute in times.split(","):
            moment = at(float(minute))
            if letter in _VERDICTS:
                events.append(Ran(moment, _VERDICTS[letter], fingerprint))
            elif letter in "PX":
                patches += 1
                events.append(Patched(moment, patches, in_scope=letter == "P"))
            elif letter == "D":
                events.append(Ran(moment, Verdict.closed, before))
            elif letter == "K":
                events.append(TwinsProven(moment, fingerprint))
            elif letter == "A":
                events.append(Accepted(moment, fingerprint))
            else:
                edits += letter in "EW"
                before = fingerprint
                fingerprint = FIRST if letter == "B" else f"definition-{edits}"
                events.append(Edited(moment, fingerprint, looser=letter == "W"))
    return events


def end(events: list[Event]) -> datetime:
    return max(event.at for event in events)
