"""What became of a patch, told by the vantages and nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sevtracker.domain.vocabulary import Exposure, PatchOutcome


@dataclass(frozen=True, slots=True)
class Seen:
    """One vantage as this patch's judge: was it in the patch's scope, did it see the patch fail, what is it now?"""

    in_scope: bool
    saw_it_fail: bool
    exposure: Exposure


def outcome(seen: Sequence[Seen], *, is_last: bool, before: PatchOutcome) -> PatchOutcome:
    """The outcome of a patch. ``failed`` is for ever; a later patch supersedes one that was never tested.

    ``held``: every vantage in scope is verified. ``partial``: so it is, but the SEV has vantages out of the patch's
    scope that are not.
    """
    if before is PatchOutcome.failed or any(v.saw_it_fail for v in seen):
        return PatchOutcome.failed
    if not is_last:
        return before if before in (PatchOutcome.held, PatchOutcome.partial) else PatchOutcome.superseded
    good = (Exposure.verified, Exposure.watching)
    scoped = [v for v in seen if v.in_scope]
    if scoped and all(v.exposure in good for v in scoped):
        return PatchOutcome.held if all(v.exposure in good for v in seen) else PatchOutcome.partial
    return before if before in (PatchOutcome.held, PatchOutcome.partial) else PatchOutcome.untested
