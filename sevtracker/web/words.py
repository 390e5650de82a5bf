"""What the pages call each state, and what it means in one sentence. Colour and shape follow ``TONE`` and app.css."""

from __future__ import annotations

from collections.abc import Mapping

from sevtracker.domain.vocabulary import Exposure, IdentityClass, PatchOutcome, Phase, Reason, Role, Status, Trigger

EXPOSURE: Mapping[Exposure, str] = {
    Exposure.exposed: "exposed",
    Exposure.no_patch: "no patch",
    Exposure.unproven: "unproven",
    Exposure.unverified: "unverified",
    Exposure.unattributed: "unattributed",
    Exposure.flapping: "flapping",
    Exposure.uncertain: "uncertain",
    Exposure.stale: "stale",
    Exposure.verifying: "verifying",
    Exposure.watch_blind: "watch blind",
    Exposure.verified: "verified",
    Exposure.watching: "watching",
}

EXPOSURE_MEANS: Mapping[Exposure, str] = {
    Exposure.exposed: "A check saw the door open: what must not be possible still is.",
    Exposure.no_patch: "The checks are denied, but nobody logged a patch: nothing explains why it closed.",
    Exposure.unproven: "The checks are denied, but as they are now they never saw an open door; that proves nothing.",
    Exposure.unverified: "Not all is seen: a check has no answer, or a copy no check. An error is not a denial.",
    Exposure.unattributed: "It was open after the last patch had settled. Nobody knows what closed it since.",
    Exposure.flapping: "It opened again at least twice in a day. Twice the evidence is needed now.",
    Exposure.uncertain: "It was verified, but the latest run could not tell.",
    Exposure.stale: "It was verified, but no check has run lately.",
    Exposure.verifying: "The door was seen closed since the last patch, not yet often or long enough.",
    Exposure.watch_blind: "Resolved, but the watch sees nothing any more.",
    Exposure.verified: "Seen closed, again and again, since the last patch.",
    Exposure.watching: "Resolved. The checks go on looking.",
}

#: What would change each state.
EXPOSURE_CHANGES: Mapping[Exposure, str] = {
    Exposure.exposed: "Close it and log the patch; the checks then have to see it closed.",
    Exposure.no_patch: "Log the patch that closed it.",
    Exposure.unproven: "Let this very check see the door open once, or prove it on canary twins; one changed after it"
    " saw it open, change back.",
    Exposure.unverified: "A check that gives an answer: add one where nothing looks, or mend the one that can't see.",
    Exposure.unattributed: "Find out what closed it, and log that as a patch.",
    Exposure.flapping: "Find what opens it again, then twice the streak over twice the soak.",
    Exposure.uncertain: "The next run that can tell: closed verifies it again, open exposes it.",
    Exposure.stale: "A run. See whether the worker is up.",
    Exposure.verifying: "Further runs that see it closed; one that sees it open exposes it.",
    Exposure.watch_blind: "A run that can tell. If none comes for too long, the SEV reopens.",
    Exposure.verified: "One open door, seen once; or no runs for too long.",
    Exposure.watching: "One open door, seen once: it reopens the SEV.",
}

#: The family that a state belongs to: it chooses the colour. The shape is each state's own.
TONE: Mapping[Exposure, str] = {
    Exposure.exposed: "open",
    Exposure.no_patch: "doubt",
    Exposure.unproven: "doubt",
    Exposure.unverified: "doubt",
    Exposure.unattributed: "doubt",
    Exposure.flapping: "doubt",
    Exposure.uncertain: "doubt",
    Exposure.stale: "doubt",
    Exposure.verifying: "going",
    Exposure.watch_blind: "doubt",
    Exposure.verified: "shut",
    Exposure.watching: "shut",
}

