"""From what store read to what the API answers. No rules here: domain judges, these only say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from sevtracker.config import Settings
from sevtracker.domain import clocks, gate, sentences
from sevtracker.domain.ledger import Evidence
from sevtracker.domain.vocabulary import Verdict
from sevtracker.store import (
    checks,
    datasets,
    facts,
    impacts,
    people,
    proposals,
    sevs,
    suggestions,
    timeline,
    vantages,
    words,
)
from sevtracker.store.session import Session
from sevtracker.store.tables import Check, Patch, Person, Sev, Waiver
from sevtracker.store.work import Viewer
from sevtracker.web import exceptions
from sevtracker.web.api import models

#: How long there is to notify the supervisory authority (GDPR, article 33).
NOTIFY_WITHIN = timedelta(hours=72)


def key(number: int) -> str:
    return f"SEV-{number}"


def person(row: Person | None) -> models.PersonRef | None:
    return None if row is None else models.PersonRef(id=row.id or 0, pid=row.pid, name=row.name, email=row.email)


# ---- lists -------------------------------------------------------------------------------------------------------


def sev_line(line: sevs.Line) -> models.SevLine:
    return models.SevLine(**_line(line))


def _line(line: sevs.Line) -> dict[str, object]:
    return {
        "number": line.number,
        "key": key(line.number),
        "title": line.title,
        "level": line.level,
        "status": line.status,
        "exposure": line.exposure,
        "exposure_since": line.exposure_since,
        "restricted": line.restricted,
        "datasets": list(line.datasets),
        "blockers": line.blockers,
        "resolved_with_exception": line.exceptions > 0,
        "exception_count": line.exceptions,
        "reopens": line.reopens,
        "reported_at": line.reported_at,
        "detected_at": line.detected_at,
        "exposed_from": line.exposed_from,
        "fix_claimed_at": line.fix_claimed_at,
        "verified_closed_at": line.verified_closed_at,
        "resolved_at": line.resolved_at,
    }


def resolution(line: sevs.Line, evidence: Iterable[Evidence]) -> models.Resolution:
    told = [models.Evidence(run=e.run, revision=e.check_rev, verdict=Verdict(e.verdict), at=e.at) for e in evidence]
    return models.Resolution(**_line(line), evidence=told)


def dataset_line(line: datasets.Line) -> models.DatasetLine:
    return models.DatasetLine(
        slug=line.slug,
        name=line.name,
        owner=line.owner,
        programme=line.programme,
        classification=line.classification,
        description=line.description,
        copy_count=line.copies,
        check_count=line.checks,
        open_check_count=line.open_checks,
    )


def check_line(line: checks.Line) -> models.CheckLine:
    return models.CheckLine(
        id=line.id,
        name=line.name,
        dataset=line.dataset,
        copy_=line.copy,
        kind=line.kind,
        identity=line.identity,
        control=line.control,
        required=line.required,
        enabled=line.enabled,
        revision=line.revision,
        locator=line.locator,
        verdict=line.last_verdict,
        reason=line.last_reason,
        decisive=line.decisive,
        last_at=line.last_at,
        due_at=line.due_at,
        halted=line.halted,
        retired_at=line.retired_at,
    )


def suggestion(line: suggestions.Line) -> models.Suggestion:
    return models.Suggestion(
        id=line.id,
        dataset=line.dataset,
        copy_=line.copy,
        check=line.check,
        kind=line.kind,
        identity=line.identity,
        control=line.control,
        params=line.params,
        locator=line.locator,
        why=line.why,
        state=line.state,
        first_at=line.first_at,
        last_at=line.last_at,
        decided_at=line.decided_at,
        decided_by=line.decided_by,
        reason=line.reason,
        became=line.became,
    )


def check(row: Check, dataset: str, copy: str, found: Sequence[suggestions.Line] = ()) -> models.Check:
    return models.Check(
        id=row.id or 0,
        name=row.name,
        dataset=dataset,
        copy_=copy,
        kind=row.kind,
        identity=row.identity,
        control=row.control,
        required=row.required,
        enabled=row.enabled,
        revision=row.revision,
        locator=row.locator,
        verdict=row.last_verdict,
        reason=row.last_reason,
        decisive=row.decisive,
        last_at=row.last_at,
        due_at=row.due_at,
        halted=row.halted,
        retired_at=row.retired_at,
        params=row.params,
        twins=_twins(row),
        fingerprint=row.fingerprint,
        created_at=row.created_at,
        weight=row.weight,
        suggestions=[suggestion(one) for one in found],
    )


def proposal(line: proposals.Line, check_id: int) -> models.Proposal:
    decider = None if line.decider is None else models.Who(pid=line.decider_pid or "", name=line.decider)
    return models.Proposal(
        id=line.id,
        check=check_id,
        revision=line.revision,
        change=dict(line.change),
        retires=line.retires,
        reason=line.reason,
        state=line.state,
        proposed_at=line.proposed_at,
        proposed_by=models.Who(pid=line.proposer_pid, name=line.proposer),
        decided_at=line.decided_at,
        decided_by=decider,
        decision=line.decision,
    )


def _twins(row: Check) -> models.Twins | None:
    if row.twins is None:
        return None
    return models.Twins(
        open=row.twins["open"],
        locked=row.twins["locked"],
        keeper=(row.twins_made or {}).get("keeper"),
        proved_at=row.proved_at,
        wrong=row.twins_wrong,
    )


def run(line: checks.RunLine) -> models.Run:
    return models.Run(
        id=line.id,
        check=line.check_id,
        verdict=line.verdict,
        reason=line.reason,
        started_at=line.started_at,
        duration_ms=line.duration_ms,
        control=line.control,
        revision=line.revision,
        trigger=line.trigger,
        sev=line.sev,
        patch=line.patch,
        steps=[models.Step(**step) for step in line.steps],
        impact=line.impact,
    )


def timeline_item(item: timeline.Item) -> models.TimelineItem:
    told = sentences.sentence(item.kind, item.facts)
    return models.TimelineItem(
        seq=item.seq,
        id=item.id,
        kind=item.kind,
        at=item.at,
        recorded_at=item.recorded_at,
        actor=models.Actor(pid=item.actor_pid, name=item.actor_name, role=item.actor_role, via=item.via),
        text=told if item.text is None else item.text,
        sentence=told,
        facts=dict(item.facts),
        evidence=[dict(e) for e in item.evidence],
    )


# ---- one SEV -----------------------------------------------------------------------------------------------------


def sev(session: Session, viewer: Viewer, settings: Settings, found: Sev, now: datetime) -> models.Sev:
    """Everything that is known of a SEV, as of ``now``. Twelve statements, two more where something was waived or
    attested, however much it is."""
    number = found.number or 0
    [case] = facts.gather(session, [found], settings.policy, settings.identities, now)
    said = exceptions.spoken(session, case)
    authors = [p.author_id for p in case.patches]
    named = people.named(session, [found.reporter_id, found.commander_id, *authors, *said.people()])
    asked = case.gate()
    duplicate = [found.duplicate_of] if found.duplicate_of else []
    return models.Sev(
        number=number,
        key=key(number),
        title=found.title,
        summary=found.summary,
        level=found.level,
        status=found.status,
        exposure=found.exposure,
        exposure_since=found.exposure_since,
        restricted=found.restricted,
        datasets=[d.slug for d in case.datasets],
        blockers=len(asked.blockers),
        resolved_with_exception=found.exceptions > 0,
        exception_count=found.exceptions,
        reopens=found.reopens,
        reported_at=found.reported_at,
        detected_at=found.detected_at,
        exposed_from=found.exposed_from,
        fix_claimed_at=found.fix_claimed_at,
        verified_closed_at=found.verified_closed_at,
        resolved_at=found.resolved_at,
        reporter=person(named.get(found.reporter_id)),
        commander=person(named.get(found.commander_id or 0)),
        members=[p for p in map(person, sevs.members_of(session, number)) if p] if found.restricted else [],
        programmes=datasets.programme_slugs(session, [d.id or 0 for d in case.datasets]),
        duplicate_of=next(iter(sevs.known(session, viewer, duplicate)), None),
        clocks=_clocks(found, now),
        windows=_windows(case),
        patches=[_patch(p, named) for p in case.patches],
        vantages=[_vantage(v, case) for v in case.vantages],
        suggestions=[suggestion(one) for one in suggestions.of_sev(session, number)],
        impact=[_impact(one) for one in impacts.of_sev(session, number, viewer)],
        gate=models.Gate(open=asked.open, blockers=_blockers(asked.blockers)),
        waivers=[waiver(case, w, named) for w in said.waivers],
        attestations=[attestation(case, a, named) for a in said.attestations],
        exceptions=[_exempt(e) for e in exceptions.exceptions(case)],
    )


def _clocks(found: Sev, now: datetime) -> models.Clocks:
    gap = clocks.false_fix_gap(found.fix_claimed_at, found.verified_closed_at, now)
    return models.Clocks(
        reported_at=found.reported_at,
        detected_at=found.detected_at,
        exposed_from=found.exposed_from,
        aware_at=found.aware_at,
        fix_claimed_at=found.fix_claimed_at,
        verified_closed_at=found.verified_closed_at,
        resolved_at=found.resolved_at,
        closed_at=found.closed_at,
        reopened_at=found.reopened_at,
        false_fix_gap_s=None if gap is None else gap.total_seconds(),
        notify_by=None if found.aware_at is None else found.aware_at + NOTIFY_WITHIN,
    )


def _windows(case: facts.Case) -> list[models.Window]:
    told = []
    for dataset in case.datasets:
        seen = [
            (case.assessments[v.check_id].exposure, v.state)
            for v in case.vantages
            if v.dataset == dataset.slug and ((v.required and v.enabled) or v.state.door_open)
        ]
        window = clocks.window(dataset.slug, seen, exposed_from=case.sev.exposed_from, detected_at=case.sev.detected_at)
        told.append(
            models.Window(
                dataset=window.dataset,
                since=window.since,
                until=window.until,
                last_seen_open=window.last_seen_open,
            )
        )
    return told


def _patch(row: Patch, named: Mapping[int, Person]) -> models.Patch:
    return models.Patch(
        number=row.number,
        summary=row.summary,
        url=row.url,
        datasets=row.datasets,
        author=person(named.get(row.author_id)),
        claimed_at=row.claimed_at,
        applied_at=row.applied_at,
        outcome=row.outcome,
        failed_at=row.failed_at,
    )


def _vantage(v: vantages.Vantage, case: facts.Case) -> models.Vantage:
    seen = case.assessments[v.check_id]
    return models.Vantage(
        check=v.check_id,
        name=v.name,
        kind=v.kind,
        dataset=v.dataset,
        copy_=v.copy,
        identity=v.identity,
        required=v.required,
        enabled=v.enabled,
        verdict=v.state.last,
        reason=v.last_reason if v.state.last is not None else None,
        exposure=seen.exposure,
        streak=seen.streak,
        needed=seen.needed,
        last_at=v.state.last_at,
        last_open_at=v.state.last_open_at,
        proven=seen.proven,
        halted=v.halted,
        waived_until=case.seen(v).waived_until(case.now),
    )


def _impact(one: impacts.Told) -> models.Impact:
    return models.Impact(
        check=one.check,
        dataset=one.dataset,
        copy_=one.copy,
        run=one.run,
        at=one.at,
        verdict=one.verdict,
        reason=one.reason,
        **one.impact,
    )


def waiver(case: facts.Case, row: Waiver, named: Mapping[int, Person]) -> models.Waiver:
    trouble = exceptions.trouble_of_waiver(case, row)
    return models.Waiver(
        id=row.id or 0,
        check=row.check_id,
        reason=row.reason,
        knew_open=row.knew_open,
        in_force=trouble is None,
        trouble=trouble,
        granted_by=person(named.get(row.granted_by)),
        granted_at=row.granted_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_by=person(named.get(row.revoked_by or 0)),
    )


def attestation(case: facts.Case, signed: words.Signed, named: Mapping[int, Person]) -> models.Attestation:
    row, trouble = signed.attestation, exceptions.trouble_of_attestation(case, signed)
    dataset, copy = exceptions.place_of(case, row.copy_id)
    return models.Attestation(
        id=row.id or 0,
        dataset=dataset,
        copy_=copy,
        statement=row.statement,
        evidence=row.evidence,
        in_force=trouble is None,
        trouble=trouble,
        signatures=[models.Signature(person=person(named.get(s.person_id)), at=s.at) for s in signed.signatures],
        made_at=row.made_at,
        expires_at=row.expires_at,
        withdrawn_at=row.withdrawn_at,
        withdrawn_by=person(named.get(row.withdrawn_by or 0)),
    )


def _exempt(e: exceptions.Exempt) -> models.Exempt:
    kind: Literal["waiver", "attestation"] = "attestation" if e.check is None else "waiver"
    return models.Exempt(kind=kind, check=e.check, place=e.place, identity=e.identity, until=e.until)


def _blockers(blockers: Sequence[gate.Blocker]) -> list[models.Blocker]:
    return [
        models.Blocker(code=b.code, message=b.message, clears=b.clears, check=b.check, place=b.place) for b in blockers
    ]
