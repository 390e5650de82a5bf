"""Resolving: the page that tells what would happen, and the attempt. A refusal is an answer: recorded, then a 409."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import Resolve, parse
from sevtracker.actions.resolve import Refused
from sevtracker.domain.gate import Blocker
from sevtracker.domain.vocabulary import ACTIVE
from sevtracker.errors import InputError, NotFound
from sevtracker.store import facts, sevs
from sevtracker.web import auth, resolving
from sevtracker.web.contexts import EMPTY_FORM, FinalRun, Form, SevResolve
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms, sev_matrix, sev_words
from sevtracker.web.pages.blueprint import SEV, pages
from sevtracker.web.pages.names import key
from sevtracker.web.pages.showing import done, go, show
from sevtracker.web.permissions import allow


@pages.get(f"/sevs/{SEV}/resolve")
@allow(May.resolve_sevs)
def sev_resolving(number: int) -> Response:
    return show(_page(number))


@pages.post(f"/sevs/{SEV}/resolve")
@allow(May.resolve_sevs)
def sev_resolve(number: int) -> AnyResponse:
    try:
        given = parse(Resolve, {"summary": forms.text("summary")})
    except InputError as error:
        return show(_page(number, form=forms.refused(error, forms.typed())), 422)
    asked_at = runtime().clock.now()
    answer = resolving.resolve(runtime(), auth.person(), number, given)
    if isinstance(answer, Refused):
        return show(_page(number, refused=answer.blockers, asked_at=asked_at, form=forms.typed()), 409)
    with runtime().read() as session:
        resolved = sevs.find(session, number, auth.person().viewer)
    count = resolved.exceptions if resolved else 0
    without = f"{count} exception{'s' if count != 1 else ''}"
    done(
        f"{key(number)} is resolved with {without}, which the SEV goes on to show. The watch goes on."
        if count
        else f"{key(number)} is resolved: every required check saw the door closed once more. The watch goes on."
    )
    return go("pages.sev_show", number=number)


def _page(
    number: int,
    refused: Sequence[Blocker] | None = None,
    asked_at: datetime | None = None,
    form: Form = EMPTY_FORM,
) -> SevResolve:
    """What keeps it from being resolved, or what the final run will do. ``refused``: the answer to an attempt.

    The final runs of an attempt are shown when they were made: a gate that is shut asks for none.
    """
    settings, now = runtime().settings, runtime().clock.now()
    with runtime().read() as session:
        sev = sevs.find(session, number, auth.person().viewer)
        if sev is None:
            raise NotFound(f"There is no SEV-{number}.")
        [case] = facts.gather(session, [sev], settings.policy, settings.identities, now)
    blockers = case.gate().blockers if refused is None else refused
    return SevResolve(
        number=number,
        key=key(number),
        title=sev.title,
        level=sev.level,
        status=sev.status,
        exposure=sev.exposure,
        blockers=sev_words.blockers(case, blockers, auth.person()),
        final_runs=_final_runs(case, asked_at) if sev.status in ACTIVE and (asked_at or not blockers) else (),
        exceptions=sev_words.exceptions(case) if sev.status in ACTIVE else (),
        refused=refused is not None,
        form=form,
        deadline=settings.worker.resolve_wait,
    )


def _final_runs(case: facts.Case, asked_at: datetime | None) -> tuple[FinalRun, ...]:
    """Each required check; after an attempt, what its final run said. None at all if none was made."""
    runs = []
    for v in case.required:
        waived = case.seen(v).waived(case.now)
        made = asked_at is not None and v.state.last_at is not None and v.state.last_at >= asked_at
        if made:
            seen = (v.last_verdict, v.last_reason, v.state.last_at)
            runs.append(FinalRun(v.check_id, v.place, v.identity, *seen, waived=waived, via=sev_matrix.via(v)))
        else:
            runs.append(FinalRun(v.check_id, v.place, v.identity, waived=waived, via=sev_matrix.via(v)))
    return tuple(runs) if asked_at is None or any(r.verdict for r in runs) else ()
