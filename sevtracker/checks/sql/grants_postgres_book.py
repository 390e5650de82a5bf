"""The questions to PostgreSQL's catalogs, and their answers as facts. For PostgreSQL 12 and later.

All are asked in one repeatable-read transaction, so they tell of one moment. Functions such as
``has_table_privilege`` are not asked: they tell of now. Operators are found by the search path as tables are, so that
is set first: a role may have been given one that leads elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError

from sevtracker.checks.interface import Result
from sevtracker.checks.sql.grants_postgres_roles import Membership, Role, Roles
from sevtracker.checks.sql.sessions import Session

PREPARE = "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)"

SERVER = """SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
    pg_catalog.current_setting('max_wal_senders')::pg_catalog.int4 > 0"""
TABLE = """SELECT c.oid, c.relnamespace, c.relowner FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"""

ROLES = """SELECT oid, rolname, rolsuper, rolinherit, rolcanlogin, rolcreaterole, rolreplication
    FROM pg_catalog.pg_roles"""
#: Before PostgreSQL 16 the member's own rolinherit decides, and SET ROLE is always allowed.
MEMBERSHIPS_TO_15 = """SELECT m.roleid, m.member, r.rolinherit, true, m.admin_option
    FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member"""
MEMBERSHIPS = "SELECT roleid, member, inherit_option, set_option, admin_option FROM pg_catalog.pg_auth_members"
#: The owner of a database is a member of this role there, without a row that says so.
DATABASE_OWNERS = "pg_database_owner"

DATABASE = """SELECT datdba, ARRAY(
      SELECT a.grantee FROM pg_catalog.aclexplode(coalesce(datacl, pg_catalog.acldefault('d', datdba))) a
      WHERE a.privilege_type = 'CONNECT')
    FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"""
SCHEMAS = """SELECT oid, nspname, nspowner, ARRAY(
      SELECT a.grantee FROM pg_catalog.aclexplode(coalesce(nspacl, pg_catalog.acldefault('n', nspowner))) a
      WHERE a.privilege_type = 'USAGE')
    FROM pg_catalog.pg_namespace"""

#: An entry for the table's schema is meant for its tables, whoever makes them; one for all schemas is its owner's only.
DEFAULTS = """SELECT DISTINCT a.grantee
    FROM pg_catalog.pg_default_acl d, pg_catalog.aclexplode(d.defaclacl) a
    WHERE d.defaclobjtype = 'r' AND a.privilege_type = 'SELECT' AND a.grantee <> d.defaclrole
      AND (d.defaclnamespace = :schema OR d.defaclnamespace = 0 AND d.defaclrole = :owner)"""
#: They read files in the data folder for whoever may call them. By default nobody may.
FILE_FUNCTIONS = """SELECT p.proname, a.grantee
    FROM pg_catalog.pg_proc p,
      pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND a.grantee <> p.proowner
      AND p.proname IN ('pg_read_file', 'pg_read_binary_file', 'lo_import')"""


class Book:
    """Asks, and keeps whether everything was answered (``complete``)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.complete = True
        self._prepare()
        version, copies = tuple(session.catalog(SERVER)[0])
        self.version: int = version
        #: Whether the server can be copied by replication.
        self.copies: bool = copies

    def rows(self, question: str, **values: Any) -> Sequence[tuple[Any, ...]]:
        """The answer; none, and ``complete`` no longer, where we may not ask. Raises SQLAlchemy's DBAPIError."""
        try:
            return [tuple(row) for row in self._session.catalog(question, **values)]
        except DBAPIError as error:
            if self._session.denials.meaning(error.orig or error)[0] is Result.trouble:
                raise
            self.complete = False
            self._prepare()  # an error ends a transaction, and what was set in it
            return ()

    def roles(self, database_owner: int | None) -> Roles:
        """Every role, and who is in which. ``database_owner``: an oid."""
        roles = [Role(*row) for row in self.rows(ROLES)]
        groups = [Membership(*row) for row in self.rows(MEMBERSHIPS if self.version >= 160000 else MEMBERSHIPS_TO_15)]
        for group in (role for role in roles if role.name == DATABASE_OWNERS):
            for owner in (role for role in roles if role.oid == database_owner):
                inherits = self.version >= 160000 or owner.inherits
                groups.append(Membership(group.oid, owner.oid, inherits, sets=True, admin=False))
        return Roles(roles, groups)

    def _prepare(self) -> None:
        self._session.catalog(PREPARE)
