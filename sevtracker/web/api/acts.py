"""What is done to a SEV: notes, patches, verifying, resolving and what is owed before, reopening and the like."""

from __future__ import annotations

from sevtracker.actions import patches
from sevtracker.actions import sevs as acts
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import Act, Dismiss, LogPatch, Note, Resolve, WithReason
from sevtracker.actions.resolve import Refused, Resolved
from sevtracker.store.work import Work
from sevtracker.web import idempotency
from sevtracker.web.api import models, views
from sevtracker.web.api.reading import Nothing
from sevtracker.web.api.routes import Call, Routes, answer
from sevtracker.web.api.sevs import line, stored_line
from sevtracker.web.errors import refused
from sevtracker.web.idempotency import Answer
from sevtracker.web.resolving import resolve as resolve_and_wait

routes = Routes("Acts on a SEV")


@routes.post("/sevs/<number:number>/notes", may=May.work_on_sevs, takes=Note, gives=models.Noted, status=201)
def note(call: Call[Note], number: int) -> Answer:
    """Put a note on the timeline, at its own time if it tells of something earlier."""
    return call.once(lambda work: answer(models.Noted(id=acts.note(work, number, call.given)), 201))


@routes.post(
    "/sevs/<number:number>/patches", may=May.work_on_sevs, takes=LogPatch, gives=models.PatchLogged, status=201
)
def log_patch(call: Call[LogPatch], number: int) -> Answer:
    """Log a patch: a claim, tested at once."""

    def act(work: Work) -> Answer:
        patch = patches.log(work, call.settings, number, call.given)
        return answer(models.PatchLogged(number=patch.number, outcome=patch.outcome), 201)

    return call.once(act)


@routes.post("/sevs/<number:number>/verify", may=May.work_on_sevs, gives=models.ChecksQueued, status=202)
def verify(call: Call[Nothing], number: int) -> Answer:
    """Run every check of the SEV now."""
    return call.once(lambda work: answer(models.ChecksQueued(checks=acts.verify(work, number)), 202))


@routes.post("/sevs/<number:number>/resolve", may=May.resolve_sevs, takes=Resolve, gives=models.Resolution)
def resolve(call: Call[Resolve], number: int) -> Answer:
    """Resolve a SEV, after a final run of each of its checks. A refusal is recorded, and says what blocks."""
    if (kept := idempotency.before(call.runtime, call.person, call.key)) is not None:
        return kept
    answers: list[Answer] = []

    def also(work: Work, resolved: Resolved) -> None:
        answers.append(answer(views.resolution(stored_line(work, number), resolved.evidence)))
        idempotency.keep(work, call.key, answers[0])

    found = resolve_and_wait(call.runtime, call.person, number, call.given, also)
    if isinstance(found, Refused):
        if (kept := idempotency.before(call.runtime, call.person, call.key)) is not None:
            return kept  # the same request came twice, and the other one has resolved it meanwhile
        problem = refused(found.blockers)
        return Answer(problem.status, problem.text)
    return answers[0]


@routes.post("/sevs/<number:number>/reopen", may=May.resolve_sevs, takes=WithReason, gives=models.SevLine)
def reopen(call: Call[WithReason], number: int) -> Answer:
    """Send a resolved, closed or dismissed SEV back to investigating."""

    def act(work: Work) -> Answer:
        acts.reopen(work, call.settings, number, call.given.reason)
        return answer(line(work, number))

    return call.once(act)


@routes.post("/sevs/<number:number>/dismiss", may=May.resolve_sevs, takes=Dismiss, gives=models.SevLine)
def dismiss(call: Call[Dismiss], number: int) -> Answer:
    """Say that it is no SEV, or the same as another."""

    def act(work: Work) -> Answer:
        acts.dismiss(work, call.settings, number, call.given)
        return answer(line(work, number))

    return call.once(act)


@routes.post("/sevs/<number:number>/close", may=May.resolve_sevs, takes=WithReason, gives=models.SevLine)
def close(call: Call[WithReason], number: int) -> Answer:
    """Say that a resolved SEV was reviewed. The watch goes on."""

    def act(work: Work) -> Answer:
        acts.close(work, call.settings, number, call.given.reason)
        return answer(line(work, number))

    return call.once(act)


# ---- what is owed before resolving -------------------------------------------------------------------------------


def _record(call: Call[Act], number: int, kind: str) -> Answer:
    def act(work: Work) -> Answer:
        acts.act(work, call.settings, number, kind, call.given)
        return answer(models.Recorded(kind=kind, at=work.now), 201)

    return call.once(act)


@routes.post("/sevs/<number:number>/access-review", may=May.work_on_sevs, takes=Act, gives=models.Recorded, status=201)
def access_review(call: Call[Act], number: int) -> Answer:
    """Record who accessed the data while it was exposed. "No logs exist" is a valid answer, if stated."""
    return _record(call, number, "access_review")


@routes.post(
    "/sevs/<number:number>/sessions-handled", may=May.work_on_sevs, takes=Act, gives=models.Recorded, status=201
)
def sessions_handled(call: Call[Act], number: int) -> Answer:
    """Record that sessions and tokens from before the patch were ended."""
    return _record(call, number, "sessions")


@routes.post("/sevs/<number:number>/retest", may=May.work_on_sevs, takes=Act, gives=models.Recorded, status=201)
def retest(call: Call[Act], number: int) -> Answer:
    """Record that the reporter tried again what they reported, and that it is gone. Only the reporter may."""
    return _record(call, number, "retest")
