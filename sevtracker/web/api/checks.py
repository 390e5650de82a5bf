"""Checks and their runs."""

from __future__ import annotations

from sevtracker.actions import accepting, twins
from sevtracker.actions import checks as acts
from sevtracker.actions import proposals as second
from sevtracker.actions.enforce import Denied, May
from sevtracker.actions.guarding import Refused
from sevtracker.actions.inputs import AcceptDefinition, ChangeCheck, MakeTwins, MayReason, NewCheck, Slug, WithReason
from sevtracker.actions.runtime import Runtime
from sevtracker.errors import NotFound, NotPermitted
from sevtracker.store import checks, proposals, suggestions
from sevtracker.store.session import Session
from sevtracker.store.tables import Check
from sevtracker.store.work import Work
from sevtracker.web import idempotency
from sevtracker.web.api import models, reading, views
from sevtracker.web.api.reading import Nothing, Paging
from sevtracker.web.api.routes import Call, Routes, answer
from sevtracker.web.errors import not_changed, problem_of
from sevtracker.web.idempotency import Answer

routes = Routes("Checks")


class Find(Paging):
    """What to find: those of one dataset, those that cannot see at the moment."""

    dataset: Slug | None = None
    blind: bool = False


@routes.post(
    "/checks", may=May.keep_checks, takes=NewCheck, gives=models.Check, status=201, location="/api/v1/checks/{id}"
)
def create(call: Call[NewCheck]) -> Answer:
    """Point a check at a copy. It runs at once, and every SEV of the dataset looks through it."""
    vetted = acts.vet(call.runtime.probes, acts.defined(call.given))

    def act(work: Work) -> Answer:
        row = acts.create(work, call.settings, call.runtime.probes, call.given, vetted)
        return answer(_check(work.session, row), 201)

    return call.once(act)


@routes.get("/checks", takes=Find, gives=models.CheckPage)
def find(call: Call[Find]) -> Answer:
    """Find checks, by id."""
    asked = call.given
    after = reading.number("checks", asked.cursor)
    with call.runtime.read() as session:
        found = checks.listing(session, limit=asked.limit + 1, after=after, dataset=asked.dataset, blind=asked.blind)
    shown = found[: asked.limit]
    going_on = shown[-1].id if len(found) > len(shown) else None
    return answer(
        models.CheckPage(items=[views.check_line(one) for one in shown], next=reading.cursor("checks", going_on))
    )


@routes.get("/checks/<number:check_id>", gives=models.Check)
def show(call: Call[Nothing], check_id: int) -> Answer:
    """A check: its definition, and how it stands."""
    with call.runtime.read() as session:
        return answer(_check(session, _known(session, check_id)))


@routes.patch("/checks/<number:check_id>", may=May.keep_checks, takes=ChangeCheck, gives=models.Check)
def change(call: Call[ChangeCheck], check_id: int) -> Answer:
    """Change a check; what is left out stays. A changed definition voids its proof and its streak."""
    with call.runtime.read() as session:
        meant = acts.redefined(_known(session, check_id), call.given)
    vetted = acts.vet(call.runtime.probes, meant)
    with call.runtime.work(call.person) as work:
        return _told(work, acts.change(work, call.settings, call.runtime.probes, check_id, call.given, vetted))


@routes.delete("/checks/<number:check_id>", may=May.keep_checks, takes=MayReason, gives=models.Check)
def retire(call: Call[MayReason], check_id: int) -> Answer:
    """Disable a check for good. Its runs and revisions are kept. Refused as disabling is."""
    with call.runtime.work(call.person) as work:
        return _told(work, acts.retire(work, call.settings, call.runtime.probes, check_id, call.given.reason))


def _told(work: Work, found: Check | Refused) -> Answer:
    """The check as it is now; or why it was not changed, which is on the record by now."""
    if isinstance(found, Refused):
        problem = not_changed(found)
        return Answer(problem.status, problem.text)
    work.session.flush()
    return answer(_check(work.session, found))


@routes.post("/checks/<number:check_id>/accept", may=May.accept_definitions, takes=AcceptDefinition, gives=models.Check)
def accept(call: Call[AcceptDefinition], check_id: int) -> Answer:
    """Accept that a check judges otherwise than it did when it saw the door open. An executive who changed nothing of
    it since, and logged no patch that it judges, may."""

    def act(work: Work) -> Answer:
        found = accepting.accept(work, call.settings, call.runtime.probes, check_id, call.given)
        if isinstance(found, Denied):
            problem = problem_of(NotPermitted(found.why))
            return Answer(problem.status, problem.text)
        work.session.flush()
        return answer(_check(work.session, found))

    return call.once(act)


# ---- the second person -------------------------------------------------------------------------------------------


