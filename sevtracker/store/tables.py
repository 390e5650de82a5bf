"""Every table. A class holds no rules: inputs validate, domain decides, these keep.

No ORM relationships: foreign keys and explicit joins only, so that no page ever loads rows one by one.
Enums are stored as their text; times as UTC; JSON is replaced, never changed in place.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from sevtracker.domain.vocabulary import (
    Exposure,
    Level,
    PatchOutcome,
    ProposalState,
    Reason,
    Role,
    Status,
    SuggestionState,
    Trigger,
    Verdict,
    Weight,
)


def _words(of: type[StrEnum]) -> Any:
    return sa.Enum(of, native_enum=False, length=32, values_callable=lambda e: [m.value for m in e])


def table(model: type[SQLModel]) -> sa.Table:
    """The SQLAlchemy table of a model, for statements that need no objects."""
    found: sa.Table = model.__table__  # type: ignore[attr-defined]  # SQLModel's types don't show it
    return found


#: Ids that both databases count up by themselves; on SQLite only a plain INTEGER does that.
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


# ---- people ------------------------------------------------------------------------------------------------------


class Person(SQLModel, table=True):
    """Somebody who can sign in. ``pid`` is the pseudonym that the ledger knows them by."""

    id: int | None = Field(default=None, primary_key=True)
    pid: str = Field(max_length=36, unique=True)
    email: str = Field(max_length=254, unique=True)
    name: str = Field(max_length=200)
    role: Role = Field(sa_type=_words(Role))
    password_hash: str | None = Field(default=None, max_length=200)
    active: bool = True
    #: Counts up to end every session of this person at once.
    session_epoch: int = 0
    created_at: datetime


class SigninLink(SQLModel, table=True):
    """A one-time link. Without a person it creates the first admin."""

    __tablename__ = "signin_link"
    token_hash: str = Field(primary_key=True, max_length=64)
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


class ApiToken(SQLModel, table=True):
    """A bearer token, known by its SHA-256 only."""

    __tablename__ = "api_token"
    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    name: str = Field(max_length=100)
    token_hash: str = Field(max_length=64, unique=True)
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class SigninFailure(SQLModel, table=True):
    """A failed sign-in, kept to slow the next ones down. ``subject`` is a hash of e-mail or address."""

    __tablename__ = "signin_failure"
    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(max_length=64)
    at: datetime
    __table_args__ = (sa.Index("ix_signin_failure_subject_at", "subject", "at"),)


# ---- what is watched ---------------------------------------------------------------------------------------------


class Programme(SQLModel, table=True):
    """An undertaking that collects data, and that can be paused."""

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=200)
    state: str = Field(default="running", max_length=32)
    created_at: datetime


class Dataset(SQLModel, table=True):
    """A body of data that somebody owns."""

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=200)
    owner: str = Field(default="", max_length=200)
    programme_id: int | None = Field(default=None, foreign_key="programme.id", index=True)
    classification: str = Field(default="", max_length=64)
    description: str = Field(default="", sa_type=sa.Text)
    disclosed_fields: list[str] | None = Field(default=None, sa_type=sa.JSON)
    created_at: datetime


class Copy(SQLModel, table=True):
    """One place where a dataset lies: its primary, a replica, an export, a backup..."""

    id: int | None = Field(default=None, primary_key=True)
    dataset_id: int = Field(foreign_key="dataset.id")
    slug: str = Field(max_length=64)
    kind: str = Field(max_length=64)
    location: str = Field(default="", max_length=500)
    #: Since when it is gone. A SEV that was filed before goes on to ask for it.
    retired_at: datetime | None = None
    __table_args__ = (sa.UniqueConstraint("dataset_id", "slug", name="uq_copy_dataset_slug"),)


class Check(SQLModel, table=True):
    """A vantage: copy x identity x way in. The columns from ``due_at`` on are what the last runs left behind."""

    __tablename__ = "check_"
    id: int | None = Field(default=None, primary_key=True)
    dataset_id: int = Field(foreign_key="dataset.id", index=True)
    copy_id: int = Field(foreign_key="copy.id", index=True)
    name: str = Field(max_length=200)
    kind: str = Field(max_length=64)
    identity: str = Field(max_length=64)
    control: str | None = Field(default=None, max_length=64)
    params: dict[str, Any] = Field(sa_type=sa.JSON)
    required: bool = True
    enabled: bool = True
    #: What its closed is worth to the gate: its kind says so.
    weight: Weight = Field(default=Weight.decides, sa_type=_words(Weight))
    revision: int = 1
    fingerprint: str = Field(max_length=64)
    locator: str = Field(max_length=1000)
    target: str = Field(max_length=300)
    created_at: datetime
    #: What its kind wants to be given at the next run. Of the present fingerprint only; never data of the target.
    memory: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    #: Canary twins: ``open`` and ``locked``, each the parameters in which it differs from the check's own.
    twins: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    #: Of twins that we made: the ``keeper`` (an identity) and the ``readers``, as the target calls its accounts.
    twins_made: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))

    due_at: datetime | None = Field(default=None, index=True)
    every_s: float = 3600.0
    #: Inconclusive runs in a row.
    failures: int = 0
    #: Failed sign-ins in a row.
    auth_failures: int = 0
    #: Why the check stopped by itself, if it did.
    halted: Reason | None = Field(default=None, sa_type=_words(Reason))
    last_run_id: int | None = Field(default=None, sa_type=_BIG)
    last_verdict: Verdict | None = Field(default=None, sa_type=_words(Verdict))
    last_reason: Reason | None = Field(default=None, sa_type=_words(Reason))
    last_at: datetime | None = None
    decisive: Verdict | None = Field(default=None, sa_type=_words(Verdict))
    decisive_at: datetime | None = None
    #: The fingerprints whose own last decisive verdict is open; true: a looser one came after it.
    left_open: dict[str, bool] = Field(default_factory=dict, sa_type=sa.JSON)
    #: Disabled for good: what it saw is kept, and it comes back no more.
    retired_at: datetime | None = None
    #: When the present twins last proved the present fingerprint; what was wrong the last time they did not.
    proved_at: datetime | None = None
    twins_wrong: str | None = Field(default=None, max_length=300)


class CheckRevision(SQLModel, table=True):
    """What a check's definition was from ``at`` on."""

    __tablename__ = "check_revision"
    check_id: int = Field(foreign_key="check_.id", primary_key=True)
    revision: int = Field(primary_key=True)
    at: datetime
    by_pid: str = Field(max_length=36)
    name: str = Field(max_length=200)
    kind: str = Field(max_length=64)
    identity: str = Field(max_length=64)
    control: str | None = Field(default=None, max_length=64)
    params: dict[str, Any] = Field(sa_type=sa.JSON)
    required: bool
    enabled: bool
    fingerprint: str = Field(max_length=64)
    locator: str = Field(max_length=1000)
    twins: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    #: It looks elsewhere than the one before it, or judges more loosely: what that one saw open stays its own to close.
    looser: bool = False


