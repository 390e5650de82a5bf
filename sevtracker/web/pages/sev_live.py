"""The parts of a SEV's page that change by themselves: one read, told once, for the page and for its live fragment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sevtracker.config import Settings
from sevtracker.domain import clocks
from sevtracker.domain.vocabulary import ACTIVE, PatchOutcome, Status
from sevtracker.store import facts, people, timeline
from sevtracker.store.session import Session
from sevtracker.store.tables import Patch, Sev
from sevtracker.store.timeline import Item
from sevtracker.store.work import Person
from sevtracker.web import exceptions
from sevtracker.web.contexts import Clocks, PatchLine, SevLive
from sevtracker.web.pages import sev_bar, sev_changes, sev_headline, sev_matrix, sev_timeline, sev_words
from sevtracker.web.pages.names import key

#: Times are shown by the minute, so a page that is open is told anew each minute; by the second while all is young.
TOLD_ANEW, TOLD_SOON, YOUNG = timedelta(minutes=1), timedelta(seconds=10), timedelta(minutes=5)
CLOCK_72 = timedelta(hours=72)

#: Records that the page needs wherever the timeline stands: states, turns, acts, revisions. The newest, so many.
MOST_STORY = 500
STORY = (
    "sev:filed",
    "sev:resolved",
    "sev:reopened",
    "sev:dismissed",
    "exposure:changed",
    "patch:claimed",
    "act:retest",
    "act:access_review",
    "act:sessions_handled",
    "note:revised",
)


@dataclass(frozen=True, slots=True)
class Told:
    """What was read of a SEV: its live part, and what the rest of the page is made of. ``story`` is oldest first.

    ``duplicate_of`` is the SEV that it is a duplicate of, if the reader may know of that one.
    """

    live: SevLive
    case: facts.Case
    story: Sequence[Item]
    people: Mapping[int, people.Named]
    names: Mapping[str, str]
    duplicate_of: int | None


def token(sev: Sev, now: datetime) -> str:
    """Names what the page shows: it differs whenever a text on it would."""
    moved = max(at for at in (sev.reported_at, sev.exposure_since, sev.fix_claimed_at) if at is not None)
    every = TOLD_SOON if now - moved < YOUNG else TOLD_ANEW
    return f"{sev.version}-{int(now.timestamp() // every.total_seconds())}"


def tell(session: Session, settings: Settings, sev: Sev, person: Person, now: datetime, choices: int = 0) -> Told:
    """Read and tell everything. Nine statements, two more where something was waived or attested, two more where a
    check was changed; ``choices``: how many people to offer as commanders."""
    wanted = sev_timeline.asked()
    number = int(sev.number or 0)
    [case] = facts.gather(session, [sev], settings.policy, settings.identities, now)
    listed = sev_timeline.read(session, number, wanted)
    told = timeline.records(session, number, limit=MOST_STORY, newest_first=True, exactly=STORY)[::-1]
    quiet = timeline.discreet(session, person.viewer, [*listed, *told])
    found, story = quiet[: len(listed)], quiet[len(listed) :]
    other = next((item.facts.get("duplicate_of") for item in reversed(story) if item.kind == "sev:dismissed"), None)
    tally = timeline.tally(session, number)
    said = exceptions.spoken(session, case)
    ids = [i for i in (sev.reporter_id, *(p.author_id for p in case.patches), sev.commander_id, *said.people()) if i]
    pids = set(sev_timeline.pids_in([*found, *story]))
    around = people.around(session, number, ids, pids, choices=choices)
    names = {p.pid: p.name for p in around}
    by_id = {p.id: p for p in around}
    definitions = sev_changes.read(session, person.viewer, found)
    revised: dict[int, list[Item]] = {}
    for item in story:
        if item.kind == "note:revised":
            revised.setdefault(item.facts["note"], []).append(item)
    live = SevLive(
        token=token(sev, now),
        number=number,
        key=key(number),
        status=sev.status,
        exposure=sev.exposure,
        headline=sev_headline.headline(case, other),
        clocks=_clocks(sev, now),
        bar=sev_bar.build(case, story, now),
        matrix=sev_matrix.build(case, settings),
        blockers=sev_words.blockers(case, case.gate().blockers, person) if sev.status in ACTIVE else (),
        patches=tuple(_patch(p, by_id, case) for p in reversed(case.patches)),
        timeline=sev_timeline.build(found, wanted, tally, revised, names, person.pid, definitions),
        exceptions=sev_words.exceptions(case),
        waivers=sev_words.waivers(case, said, by_id, person),
        attestations=sev_words.attestations(case, said, by_id, person),
    )
    return Told(live, case, story, by_id, names, other if sev.status is Status.dismissed else None)


def _clocks(sev: Sev, now: datetime) -> Clocks:
    claimed = sev.fix_claimed_at
    return Clocks(
        filed_at=sev.reported_at,
        detected_at=sev.detected_at,
        exposed_from=sev.exposed_from,
        fix_claimed_at=claimed,
        fix_claimed_after=max(claimed - sev.detected_at, timedelta(0)) if claimed else None,
        verified_closed_at=sev.verified_closed_at,
        resolved_at=sev.resolved_at,
        gap=clocks.false_fix_gap(claimed, sev.verified_closed_at, now),
        aware_at=sev.aware_at,
        clock72=sev.aware_at + CLOCK_72 if sev.aware_at and sev.status is not Status.dismissed else None,
    )


def _patch(patch: Patch, by_id: Mapping[int, people.Named], case: facts.Case) -> PatchLine:
    author = by_id.get(patch.author_id)
    return PatchLine(
        number=patch.number,
        summary=patch.summary,
        outcome=patch.outcome,
        claimed_by=author.name if author else "somebody",
        claimed_at=patch.claimed_at,
        applied_at=patch.applied_at,
        url=patch.url,
        scope=tuple(patch.datasets),
        failed_at=patch.failed_at if patch.outcome is PatchOutcome.failed else None,
        failed_by=tuple((v.check_id, v.about) for v in case.vantages if patch.number in v.state.failed_patches),
    )
