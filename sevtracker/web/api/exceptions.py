"""Waivers and attestations of a SEV: given, taken back, listed. A refusal to a patch's author is on the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel

from sevtracker.actions import attestations, waivers
from sevtracker.actions.enforce import Denied, May
from sevtracker.actions.inputs import Attest, Sign, Waive, WithReason
from sevtracker.config import Settings
from sevtracker.errors import NotPermitted
from sevtracker.store import facts, people, words
from sevtracker.store.session import Session
from sevtracker.store.tables import Attestation, Sev, Waiver
from sevtracker.store.work import Work
from sevtracker.web.api import models, reading, views
from sevtracker.web.api.reading import Paging
from sevtracker.web.api.routes import Call, Routes, answer
from sevtracker.web.api.sevs import visible
from sevtracker.web.errors import problem_of
from sevtracker.web.exceptions import Spoken, known
from sevtracker.web.idempotency import Answer

G = TypeVar("G", bound=BaseModel)

routes = Routes("Waivers and attestations")
_WAIVERS, _ATTESTATIONS = "/sevs/<number:number>/waivers", "/sevs/<number:number>/attestations"


def _case(session: Session, settings: Settings, sev: Sev, call: Call[G]) -> facts.Case:
    [case] = facts.gather(session, [sev], settings.policy, settings.identities, call.runtime.clock.now())
    return case


def _done(call: Call[G], number: int, act: Callable[[Work], Waiver | Attestation | Denied], status: int) -> Answer:
    """Do it, and answer with what came of it as it stands now."""

    def once(work: Work) -> Answer:
        made = act(work)
        if isinstance(made, Denied):
            problem = problem_of(NotPermitted(made.why))
            return Answer(problem.status, problem.text)
        work.session.flush()
        [case] = facts.gather(
            work.session, [work.session.get_one(Sev, number)], call.settings.policy, call.settings.identities, work.now
        )
        if isinstance(made, Waiver):
            return answer(_waivers(work.session, case, [made])[0], status)
        [signed] = words.attestations_of(work.session, number, limit=1, before=(made.id or 0) + 1)
        return answer(_attestations(work.session, case, [signed])[0], status)

    return call.once(once)


def _waivers(session: Session, case: facts.Case, found: Sequence[Waiver]) -> list[models.Waiver]:
    named = people.named(session, [*Spoken(waivers=tuple(found)).people()])
    return [views.waiver(case, one, named) for one in found]


def _attestations(session: Session, case: facts.Case, found: Sequence[words.Signed]) -> list[models.Attestation]:
    named = people.named(session, [*Spoken(attestations=tuple(found)).people()])
    return [views.attestation(case, one, named) for one in known(case, found)]


# ---- waivers -----------------------------------------------------------------------------------------------------


@routes.get(_WAIVERS, takes=Paging, gives=models.WaiverPage)
def list_waivers(call: Call[Paging], number: int) -> Answer:
    """The waivers of a SEV, newest first."""
    limit, before = call.given.limit, reading.number("waivers", call.given.cursor)
    with call.runtime.read() as session:
        case = _case(session, call.settings, visible(session, call.viewer, number), call)
        found = words.waivers_of(session, number, limit=limit + 1, before=before)
        shown = _waivers(session, case, found[:limit])
    going_on = shown[-1].id if len(found) > limit else None
    return answer(models.WaiverPage(items=shown, next=reading.cursor("waivers", going_on)))


@routes.post(_WAIVERS, may=May.grant_waivers, takes=Waive, gives=models.Waiver, status=201)
def grant(call: Call[Waive], number: int) -> Answer:
    """Waive one check of the SEV for up to 30 days, 7 unless told. An executive who logged no patch of it may."""
    return _done(call, number, lambda work: waivers.grant(work, call.settings, number, call.given), 201)


@routes.post(f"{_WAIVERS}/<number:waiver>/revoke", may=May.grant_waivers, takes=WithReason, gives=models.Waiver)
def revoke(call: Call[WithReason], number: int, waiver: int) -> Answer:
    """End a waiver now. What it let through blocks again; a SEV that was resolved with it is reopened."""
    return _done(call, number, lambda work: waivers.revoke(work, call.settings, number, waiver, call.given), 200)


# ---- attestations ------------------------------------------------------------------------------------------------


@routes.get(_ATTESTATIONS, takes=Paging, gives=models.AttestationPage)
def list_attestations(call: Call[Paging], number: int) -> Answer:
    """The attestations of a SEV, newest first."""
    limit, before = call.given.limit, reading.number("attestations", call.given.cursor)
    with call.runtime.read() as session:
        case = _case(session, call.settings, visible(session, call.viewer, number), call)
        found = words.attestations_of(session, number, limit=limit + 1, before=before)
        shown = _attestations(session, case, found[:limit])
    going_on = shown[-1].id if len(found) > limit else None
    return answer(models.AttestationPage(items=shown, next=reading.cursor("attestations", going_on)))


@routes.post(_ATTESTATIONS, may=May.work_on_sevs, takes=Attest, gives=models.Attestation, status=201)
def attest(call: Call[Attest], number: int) -> Answer:
    """Attest what is so of a copy that no probe can reach, as the first of two people."""
    return _done(call, number, lambda work: attestations.make(work, call.settings, number, call.given), 201)


@routes.post(f"{_ATTESTATIONS}/<number:attestation>/sign", may=May.work_on_sevs, takes=Sign, gives=models.Attestation)
def sign(call: Call[Sign], number: int, attestation: int) -> Answer:
    """Stand for an attestation that somebody else made."""
    return _done(
        call, number, lambda work: attestations.sign(work, call.settings, number, attestation, call.given), 200
    )


@routes.post(
    f"{_ATTESTATIONS}/<number:attestation>/withdraw", may=May.work_on_sevs, takes=WithReason, gives=models.Attestation
)
def withdraw(call: Call[WithReason], number: int, attestation: int) -> Answer:
    """Take an attestation back, as one who signed it or as an executive."""
    return _done(
        call, number, lambda work: attestations.withdraw(work, call.settings, number, attestation, call.given), 200
    )
