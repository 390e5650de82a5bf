"""Refusing a change of a check: an answer that is recorded, not an exception that takes its own record with it.

What its patch's author may not do to a check is kept as a proposal; a second person approves or denies it
(``actions.proposals``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sevtracker.actions import evaluation
from sevtracker.actions.inputs import ChangeCheck
from sevtracker.domain.vocabulary import ProposalState
from sevtracker.errors import NotPermitted, SevtrackerError
from sevtracker.store import facts, proposals, vantages
from sevtracker.store.tables import Check, CheckProposal, Dataset
from sevtracker.store.work import Work


@dataclass(frozen=True, slots=True)
class Refused:
    """Not changed, and why. Already on the record. ``proposal``: the change waits there for a second person."""

    check_id: int
    why: SevtrackerError
    proposal: int | None

    @property
    def message(self) -> str:
        """Why, and what becomes of it."""
        if isinstance(self.why, NotPermitted) and self.proposal is not None:
            return f"{self.why} The attempt is recorded; it waits as proposal {self.proposal} for a second person."
        return f"{self.why} The attempt is recorded."


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants of a check. ``public``: the fields that the ledger tells, each with old and new value;
    ``params``: the names of the parameters that move. ``proposal``: it was proposed, and is being approved."""

    given: ChangeCheck
    public: Mapping[str, Mapping[str, Any]]
    params: Sequence[str]
    validated: Mapping[str, Any]
    retires: bool = False
    proposal: CheckProposal | None = None

    @property
    def harmless(self) -> bool:
        """It changes the name, or where canary twins are: these can only prove that the check can tell, or not."""
        return not self.public.keys() - {"twins"} and not self.params and not self.retires


def not_ones_own(work: Work, check: Check, change: Change) -> None:
    """Of a required check that judges one's own patch one may change the name and the twins, and nothing else: whatever
    looks harmless (a marker, a timeout, the control) decides what is called closed. Raises NotPermitted."""
    if work.person is None or change.harmless:
        return
    if not facts.judges_patches_of(work.session, check.id or 0, work.by.id):
        return
    if (check.required and check.enabled) or _looks_away(change):
        raise NotPermitted("This check judges a patch of yours. Somebody else has to change more than its name.")


def _looks_away(change: Change) -> bool:
    """Of a check that gates nothing, the author may mend what does not make it look away."""
    off = any(change.public.get(name, {}).get("new") is False for name in ("enabled", "required"))
    return off or change.retires or "identity" in change.public or "locator" in change.public or bool(change.params)


def refuse(work: Work, check: Check, change: Change, why: SevtrackerError) -> Refused:
    """Put the attempt on the timeline of every SEV concerned and on the dataset's record; if a second person could
    allow it, keep it as a proposal and tell them."""
    numbers = vantages.sevs_of_checks(work.session, [check.id or 0])
    locked = evaluation.lock(work, numbers)
    proposal = change.proposal.id if change.proposal else None
    if proposal is None and isinstance(why, NotPermitted):
        proposal = _keep(work, check, change)
    told = {
        "check": check.id,
        "revision": check.revision,
        "why": "own_patch" if isinstance(why, NotPermitted) else "saw_open",
        "changed": {name: dict(values) for name, values in change.public.items()},
        "params": list(change.params),
        "retires": change.retires,
        "proposal": proposal,
    }
    say(work, check, "check:change_refused", told, change.given.reason, numbers)
    for sev in locked:
        sev.version += 1
        work.session.add(sev)
        if proposal is not None and change.proposal is None:
            work.notify("check:change_refused", sev=sev.number, check=check.id, facts={"check": check.id})
    return Refused(check.id or 0, why, proposal)


def _keep(work: Work, check: Check, change: Change) -> int:
    """As a proposal. Whoever asks again means the newer one."""
    given = change.given.model_dump(mode="json", include=change.given.model_fields_set - {"reason", "params"})
    if "params" in change.given.model_fields_set:
        given["params"] = dict(change.validated)
    proposals.supersede(work.session, check.id or 0, work.now, of=work.by.id)
    kept = CheckProposal(
        check_id=check.id or 0,
        revision=check.revision,
        change=given,
        retires=change.retires,
        reason=change.given.reason,
        proposed_by=work.by.id,
        proposed_at=work.now,
        state=ProposalState.proposed,
    )
    work.session.add(kept)
    work.session.flush()
    return kept.id or 0


def say(
    work: Work, check: Check, kind: str, told: Mapping[str, Any], text: str, numbers: Sequence[int] | None = None
) -> None:
    """A record on the dataset, and on the timeline of every SEV that looks through the check."""
    dataset = work.session.get_one(Dataset, check.dataset_id).slug
    if numbers is None:
        numbers = vantages.sevs_of_checks(work.session, [check.id or 0])
    for number in numbers or (None,):
        work.record(kind, sev=number, dataset=dataset, facts=told, text=text or None)
