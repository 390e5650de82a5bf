"""What API and pages tell of waivers, attestations and exceptions: read once, judged by the domain's own words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sevtracker.domain import gate
from sevtracker.domain.vocabulary import ACTIVE, Status
from sevtracker.store import words
from sevtracker.store.facts import Case
from sevtracker.store.session import Session
from sevtracker.store.tables import Waiver
from sevtracker.store.vantages import Vantage
from sevtracker.store.words import Signed

#: More than a SEV ever has; the API's lists have the rest.
MOST = 100


@dataclass(frozen=True, slots=True)
class Spoken:
    """People's word on one SEV, in full, newest first."""

    waivers: tuple[Waiver, ...] = ()
    attestations: tuple[Signed, ...] = ()

    def people(self) -> Iterator[int | None]:
        """Everybody whom it names, by id."""
        for waiver in self.waivers:
            yield from (waiver.granted_by, waiver.revoked_by)
        for made, signatures in self.attestations:
            yield from (made.withdrawn_by, *(s.person_id for s in signatures))


def spoken(session: Session, case: Case) -> Spoken:
    """Two statements; none while nobody has said anything."""
    if not case.told.any:
        return Spoken()
    number = case.sev.number or 0
    made = words.attestations_of(session, number, limit=MOST)
    return Spoken(tuple(words.waivers_of(session, number, limit=MOST)), tuple(known(case, made)))


def known(case: Case, made: Sequence[Signed]) -> list[Signed]:
    """Those about copies that the case knows of: one may have been added between two statements."""
    copies = {c.id for c in case.copies}
    return [signed for signed in made if signed.attestation.copy_id in copies]


def trouble_of_waiver(case: Case, row: Waiver) -> str | None:
    """Why it counts for nothing now, in words; None if it stands and covers what its check sees."""
    if row.revoked_at is not None:
        return "was revoked"
    v = next((v for v in case.vantages if v.check_id == row.check_id), None)
    waiver = gate.Waiver(row.expires_at, row.knew_open, row.fingerprint, row.granted_by, _authors(case))
    trouble = waiver.trouble(case.now, v.fingerprint if v else row.fingerprint)
    if trouble is None and v is not None and v.state.door_open and not row.knew_open:
        return "does not cover a door that opened since"
    return trouble


def trouble_of_attestation(case: Case, signed: Signed) -> str | None:
    """What it lacks now, in words; None if it holds."""
    row, place = signed.attestation, "/".join(place_of(case, signed.attestation.copy_id))
    if row.withdrawn_at is not None:
        return "was withdrawn"
    people = tuple(s.person_id for s in signed.signatures)
    attestation = gate.Attestation(place, row.evidence, people, row.expires_at, _authors(case))
    if trouble := attestation.trouble(case.now):
        return trouble
    if place not in gate.vouched(replace(case.facts(), attestations=(attestation,))):
        return "cannot outvote a check that sees the door open"
    stands = place not in {hole.place for hole in case.holes} or place in case.attested()
    return None if stands else "does not count where a check can look"


def place_of(case: Case, copy_id: int) -> tuple[str, str]:
    """Dataset and copy, by their slugs. Raises LookupError for a copy that the SEV does not affect."""
    copy = next((c for c in case.copies if c.id == copy_id), None)
    dataset = next((d for d in case.datasets if copy and d.id == copy.dataset_id), None)
    if copy is None or dataset is None:
        raise LookupError(f"copy {copy_id} is none of this SEV")
    return dataset.slug, copy.slug


def _authors(case: Case) -> frozenset[int]:
    return frozenset(p.author_id for p in case.patches)


@dataclass(frozen=True, slots=True)
class Exempt:
    """One exception: a vantage that is waived, or a place that is only attested. ``until``: when that ends. ``which``:
    which of those alike."""

    place: str
    until: datetime | None
    check: int | None = None
    identity: str | None = None
    which: str = ""

    @property
    def about(self) -> str:
        return f"{self.identity} at {self.place}{self.which}" if self.identity else self.place


def exceptions(case: Case) -> tuple[Exempt, ...]:
    """What the SEV stands resolved without; while work is owed: what resolving it now would do without."""
    if case.sev.status is Status.dismissed:
        return ()
    asked = case.gate()
    active = case.sev.status in ACTIVE
    checks, places = (asked.exceptions, asked.attested) if active else case.excepted
    by_id = {v.check_id: v for v in case.vantages}
    return (*(_waived(case, c, by_id) for c in checks), *(Exempt(p, attested_until(case, p)) for p in places))


def _waived(case: Case, check_id: int, by_id: dict[int, Vantage]) -> Exempt:
    v = by_id.get(check_id)
    if v is None:  # it was disabled meanwhile
        return Exempt(
            f"check {check_id}", max((w.until for w in case.waivers.get(check_id, ())), default=None), check_id
        )
    return Exempt(v.place, case.seen(v).waived_until(case.now), check_id, v.identity, v.which)


def attested_until(case: Case, place: str) -> datetime | None:
    """When people's word on this place ends; None if there is none that lacks nothing."""
    good = [a.expires_at for a in case.attestations if a.place == place and a.trouble(case.now) is None]
    return max(good, default=None)
