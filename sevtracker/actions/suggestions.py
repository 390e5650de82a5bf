"""Suggestions: ways in that came to light. Each becomes a check, or somebody says why nobody has to look there."""

from __future__ import annotations

from sevtracker.actions import checks
from sevtracker.actions.enforce import May, require
from sevtracker.actions.finding import tell
from sevtracker.actions.inputs import AcceptSuggestion, NewCheck, WithReason
from sevtracker.checks.probing import ProbeEnvironment
from sevtracker.config import Settings
from sevtracker.domain.vocabulary import SuggestionState
from sevtracker.errors import Conflict, NotFound
from sevtracker.store import suggestions
from sevtracker.store.suggestions import Line
from sevtracker.store.tables import Check
from sevtracker.store.work import Work


def meant(line: Line, given: AcceptSuggestion) -> NewCheck:
    """The check that a suggestion becomes, with what was given instead."""
    return NewCheck(
        dataset=line.dataset,
        copy_=line.copy,
        kind=line.kind,
        identity=given.identity or line.identity,
        control=given.control or (line.control if line.control != given.identity else None),
        params=line.params,
        required=given.required,
        name=given.name,
    )


def vet(probes: ProbeEnvironment, line: Line, given: AcceptSuggestion) -> checks.Vetted:
    """Judge that check before the transaction: names are looked up for it."""
    return checks.vet(probes, checks.defined(meant(line, given)))


def accept(
    work: Work,
    settings: Settings,
    probes: ProbeEnvironment,
    suggestion_id: int,
    given: AcceptSuggestion,
    vetted: checks.Vetted | None = None,
) -> Check:
    """Make the suggestion a check: it runs at once. One that was dismissed can still become one.

    Raises NotFound; Conflict if it is a check already; InputError for what no check can be made of.
    """
    require(work.by, May.keep_checks)
    line = _known(work, suggestion_id)
    check = checks.create(work, settings, probes, meant(line, given), vetted)
    _decide(work, line, SuggestionState.accepted, became=check.id)
    tell(work, "suggestion:accepted", line, {"suggestion": line.id, "check": check.id, "place": line.locator})
    return check


def dismiss(work: Work, suggestion_id: int, given: WithReason) -> None:
    """Say why nobody has to look there. Raises NotFound; Conflict if that was decided already."""
    require(work.by, May.keep_checks)
    line = _known(work, suggestion_id)
    _decide(work, line, SuggestionState.dismissed, reason=given.reason)
    tell(work, "suggestion:dismissed", line, {"suggestion": line.id, "place": line.locator}, given.reason)


def _known(work: Work, suggestion_id: int) -> Line:
    line = suggestions.by_id(work.session, suggestion_id)
    if line is None:
        raise NotFound(f"There is no suggestion {suggestion_id}.")
    return line


#: From which states a suggestion gets to which.
_FROM = {
    SuggestionState.accepted: {SuggestionState.proposed, SuggestionState.dismissed},
    SuggestionState.dismissed: {SuggestionState.proposed},
}


def _decide(work: Work, line: Line, state: SuggestionState, *, reason: str = "", became: int | None = None) -> None:
    """Locked last: runs lock checks first, then date suggestions anew."""
    row = suggestions.lock(work.session, line.id)
    if row is None or row.state not in _FROM[state]:
        now = row.state if row else line.state
        raise Conflict(f"This suggestion was {now} already.")
    row.state, row.reason, row.became_id = state, reason, became
    row.decided_at, row.decided_by = work.now, work.by.id
    work.session.add(row)
    work.session.flush()
