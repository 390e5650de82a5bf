"""The first schema: every table, the guards of the ledger, the index of words, and which ledger this is."""

from __future__ import annotations

import datetime
import uuid

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from sevtracker.store import guards, search

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915  # one statement a table
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("log", AutoString(length=36), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lane",
        sa.Column("target", AutoString(length=300), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("worker", AutoString(length=64), nullable=False),
        sa.PrimaryKeyConstraint("target"),
    )
    op.create_table(
        "ledger",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("h", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("id", AutoString(length=36), nullable=False),
        sa.Column("kind", AutoString(length=64), nullable=False),
        sa.Column("sev", sa.Integer(), nullable=True),
        sa.Column("dataset", AutoString(length=64), nullable=True),
        sa.Column("programme", AutoString(length=64), nullable=True),
        sa.Column("at", AutoString(length=32), nullable=False),
        sa.Column("ts", AutoString(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("h"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("prev"),
    )
    op.create_index("ix_ledger_dataset_seq", "ledger", ["dataset", "seq"], unique=False)
    op.create_index("ix_ledger_sev_kind_seq", "ledger", ["sev", "kind", "seq"], unique=False)
    op.create_index("ix_ledger_sev_seq", "ledger", ["sev", "seq"], unique=False)
    op.create_table(
        "ledger_text",
        sa.Column("record_id", AutoString(length=36), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record_id"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pid", AutoString(length=36), nullable=False),
        sa.Column("email", AutoString(length=254), nullable=False),
        sa.Column("name", AutoString(length=200), nullable=False),
        sa.Column(
            "role",
            sa.Enum("engineer", "executive", "auditor", "admin", name="role", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("password_hash", AutoString(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("pid"),
    )
    op.create_table(
        "programme",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", AutoString(length=64), nullable=False),
        sa.Column("name", AutoString(length=200), nullable=False),
        sa.Column("state", AutoString(length=32), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("slug"),
    )
    op.create_table(
        "signin_failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", AutoString(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_signin_failure_subject_at", "signin_failure", ["subject", "at"], unique=False)
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", AutoString(length=100), nullable=False),
        sa.Column("token_hash", AutoString(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index(op.f("ix_api_token_person_id"), "api_token", ["person_id"], unique=False)
    op.create_table(
        "dataset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", AutoString(length=64), nullable=False),
        sa.Column("name", AutoString(length=200), nullable=False),
        sa.Column("owner", AutoString(length=200), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=True),
        sa.Column("classification", AutoString(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("disclosed_fields", sa.JSON(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("slug"),
    )
    op.create_index(op.f("ix_dataset_programme_id"), "dataset", ["programme_id"], unique=False)
    op.create_table(
        "idempotency_key",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("key", AutoString(length=200), nullable=False),
        sa.Column("request_hash", AutoString(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("person_id", "key"),
    )
    op.create_table(
        "sev",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", AutoString(length=200), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column(
            "level",
            sa.Enum("SEV0", "SEV1", "SEV2", "SEV3", "SEV4", name="level", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "reported",
                "investigating",
                "patched",
                "resolved",
                "closed",
                "dismissed",
                name="status",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "exposure",
            sa.Enum(
                "exposed",
                "no_patch",
                "unproven",
                "unverified",
                "unattributed",
                "flapping",
                "uncertain",
                "stale",
                "verifying",
                "watch_blind",
                "verified",
                "watching",
                name="exposure",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("exposure_since", UTCDateTime(), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("reporter_id", sa.Integer(), nullable=False),
        sa.Column("commander_id", sa.Integer(), nullable=True),
        sa.Column("exposed_from", UTCDateTime(), nullable=True),
        sa.Column("detected_at", UTCDateTime(), nullable=False),
        sa.Column("reported_at", UTCDateTime(), nullable=False),
        sa.Column("aware_at", UTCDateTime(), nullable=True),
        sa.Column("fix_claimed_at", UTCDateTime(), nullable=True),
        sa.Column("verified_closed_at", UTCDateTime(), nullable=True),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.Column("reopened_at", UTCDateTime(), nullable=True),
        sa.Column("reopens", sa.Integer(), nullable=False),
        sa.Column("duplicate_of", sa.Integer(), nullable=True),
        sa.Column("harm", sa.Integer(), nullable=True),
        sa.Column("blockers", sa.Integer(), nullable=False),
        sa.Column("recheck_at", UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commander_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reporter_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sev_commander_id"), "sev", ["commander_id"], unique=False)
    op.create_index("ix_sev_exposure_number", "sev", ["exposure", "number"], unique=False)
    op.create_index("ix_sev_harm_number", "sev", ["harm", "number"], unique=False)
    op.create_index("ix_sev_level_number", "sev", ["level", "number"], unique=False)
    op.create_index(op.f("ix_sev_recheck_at"), "sev", ["recheck_at"], unique=False)
    op.create_index(op.f("ix_sev_reporter_id"), "sev", ["reporter_id"], unique=False)
    op.create_index("ix_sev_status_number", "sev", ["status", "number"], unique=False)
    op.create_table(
        "signin_link",
        sa.Column("token_hash", AutoString(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index(op.f("ix_signin_link_person_id"), "signin_link", ["person_id"], unique=False)
    op.create_table(
        "copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("slug", AutoString(length=64), nullable=False),
        sa.Column("kind", AutoString(length=64), nullable=False),
        sa.Column("location", AutoString(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["dataset.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dataset_id", "slug", name="uq_copy_dataset_slug"),
    )
    op.create_table(
        "patch",
        sa.Column("sev_number", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("url", AutoString(length=500), nullable=False),
        sa.Column("datasets", sa.JSON(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("claimed_at", UTCDateTime(), nullable=False),
        sa.Column("applied_at", UTCDateTime(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "untested", "failed", "held", "partial", "superseded", name="patchoutcome", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("failed_at", UTCDateTime(), nullable=True),
        sa.Column("alarm_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["sev_number"],
            ["sev.number"],
        ),
        sa.PrimaryKeyConstraint("sev_number", "number"),
    )
    op.create_index(op.f("ix_patch_alarm_at"), "patch", ["alarm_at"], unique=False)
    op.create_index(op.f("ix_patch_author_id"), "patch", ["author_id"], unique=False)
    op.create_table(
        "sev_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sev_number", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(length=32), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["sev_number"],
            ["sev.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_sev_act_sev_number"), "sev_act", ["sev_number"], unique=False)
    op.create_table(
        "sev_dataset",
        sa.Column("sev_number", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["dataset.id"],
        ),
        sa.ForeignKeyConstraint(
            ["sev_number"],
            ["sev.number"],
        ),
        sa.PrimaryKeyConstraint("sev_number", "dataset_id"),
    )
    op.create_index("ix_sev_dataset_dataset", "sev_dataset", ["dataset_id", "sev_number"], unique=False)
    op.create_table(
        "sev_member",
        sa.Column("sev_number", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["sev_number"],
            ["sev.number"],
        ),
        sa.PrimaryKeyConstraint("sev_number", "person_id"),
    )
    op.create_index(op.f("ix_sev_member_person_id"), "sev_member", ["person_id"], unique=False)
    op.create_table(
        "check_",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("copy_id", sa.Integer(), nullable=False),
        sa.Column("name", AutoString(length=200), nullable=False),
        sa.Column("kind", AutoString(length=64), nullable=False),
        sa.Column("identity", AutoString(length=64), nullable=False),
        sa.Column("control", AutoString(length=64), nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("fingerprint", AutoString(length=64), nullable=False),
        sa.Column("locator", AutoString(length=1000), nullable=False),
        sa.Column("target", AutoString(length=300), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("every_s", sa.Float(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("auth_failures", sa.Integer(), nullable=False),
        sa.Column(
            "halted",
            sa.Enum(
                "row_read",
                "column_read",
                "marker_found",
                "content_served",
                "denied",
                "signin_redirect",
                "login_page",
                "hidden",
                "rls_denied",
                "unreachable",
                "dns",
                "tls",
                "timeout",
                "rate_limited",
                "server_error",
                "auth_failed",
                "control_failed",
                "identity_drift",
                "rls_filtered",
                "empty",
                "ambiguous_200",
                "redirected",
                "intercepted",
                "target_changed",
                "clock_skew",
                "not_permitted",
                "blocked_by_policy",
                "plugin_error",
                "lease_lost",
                name="reason",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("last_run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "last_verdict",
            sa.Enum("open", "closed", "inconclusive", name="verdict", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column(
            "last_reason",
            sa.Enum(
                "row_read",
                "column_read",
                "marker_found",
                "content_served",
                "denied",
                "signin_redirect",
                "login_page",
                "hidden",
                "rls_denied",
                "unreachable",
                "dns",
                "tls",
                "timeout",
                "rate_limited",
                "server_error",
                "auth_failed",
                "control_failed",
                "identity_drift",
                "rls_filtered",
                "empty",
                "ambiguous_200",
                "redirected",
                "intercepted",
                "target_changed",
                "clock_skew",
                "not_permitted",
                "blocked_by_policy",
                "plugin_error",
                "lease_lost",
                name="reason",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("last_at", UTCDateTime(), nullable=True),
        sa.Column(
            "decisive",
            sa.Enum("open", "closed", "inconclusive", name="verdict", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("decisive_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["copy_id"],
            ["copy.id"],
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["dataset.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_check__copy_id"), "check_", ["copy_id"], unique=False)
    op.create_index(op.f("ix_check__dataset_id"), "check_", ["dataset_id"], unique=False)
    op.create_index(op.f("ix_check__due_at"), "check_", ["due_at"], unique=False)
    op.create_table(
        "check_proof",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", AutoString(length=64), nullable=False),
        sa.Column("how", AutoString(length=16), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["check_.id"],
        ),
        sa.PrimaryKeyConstraint("check_id", "fingerprint", "how"),
    )
    op.create_table(
        "check_revision",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("by_pid", AutoString(length=36), nullable=False),
        sa.Column("name", AutoString(length=200), nullable=False),
        sa.Column("kind", AutoString(length=64), nullable=False),
        sa.Column("identity", AutoString(length=64), nullable=False),
        sa.Column("control", AutoString(length=64), nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("fingerprint", AutoString(length=64), nullable=False),
        sa.Column("locator", AutoString(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["check_.id"],
        ),
        sa.PrimaryKeyConstraint("check_id", "revision"),
    )
    op.create_table(
        "job",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("target", AutoString(length=300), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("queued_at", UTCDateTime(), nullable=False),
        sa.Column(
            "trigger",
            sa.Enum(
                "schedule",
                "retry",
                "manual",
                "filed",
                "patch",
                "verify",
                "resolve",
                "watch",
                name="trigger",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sev_number", sa.Integer(), nullable=True),
        sa.Column("patch_number", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["check_.id"],
        ),
        sa.PrimaryKeyConstraint("check_id"),
    )
    op.create_index("ix_job_target_priority", "job", ["target", "priority", "queued_at"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", AutoString(length=36), nullable=False),
        sa.Column("kind", AutoString(length=64), nullable=False),
        sa.Column("route", AutoString(length=64), nullable=False),
        sa.Column("sev_number", sa.Integer(), nullable=True),
        sa.Column("check_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("acknowledged_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["check_.id"],
        ),
        sa.ForeignKeyConstraint(
            ["sev_number"],
            ["sev.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_notice_check_id"), "notice", ["check_id"], unique=False)
    op.create_index("ix_notice_pending", "notice", ["route", "sent_at", "created_at"], unique=False)
    op.create_index(op.f("ix_notice_sev_number"), "notice", ["sev_number"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum("open", "closed", "inconclusive", name="verdict", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "row_read",
                "column_read",
                "marker_found",
                "content_served",
                "denied",
                "signin_redirect",
                "login_page",
                "hidden",
                "rls_denied",
                "unreachable",
                "dns",
                "tls",
                "timeout",
                "rate_limited",
                "server_error",
                "auth_failed",
                "control_failed",
                "identity_drift",
                "rls_filtered",
                "empty",
                "ambiguous_200",
                "redirected",
                "intercepted",
                "target_changed",
                "clock_skew",
                "not_permitted",
                "blocked_by_policy",
                "plugin_error",
                "lease_lost",
                name="reason",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("control", AutoString(length=16), nullable=True),
        sa.Column(
            "trigger",
            sa.Enum(
                "schedule",
                "retry",
                "manual",
                "filed",
                "patch",
                "verify",
                "resolve",
                "watch",
                name="trigger",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sev_number", sa.Integer(), nullable=True),
        sa.Column("patch_number", sa.Integer(), nullable=True),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["check_.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_run_check_started", "run", ["check_id", "started_at"], unique=False)
    op.create_table(
        "sev_check",
        sa.Column("sev_number", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column(
            "exposure",
            sa.Enum(
                "exposed",
                "no_patch",
                "unproven",
                "unverified",
                "unattributed",
                "flapping",
                "uncertain",
                "stale",
                "verifying",
                "watch_blind",
                "verified",
                "watching",
                name="exposure",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("streak", sa.Integer(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["check_.id"],
        ),
        sa.ForeignKeyConstraint(
            ["sev_number"],
            ["sev.number"],
        ),
        sa.PrimaryKeyConstraint("sev_number", "check_id"),
    )
    op.create_index(op.f("ix_sev_check_check_id"), "sev_check", ["check_id"], unique=False)
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in (*guards.SQLITE, *search.SQLITE_DDL) if sqlite else (*guards.POSTGRESQL, *search.POSTGRESQL_DDL):
        op.execute(sa.text(statement))
    installation = sa.table("installation", sa.column("id"), sa.column("log"), sa.column("created_at", UTCDateTime()))
    now = datetime.datetime.now(datetime.UTC)  # noqa: TID251  # a migration has no clock of ours
    op.bulk_insert(installation, [{"id": 1, "log": str(uuid.uuid4()), "created_at": now}])


def downgrade() -> None:
    raise NotImplementedError("the ledger only goes forward; restore a backup instead")