@routes.get("/checks/<number:check_id>/proposals", takes=Paging, gives=models.ProposalPage)
def find_proposals(call: Call[Paging], check_id: int) -> Answer:
    """Changes of a check that were refused to who asked for them, newest first, with what became of each."""
    asked = call.given
    before = reading.number("proposals", asked.cursor)
    with call.runtime.read() as session:
        _known(session, check_id)
        found = proposals.listing(session, check_id, call.viewer, limit=asked.limit + 1, before=before)
    shown = found[: asked.limit]
    going_on = reading.cursor("proposals", shown[-1].id if len(found) > len(shown) else None)
    return answer(models.ProposalPage(items=[views.proposal(one, check_id) for one in shown], next=going_on))


@routes.post(
    "/checks/<number:check_id>/proposals/<number:proposal_id>/approve",
    may=May.keep_checks,
    takes=MayReason,
    gives=models.Check,
)
def approve(call: Call[MayReason], check_id: int, proposal_id: int) -> Answer:
    """Make a change that was refused to its patch's author. Takes somebody else; all other rules still hold."""
    with call.runtime.read() as session:
        check, proposal = _known(session, check_id), proposals.by_id(session, check_id, proposal_id)
    if proposal is None:
        raise NotFound(f"Check {check_id} has no proposal {proposal_id}.")
    vetted = acts.vet(call.runtime.probes, second.meant(check, proposal))

    def act(work: Work) -> Answer:
        probes, reason = call.runtime.probes, call.given.reason
        return _told(work, second.approve(work, call.settings, probes, check_id, proposal_id, reason, vetted))

    return call.once(act)


@routes.post(
    "/checks/<number:check_id>/proposals/<number:proposal_id>/deny",
    may=May.keep_checks,
    takes=WithReason,
    gives=models.Check,
)
def deny(call: Call[WithReason], check_id: int, proposal_id: int) -> Answer:
    """Leave a check as it is, for this reason."""

    def act(work: Work) -> Answer:
        second.deny(work, check_id, proposal_id, call.given.reason)
        return answer(_check(work.session, _known(work.session, check_id)))

    return call.once(act)


# ---- runs --------------------------------------------------------------------------------------------------------


@routes.get("/checks/<number:check_id>/runs", takes=Paging, gives=models.RunPage)
def runs(call: Call[Paging], check_id: int) -> Answer:
    """A check's runs, newest first."""
    asked = call.given
    before = reading.number("runs", asked.cursor)
    with call.runtime.read() as session:
        _known(session, check_id)
        found = checks.runs(session, check_id, call.viewer, limit=asked.limit + 1, before=before)
    shown = found[: asked.limit]
    going_on = shown[-1].id if len(found) > len(shown) else None
    return answer(models.RunPage(items=[views.run(one) for one in shown], next=reading.cursor("runs", going_on)))


@routes.post("/checks/<number:check_id>/run", may=May.work_on_sevs, gives=models.RunQueued, status=202)
def run(call: Call[Nothing], check_id: int) -> Answer:
    """Run a check now. Pressing it three times is one observation."""

    def act(work: Work) -> Answer:
        acts.run_now(work, check_id)
        return answer(models.RunQueued(check=check_id), 202)

    return call.once(act)


@routes.post("/checks/<number:check_id>/twins", may=May.keep_checks, takes=MakeTwins, gives=models.Check)
def make_twins(call: Call[MakeTwins], check_id: int) -> Answer:
    """Make canary twins of a check at its target, as a keeper who may create things there. It runs at once."""
    if (known := idempotency.before(call.runtime, call.person, call.key)) is not None:
        return known
    done = twins.make_at_target(call.runtime, call.person, check_id, call.given.keeper)
    return call.once(lambda work: _saved(call.runtime, work, check_id, done))


@routes.post("/checks/<number:check_id>/twins/drop", may=May.keep_checks, gives=models.Check)
def drop_twins(call: Call[Nothing], check_id: int) -> Answer:
    """Remove from its target the canary twins that were made for a check. What they proved is void."""
    if (known := idempotency.before(call.runtime, call.person, call.key)) is not None:
        return known
    done = twins.drop_at_target(call.runtime, call.person, check_id)
    return call.once(lambda work: _saved(call.runtime, work, check_id, done))


def _saved(runtime: Runtime, work: Work, check_id: int, done: twins.Done) -> Answer:
    row = twins.save(work, runtime, check_id, done)
    work.session.flush()
    return answer(_check(work.session, row))


def _known(session: Session, check_id: int) -> Check:
    row = checks.by_id(session, check_id)
    if row is None:
        raise NotFound(f"There is no check {check_id}.")
    return row


def _check(session: Session, row: Check) -> models.Check:
    place = checks.place(session, row.id or 0)
    found = suggestions.of_check(session, row.id or 0)
    return views.check(row, place.dataset, place.copy, found)
