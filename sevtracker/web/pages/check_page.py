"""One check: its latest verdict, its history, what it is, and how it came to be that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from flask import request

from sevtracker.actions.enforce import May, may
from sevtracker.domain.vocabulary import Trigger, Verdict
from sevtracker.errors import NotFound
from sevtracker.store import acceptances, checks, facts, people, proposals, sevs, sign_ins, suggestions, timeline
from sevtracker.store.session import Session
from sevtracker.store.tables import Check
from sevtracker.store.tables import CheckRevision as Stored
from sevtracker.web import auth, explain
from sevtracker.web.contexts import (
    EMPTY_FORM,
    Change,
    CheckLine,
    CheckProposal,
    CheckRevision,
    CheckShow,
    Form,
    Lockout,
    RunLine,
)
from sevtracker.web.current import runtime
from sevtracker.web.pages import check_form, ways_in
from sevtracker.web.pages.check_proof import acceptable_shown, proof_shown
from sevtracker.web.pages.names import check_line, proofs_since, sev_refs
from sevtracker.web.pages.revisions import differences, proposed

STRIP, A_PAGE, MOST_SEVS, MOST_REVISIONS, MOST_PROPOSALS = 120, 25, 10, 50, 20
_CONTROL = {
    "got_in": "got in",
    "denied": "was denied",
    "absent": "found nothing there",
    "empty": "found it empty",
    "trouble": "met trouble",
}
_OWN_CONTROL = {**dict.fromkeys(_CONTROL, "its own, failed"), "got_in": "its own, held"}


def build(
    check_id: int,
    disable_form: Form = EMPTY_FORM,
    *,
    refused: str = "",
    deciding: Mapping[int, Form] = MappingProxyType({}),
    dismissals: Mapping[int, Form] | None = None,
    twins_form: Form = EMPTY_FORM,
    accept_form: Form = EMPTY_FORM,
) -> CheckShow:
    """Raises NotFound. Fifteen statements at most, for an executive seven more. ``deciding``, ``dismissals``: what was
    typed into the form of a proposal or a suggestion.
    """
    person = auth.person()
    before = request.args.get("before", default=None, type=int)
    with runtime().read() as session:
        check, line = read(session, check_id)
        history = checks.runs(session, check_id, person.viewer, limit=STRIP)
        page = (
            history[: A_PAGE + 1]
            if before is None or not 0 < before < 2**53
            else checks.runs(session, check_id, person.viewer, limit=A_PAGE + 1, before=before)
        )
        stored = checks.revisions(session, check_id)
        seen_open_at = checks.reproduced_at(session, check)
        reasons = timeline.reasons(session, line.place.partition("/")[0], check_id) if len(stored) > 1 else {}
        names = people.names(session, (r.by_pid for r in stored))
        filed = sev_refs(sevs.through_check(session, person.viewer, check_id, limit=MOST_SEVS))
        queued = checks.queued(session, check_id)
        found = suggestions.of_check(session, check_id)
        waiting = proposals.listing(session, check_id, person.viewer, limit=MOST_PROPOSALS, only_open=True)
        may_edit = may(person.role, May.keep_checks) and check.retired_at is None
        stopped = sign_ins.stopped(session, check)
        door_open = check.decisive is Verdict.open or acceptances.left_open(session, check)
        acceptable = acceptable_shown(session, check, person, accept_form)
        own = bool(waiting) and facts.judges_patches_of(session, check_id, person.id)
    dataset, _, copy = line.place.partition("/")
    most = len(stored) if request.args.get("revisions") == "all" else MOST_REVISIONS
    history_shown = tuple(_revisions(stored, names, reasons))[:most]
    return CheckShow(
        check=line,
        locator=check.locator,
        control=check.control,
        own_control=own_control(check.kind),
        means=_means(check),
        door_open=door_open,
        looks=check.kind in runtime().probes.kinds and runtime().probes.kinds[check.kind].looks,
        interval=timedelta(seconds=check.every_s),
        next_run_at=check.due_at if check.enabled else None,
        revision=check.revision,
        definition=tuple(_definition(check)),
        strip=tuple(run_line(run, check.kind) for run in reversed(history)),
        runs=tuple(run_line(run, check.kind) for run in page[:A_PAGE]),
        revisions=history_shown,
        more_revisions=len(stored) - len(history_shown),
        dataset=dataset,
        copy=copy,
        proof=proof_shown(check, seen_open_at, runtime().settings, runtime().clock.now()),
        sevs=filed,
        queued=queued,
        may_edit=may_edit,
        may_run=may(person.role, May.work_on_sevs) and check.enabled,
        before=str(page[A_PAGE - 1].id) if len(page) > A_PAGE else None,
        disable_form=disable_form,
        ways_in=ways_in.build(found, dismissals),
        twins_form=twins_form,
        acceptable=acceptable,
        retired_at=check.retired_at,
        refused=refused,
        target=check.target,
        halted=check.halted is not None,
        lockouts=tuple(
            Lockout(s.identity, s.since, s.identity != check.identity, s.waiting - (check.halted is not None))
            for s in stopped
        ),
        proposals=tuple(
            _proposal(p, check, deciding.get(p.id, EMPTY_FORM), may_edit and not own and p.proposed_by != person.id)
            for p in waiting
        ),
    )


def _means(check: Check) -> str:
    """What the latest run's reason says, in a sentence; empty: it has not run."""
    if check.last_reason is None:
        return ""
    return explain.why(check.last_reason, check.identity, check.control, own_control=own_control(check.kind)).says


