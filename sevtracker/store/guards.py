"""What makes the ledger append-only in the database itself, whoever connects to it.

SQLite: triggers refuse UPDATE and DELETE, and an insert that replaces a record or leaves a gap (INSERT OR REPLACE walks
past the other two). PostgreSQL: triggers refuse UPDATE, DELETE and TRUNCATE, also as a replica; and where the
application runs as another role than the owner (``database.migrate_url``), that role may only SELECT and INSERT.
"""

from __future__ import annotations

SQLITE = (
    "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger"
    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger"
    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    "CREATE TRIGGER ledger_append BEFORE INSERT ON ledger WHEN"
    " new.seq != (SELECT coalesce(max(seq), 0) + 1 FROM ledger)"
    " OR EXISTS (SELECT 1 FROM ledger WHERE h = new.h OR prev = new.prev OR id = new.id)"
    " BEGIN SELECT RAISE(ABORT, 'the ledger takes the next record only'); END",
)

POSTGRESQL = (
    "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()",
    "ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_no_change",
    "ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_no_truncate",
)


def grants(role: str) -> tuple[str, ...]:
    """What the application's own role may do, when it is not the owner of the tables."""
    quoted = '"' + role.replace('"', '""') + '"'
    return (
        f"GRANT USAGE ON SCHEMA public TO {quoted}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}",
        f"REVOKE UPDATE, DELETE, TRUNCATE ON ledger FROM {quoted}",
        f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON installation, alembic_version FROM {quoted}",
    )
