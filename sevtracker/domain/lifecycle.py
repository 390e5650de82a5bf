"""What people may say about a SEV, and when. Evidence can only send a SEV back; it never moves it forward."""

from __future__ import annotations

from datetime import timedelta

from sevtracker.domain.vocabulary import ACTIVE, WATCHED, Status
from sevtracker.errors import Conflict

#: From which statuses an act is allowed, and the status that it leads to.
ACTS: dict[str, tuple[frozenset[Status], Status]] = {
    "investigate": (frozenset({Status.reported, Status.patched}), Status.investigating),
    "patch": (ACTIVE, Status.patched),
    "resolve": (ACTIVE, Status.resolved),
    "reopen": (WATCHED | {Status.dismissed}, Status.investigating),
    "close": (frozenset({Status.resolved}), Status.closed),
    "dismiss": (ACTIVE, Status.dismissed),
}


def after(act: str, status: Status) -> Status:
    """The status that ``act`` leads to from ``status``. Raises Conflict, in words, where it is not allowed."""
    allowed, leads_to = ACTS[act]
    if status not in allowed:
        wanted = " or ".join(sorted(allowed))
        raise Conflict(f"This SEV is {status}; to {act} it, it has to be {wanted}.")
    return leads_to


#: How far a sender's clock may be ahead of ours before a time counts as lying in the future.
CLOCK_GRACE = timedelta(minutes=1)
