"""The second person's word on a change of a check that was refused to its patch's author."""

from __future__ import annotations

from sevtracker.actions import checks
from sevtracker.actions.guarding import Change, Refused, refuse, say
from sevtracker.actions.inputs import ChangeCheck, parse
from sevtracker.checks.interface import Definition
from sevtracker.checks.probing import ProbeEnvironment
from sevtracker.config import Settings
from sevtracker.domain.vocabulary import ProposalState
from sevtracker.errors import Conflict, NotFound, NotPermitted
from sevtracker.store import facts, people, proposals
from sevtracker.store.tables import Check, CheckProposal
from sevtracker.store.work import Work

_SECOND = "You proposed this, or the check judges a patch of yours: a second person has to decide."


def wanted(proposal: CheckProposal, reason: str = "") -> ChangeCheck:
    """The change that was proposed, as somebody sends it."""
    return parse(ChangeCheck, {**proposal.change, "reason": reason})


def meant(check: Check, proposal: CheckProposal) -> Definition:
    """The definition that the check would get: to be vetted before the transaction, as any other."""
    return checks.redefined(check, wanted(proposal))


def approve(  # as ``checks.change``, and whose word it is
    work: Work,
    settings: Settings,
    probes: ProbeEnvironment,
    check_id: int,
    proposal_id: int,
    reason: str,
    vetted: checks.Vetted | None = None,
) -> Check | Refused:
    """Make the change, as the approver, by all rules that hold now: a door seen open still refuses it.

    Raises NotFound, Conflict if it was decided already. Refused, on the record, for who proposed it and for every
    author of a patch that the check judges.
    """
    check, proposal = _open(work, check_id, proposal_id)
    given = wanted(proposal, reason)
    if not _second(work, check, proposal):
        told = Change(given, {}, (), {}, proposal.retires, proposal)
        return refuse(work, check, told, NotPermitted(_SECOND))
    found = checks.apply(work, settings, probes, check, given, vetted, proposal=proposal)
    if isinstance(found, Refused):
        return found
    _decide(work, proposal, ProposalState.approved, reason)
    return found


def deny(work: Work, check_id: int, proposal_id: int, reason: str) -> CheckProposal:
    """Leave the check as it is. Raises NotFound, NotPermitted, Conflict."""
    check, proposal = _open(work, check_id, proposal_id)
    if not _second(work, check, proposal):
        raise NotPermitted(_SECOND)
    _decide(work, proposal, ProposalState.denied, reason)
    proposer = people.named(work.session, [proposal.proposed_by])[proposal.proposed_by].pid
    told = {"check": check_id, "proposal": proposal_id, "proposed_by": proposer}
    say(work, check, "check:change_denied", told, reason)
    return proposal


def _open(work: Work, check_id: int, proposal_id: int) -> tuple[Check, CheckProposal]:
    check = checks.locked(work, check_id)
    proposal = proposals.lock(work.session, check_id, proposal_id, work.by.viewer)
    if proposal is None:
        raise NotFound(f"Check {check_id} has no proposal {proposal_id}.")
    if proposal.state is not ProposalState.proposed:
        raise Conflict(f"This proposal is {proposal.state} already.")
    return check, proposal


def _second(work: Work, check: Check, proposal: CheckProposal) -> bool:
    return proposal.proposed_by != work.by.id and not facts.judges_patches_of(work.session, check.id or 0, work.by.id)


def _decide(work: Work, proposal: CheckProposal, state: ProposalState, reason: str) -> None:
    proposal.state, proposal.decision = state, reason
    proposal.decided_by, proposal.decided_at = work.by.id, work.now
    work.session.add(proposal)