REPRODUCED, BY_TWINS = "reproduced", "twins"


class CheckProof(SQLModel, table=True):
    """That a definition was seen to tell open from closed: ``reproduced`` here (once, for good), or on canary ``twins``
    (each time: what it proved then stays proven when the story is folded anew)."""

    __tablename__ = "check_proof"
    check_id: int = Field(foreign_key="check_.id", primary_key=True)
    fingerprint: str = Field(primary_key=True, max_length=64)
    how: str = Field(primary_key=True, max_length=16)
    at: datetime = Field(primary_key=True)
    __table_args__ = (
        sa.Index(
            "uq_check_proof_reproduced",
            "check_id",
            "fingerprint",
            unique=True,
            sqlite_where=sa.text("how = 'reproduced'"),
            postgresql_where=sa.text("how = 'reproduced'"),
        ),
    )


class CheckAcceptance(SQLModel, table=True):
    """An executive's word that a definition rightly judges otherwise than the one that last saw the door open."""

    __tablename__ = "check_acceptance"
    id: int | None = Field(default=None, primary_key=True)
    check_id: int = Field(foreign_key="check_.id", index=True)
    #: What was accepted: it ends with another fingerprint.
    revision: int
    fingerprint: str = Field(max_length=64)
    #: The check's latest run then: it ends with an open after that.
    run_id: int = Field(sa_type=_BIG)
    reason: str = Field(sa_type=sa.Text)
    evidence: str = Field(max_length=500)
    accepted_by: int = Field(foreign_key="person.id")
    at: datetime


