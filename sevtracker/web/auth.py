"""Who is asking. Two ways in, never mixed: a session cookie for pages, a bearer token for the API.

A session says who, as of which ``session_epoch``, and since when; it ends when the epoch moves on (new password,
changed role, end of access) or after ``auth.session_hours``. A cookie never authenticates ``/api/v1``, so the API needs
no CSRF token.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

import flask_login  # type: ignore[import-untyped]  # has no types
from flask import Flask, g, request, session

from sevtracker.actions import people as acts
from sevtracker.clock import rfc3339
from sevtracker.errors import NotSignedIn
from sevtracker.store import people
from sevtracker.store.tables import Person as Row
from sevtracker.store.work import Person
from sevtracker.web.current import runtime

API = "/api/"

#: A token's last use is written down this often at most.
TOUCH_EVERY = timedelta(minutes=1)
_SINCE = "auth_time"


class Account:
    """Somebody signed in by session, as flask-login wants it."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, row: Row | people.Signed, auth_time: datetime) -> None:
        self.row = row
        self.person = Person(row.id or 0, row.pid, row.role, "web", rfc3339(auth_time))

    def get_id(self) -> str:
        return f"{self.row.id}:{self.row.session_epoch}"


def install(app: Flask) -> None:
    """Let flask-login keep our sessions."""
    manager = flask_login.LoginManager()
    manager.session_protection = None  # addresses change on the way; cookies are signed and HttpOnly
    manager.user_loader(_load)
    manager.init_app(app, add_context_processor=False)


def for_api() -> bool:
    """Does this request come in by the API's door?"""
    return request.path.startswith(API)


def person() -> Person:
    """Who asks. Raises NotSignedIn, in words."""
    if for_api():
        return bearer()
    found = account()
    if found is None:
        raise NotSignedIn("Sign in first.")
    return found.person


# ---- sessions ----------------------------------------------------------------------------------------------------


def account() -> Account | None:
    """Who is signed in by session, if anybody is. One statement, once a request."""
    user = flask_login.current_user
    return cast(Account, user._get_current_object()) if user.is_authenticated else None


def begin_session(row: Row) -> None:
    """Sign ``row`` in. Whatever the session held before is dropped, so that nobody can plant one."""
    session.clear()
    session.permanent = True
    now = runtime().clock.now()
    session[_SINCE] = rfc3339(now)
    flask_login.login_user(Account(row, now))


def end_session() -> None:
    """Sign out."""
    flask_login.logout_user()
    session.clear()


def _load(user_id: str) -> Account | None:
    """The account that a session names, unless it has ended. A signed cookie of another version is no session."""
    now = runtime().clock.now()
    try:
        person_id, epoch = (int(part) for part in user_id.split(":"))
        since = datetime.fromisoformat(session[_SINCE])
    except (KeyError, TypeError, ValueError):
        return None
    if not since <= now < since + timedelta(hours=runtime().settings.auth.session_hours):
        return None
    with runtime().read() as reading:
        row = people.signed(reading, person_id)
    if row is None or not row.active or row.session_epoch != epoch:
        return None
    return Account(row, since)


# ---- bearer tokens -----------------------------------------------------------------------------------------------


def bearer() -> Person:
    """Whom the request's token speaks for. One statement, once a request. Raises NotSignedIn."""
    known: Person | None = g.get("bearer")
    if known is None:
        known = g.bearer = _by_token()
    return known


def _by_token() -> Person:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotSignedIn("Send a token: Authorization: Bearer TOKEN.")
    with runtime().read() as reading:
        found = people.bearer(reading, acts.fingerprint(secret.strip()))
    if found is None:
        raise NotSignedIn("This token is not valid: it never was, was revoked, or its owner has no access any more.")
    if found.last_used_at is None or runtime().clock.now() - found.last_used_at >= TOUCH_EVERY:
        g.touch_token = found.token_id
    return Person(found.id, found.pid, found.role, "api")


def touch_token(token_id: int) -> None:
    """Remember that a token was used. Called once the answer is out."""
    with runtime().work(None) as work:
        acts.touch_token(work, token_id)
