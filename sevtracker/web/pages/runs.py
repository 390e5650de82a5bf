"""One run of a check, step by step in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response

from sevtracker.actions.enforce import May
from sevtracker.domain.vocabulary import Phase, Reason, Verdict
from sevtracker.errors import NotFound
from sevtracker.store import checks
from sevtracker.store.tables import CheckRevision
from sevtracker.web import auth, words
from sevtracker.web.contexts import PhaseStep, RunShow
from sevtracker.web.current import runtime
from sevtracker.web.pages.blueprint import CHECK, RUN, pages
from sevtracker.web.pages.check_page import read, run_line
from sevtracker.web.pages.showing import show
from sevtracker.web.permissions import allow


@pages.get(f"/checks/{CHECK}/runs/{RUN}")
@allow(May.read)
def run_show(check_id: int, run_id: int) -> Response:
    with runtime().read() as session:
        _, line = read(session, check_id)
        run = checks.run(session, check_id, run_id, auth.person().viewer)
        if run is None:
            raise NotFound(f"There is no run {run_id} of check {check_id}.")
        then = next(r for r in checks.revisions(session, check_id) if r.revision == run.revision)
    page = RunShow(line, run_line(run), tuple(_steps(run.steps, then)), _meaning(run, then))
    return show(page)


def _steps(stored: list[dict[str, Any]], then: CheckRevision) -> Iterator[PhaseStep]:
    """What was stored of a run says phase, ok, note and time; who acted follows from its definition then."""
    for step in stored:
        phase = Phase(step["phase"])
        who = then.control or "" if phase is Phase.control else then.identity
        note = str(step["note"])
        yield PhaseStep(phase, bool(step["ok"]), note[:1].upper() + note[1:], float(step["ms"]), who)


_OPEN = "{who} got in: {reason}. Somebody who must not read this can. It counts at once, and nothing outvotes it."
_CLOSED = (
    "{who} was turned away at the target itself ({reason}), while {control} got in at the same place in the same run."
)
_COULD_NOT_TELL = "It could not tell: {reason}. An error is not a denial, so this run proves nothing either way."

#: What to make of a run that could not tell, where there is more to say.
_MORE: Mapping[Reason, str] = {
    Reason.auth_failed: "{who} could not sign in, so nothing was learned about the target. See to its password.",
    Reason.control_failed: "{who} was turned away, but so was {control}, who must get in. Is the target gone?",
    Reason.rls_filtered: "{who} may read the table; row-level security showed no row. Is that the fix?",
    Reason.empty: "{who} was let in, but there was nothing to read. {control} saw nothing, either.",
    Reason.ambiguous_200: "The answer was a page that is neither the exposed content nor a known sign-in page.",
    Reason.blocked_by_policy: "The guard did not let the probe go there. No connection was made.",
    Reason.identity_drift: "{who} has other rights than it should have, so its answer stands for nobody.",
    Reason.rate_limited: "The target asked to be left alone for a while. The check waits as long as it asked.",
}


def _meaning(run: checks.RunLine, then: CheckRevision) -> str:
    if run.verdict is Verdict.open:
        said = _OPEN
    elif run.verdict is Verdict.closed:
        said = _CLOSED
    else:
        said = _MORE.get(run.reason, _COULD_NOT_TELL)
    control = then.control or "nobody (no control is set)"
    return said.format(who=then.identity, control=control, reason=words.REASON[run.reason])