class CheckProposal(SQLModel, table=True):
    """A change of a check that was refused to its patch's author, and waits for a second person's word."""

    __tablename__ = "check_proposal"
    id: int | None = Field(default=None, primary_key=True)
    check_id: int = Field(foreign_key="check_.id", index=True)
    #: The revision that it would change.
    revision: int
    #: The fields that would change, as ``inputs.ChangeCheck`` takes them, with params as they were validated.
    change: dict[str, Any] = Field(sa_type=sa.JSON)
    #: It would retire the check.
    retires: bool = False
    reason: str = Field(default="", sa_type=sa.Text)
    proposed_by: int = Field(foreign_key="person.id")
    proposed_at: datetime
    state: ProposalState = Field(default=ProposalState.proposed, sa_type=_words(ProposalState))
    decided_by: int | None = Field(default=None, foreign_key="person.id")
    decided_at: datetime | None = None
    #: Why it was approved or denied.
    decision: str = Field(default="", sa_type=sa.Text)


class Run(SQLModel, table=True):
    """One run of a check: existence only. Never a row, a body, a DSN or a driver's text."""

    id: int | None = Field(default=None, primary_key=True, sa_type=_BIG)
    check_id: int = Field(foreign_key="check_.id")
    revision: int
    verdict: Verdict = Field(sa_type=_words(Verdict))
    reason: Reason = Field(sa_type=_words(Reason))
    started_at: datetime
    duration_ms: int
    control: str | None = Field(default=None, max_length=16)
    trigger: Trigger = Field(sa_type=_words(Trigger))
    sev_number: int | None = None
    patch_number: int | None = None
    steps: list[dict[str, Any]] = Field(sa_type=sa.JSON)
    #: Who came in while the door was open, in buckets, where the kind tells.
    impact: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    __table_args__ = (sa.Index("ix_run_check_started", "check_id", "started_at"), {"sqlite_autoincrement": True})


class Suggestion(SQLModel, table=True):
    """A way in that a run came across: a check that somebody should add, or say why not."""

    id: int | None = Field(default=None, primary_key=True)
    copy_id: int = Field(foreign_key="copy.id")
    #: The check that came across it last.
    check_id: int = Field(foreign_key="check_.id", index=True)
    kind: str = Field(max_length=64)
    identity: str = Field(max_length=64)
    control: str | None = Field(default=None, max_length=64)
    params: dict[str, Any] = Field(sa_type=sa.JSON)
    locator: str = Field(max_length=1000)
    #: Of kind and place, and of the identity where the finder named one: the same way in is suggested once.
    digest: str = Field(max_length=64)
    why: str = Field(max_length=500)
    first_at: datetime
    last_at: datetime
    state: SuggestionState = Field(default=SuggestionState.proposed, sa_type=_words(SuggestionState))
    decided_at: datetime | None = None
    decided_by: int | None = Field(default=None, foreign_key="person.id")
    reason: str = Field(default="", sa_type=sa.Text)
    #: The check that it became.
    became_id: int | None = Field(default=None, foreign_key="check_.id")
    __table_args__ = (sa.UniqueConstraint("copy_id", "digest", name="uq_suggestion_copy_digest"),)


# ---- SEVs --------------------------------------------------------------------------------------------------------


class Sev(SQLModel, table=True):
    """An incident. ``status`` is what people say, ``exposure`` what the checks saw."""

    number: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=200)
    summary: str = Field(default="", sa_type=sa.Text)
    level: Level = Field(sa_type=_words(Level))
    status: Status = Field(sa_type=_words(Status))
    exposure: Exposure = Field(sa_type=_words(Exposure))
    exposure_since: datetime
    restricted: bool = False
    reporter_id: int = Field(foreign_key="person.id", index=True)
    commander_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    exposed_from: datetime | None = None
    detected_at: datetime
    reported_at: datetime
    aware_at: datetime | None = None
    fix_claimed_at: datetime | None = None
    verified_closed_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    reopened_at: datetime | None = None
    reopens: int = 0
    duplicate_of: int | None = None
    #: Order on the home page, smaller is worse; NULL when nothing is owed and nothing is wrong.
    harm: int | None = None
    #: How many reasons the gate had against resolving when it was last asked.
    blockers: int = 0
    #: How many vantages it was resolved without, by a waiver or an attestation; and which: ``checks`` and ``places``.
    exceptions: int = 0
    excepted: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    #: When time alone will change what the checks say.
    recheck_at: datetime | None = Field(default=None, index=True)
    #: Counts up whenever anything that a page shows has changed.
    version: int = 0
    __table_args__ = (
        sa.Index("ix_sev_status_number", "status", "number"),
        sa.Index("ix_sev_level_number", "level", "number"),
        sa.Index("ix_sev_exposure_number", "exposure", "number"),
        sa.Index("ix_sev_harm_number", "harm", "number"),
        {"sqlite_autoincrement": True},
    )


