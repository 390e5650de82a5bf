"""One run of a check, step by step in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response

from sevtracker.actions.enforce import May
from sevtracker.domain.exposure import Ran, uncounted, until
from sevtracker.domain.policy import rules_for
from sevtracker.domain.vocabulary import ACTIVE, Phase, Verdict
from sevtracker.errors import NotFound
from sevtracker.store import checks, sevs, stories
from sevtracker.store.session import Session
from sevtracker.store.tables import CheckRevision
from sevtracker.web import auth, explain
from sevtracker.web.contexts import CheckLine, Counted, PhaseStep, RunShow
from sevtracker.web.current import runtime
from sevtracker.web.pages.blueprint import CHECK, RUN, pages
from sevtracker.web.pages.check_page import own_control, read, run_line
from sevtracker.web.pages.showing import show
from sevtracker.web.permissions import allow

#: SEVs for which a run's page says whether it counted.
MOST_SEVS = 3


@pages.get(f"/checks/{CHECK}/runs/{RUN}")
@allow(May.read)
def run_show(check_id: int, run_id: int) -> Response:
    with runtime().read() as session:
        _, line = read(session, check_id)
        run = checks.run(session, check_id, run_id, auth.person().viewer)
        if run is None:
            raise NotFound(f"There is no run {run_id} of check {check_id}.")
        then = next(r for r in checks.revisions(session, check_id) if r.revision == run.revision)
        counts = tuple(_counts(session, run, line))
    meaning, changes = _meaning(run, then)
    return show(RunShow(line, run_line(run, then.kind), tuple(_steps(run, then)), meaning, changes, counts))


def _steps(run: checks.RunLine, then: CheckRevision) -> Iterator[PhaseStep]:
    """What was stored of a run says phase, ok, note and time; who acted follows from its definition then.

    A phase that the run did not get to is told at the end.
    """
    for step in run.steps:
        phase = Phase(step["phase"])
        controls = "" if own_control(then.kind) else then.control or ""
        who = controls if phase is Phase.control else then.identity
        note = str(step["note"])
        yield PhaseStep(phase, bool(step["ok"]), note[:1].upper() + note[1:], float(step["ms"]), who)
    for phase, note in explain.missing({Phase(step["phase"]) for step in run.steps}, run.verdict).items():
        yield PhaseStep(phase, None, note, 0.0)


def _meaning(run: checks.RunLine, then: CheckRevision) -> tuple[str, str]:
    """Why it ended so, and what would change that."""
    why = explain.why(run.reason, then.identity, then.control, own_control=own_control(then.kind))
    return why.says, why.changes


def _counts(session: Session, run: checks.RunLine, line: CheckLine) -> Iterator[Counted]:
    """For the newest SEVs that look through the check: did this run count? Three statements each."""
    if run.verdict is not Verdict.closed:
        return
    settings = runtime().settings
    for ref in sevs.through_check(session, auth.person().viewer, line.id, limit=MOST_SEVS):
        sev = sevs.find(session, ref.number, auth.person().viewer)
        if sev is None or sev.status not in ACTIVE:
            continue
        rules = rules_for(settings.policy, sev.level)
        told = stories.stories(session, sev, [line.id], rules.flapping_window, rules.proof_valid)
        start, events = told[line.id]
        ran = next((e for e in events if isinstance(e, Ran) and e.at == run.started_at), None)
        if ran is None:
            continue
        state = until(events, ran, rules, start)
        why = uncounted(state, ran, rules)
        gap = ran.at - state.last_counted_at if state.last_counted_at else None
        yield Counted(ref.number, explain.not_counted(why, rules, gap) if why else "")
