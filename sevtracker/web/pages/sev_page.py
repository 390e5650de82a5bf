"""A SEV's page around its live part: what people filed, what they may do, what they owe, what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from flask import Response, request, url_for

from sevtracker.actions.enforce import May, may
from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Status, Verdict
from sevtracker.errors import NotFound
from sevtracker.store import datasets, impacts, sevs, suggestions
from sevtracker.store.session import Session
from sevtracker.store.tables import Programme, Sev
from sevtracker.store.timeline import Item
from sevtracker.store.work import Person
from sevtracker.web import auth
from sevtracker.web.contexts import Act, Form, NextStep, Option, ProgrammeRef, SevFacts, SevMay, SevShow, TimelineEntry
from sevtracker.web.contexts import Person as Somebody
from sevtracker.web.current import runtime
from sevtracker.web.pages import sev_impact, sev_live, sev_words, ways_in
from sevtracker.web.pages.sev_live import Told
from sevtracker.web.pages.showing import show

#: People offered as commanders. Whoever has more sets one through the API.
MOST_PEOPLE = 300

ActCode = Literal["retest", "access_review", "sessions"]
_RECORDS: Mapping[ActCode, str] = {
    "retest": "act:retest",
    "access_review": "act:access_review",
    "sessions": "act:sessions_handled",
}


def shown(number: int, forms: Mapping[str, Form] | None = None, status: int = 200) -> Response:
    """The page of SEV ``number`` for whoever asks, with the ``forms`` that were refused. Raises NotFound."""
    person, now = auth.person(), runtime().clock.now()
    with runtime().read() as session:
        sev = sevs.find(session, number, person.viewer)
        if sev is None:
            raise NotFound(f"There is no SEV-{number}.")
        page = _build(session, sev, person, now, forms or {})
    return show(page, status)


def _build(session: Session, sev: Sev, person: Person, now: datetime, forms: Mapping[str, Form]) -> SevShow:
    """Twelve statements; one more where a dataset belongs to a programme, two where something was waived or
    attested."""
    allowed = _may(sev, person)
    told = sev_live.tell(session, runtime().settings, sev, person, now, MOST_PEOPLE if allowed.edit else 0)
    in_programmes = [int(d.id or 0) for d in told.case.datasets if d.programme_id is not None]
    programmes = datasets.programmes_of(session, in_programmes) if in_programmes else []
    return SevShow(
        live=told.live,
        facts=_facts(told, programmes),
        may=allowed,
        acts=tuple(_acts(told, person)),
        people=tuple(_choices(told)) if allowed.edit else (),
        next_steps=_still(_next_steps(told)) if request.args.get("filed") and sev.status in ACTIVE else (),
        forms=forms,
        revising=_revising(told) if allowed.note else None,
        ways_in=ways_in.build(suggestions.of_sev(session, told.live.number)),
        impact=sev_impact.build(impacts.of_sev(session, told.live.number, person.viewer)),
        words=sev_words.forms(told.case, told.live, person, forms),
    )


def _may(sev: Sev, person: Person) -> SevMay:
    works, decides = may(person.role, May.work_on_sevs), may(person.role, May.resolve_sevs)
    active = sev.status in ACTIVE
    return SevMay(
        edit=works,
        note=works,
        patch=works and active,
        verify=works and sev.status is not Status.dismissed,
        resolve=decides and active,
        reopen=decides and (sev.status in WATCHED or sev.status is Status.dismissed),
        dismiss=decides and active,
        close=decides and sev.status is Status.resolved,
        viewers=works,
    )


def _facts(told: Told, programmes: list[Programme]) -> SevFacts:
    sev = told.case.sev
    commander = told.people.get(sev.commander_id or 0)
    reporter = told.people.get(sev.reporter_id)
    return SevFacts(
        title=sev.title,
        level=sev.level,
        summary=sev.summary,
        reporter=reporter.name if reporter else "somebody",
        commander=commander.name if commander else None,
        commander_id=commander.id if commander else None,
        programmes=tuple(ProgrammeRef(p.slug, p.name, p.state != "running") for p in programmes),
        datasets=tuple(Option(d.slug, d.name) for d in told.case.datasets),
        restricted=sev.restricted,
        viewers=tuple(Somebody(p.id, p.name, p.email) for p in told.people.values() if p.added),
        resolution=_said(told, "sev:resolved") if sev.resolved_at else "",
        dismissed_because=_said(told, "sev:dismissed") if sev.status is Status.dismissed else "",
        duplicate_of=told.duplicate_of,
    )


def _said(told: Told, kind: str) -> str:
    return next((item.text or "" for item in reversed(told.story) if item.kind == kind), "")


def _choices(told: Told) -> Iterator[Option]:
    people = sorted(told.people.values(), key=lambda p: p.name.casefold())
    names = [p.name for p in people]
    for person in people:
        if person.active or person.id == told.case.sev.commander_id:
            yield Option(str(person.id), person.name, person.email if names.count(person.name) > 1 else "")


# ---- what people owe ---------------------------------------------------------------------------------------------


def _acts(told: Told, person: Person) -> Iterator[Act]:
    """What the level asks of people, with what was recorded last in this cycle."""
    rules = told.case.rules
    owed: Mapping[ActCode, bool] = {
        "retest": rules.reporter_retest,
        "access_review": rules.access_review,
        "sessions": rules.sessions,
    }
    for code, asked in owed.items():
        if asked:
            yield _act(told, code, person)


def _act(told: Told, code: ActCode, person: Person) -> Act:
    sev, at = told.case.sev, told.case.acts.get(code)
    works = may(person.role, May.work_on_sevs) and sev.status in ACTIVE
    allowed = works and (code != "retest" or person.id == sev.reporter_id)
    if at is None:
        return Act(code, may=allowed)
    record = _last(told, _RECORDS[code])
    patched_at = max((p.applied_at for p in told.case.patches), default=None)
    return Act(
        code,
        done_at=at,
        done_by=told.names.get(record.actor_pid, "somebody") if record else "somebody",
        evidence=(record.text or "") if record else "",
        stale=patched_at is not None and at < patched_at,
        may=allowed,
    )


def _last(told: Told, kind: str) -> Item | None:
    return next((item for item in reversed(told.story) if item.kind == kind), None)


# ---- what to do next ---------------------------------------------------------------------------------------------


def _still(steps: Iterable[NextStep]) -> tuple[NextStep, ...]:
    """All of them, unless nothing of it is left to do."""
    listed = tuple(steps)
    return listed if any(not step.done for step in listed) else ()


def _next_steps(told: Told) -> Iterator[NextStep]:
    """After filing. What was never seen open can't be seen closed, so reproducing comes first."""
    case, number = told.case, told.live.number
    seen_open = any(v.state.decisive is Verdict.open or v.state.reproduced for v in case.vantages)
    unseen = case.holes[0].place.partition("/") if case.holes else ("", "", "")
    add = url_for("pages.check_new", dataset=unseen[0] or None, copy=unseen[2] or None, sev=number)
    if seen_open:
        yield NextStep("Reproduced: a check saw it open", "So it can be seen closed, too.", "#matrix-title", done=True)
    elif case.vantages and not case.holes:
        yield NextStep(
            "Reproduce it: see the checks run",
            "They were started as you filed. What they never see open, they can't see closed.",
            "#matrix-title",
        )
    else:
        yield NextStep(
            "Reproduce it: point a check at it",
            "A check that sees it open proves the exposure. What was never seen open can't be seen closed.",
            add,
        )
    if seen_open and case.holes:
        yield NextStep(f"Point a check at {case.holes[0].place}", "Nobody looks there, so it can't be resolved.", add)
    yield NextStep("Name a commander", "Somebody has to hold the thread.", "#edit", bool(case.sev.commander_id))
    yield NextStep("Say since when", "It sets the exposure window.", "#edit", bool(case.sev.exposed_from))
    yield NextStep("Log the patch, once there is one", "The checks run at once, and tell whether it held.", "#patch",
                   done=bool(case.patches))  # fmt: skip


def _revising(told: Told) -> TimelineEntry | None:
    """The note that the address asks to revise, if it is on this page of the timeline and the reader wrote it."""
    wanted = request.args.get("revise", "")
    return next((e for e in told.live.timeline.entries if str(e.seq) == wanted and e.revisable), None)