class SevDataset(SQLModel, table=True):
    """Which datasets a SEV affects."""

    __tablename__ = "sev_dataset"
    sev_number: int = Field(foreign_key="sev.number", primary_key=True)
    dataset_id: int = Field(foreign_key="dataset.id", primary_key=True)
    __table_args__ = (sa.Index("ix_sev_dataset_dataset", "dataset_id", "sev_number"),)


class SevMember(SQLModel, table=True):
    """Somebody added to a restricted SEV."""

    __tablename__ = "sev_member"
    sev_number: int = Field(foreign_key="sev.number", primary_key=True)
    person_id: int = Field(foreign_key="person.id", primary_key=True, index=True)


class SevCheck(SQLModel, table=True):
    """What one check means for one SEV: the fold of its story. A projection; replaying the runs gives the same."""

    __tablename__ = "sev_check"
    sev_number: int = Field(foreign_key="sev.number", primary_key=True)
    check_id: int = Field(foreign_key="check_.id", primary_key=True, index=True)
    state: dict[str, Any] = Field(sa_type=sa.JSON)
    exposure: Exposure = Field(sa_type=_words(Exposure))
    streak: int = 0
    needed: int = 0
    until: datetime | None = None


class Patch(SQLModel, table=True):
    """Somebody's claim to have closed the access. ``datasets`` empty: all of the SEV's."""

    sev_number: int = Field(foreign_key="sev.number", primary_key=True)
    number: int = Field(primary_key=True)
    summary: str = Field(sa_type=sa.Text)
    url: str = Field(default="", max_length=500)
    datasets: list[str] = Field(sa_type=sa.JSON)
    author_id: int = Field(foreign_key="person.id", index=True)
    claimed_at: datetime
    applied_at: datetime
    outcome: PatchOutcome = Field(default=PatchOutcome.untested, sa_type=_words(PatchOutcome))
    failed_at: datetime | None = None
    #: When the "patch unverified" alarm is due; NULL once it went out or is not needed any more.
    alarm_at: datetime | None = Field(default=None, index=True)


class SevAct(SQLModel, table=True):
    """What people owe before resolving: ``retest``, ``access_review``, ``sessions``."""

    __tablename__ = "sev_act"
    id: int | None = Field(default=None, primary_key=True)
    sev_number: int = Field(foreign_key="sev.number", index=True)
    kind: str = Field(max_length=32)
    at: datetime
    person_id: int = Field(foreign_key="person.id")
    text: str = Field(sa_type=sa.Text)
    evidence: str = Field(default="", sa_type=sa.Text)


class Waiver(SQLModel, table=True):
    """An executive's word that one SEV may be resolved without one of its checks, for a while."""

    id: int | None = Field(default=None, primary_key=True)
    sev_number: int = Field(foreign_key="sev.number", index=True)
    check_id: int = Field(foreign_key="check_.id", index=True)
    reason: str = Field(sa_type=sa.Text)
    #: The door was seen open when it was granted. A door that opens later is not covered.
    knew_open: bool
    #: What the check looked at when it was granted. Of anything else it says nothing.
    fingerprint: str = Field(max_length=64)
    granted_by: int = Field(foreign_key="person.id")
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: int | None = Field(default=None, foreign_key="person.id")
    #: That it expired is on the record.
    told: bool = False


class Attestation(SQLModel, table=True):
    """People's word about a copy that no probe can reach. Shown as attested, never as verified."""

    id: int | None = Field(default=None, primary_key=True)
    sev_number: int = Field(foreign_key="sev.number", index=True)
    copy_id: int = Field(foreign_key="copy.id", index=True)
    statement: str = Field(sa_type=sa.Text)
    evidence: str = Field(max_length=500)
    made_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: int | None = Field(default=None, foreign_key="person.id")
    #: That it expired is on the record.
    told: bool = False


class AttestationSignature(SQLModel, table=True):
    """Somebody who stands for an attestation. It takes two."""

    __tablename__ = "attestation_signature"
    attestation_id: int = Field(foreign_key="attestation.id", primary_key=True)
    person_id: int = Field(foreign_key="person.id", primary_key=True)
    at: datetime


