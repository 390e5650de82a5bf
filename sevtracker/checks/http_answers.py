"""What an HTTP answer says about a door. Pure. An answer that is not in the table is trouble, never a denial.

2xx with the marker                                   got in (marker_found)
2xx without one asked for, a body, no sign-in in it   got in (content_served)
2xx with the login signature                          denied (login_page)
2xx, else                                             trouble (ambiguous_200), or empty without a body
401, 403                                              denied
404, 410                                              absent
3xx to a listed sign-in host                          denied (signin_redirect), else trouble (redirected)
407, 511 intercepted · 408 timeout · 429, 503 rate_limited · all others server_error
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urljoin

from sevtracker.checks.hosts import WebPlace, web_place
from sevtracker.checks.http_fetch import Answer
from sevtracker.checks.interface import Result
from sevtracker.domain.vocabulary import Reason

#: A form that asks for a password: a sign-in page, whether or not anybody registered its signature.
_SIGN_IN_FORM = re.compile(rb"<input[^>]*\btype\s*=\s*[\"']?password", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Seconds. A server that says "come back next year" is not obeyed for longer than a day.
_MAX_RETRY_AFTER = 86_400.0


@dataclass(frozen=True, slots=True)
class Expected:
    """What a check knows of its page."""

    place: WebPlace
    method: str
    marker: bytes | None
    login_signature: bytes | None
    signin_hosts: tuple[str, ...]

    @classmethod
    @lru_cache(maxsize=4096)  # the class lives as long as the process
    def of(
        cls, url: str, method: str, marker: str | None, login_signature: str | None, signin_hosts: tuple[str, ...]
    ) -> Expected:
        """From a check's parameters."""
        return cls(
            web_place(url),
            method,
            marker.encode() if marker else None,
            login_signature.encode() if login_signature else None,
            signin_hosts,
        )


@dataclass(frozen=True, slots=True)
class Told:
    """The meaning of an answer; ``note`` is our own words."""

    result: Result
    reason: Reason
    note: str
    retry_after_s: float | None = None
    skew_s: float | None = None


def read(answer: Answer, expected: Expected, now: datetime) -> Told:
    """The table above, with the target's clock beside it."""
    told = _read(answer, expected, now)
    skew = skew_of(answer, now)
    return told if skew is None else Told(told.result, told.reason, told.note, told.retry_after_s, skew)


def _read(answer: Answer, expected: Expected, now: datetime) -> Told:
    status = answer.status
    if 200 <= status < 300:
        return _success(answer, expected)
    if answer.trouble:
        return Told(Result.trouble, answer.trouble, f"the answer broke off: {answer.trouble}")
    note = f"answered {status}"
    if status in (401, 403):
        return Told(Result.denied, Reason.denied, note)
    if status in (404, 410):
        return Told(Result.absent, Reason.hidden, note)
    if status == 416:  # a range of something empty
        return Told(Result.empty, Reason.empty, note)
    if status in _REDIRECTS:
        return _redirect(answer, expected)
    if status in (429, 503):
        return Told(Result.trouble, Reason.rate_limited, note, retry_after(answer.headers.get("retry-after"), now))
    if status in (407, 511):
        return Told(Result.trouble, Reason.intercepted, f"{note}: something in between wants a sign-in")
    if status == 408:
        return Told(Result.trouble, Reason.timeout, note)
    return Told(Result.trouble, Reason.server_error, note)


def _success(answer: Answer, expected: Expected) -> Told:
    note = f"answered {answer.status}"
    if expected.marker and expected.marker in answer.body:
        return Told(Result.got_in, Reason.marker_found, f"{note} with the marker")
    if answer.trouble:
        return Told(Result.trouble, answer.trouble, f"{note}, then broke off: {answer.trouble}")
    if expected.method == "HEAD":
        return _head(answer, note)
    if not answer.body.strip():
        return Told(Result.empty, Reason.empty, f"{note} with an empty body")
    if expected.login_signature and expected.login_signature in answer.body:
        return Told(Result.denied, Reason.login_page, f"{note} with the registered sign-in page")
    if expected.marker:
        return Told(Result.trouble, Reason.ambiguous_200, f"{note} without the marker")
    if _SIGN_IN_FORM.search(answer.body):
        return Told(Result.trouble, Reason.ambiguous_200, f"{note} with a form that asks for a password")
    return Told(Result.got_in, Reason.content_served, f"{note} with content")


def _head(answer: Answer, note: str) -> Told:
    """HEAD tells no content. A page may be the sign-in page, so only what is certainly no page counts as content."""
    length = answer.headers.get("content-length", "")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if length.isascii() and length.isdigit() and int(length) > 0 and kind and "html" not in kind:
        return Told(Result.got_in, Reason.content_served, f"{note}: content that is not a page")
    return Told(Result.trouble, Reason.ambiguous_200, f"{note} to HEAD, which cannot tell content from a sign-in page")


def _redirect(answer: Answer, expected: Expected) -> Told:
    """A redirect to the same path of the same host (http to https, a final slash) is no sign-in, whatever is listed."""
    elsewhere = Told(Result.trouble, Reason.redirected, f"answered {answer.status} to another place")
    try:
        goal = web_place(urljoin(expected.place.url, answer.headers["location"]).partition("#")[0])
    except (KeyError, ValueError):
        return elsewhere
    if goal.endpoint.host not in expected.signin_hosts:
        return elsewhere
    if goal.endpoint.host == expected.place.endpoint.host and goal.path.rstrip("/") == expected.place.path.rstrip("/"):
        return elsewhere
    return Told(Result.denied, Reason.signin_redirect, f"answered {answer.status} to the sign-in host")


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds from RFC 9110 section 10.2.3: a number of seconds or a date. None when there is none that makes sense."""
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _MAX_RETRY_AFTER)
    moment = _http_date(text)
    return min(max((moment - now).total_seconds(), 0.0), _MAX_RETRY_AFTER) if moment else None


def skew_of(answer: Answer, now: datetime) -> float | None:
    """Seconds that the answer's Date is ahead of us. Age is added: a cache hands out old dates in good faith."""
    moment = _http_date(answer.headers.get("date"))
    if moment is None:
        return None
    age = answer.headers.get("age", "")
    return (moment - now).total_seconds() + (float(age[:9]) if age.isascii() and age.isdigit() else 0.0)


@lru_cache(maxsize=64)
def _http_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
