"""Waivers, attestations and exceptions as a SEV's pages show them, with what the viewer may do about each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from flask import request

from sevtracker.actions.enforce import May, may
from sevtracker.actions.waivers import LONGEST, USUAL
from sevtracker.domain import gate
from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Weight
from sevtracker.store.facts import Case
from sevtracker.store.people import Named
from sevtracker.store.vantages import Vantage
from sevtracker.store.work import Person
from sevtracker.web import exceptions as told
from sevtracker.web.contexts import (
    AttestationLine,
    BlockerLine,
    ExceptionLine,
    Form,
    Option,
    SevLive,
    WaiverLine,
    WordForms,
)
from sevtracker.web.pages.names import whole
from sevtracker.web.words import EXPOSURE


def may_waive(case: Case, person: Person) -> bool:
    """Now, and here: by role, status, and not as the author of a patch."""
    return may(person.role, May.grant_waivers) and _owed(case) and not _author(case, person)


def may_attest(case: Case, person: Person) -> bool:
    return may(person.role, May.work_on_sevs) and _owed(case) and not _author(case, person)


def _owed(case: Case) -> bool:
    return case.sev.status in ACTIVE | WATCHED


def _author(case: Case, person: Person) -> bool:
    return any(p.author_id == person.id for p in case.patches)


# ---- what there is -----------------------------------------------------------------------------------------------


def blockers(case: Case, found: Iterable[gate.Blocker], person: Person) -> tuple[BlockerLine, ...]:
    """The gate's answer, in its own words."""
    waive, attest = may_waive(case, person), may_attest(case, person)
    unseen = {hole.place for hole in case.holes} - gate.probed(case.facts()).keys()
    return tuple(
        BlockerLine(
            b.code.value,
            b.message,
            b.clears,
            b.check,
            b.place,
            waive=waive and b.check is not None,
            attest=attest and b.code is gate.Code.uncovered and b.place in unseen,
        )
        for b in found
    )


def exceptions(case: Case) -> tuple[ExceptionLine, ...]:
    return tuple(ExceptionLine(e.about, e.check is not None, e.until, e.check) for e in told.exceptions(case))


def waivers(case: Case, said: told.Spoken, people: Mapping[int, Named], person: Person) -> tuple[WaiverLine, ...]:
    """Newest first. Any executive may revoke one, an author of a patch too: that lets nothing through."""
    revokes = may(person.role, May.grant_waivers)
    about = {v.check_id: v.about for v in case.vantages}
    return tuple(
        WaiverLine(
            id=row.id or 0,
            check=row.check_id,
            about=about.get(row.check_id, f"check {row.check_id}"),
            reason=row.reason,
            by=_name(people, row.granted_by),
            at=row.granted_at,
            until=row.expires_at,
            knew_open=row.knew_open,
            trouble=told.trouble_of_waiver(case, row) or "",
            over=_over(case, row.revoked_at, row.expires_at),
            revocable=revokes and not _over(case, row.revoked_at, row.expires_at),
        )
        for row in said.waivers
    )


def attestations(
    case: Case, said: told.Spoken, people: Mapping[int, Named], person: Person
) -> tuple[AttestationLine, ...]:
    """Newest first."""
    lines = []
    for signed in said.attestations:
        row, by = signed.attestation, {s.person_id for s in signed.signatures}
        over = _over(case, row.withdrawn_at, row.expires_at)
        takes_back = may(person.role, May.work_on_sevs) and (person.id in by or may(person.role, May.grant_waivers))
        lines.append(
            AttestationLine(
                id=row.id or 0,
                place="/".join(told.place_of(case, row.copy_id)),
                statement=row.statement,
                evidence=row.evidence,
                signers=tuple((_name(people, s.person_id), s.at) for s in signed.signatures),
                until=row.expires_at,
                trouble=told.trouble_of_attestation(case, signed) or "",
                over=over,
                signable=not over and may_attest(case, person) and person.id not in by,
                withdrawable=not over and takes_back,
            )
        )
    return tuple(lines)


def _over(case: Case, taken_back_at: datetime | None, expires_at: datetime) -> bool:
    return taken_back_at is not None or expires_at <= case.now


def _name(people: Mapping[int, Named], person_id: int) -> str:
    found = people.get(person_id)
    return found.name if found else "somebody"


# ---- the forms ---------------------------------------------------------------------------------------------------


def forms(case: Case, live: SevLive, person: Person, refused: Mapping[str, Form]) -> WordForms:
    """What may be waived and attested here, and which of it the address asks about (``?waive=3``, ``?sign=1``...)."""
    checks = tuple(_waivable(case)) if may_waive(case, person) else ()
    places = tuple(_attestable(case)) if may_attest(case, person) else ()
    wanted = request.args.get("waive", "")
    return WordForms(
        checks=checks,
        places=places,
        check=next((o.value for o in checks if o.value.startswith(f"{wanted}:")), ""),
        place=next((o.value for o in places if o.value == request.args.get("attest")), ""),
        waive_until=_typed(case.now + USUAL),
        attest_until=_typed(case.now + LONGEST - timedelta(minutes=1)),
        revoke=next((w for w in live.waivers if w.revocable and w.id == _asked("revoke", refused)), None),
        sign=next((a for a in live.attestations if a.signable and a.id == _asked("sign", refused)), None),
        withdraw=next((a for a in live.attestations if a.withdrawable and a.id == _asked("withdraw", refused)), None),
    )


def _asked(what: str, refused: Mapping[str, Form]) -> int | None:
    """The one that a link asks about; the one whose form was just refused."""
    if what in refused:
        return int((request.view_args or {})["word_id"])
    return whole(request.args.get(what, ""))


def _waivable(case: Case) -> Iterable[Option]:
    """The vantages that keep the SEV from being resolved or could come to, those that do so first."""
    facts = case.facts()
    gating = [v for v in case.vantages if v.weight is not Weight.informs and (v.gates or _open(v))]
    for v in sorted(gating, key=lambda v: not gate.objects(case.seen(v), facts)):
        seen = "its door is open" if _open(v) else EXPOSURE[case.assessments[v.check_id].exposure]
        yield Option(
            f"{v.check_id}:{'open' if _open(v) else 'shut'}", f"check {v.check_id}: {v.name}, {v.locator}", seen
        )


def _open(v: Vantage) -> bool:
    return v.state.door_open


def _attestable(case: Case) -> Iterable[Option]:
    """The copies that no check can look at: elsewhere people's word does not count."""
    checked = gate.probed(case.facts())
    names = {d.id: d.slug for d in case.datasets}
    places = [f"{names[c.dataset_id]}/{c.slug}" for c in case.copies]
    for place in places:
        if place not in checked:
            yield Option(place, place)


def _typed(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M}"
