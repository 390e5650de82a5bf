"""What every answer carries, what no request may be, and where a redirect may go."""

from __future__ import annotations

import secrets
from itertools import chain
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]  # has no types
from werkzeug.exceptions import BadRequest

from sevtracker.config import Settings
from sevtracker.web import auth

#: Scripts, styles and pictures are ours and come as files; a page that needs one inline gives it ``csp_nonce()``.
_CSP = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self';"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_API_CSP = "default-src 'none'; frame-ancestors 'none'"
_YEAR_S = 31_536_000
_CSRF = "sevtracker_csrf"


def configure(app: Flask, settings: Settings, secret_key: str) -> None:
    """Session cookies, body caps, CSRF."""
    secure = settings.server.cookies_are_secure
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME="__Host-sevtracker" if secure else "sevtracker",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=settings.auth.session_hours * 3600,
        MAX_CONTENT_LENGTH=settings.server.max_body,
        MAX_FORM_MEMORY_SIZE=settings.server.max_body,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_CHECK_DEFAULT=False,  # ``check_csrf`` asks, after permissions
    )
    app.extensions[_CSRF] = CSRFProtect(app)
    app.jinja_env.globals["csp_nonce"] = nonce


def check_csrf() -> None:
    """Before every request: what a cookie could authenticate needs the session's token. The API takes no cookies."""
    if not auth.for_api():
        current_app.extensions[_CSRF].protect()


def refuse_nul() -> None:
    """Before every page: nobody types a NUL, and PostgreSQL keeps none. The API names the field that has one instead.

    Raises 400.
    """
    if auth.for_api():
        return
    texts = [request.path, *chain.from_iterable(v for sent in (request.args, request.form) for _, v in sent.lists())]
    if any("\0" in text for text in texts):
        raise BadRequest("A NUL character can't be part of an address or a form.")


def nonce() -> str:
    """This answer's nonce."""
    made: str | None = g.get("csp_nonce")
    if made is None:
        made = g.csp_nonce = secrets.token_urlsafe(16)
    return made


def harden(answer: Response) -> Response:
    """After every request: the headers."""
    headers = answer.headers
    headers["Content-Security-Policy"] = _API_CSP if auth.for_api() else _CSP.format(nonce=nonce())
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.is_secure:
        headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
    if request.endpoint != "static" and "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    return answer


def safe_next(wanted: str | None, default: str = "/") -> str:
    """Where to go after signing in: ``wanted`` if it is a path of ours, else ``default``. Never another site."""
    if not wanted or not wanted.startswith("/") or wanted.startswith("//"):
        return default
    if "\\" in wanted or any(character <= " " or character == "\x7f" for character in wanted):
        return default
    parts = urlsplit(wanted)
    return default if parts.scheme or parts.netloc else wanted