# ---- record ------------------------------------------------------------------------------------------------------


class Installation(SQLModel, table=True):
    """One row: which ledger this is."""

    id: int = Field(primary_key=True)
    log: str = Field(max_length=36)
    created_at: datetime


class LedgerRecord(SQLModel, table=True):
    """The record. ``body`` is what counts; the columns beside it repeat it for looking things up."""

    __tablename__ = "ledger"
    seq: int = Field(primary_key=True, sa_type=_BIG, sa_column_kwargs={"autoincrement": False})
    prev: bytes = Field(sa_type=sa.LargeBinary, unique=True)
    h: bytes = Field(sa_type=sa.LargeBinary, unique=True)
    body: bytes = Field(sa_type=sa.LargeBinary)
    id: str = Field(max_length=36, unique=True)
    kind: str = Field(max_length=64)
    sev: int | None = None
    dataset: str | None = Field(default=None, max_length=64)
    programme: str | None = Field(default=None, max_length=64)
    at: str = Field(max_length=32)
    ts: str = Field(max_length=32)
    __table_args__ = (
        sa.Index("ix_ledger_sev_seq", "sev", "seq"),
        sa.Index("ix_ledger_sev_kind_seq", "sev", "kind", "seq"),
        sa.Index("ix_ledger_dataset_seq", "dataset", "seq"),
    )


class LedgerText(SQLModel, table=True):
    """A record's free text, with its salt; the record itself holds a commitment, so that a text can be erased."""

    __tablename__ = "ledger_text"
    record_id: str = Field(primary_key=True, max_length=36)
    salt: bytes = Field(sa_type=sa.LargeBinary)
    text: str = Field(sa_type=sa.Text)


# ---- work --------------------------------------------------------------------------------------------------------


class Job(SQLModel, table=True):
    """A check that waits for its run. One a check; asking again while it runs bumps ``version``: it runs again."""

    check_id: int = Field(foreign_key="check_.id", primary_key=True)
    target: str = Field(max_length=300)
    priority: int
    queued_at: datetime
    trigger: Trigger = Field(sa_type=_words(Trigger))
    sev_number: int | None = None
    patch_number: int | None = None
    version: int = 0
    __table_args__ = (sa.Index("ix_job_target_priority", "target", "priority", "queued_at"),)


class Lane(SQLModel, table=True):
    """A target host: whoever leases it may probe there, one run at a time. ``fence`` rejects results that are late."""

    target: str = Field(primary_key=True, max_length=300)
    #: Seconds since 1970 on the database's clock; free from then on.
    lease_until: float = 0.0
    fence: int = 0
    worker: str = Field(default="", max_length=64)
    #: The target asked to be left alone until then (Retry-After). Seconds since 1970 on the database's clock.
    not_before: float = Field(default=0.0)


class SignIn(SQLModel, table=True):
    """Sign-ins of an identity at a target that failed, in a row. Whoever has too many is not tried there any more."""

    __tablename__ = "sign_in"
    identity: str = Field(primary_key=True, max_length=64)
    target: str = Field(primary_key=True, max_length=300)
    failures: int
    #: Since when nobody tries; kept while one trial is made. NULL: never stopped since it last got in.
    halted_at: datetime | None = None


class Notice(SQLModel, table=True):
    """Something somebody has to be told: one row a route, in the transaction of the change that it tells of."""

    id: str = Field(primary_key=True, max_length=36)
    kind: str = Field(max_length=64)
    route: str = Field(max_length=64)
    sev_number: int | None = Field(default=None, foreign_key="sev.number", index=True)
    check_id: int | None = Field(default=None, foreign_key="check_.id", index=True)
    facts: dict[str, Any] = Field(sa_type=sa.JSON)
    created_at: datetime
    sent_at: datetime | None = None
    acknowledged_at: datetime | None = None
    __table_args__ = (sa.Index("ix_notice_pending", "route", "sent_at", "created_at"),)


class IdempotencyKey(SQLModel, table=True):
    """The answer that a POST with this key got, kept in the transaction of its effect."""

    __tablename__ = "idempotency_key"
    person_id: int = Field(foreign_key="person.id", primary_key=True)
    key: str = Field(primary_key=True, max_length=200)
    request_hash: str = Field(max_length=64)
    status: int
    body: str = Field(sa_type=sa.Text)
    created_at: datetime
