"""What one identity met, and what the control met at the same place, make a verdict. Pure.

    identity             control            verdict
    got in               -                  open
    denied               got in             closed (the denial's reason)
    absent               got in             closed (hidden)
    empty                any                inconclusive (empty)
    denied, absent       empty              inconclusive (empty)
    denied, absent       else, or none      inconclusive (control_failed)
    trouble              -                  inconclusive (the trouble's reason)

A would-be ``closed`` by clocks more than 60 s apart is ``clock_skew``. A denial before the target phase is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sevtracker.checks.interface import Attempt, Result
from sevtracker.domain.vocabulary import Phase, Reason, Verdict

OPEN_REASONS = frozenset(
    {
        *(Reason.row_read, Reason.column_read, Reason.marker_found, Reason.content_served, Reason.grant_found),
        *(Reason.object_listed, Reason.public_grant, Reason.file_opened, Reason.connected, Reason.still_collecting),
        *(Reason.undisclosed, Reason.plaintext, Reason.accessed, Reason.command_open),
    }
)
CLOSED_REASONS = frozenset(
    {
        *(Reason.denied, Reason.signin_redirect, Reason.login_page, Reason.hidden, Reason.rls_denied, Reason.no_grant),
        *(Reason.no_connection, Reason.collection_stopped, Reason.all_disclosed, Reason.encrypted),
        *(Reason.not_accessed, Reason.command_closed, Reason.session_ended),
    }
)
#: Seconds that two clocks may differ before nothing is called closed.
MAX_SKEW = 60.0

#: Results after which the control has to show that the door itself works.
NEEDS_CONTROL = frozenset({Result.denied, Result.absent, Result.empty})


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of one address, or of all of them."""

    verdict: Verdict
    reason: Reason
    retry_after_s: float | None = None


def sound(attempt: Attempt) -> Attempt:
    """``attempt`` with its words put right, since kinds are written by others too. Never towards ``closed``."""
    if attempt.result in NEEDS_CONTROL and attempt.phase is not Phase.target:
        return replace(attempt, result=Result.trouble, reason=Reason.auth_failed)
    if attempt.result is Result.got_in and attempt.reason not in OPEN_REASONS:
        return replace(attempt, reason=Reason.content_served)
    if attempt.result is Result.denied and attempt.reason not in CLOSED_REASONS:
        return replace(attempt, reason=Reason.denied)
    if attempt.result is Result.trouble and attempt.reason in OPEN_REASONS | CLOSED_REASONS:
        return replace(attempt, reason=Reason.plugin_error)
    return attempt


def judge(attempt: Attempt, control: Attempt | None) -> Judgement:
    """The table above, for one address. ``control`` is None when there is none or it was not needed."""
    if attempt.result is Result.got_in:
        return Judgement(Verdict.open, attempt.reason)
    retry_after = attempt.retry_after_s or (control.retry_after_s if control else None)
    if attempt.result is Result.trouble:
        return Judgement(Verdict.inconclusive, attempt.reason, retry_after)
    if attempt.result is Result.empty or (control and control.result is Result.empty):
        return Judgement(Verdict.inconclusive, Reason.empty, retry_after)
    if control is None or control.result is not Result.got_in:
        return Judgement(Verdict.inconclusive, Reason.control_failed, retry_after)
    if any(abs(seen.skew_s or 0.0) > MAX_SKEW for seen in (attempt, control)):
        return Judgement(Verdict.inconclusive, Reason.clock_skew)
    return Judgement(Verdict.closed, attempt.reason if attempt.result is Result.denied else Reason.hidden)


def together(judgements: Sequence[Judgement]) -> Judgement:
    """All addresses of one host: any open is open, else any trouble is inconclusive, else closed."""
    for verdict in (Verdict.open, Verdict.inconclusive):
        if found := _first(judgements, verdict):
            return found
    return judgements[0]


def _first(judgements: Iterable[Judgement], verdict: Verdict) -> Judgement | None:
    return next((one for one in judgements if one.verdict is verdict), None)
