"""The one place where an error becomes an answer: ``application/problem+json`` for scripts, the error page for people.

A refused resolution, or change of a check, is no error: it was recorded and committed, and comes here only to be shown
(``refused``, ``not_changed``).
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, redirect, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions.guarding import Refused
from sevtracker.domain.gate import Blocker
from sevtracker.errors import (
    Conflict,
    InputError,
    NotFound,
    NotPermitted,
    NotSignedIn,
    SevtrackerError,
    TargetRefused,
    Throttled,
    TooLarge,
    Unavailable,
)
from sevtracker.store.engine import passes
from sevtracker.web import auth
from sevtracker.web.chrome import chrome
from sevtracker.web.contexts import ErrorPage
from sevtracker.web.current import request_id
from sevtracker.web.rendering import render

log = logging.getLogger(__name__)

#: Kind of error -> status, and the last part of the problem's type. The others say more: see ``problem_of``.
_KINDS: Mapping[type[SevtrackerError], tuple[int, str]] = {
    NotPermitted: (403, "not-permitted"),
    NotFound: (404, "not-found"),
    Conflict: (409, "conflict"),
    TooLarge: (413, "too-large"),
    Unavailable: (503, "unavailable"),
    TargetRefused: (422, "target-refused"),
}
PROBLEM = "application/problem+json"
_INTERNAL = "Something went wrong here. It was logged; the request's id finds it."
_AWAY = "The database does not answer at the moment. Nothing was changed; ask again in a few seconds."
_WORDS = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The body is larger than this server takes.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer of RFC 9457. ``more`` has ``errors`` or ``blockers``."""

    status: int
    kind: str
    detail: str
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    @property
    def text(self) -> str:
        """As JSON."""
        told = {"type": f"urn:sevtracker:problem:{self.kind}", "title": self.title, "status": self.status}
        return json.dumps({**told, "detail": self.detail, **self.more})

    def response(self) -> Response:
        answer = Response(self.text, self.status, mimetype=PROBLEM)
        answer.headers.update(self.headers)
        return answer


def install(app: Flask) -> None:
    """Answer every error of ``app`` here."""
    app.register_error_handler(SevtrackerError, _ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unknown)


def refused(blockers: Sequence[Blocker]) -> Problem:
    """The gate's answer to a script."""
    count = len(blockers)
    what = "1 blocker keeps" if count == 1 else f"{count} blockers keep"
    return Problem(
        409, "blocked", f"{what} this SEV from being resolved.", {"blockers": [blocker(b) for b in blockers]}
    )


def not_changed(answer: Refused) -> Problem:
    """What a script is told whose change of a check was refused, on the record."""
    why = problem_of(answer.why)
    waits = {} if answer.proposal is None else {"proposal": answer.proposal}
    return Problem(why.status, why.kind, answer.message, waits)


def blocker(b: Blocker) -> dict[str, Any]:
    """A blocker as scripts get it."""
    told: dict[str, Any] = {"code": b.code.value, "message": b.message, "clears": b.clears}
    about = {"check": b.check, "place": b.place}
    return {**told, **{name: value for name, value in about.items() if value is not None}}


# ---- from errors to problems -------------------------------------------------------------------------------------


def problem_of(error: SevtrackerError) -> Problem:
    """What to say about one of our own errors."""
    match error:
        case InputError():
            told = [{"field": e.field, "message": e.message} for e in error.errors]
            return Problem(422, "input", "What was sent is not valid; errors says what.", {"errors": told})
        case Throttled():
            return Problem(429, "throttled", str(error), headers={"Retry-After": str(ceil(error.retry_after))})
        case NotSignedIn():
            return Problem(401, "not-signed-in", str(error), headers={"WWW-Authenticate": 'Bearer realm="sevtracker"'})
    found = next((_KINDS[kind] for kind in type(error).__mro__ if kind in _KINDS), None)
    if found is None:  # LedgerBroken, ConfigError: nothing that a request may be told more about
        _log(error)
        return Problem(500, "internal", _INTERNAL)
    return Problem(*found, str(error))


def _ours(error: SevtrackerError) -> AnyResponse:
    if isinstance(error, NotSignedIn) and not auth.for_api():
        return _to_sign_in()
    return _answer(problem_of(error))


def _of_http(error: HTTPException) -> AnyResponse:
    """What Flask itself refuses: no such address, not that method, too large, a form that cannot be read."""
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    detail = _WORDS.get(error.code) or error.description or HTTPStatus(error.code).phrase
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return _answer(Problem(error.code, "http", detail, headers=kept))


def _unknown(error: Exception) -> AnyResponse:
    """Ours to mend: 500. But a database that is away, locked or out of connections passes: ask again."""
    _log(error)
    if passes(error):
        return _answer(Problem(503, "unavailable", _AWAY, headers={"Retry-After": "5"}))
    return _answer(Problem(500, "internal", _INTERNAL))


def _log(error: Exception) -> None:
    """Type and place only: what an exception says may quote data."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    log.error("request %s: %s failed with %s at %s", request_id(), request.endpoint, type(error).__name__, where)


# ---- from problems to answers ------------------------------------------------------------------------------------


def _answer(problem: Problem) -> AnyResponse:
    return problem.response() if auth.for_api() else _page(problem)


def _to_sign_in() -> AnyResponse:
    """Off to the sign-in page, and back afterwards. A part of a page that updates itself takes the whole page along."""
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": url_for("pages.sign_in")})
    back = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else "/"
    return redirect(f"{url_for('pages.sign_in')}?next={quote(back)}", 303)


def _page(problem: Problem) -> Response:
    told = problem.more.get("errors")
    detail = " ".join(f"{e['field']}: {e['message']}" for e in told) if told else problem.detail
    retry_after = problem.headers.get("Retry-After")
    page = ErrorPage(
        status=problem.status,
        title=problem.title,
        detail=detail,
        request_id=request_id() if problem.status >= 500 else "",
        retry_after=int(retry_after) if retry_after else None,
    )
    try:
        html = render(page, chrome())
    except Exception as error:  # the page of the last resort must not need what has just failed
        _log(error)
        html = f"<!doctype html><title>{problem.status}</title><h1>{problem.status} {problem.title}</h1>"
    answer = Response(html, problem.status, mimetype="text/html")
    answer.headers.update(problem.headers)
    return answer