REASON: Mapping[Reason, str] = {
    Reason.row_read: "a row was read",
    Reason.column_read: "a sensitive column was read",
    Reason.marker_found: "the marker was found",
    Reason.content_served: "the content was served",
    Reason.grant_found: "a grant lets others in",
    Reason.object_listed: "the bucket was listed",
    Reason.public_grant: "granted to everybody",
    Reason.file_opened: "the file was opened",
    Reason.connected: "a connection was made",
    Reason.still_collecting: "it still collects",
    Reason.undisclosed: "something undisclosed is collected",
    Reason.plaintext: "stored unencrypted",
    Reason.accessed: "somebody came in",
    Reason.command_open: "the command says open",
    Reason.denied: "denied",
    Reason.signin_redirect: "sent to sign in",
    Reason.login_page: "login page",
    Reason.hidden: "hidden from this identity",
    Reason.rls_denied: "filtered by row-level security",
    Reason.session_ended: "the held session was ended",
    Reason.no_grant: "no grant lets others in",
    Reason.no_connection: "no connection",
    Reason.collection_stopped: "collection stopped",
    Reason.all_disclosed: "all of it is disclosed",
    Reason.encrypted: "encrypted",
    Reason.not_accessed: "nobody came in",
    Reason.command_closed: "the command says closed",
    Reason.unreachable: "unreachable",
    Reason.dns: "name not found",
    Reason.tls: "TLS failed",
    Reason.timeout: "timed out",
    Reason.rate_limited: "rate limited",
    Reason.server_error: "server error",
    Reason.auth_failed: "sign-in failed",
    Reason.control_failed: "control failed",
    Reason.identity_drift: "identity drifted",
    Reason.rls_filtered: "row-level security hides it",
    Reason.empty: "nothing there to read",
    Reason.ambiguous_200: "ambiguous answer",
    Reason.redirected: "redirected elsewhere",
    Reason.intercepted: "intercepted on the way",
    Reason.target_changed: "target changed",
    Reason.clock_skew: "clocks differ",
    Reason.too_few_samples: "not watched long enough",
    Reason.log_incomplete: "the log has gaps",
    Reason.session_lost: "the held session was lost",
    Reason.not_permitted: "not permitted here",
    Reason.blocked_by_policy: "refused by the guard",
    Reason.plugin_error: "the check failed",
    Reason.lease_lost: "the worker was lost",
}

OUTCOME: Mapping[PatchOutcome, str] = {
    PatchOutcome.untested: "untested",
    PatchOutcome.failed: "failed",
    PatchOutcome.held: "held",
    PatchOutcome.partial: "partial",
    PatchOutcome.superseded: "superseded",
}

IDENTITY_CLASS: Mapping[IdentityClass, str] = {
    IdentityClass.anonymous: "nobody signed in",
    IdentityClass.staff: "staff",
    IdentityClass.contractor: "contractor",
    IdentityClass.service: "service",
    IdentityClass.ex_member: "former member",
    IdentityClass.held_session: "held session",
    IdentityClass.control: "control",
}

PHASE: Mapping[Phase, str] = {
    Phase.connect: "Connect",
    Phase.self_test: "Identity self-test",
    Phase.target: "Try the target",
    Phase.control: "Positive control",
    Phase.twins: "Canary twins",
}

TRIGGER: Mapping[Trigger, str] = {
    Trigger.schedule: "scheduled",
    Trigger.retry: "retry",
    Trigger.manual: "run now",
    Trigger.filed: "SEV filed",
    Trigger.patch: "patch logged",
    Trigger.verify: "run checks",
    Trigger.resolve: "final run",
    Trigger.watch: "watch",
}

ROLE_MEANS: Mapping[Role, str] = {
    Role.engineer: (
        "files SEVs, logs patches, resolves, registers datasets and checks; attests, and decides on what others"
        " propose of a check; neither as an author of a patch that is concerned"
    ),
    Role.executive: (
        "what engineers do, and sees restricted SEVs; alone grants and revokes waivers: of one check of one SEV, for"
        " 30 days at most, and not where they wrote a patch of it; and accepts what a check judges by after it saw its"
        " door open"
    ),
    Role.auditor: "reads everything; changes nothing, waives nothing, decides on no proposal",
    Role.admin: (
        "configures people and settings, and keeps datasets and checks as engineers do, proposals included; by that"
        " role resolves nothing and grants no waiver"
    ),
}

STATUSES: tuple[Status, ...] = tuple(Status)
EXPOSURES: tuple[Exposure, ...] = tuple(Exposure)
