"""Why a run ended as it did, and what would change that: in plain words, without any data of the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sevtracker.domain.exposure import Uncounted
from sevtracker.domain.policy import Rules
from sevtracker.domain.spans import span
from sevtracker.domain.vocabulary import Phase, Reason, Verdict


@dataclass(frozen=True, slots=True)
class Why:
    """``says``: why this verdict. ``changes``: what would change it. Both take ``{who}`` and ``{control}``."""

    says: str
    changes: str


_CLOSE_IT = "Closing it, logging the patch, and checks that see it closed."
_LOOK_AGAIN = "The next run looks again; it comes by itself, the sooner the fewer failed in a row."
_MEND_IDENTITY = "Mending the identity in the configuration or at the target, then running the check."

REASONS: Mapping[Reason, Why] = {
    # open
    Reason.row_read: Why("{who} read a row of the table.", _CLOSE_IT),
    Reason.column_read: Why("{who} read a sensitive column, whatever the rest of the table says.", _CLOSE_IT),
    Reason.marker_found: Why("The answer that {who} got holds the marker of the exposed content.", _CLOSE_IT),
    Reason.content_served: Why("The content was served to {who}.", _CLOSE_IT),
    Reason.grant_found: Why("The grants let somebody read who is not on the list.", _CLOSE_IT),
    Reason.object_listed: Why("{who} listed what is in the bucket.", _CLOSE_IT),
    Reason.public_grant: Why("A policy or an access list lets everybody in.", _CLOSE_IT),
    Reason.file_opened: Why("{who} opened the file.", _CLOSE_IT),
    Reason.connected: Why("{who} got a connection.", _CLOSE_IT),
    Reason.still_collecting: Why("Something was written since the run before.", "Stopping what still writes."),
    Reason.undisclosed: Why(
        "There is something that was never disclosed.",
        "Removing it; or disclosing it and saying so in the check, which an executive then has to accept.",
    ),
    Reason.plaintext: Why(
        "Something is stored unencrypted, or under another key than it should be.", "Encrypting what is there already."
    ),
    Reason.accessed: Why(
        "The log tells of somebody who is not on the list.", "Nothing: it has happened. It goes into the impact."
    ),
    Reason.command_open: Why("The registered command says that the door is open.", _CLOSE_IT),
    # closed
    Reason.denied: Why("{who} was denied at the target itself, while {control} got in.", "An open door, seen once."),
    Reason.signin_redirect: Why(
        "{who} was sent to the sign-in page, while {control} got in.", "An open door, seen once."
    ),
    Reason.login_page: Why("{who} got the sign-in page, while {control} got in.", "An open door, seen once."),
    Reason.hidden: Why("For {who} there is nothing at that place, where {control} got in.", "An open door, seen once."),
    Reason.rls_denied: Why(
        "Row-level security shows {who} no row, as the check says it should, while {control} sees one.",
        "A row that {who} gets to see.",
    ),
    Reason.no_grant: Why(
        "Every way in was gone through, and nobody off the list can read; somebody on it can.",
        "A grant to anybody else.",
    ),
    Reason.no_connection: Why("{who} gets no connection, while {control} does.", "A connection."),
    Reason.collection_stopped: Why(
        "Nothing was written for long enough, while another producer went on.", "Anything that is written."
    ),
    Reason.all_disclosed: Why("Everything that is there is disclosed.", "A new column or field."),
    Reason.encrypted: Why("Everything looked at is encrypted as it should be.", "One object that is not."),
    Reason.not_accessed: Why(
        "The log covers the whole time, shows the read that must be in it, and nobody else.", "Another line in the log."
    ),
    Reason.command_closed: Why("The registered command says closed, and its control held.", "The command saying open."),
    Reason.session_ended: Why(
        "The server ended the session from before the patch, and a new one of {who} is denied.",
        "{who} getting in anew.",
    ),
    # inconclusive
    Reason.unreachable: Why("The target took no connection, so nobody was asked for access.", _LOOK_AGAIN),
    Reason.dns: Why("The target's name has no address.", "A name that resolves where the worker runs."),
    Reason.tls: Why("No trusted connection came about.", "A certificate that the worker trusts."),
    Reason.timeout: Why("No answer came in time.", _LOOK_AGAIN),
    Reason.rate_limited: Why(
        "The target asked to be left alone for a while.", "The check waits as long as it asked, then looks again."
    ),
    Reason.server_error: Why("The target failed. That is no denial.", _LOOK_AGAIN),
    Reason.auth_failed: Why(
        "{who} could not sign in, so nothing was learned about the target.",
        "A password that works. After two in a row the check stops, so that no account is locked.",
    ),
    Reason.control_failed: Why(
        "{who} was turned away, but {control}, who must get in, did not get in either.",
        "A control that gets in: see whether the target is gone or renamed.",
    ),
    Reason.identity_drift: Why(
        "{who} has other rights than it should have, so its answer stands for nobody.", _MEND_IDENTITY
    ),
    Reason.rls_filtered: Why(
        "{who} may read the table; row-level security showed no row.",
        "Saying in the check that row-level security is the fix, if it is.",
    ),
    Reason.empty: Why("{who} was let in, but there was nothing to read.", "A row, best a canary's."),
    Reason.ambiguous_200: Why(
        "The answer was a page that is neither the exposed content nor a known sign-in page.",
        "Telling the check how the sign-in page looks, or what the exposed content holds.",
    ),
    Reason.redirected: Why(
        "{who} was sent elsewhere, not to a known sign-in host.", "Naming the sign-in host in the check, if it is one."
    ),
    Reason.intercepted: Why(
        "Something between here and the target answered.", "A way to the target itself, or the check at its new place."
    ),
    Reason.target_changed: Why(
        "What stands at that place is not what stood there before.", "Looking at what changed, then editing the check."
    ),
    Reason.clock_skew: Why(
        "The target's clock and ours differ by more than a minute, so nobody can say what came first.",
        "Setting the clocks.",
    ),
    Reason.too_few_samples: Why("It was not watched for long enough yet.", "More runs."),
    Reason.log_incomplete: Why(
        "The log does not speak for the whole time. What it leaves out is unknown, never none.",
        "A log that covers it; else say in the access review that none exists.",
    ),
    Reason.session_lost: Why(
        "The held session is gone, and not because the target ended it.",
        "Handling old sessions by hand, and recording that; a new session is not one from before the patch.",
    ),
    Reason.not_permitted: Why(
        "{who} may not see what it takes to tell.", "Giving the identity the rights that the kind's page lists."
    ),
    Reason.blocked_by_policy: Why(
        "The guard did not let the probe go there. No connection was made.",
        "An administrator allowing the place in the configuration.",
    ),
    Reason.plugin_error: Why("The check itself failed.", "Mending the kind; the log has the type of the error."),
    Reason.lease_lost: Why("The worker was lost while it looked.", _LOOK_AGAIN),
}

#: Of a kind that makes its own control there is nobody whom it could name.
_OWN_CONTROL_FAILED = Why(
    "It saw nothing open, but neither did it see what it has to see beside it, so it might have missed it.",
    "What it needs to see: the steps below say what was missing.",
)


def why(reason: Reason, who: str, control: str | None, *, own_control: bool = False) -> Why:
    """Why a run of ``who`` ended so, and what would change that. ``own_control``: the kind makes its own."""
    found = REASONS[reason]
    if own_control and reason is Reason.control_failed:
        found = _OWN_CONTROL_FAILED
    names = {"who": who, "control": control or "nobody (no control is set)"}
    said = found.says.format(**names)
    return Why(said[:1].upper() + said[1:], found.changes.format(**names))


#: What is said of a phase that the run did not get to.
_NOT_REACHED = "Not reached: the run had ended before."
_NOT_NEEDED = "Not needed: an open door speaks for itself."


def missing(phases: set[Phase], verdict: Verdict) -> Mapping[Phase, str]:
    """What to say of each phase that left no step."""
    every = (Phase.connect, Phase.self_test, Phase.target, Phase.control)
    left_out = [phase for phase in every if phase not in phases]
    return {
        phase: _NOT_NEEDED if phase is Phase.control and verdict is Verdict.open else _NOT_REACHED for phase in left_out
    }


def not_counted(why: Uncounted, rules: Rules, before: timedelta | None) -> str:
    """Why a closed did not count. ``before``: how long after the one counted before it."""
    told: Mapping[Uncounted, str] = {
        Uncounted.not_closed: "it did not see the door closed",
        Uncounted.settling: f"a patch was applied less than {span(rules.settle)} before it",
        Uncounted.no_patch: "no patch had been logged",
        Uncounted.unattributed: "the door was open after the last patch had settled, so nobody knows what closed it",
        Uncounted.edited: "the check was edited since",
        Uncounted.unproven: (
            "this definition had never been seen to tell an open door from a closed one, or an earlier one saw the door"
            " open and no executive has accepted what changed"
        ),
        Uncounted.too_soon: (
            f"only {span(before)} after the one counted before it, and {span(rules.spacing)} are asked for"
            if before is not None
            else "it came too soon after the one counted before it"
        ),
    }
    return told[why]
