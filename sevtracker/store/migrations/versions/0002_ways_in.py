"""What checks remember and suggest, who came in, waivers and attestations; changes of checks that were refused, and
failed sign-ins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.add_column("check_", sa.Column("weight", sa.String(32), nullable=False, server_default="decides"))
    op.add_column("check_", sa.Column("memory", _JSON, nullable=True))
    _left_open()
    op.add_column("check_", sa.Column("retired_at", UTCDateTime(), nullable=True))
    op.add_column("copy", sa.Column("retired_at", UTCDateTime(), nullable=True))
    op.add_column("lane", sa.Column("not_before", sa.Float(), nullable=False, server_default="0"))
    op.add_column("run", sa.Column("impact", _JSON, nullable=True))
    op.add_column("sev", sa.Column("exceptions", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("sev", sa.Column("excepted", _JSON, nullable=True))
    _twins()
    _suggestions()
    _waivers()
    _attestations()
    _acceptances()
    _proposals()
    _sign_ins()


def _left_open() -> None:
    op.add_column("check_revision", sa.Column("looser", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("check_", sa.Column("left_open", sa.JSON(), nullable=False, server_default="{}"))
    found: dict[int, dict[str, bool]] = {}
    connection = op.get_bind()
    for check_id, present, definition in connection.execute(sa.text(_LAST_WORD_OPEN)):
        found.setdefault(check_id, {})[definition] = definition != present
    check = sa.table("check_", sa.column("id", sa.Integer), sa.column("left_open", sa.JSON()))
    for check_id, left_open in found.items():
        connection.execute(check.update().where(check.c.id == check_id).values(left_open=left_open))


#: Each definition whose last decisive run is open.
_LAST_WORD_OPEN = """
SELECT c.id, c.fingerprint, last.fingerprint
FROM (
    SELECT r.check_id, v.fingerprint, max(r.id) AS run_id
    FROM run r JOIN check_revision v ON v.check_id = r.check_id AND v.revision = r.revision
    WHERE r.verdict <> 'inconclusive'
    GROUP BY r.check_id, v.fingerprint
) last
JOIN run ON run.id = last.run_id AND run.verdict = 'open'
JOIN check_ c ON c.id = last.check_id
"""


def _twins() -> None:
    """Twins prove again and again, so a proof has its time in its key; what was reproduced is told once as before."""
    op.add_column("check_", sa.Column("twins", _JSON, nullable=True))
    op.add_column("check_", sa.Column("twins_made", _JSON, nullable=True))
    op.add_column("check_", sa.Column("proved_at", UTCDateTime(), nullable=True))
    op.add_column("check_", sa.Column("twins_wrong", AutoString(length=300), nullable=True))
    op.add_column("check_revision", sa.Column("twins", _JSON, nullable=True))
    op.rename_table("check_proof", "check_proof_before")
    op.create_table(
        "check_proof",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", AutoString(length=64), nullable=False),
        sa.Column("how", AutoString(length=16), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["check_id"], ["check_.id"]),
        sa.PrimaryKeyConstraint("check_id", "fingerprint", "how", "at"),
    )
    op.execute("INSERT INTO check_proof SELECT check_id, fingerprint, how, at FROM check_proof_before")
    op.drop_table("check_proof_before")
    reproduced = sa.text("how = 'reproduced'")
    op.create_index(
        "uq_check_proof_reproduced",
        "check_proof",
        ["check_id", "fingerprint"],
        unique=True,
        sqlite_where=reproduced,
        postgresql_where=reproduced,
    )


def _suggestions() -> None:
    op.create_table(
        "suggestion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("copy_id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(length=64), nullable=False),
        sa.Column("identity", AutoString(length=64), nullable=False),
        sa.Column("control", AutoString(length=64), nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("locator", AutoString(length=1000), nullable=False),
        sa.Column("digest", AutoString(length=64), nullable=False),
        sa.Column("why", AutoString(length=500), nullable=False),
        sa.Column("first_at", UTCDateTime(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("became_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["became_id"], ["check_.id"]),
        sa.ForeignKeyConstraint(["check_id"], ["check_.id"]),
        sa.ForeignKeyConstraint(["copy_id"], ["copy.id"]),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("copy_id", "digest", name="uq_suggestion_copy_digest"),
    )
    op.create_index("ix_suggestion_check_id", "suggestion", ["check_id"], unique=False)


def _waivers() -> None:
    op.create_table(
        "waiver",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sev_number", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("knew_open", sa.Boolean(), nullable=False),
        sa.Column("fingerprint", AutoString(length=64), nullable=False),
        sa.Column("granted_by", sa.Integer(), nullable=False),
        sa.Column("granted_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_by", sa.Integer(), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["check_id"], ["check_.id"]),
        sa.ForeignKeyConstraint(["granted_by"], ["person.id"]),
        sa.ForeignKeyConstraint(["revoked_by"], ["person.id"]),
        sa.ForeignKeyConstraint(["sev_number"], ["sev.number"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_waiver_check_id", "waiver", ["check_id"], unique=False)
    op.create_index("ix_waiver_sev_number", "waiver", ["sev_number"], unique=False)


def _attestations() -> None:
    op.create_table(
        "attestation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sev_number", sa.Integer(), nullable=False),
        sa.Column("copy_id", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("evidence", AutoString(length=500), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        sa.Column("withdrawn_by", sa.Integer(), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["copy_id"], ["copy.id"]),
        sa.ForeignKeyConstraint(["sev_number"], ["sev.number"]),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_attestation_copy_id", "attestation", ["copy_id"], unique=False)
    op.create_index("ix_attestation_sev_number", "attestation", ["sev_number"], unique=False)
    op.create_table(
        "attestation_signature",
        sa.Column("attestation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["attestation_id"], ["attestation.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("attestation_id", "person_id"),
    )


def _acceptances() -> None:
    op.create_table(
        "check_acceptance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("fingerprint", AutoString(length=64), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", AutoString(length=500), nullable=False),
        sa.Column("accepted_by", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["accepted_by"], ["person.id"]),
        sa.ForeignKeyConstraint(["check_id"], ["check_.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_check_acceptance_check_id", "check_acceptance", ["check_id"], unique=False)


def _proposals() -> None:
    op.create_table(
        "check_proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("change", sa.JSON(), nullable=False),
        sa.Column("retires", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=False),
        sa.Column("proposed_at", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["check_id"], ["check_.id"]),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"]),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_check_proposal_check_id", "check_proposal", ["check_id"], unique=False)


def _sign_ins() -> None:
    op.create_table(
        "sign_in",
        sa.Column("identity", AutoString(length=64), nullable=False),
        sa.Column("target", AutoString(length=300), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("halted_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("identity", "target"),
    )
