"""Gathering what the gate asks: the facts of some SEVs, read in a handful of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sevtracker.config import Identity, Policy
from sevtracker.domain import gate
from sevtracker.domain.exposure import Assessment, assess
from sevtracker.domain.policy import Rules, rules_for
from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Weight
from sevtracker.store import words
from sevtracker.store.datasets import copies_of
from sevtracker.store.sevs import datasets_of
from sevtracker.store.tables import Copy, Dataset, Patch, Sev, SevCheck, table
from sevtracker.store.vantages import Vantage, linked


class Excepted(NamedTuple):
    """What a SEV was resolved without: checks that were waived, places that were only attested."""

    checks: tuple[int, ...] = ()
    places: tuple[str, ...] = ()


@dataclass(slots=True)
class Case:
    """One SEV with everything that its exposure and its gate are judged by, at one time."""

    sev: Sev
    rules: Rules
    now: datetime
    datasets: list[Dataset]
    copies: list[Copy]
    vantages: list[Vantage]
    assessments: dict[int, Assessment]
    patches: list[Patch]
    acts: Mapping[str, datetime]
    holes: tuple[gate.Hole, ...]
    waivers: Mapping[int, tuple[gate.Waiver, ...]] = field(default_factory=dict)
    attestations: tuple[gate.Attestation, ...] = ()
    told: words.Words = field(default_factory=words.Words)
    switched_off: tuple[gate.SwitchedOff, ...] = ()

    @property
    def required(self) -> list[Vantage]:
        return [v for v in self.vantages if v.gates]

    def seen(self, v: Vantage) -> gate.Vantage:
        """A vantage of this case as the gate looks at it."""
        return _facts(v, self.assessments[v.check_id], self.waivers.get(v.check_id, ()))

    @property
    def excepted(self) -> Excepted:
        """What it was resolved without."""
        kept = self.sev.excepted or {}
        return Excepted(tuple(kept.get("checks", ())), tuple(kept.get("places", ())))

    def facts(self) -> gate.Facts:
        """All that the gate looks at."""
        return gate.Facts(
            level=self.sev.level,
            status=self.sev.status,
            rules=self.rules,
            now=self.now,
            vantages=[self.seen(v) for v in self.vantages],
            holes=self.holes,
            patches=len(self.patches),
            patched_at=max((p.applied_at for p in self.patches), default=None),
            retest_at=self.acts.get("retest"),
            access_review_at=self.acts.get("access_review"),
            sessions_at=self.acts.get("sessions"),
            attestations=self.attestations,
            switched_off=self.switched_off,
        )

    def gate(self) -> gate.Gate:
        """Ask the gate about this case."""
        return gate.evaluate(self.facts())

    def attested(self) -> set[str]:
        """The places where people's word stands in for a check. What a SEV was resolved on stands until it ends, also
        where a check was added since."""
        if self.sev.status in ACTIVE:
            return gate.attested(self.facts())
        return gate.vouched(self.facts()) & {*gate.attested(self.facts()), *self.excepted.places}

    def assess(self) -> None:
        """Judge every vantage as of now. One that the SEV was resolved without is still owed, not only watched."""
        without, since = self.excepted.checks, self.sev.resolved_at
        self.assessments = {
            v.check_id: assess(v.state, self.rules, self.now, None if v.check_id in without else since)
            for v in self.vantages
        }


def gather(
    session: Session, found: Sequence[Sev], policy: Policy, identities: Mapping[str, Identity], now: datetime
) -> list[Case]:
    """The cases of these SEVs at ``now``. Five statements, however many SEVs."""
    numbers = [int(sev.number or 0) for sev in found]
    their_datasets = datasets_of(session, numbers)
    their_checks = linked(session, numbers)
    their_patches = patches_of(session, numbers)
    told = words.given(session, numbers)
    copies: dict[int, list[Copy]] = {}
    every_id = sorted({int(d.id or 0) for listed in their_datasets.values() for d in listed})
    for copy in copies_of(session, every_id, retired=True):
        copies.setdefault(copy.dataset_id, []).append(copy)
    cases = []
    for sev, number in zip(found, numbers, strict=True):
        rules = rules_for(policy, sev.level)
        own = [(d, c) for d in their_datasets[number] for c in copies.get(int(d.id or 0), []) if in_coverage(c, sev)]
        seen = [v for v in their_checks[number] if v.counts]
        case = Case(
            sev=sev,
            rules=rules,
            now=now,
            datasets=their_datasets[number],
            copies=[c for _, c in own],
            vantages=seen,
            assessments={},
            patches=their_patches[number],
            acts={kind: at for kind, at in told[number].acts.items() if _this_cycle(sev, at)},
            waivers=_waivers(told[number], their_patches[number]),
            attestations=_attestations(told[number], own, their_patches[number]),
            told=told[number],
            switched_off=tuple(gate.SwitchedOff(v.check_id, v.place) for v in their_checks[number] if v.switched_off),
            holes=_holes({f"{d.slug}/{c.slug}": c.retired_at is not None for d, c in own}, seen, rules, identities),
        )
        case.assess()
        cases.append(case)
    return cases


def in_coverage(copy: Copy, sev: Sev) -> bool:
    """Does the SEV ask for this copy? Not if it was gone before. One that went since stays: no hole closes by that."""
    return copy.retired_at is None or copy.retired_at > sev.reported_at


def _this_cycle(sev: Sev, at: datetime) -> bool:
    return sev.reopened_at is None or at >= sev.reopened_at


def _waivers(told: words.Words, patches: Sequence[Patch]) -> dict[int, tuple[gate.Waiver, ...]]:
    """What was waived, by check, as the gate looks at it."""
    authors = frozenset(p.author_id for p in patches)
    return {
        check_id: tuple(gate.Waiver(w.until, w.knew_open, w.fingerprint, w.granted_by, authors) for w in listed)
        for check_id, listed in told.waivers.items()
    }


def _attestations(
    told: words.Words, places: Sequence[tuple[Dataset, Copy]], patches: Sequence[Patch]
) -> tuple[gate.Attestation, ...]:
    """What was attested of these copies, as the gate looks at it."""
    named = {c.id: f"{d.slug}/{c.slug}" for d, c in places}
    authors = frozenset(p.author_id for p in patches)
    return tuple(
        gate.Attestation(named[a.copy_id], a.evidence, a.signed_by, a.until, authors)
        for a in told.attestations
        if a.copy_id in named
    )


def _facts(v: Vantage, assessment: Assessment, waivers: tuple[gate.Waiver, ...]) -> gate.Vantage:
    return gate.Vantage(
        check=v.check_id,
        place=v.place,
        identity=v.identity,
        required=v.gates,
        weight=v.weight,
        assessment=assessment,
        decisive=v.state.decisive,
        last=v.state.last,
        reason=v.last_reason,
        last_at=v.state.last_at,
        fingerprint=v.fingerprint,
        waivers=waivers,
        still_open=v.state.still_open,
        kind=v.kind,
        which=v.which,
    )


def first_case(  # what a case has from the start
    sev: Sev,
    places: Sequence[str],
    seen: Sequence[Vantage],
    rules: Rules,
    identities: Mapping[str, Identity],
    now: datetime,
) -> Case:
    """The case of a SEV that is being filed, without asking anything more. ``places`` are all copies affected."""
    return Case(
        sev=sev,
        rules=rules,
        now=now,
        datasets=[],
        copies=[],
        vantages=[v for v in seen if v.counts],
        assessments={v.check_id: assess(v.state, rules, now) for v in seen},
        patches=[],
        acts={},
        holes=_holes(dict.fromkeys(places, False), seen, rules, identities),
    )


def _holes(
    places: Mapping[str, bool], seen: Sequence[Vantage], rules: Rules, identities: Mapping[str, Identity]
) -> tuple[gate.Hole, ...]:
    """Copies that no required check looks at: at all, or as an identity class that the level asks for.

    ``places``: each copy, and whether it is retired.
    """
    eyes: dict[str, set[str]] = {}
    for v in seen:
        if v.gates and v.weight is Weight.decides:
            known = identities.get(v.identity)
            eyes.setdefault(v.place, set()).add(known.cls if known else "unknown")
    holes = []
    for place, retired in places.items():
        looking = eyes.get(place, set())
        if not looking:
            holes.append(gate.Hole(place, retired=retired))
        holes.extend(gate.Hole(place, cls) for cls in rules.identity_classes if looking and cls not in looking)
    return tuple(holes)


def patches_of(session: Session, numbers: Sequence[int]) -> dict[int, list[Patch]]:
    """The patches of each SEV, in their order."""
    found: dict[int, list[Patch]] = {number: [] for number in numbers}
    if numbers:
        statement = select(Patch).where(col(Patch.sev_number).in_(numbers)).order_by(col(Patch.number))
        for patch in session.exec(statement):
            found[patch.sev_number].append(patch)
    return found


def judges_patches_of(session: Session, check_id: int, person_id: int) -> bool:
    """Does this check gate a SEV, active or watched (or one that was dismissed as its duplicate), for which this person
    logged a patch?"""
    p, sc, s, original = table(Patch), table(SevCheck), table(Sev), table(Sev).alias()
    live = sorted(ACTIVE | WATCHED)
    statement = (
        sa.select(p.c.number)
        .join(sc, sc.c.sev_number == p.c.sev_number)
        .join(s, s.c.number == p.c.sev_number)
        .outerjoin(original, original.c.number == s.c.duplicate_of)
        .where(sc.c.check_id == check_id, p.c.author_id == person_id)
        .where(sa.or_(s.c.status.in_(live), original.c.status.in_(live)))
        .limit(1)
    )
    return session.connection().execute(statement).first() is not None


def any_alarm(session: Session, now: datetime) -> bool:
    """Is any "patch unverified" alarm due?"""
    p = table(Patch)
    return session.connection().execute(sa.select(p.c.number).where(p.c.alarm_at <= now).limit(1)).first() is not None


def alarming(session: Session, now: datetime) -> list[int]:
    """SEVs that have a patch whose "patch unverified" alarm is due."""
    p = table(Patch)
    statement = sa.select(p.c.sev_number).where(p.c.alarm_at <= now).distinct().order_by(p.c.sev_number).limit(100)
    return [int(n) for n in session.connection().execute(statement).scalars()]


def alarms_due(session: Session, numbers: Sequence[int], now: datetime) -> list[Patch]:
    """The patches of these SEVs (locked by the caller) whose alarm is due still."""
    statement = (
        select(Patch)
        .where(col(Patch.sev_number).in_(numbers), col(Patch.alarm_at) <= now)
        .order_by(col(Patch.sev_number), col(Patch.number))
        .execution_options(populate_existing=True)
    )
    return list(session.exec(statement))
