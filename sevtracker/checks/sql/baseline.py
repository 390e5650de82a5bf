"""Whether an identity has just the roles that its configuration says: with others, it tries the door as somebody else.

Asked once the identity is signed in, before the target. Role names are compared and forgotten: the note tells
how many, roughly.
"""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from sevtracker.checks.interface import Credentials, bucket
from sevtracker.checks.sql.sessions import Session


def drift(session: Session, credentials: Credentials) -> str | None:
    """How far the identity is from its baseline, in our words; None: not at all, or it has none."""
    if credentials.roles is None:
        return None
    try:
        found = {str(row[0]) for row in session.roles()}
    except LookupError:
        return "nobody knows how to ask for roles in this dialect, so its baseline can't be compared"
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return "its roles could not be read, so nobody knows whether it has those of its baseline"
    more, fewer = len(found - set(credentials.roles)), len(set(credentials.roles) - found)
    if not more and not fewer:
        return None
    told = f"{bucket(more)} {'role' if more == 1 else 'roles'} more and {bucket(fewer)} fewer"
    return f"the identity has {told} than its baseline"
