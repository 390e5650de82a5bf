"""The words of the product, each in one place. Enum names equal their values: both databases store the text."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """How bad it is. ``LEVEL_DEFINITIONS`` says how to tell."""

    SEV0 = "SEV0"
    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"


LEVEL_DEFINITIONS: dict[Level, str] = {
    Level.SEV0: "Readable by anyone outside the company, or already copied out; or special-category data of any number"
    " of people readable by all staff.",
    Level.SEV1: "Personal data of 100 or more people readable by all staff or a whole contractor group.",
    Level.SEV2: "Personal data of fewer than 100 people, or confidential business data, readable by more than one team"
    " that should not read it.",
    Level.SEV3: "Readable by one team or by fewer than 20 people who should not read it; no sign of use.",
    Level.SEV4: "A weakness that exposes nothing by itself, such as a missing log or an over-broad role nobody holds.",
}


class Status(StrEnum):
    """What people say about a SEV. Evidence never moves it forward; it can only send it back (reopen)."""

    reported = "reported"
    investigating = "investigating"
    patched = "patched"
    resolved = "resolved"
    closed = "closed"
    dismissed = "dismissed"


#: Statuses in which work is still owed.
ACTIVE = frozenset({Status.reported, Status.investigating, Status.patched})
#: Statuses in which the watch goes on.
WATCHED = frozenset({Status.resolved, Status.closed})


class Exposure(StrEnum):
    """What the checks saw. Only evidence moves it. Order in ``EXPOSURE_ORDER``: worst first."""

    exposed = "exposed"
    no_patch = "no_patch"
    unproven = "unproven"
    unverified = "unverified"
    unattributed = "unattributed"
    flapping = "flapping"
    uncertain = "uncertain"
    stale = "stale"
    verifying = "verifying"
    watch_blind = "watch_blind"
    verified = "verified"
    watching = "watching"


EXPOSURE_ORDER: dict[Exposure, int] = {state: rank for rank, state in enumerate(Exposure)}


class Verdict(StrEnum):
    """How a run of a check ends."""

    open = "open"
    closed = "closed"
    inconclusive = "inconclusive"


class Reason(StrEnum):
    """Why a run ended as it did. An unlisted trouble is ``plugin_error``; no trouble is ever a denial."""

    # open
    row_read = "row_read"
    column_read = "column_read"
    marker_found = "marker_found"
    content_served = "content_served"
    grant_found = "grant_found"
    object_listed = "object_listed"
    public_grant = "public_grant"
    file_opened = "file_opened"
    connected = "connected"
    still_collecting = "still_collecting"
    undisclosed = "undisclosed"
    plaintext = "plaintext"
    accessed = "accessed"
    command_open = "command_open"
    # closed
    denied = "denied"
    signin_redirect = "signin_redirect"
    login_page = "login_page"
    hidden = "hidden"
    rls_denied = "rls_denied"
    session_ended = "session_ended"
    no_grant = "no_grant"
    no_connection = "no_connection"
    collection_stopped = "collection_stopped"
    all_disclosed = "all_disclosed"
    encrypted = "encrypted"
    not_accessed = "not_accessed"
    command_closed = "command_closed"
    # inconclusive
    unreachable = "unreachable"
    dns = "dns"
    tls = "tls"
    timeout = "timeout"
    rate_limited = "rate_limited"
    server_error = "server_error"
    auth_failed = "auth_failed"
    control_failed = "control_failed"
    identity_drift = "identity_drift"
    rls_filtered = "rls_filtered"
    empty = "empty"
    ambiguous_200 = "ambiguous_200"
    redirected = "redirected"
    intercepted = "intercepted"
    target_changed = "target_changed"
    clock_skew = "clock_skew"
    too_few_samples = "too_few_samples"
    log_incomplete = "log_incomplete"
    session_lost = "session_lost"
    not_permitted = "not_permitted"
    blocked_by_policy = "blocked_by_policy"
    plugin_error = "plugin_error"
    lease_lost = "lease_lost"


class Weight(StrEnum):
    """What the ``closed`` of a kind of check is worth to the resolve gate."""

    #: It sees access closed: it can be what a SEV is resolved on.
    decides = "decides"
    #: It has to be closed where it is required, but covers no copy and is never the only evidence.
    supports = "supports"
    #: It tells about impact. It never gates.
    informs = "informs"


class SuggestionState(StrEnum):
    proposed = "proposed"
    accepted = "accepted"
    dismissed = "dismissed"


class ProposalState(StrEnum):
    """What became of a change of a check that was refused to whoever asked for it."""

    proposed = "proposed"
    approved = "approved"
    denied = "denied"
    #: The check was changed otherwise, or the same person proposed something else since.
    superseded = "superseded"


class Phase(StrEnum):
    """The steps of a probe, in order. A failure before ``target`` is never a denial. ``twins`` says nothing of it."""

    connect = "connect"
    self_test = "self_test"
    target = "target"
    control = "control"
    twins = "twins"


class PatchOutcome(StrEnum):
    untested = "untested"
    failed = "failed"
    held = "held"
    partial = "partial"
    superseded = "superseded"


class Role(StrEnum):
    engineer = "engineer"
    executive = "executive"
    auditor = "auditor"
    admin = "admin"


class IdentityClass(StrEnum):
    anonymous = "anonymous"
    staff = "staff"
    contractor = "contractor"
    service = "service"
    ex_member = "ex_member"
    held_session = "held_session"
    control = "control"


#: Suggestions only: a copy's kind is free text, since every company has a kind we did not think of.
COPY_KINDS = ("primary", "replica", "export", "backup", "cache", "search-index", "warehouse", "log")


class Trigger(StrEnum):
    """What asked for a run."""

    schedule = "schedule"
    retry = "retry"
    manual = "manual"
    filed = "filed"
    patch = "patch"
    verify = "verify"
    resolve = "resolve"
    watch = "watch"