def _proposal(line: proposals.Line, check: Check, form: Form, may_decide: bool) -> CheckProposal:
    """What it would change, as the revision history tells a change."""
    return CheckProposal(
        id=line.id,
        by=line.proposer,
        at=line.proposed_at,
        against=line.revision,
        changes=tuple(proposed(check, line.change)),
        reason=line.reason,
        retires=line.retires,
        may_decide=may_decide,
        mine=line.proposed_by == auth.person().id,
        form=form,
    )


def read(session: Session, check_id: int) -> tuple[Check, CheckLine]:
    """The check and its line. Three statements. Raises NotFound."""
    check = checks.by_id(session, check_id)
    lines = checks.listing(session, limit=1, after=check_id - 1, retired=True)
    if check is None or not lines:
        raise NotFound(f"There is no check {check_id}.")
    settings = runtime().settings
    proven = checks.proven(session, [check_id], proofs_since(settings, runtime().clock.now()))
    return check, check_line(lines[0], settings, check_id in proven)


def own_control(kind: str) -> bool:
    """Does this kind make its own positive control? One that isn't there any more: nobody knows, so no."""
    known = runtime().probes.kinds.get(kind)
    return known is not None and known.own_control


def run_line(run: checks.RunLine, kind: str) -> RunLine:
    """A run as pages list it."""
    told = _OWN_CONTROL if own_control(kind) else _CONTROL
    return RunLine(
        id=run.id,
        verdict=run.verdict,
        reason=run.reason,
        started_at=run.started_at,
        duration_ms=float(run.duration_ms),
        control=told.get(run.control or "", run.control or "was not asked"),
        revision=run.revision,
        trigger=Trigger(run.trigger),
        sev=run.sev,
        patch=run.patch,
    )


def _definition(check: Check) -> Iterator[Change]:
    for name, value in check.params.items():
        text = check_form.shown(value).replace("\n", ", ")
        yield Change(name, f"{text} s" if name == "timeout" else text or ("no" if value is False else "none"))


def _revisions(
    stored: Sequence[Stored], names: Mapping[str, str], reasons: Mapping[int, str]
) -> Iterator[CheckRevision]:
    """Newest first, each with what it changed."""
    for place in reversed(range(len(stored))):
        now, before = stored[place], stored[place - 1] if place else None
        yield CheckRevision(
            number=now.revision,
            at=now.at,
            by=names.get(now.by_pid, "sevtracker"),
            changes=tuple(differences(before, now)) if before else (),
            reason=reasons.get(now.revision, ""),
            voids_proof=before is not None and before.fingerprint != now.fingerprint,
        )
