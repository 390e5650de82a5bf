"""Whether an identity has just the roles that its configuration says: with others, it tries the door as somebody else.

Asked once the identity is signed in, before the target. Role names are compared and forgotten: the note tells numbers.
"""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from sevtracker.checks.interface import Credentials
from sevtracker.checks.sql.sessions import Session

#: All roles of the one who signed in, direct and by other roles, and the attributes that stand above every grant.
#: Not pg_has_role: to a superuser it says that they are a member of all.
_POSTGRESQL = """
WITH RECURSIVE held (oid) AS (
    SELECT m.roleid FROM pg_catalog.pg_auth_members m
      JOIN pg_catalog.pg_roles me ON me.oid = m.member WHERE me.rolname = session_user
    UNION
    SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN held ON held.oid = m.member
)
SELECT CAST(r.rolname AS text) FROM pg_catalog.pg_roles r JOIN held ON held.oid = r.oid
UNION ALL SELECT 'SUPERUSER' FROM pg_catalog.pg_roles WHERE rolname = session_user AND rolsuper
UNION ALL SELECT 'BYPASSRLS' FROM pg_catalog.pg_roles WHERE rolname = session_user AND rolbypassrls
"""

#: MariaDB, and MySQL from 8.0.19 on: the roles that this account can use, direct and by other roles.
_MYSQL = "SELECT ROLE_NAME FROM information_schema.APPLICABLE_ROLES"


def drift(session: Session, credentials: Credentials) -> str | None:
    """How far the identity is from its baseline, in our words; None: not at all, or it has none."""
    if credentials.roles is None:
        return None
    question = _POSTGRESQL if session.connection.dialect.name == "postgresql" else _MYSQL
    try:
        found = {str(row[0]) for row in session.catalog(question)}
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return "its roles could not be read, so nobody knows whether it has those of its baseline"
    more, fewer = len(found - set(credentials.roles)), len(set(credentials.roles) - found)
    if not more and not fewer:
        return None
    return f"the identity has {more} {'role' if more == 1 else 'roles'} more and {fewer} fewer than its baseline"
