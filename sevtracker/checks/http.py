"""The kind ``http``: can this identity read what a URL serves? See docs/checks/http.md for the table of answers."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from sevtracker.checks.guard import NameUnknown
from sevtracker.checks.hosts import normal_host, web_place
from sevtracker.checks.http_answers import Expected, Told, read
from sevtracker.checks.http_fetch import BODY_CAP, Answer, fetch
from sevtracker.checks.interface import Access, Attempt, CheckKind, CheckParams, Credentials, Locator, Result, Step
from sevtracker.domain.vocabulary import Phase, Reason
from sevtracker.errors import TargetRefused

#: The last byte that is asked for first. A server that honours ranges and has more is asked once more, up to the cap.
FIRST_RANGE = 1023

#: What a failed self-test is, when it is not the identity's fault.
_SELF_TEST = {429: Reason.rate_limited, 503: Reason.rate_limited} | dict.fromkeys((500, 502, 504), Reason.server_error)

Text = Annotated[str, Field(min_length=1, max_length=1000)]


def _place(text: str) -> str:
    return web_place(text).url


class HttpParams(CheckParams):
    """``marker`` is a text of the exposed content only; ``login_signature`` one of the sign-in page only."""

    url: Annotated[str, Field(max_length=4000), AfterValidator(_place)]
    method: Literal["GET", "HEAD"] = "GET"
    marker: Text | None = None
    signin_hosts: tuple[str, ...] = Field(default=(), max_length=20)
    login_signature: Text | None = None

    outside_place: ClassVar[frozenset[str]] = frozenset({"marker", "login_signature", "signin_hosts"})
    #: Not the marker: without it a page is no denial, only ambiguous.
    loosened_by: ClassVar[Mapping[str, str]] = {"login_signature": "changed", "signin_hosts": "more"}
    twins_fixed: ClassVar[frozenset[str]] = frozenset({"method"})

    @field_validator("signin_hosts")
    @classmethod
    def _host_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(normal_host(host) for host in hosts)

    @model_validator(mode="after")
    def _head_sees_no_body(self) -> HttpParams:
        if self.method == "HEAD" and (self.marker or self.login_signature):
            raise ValueError("HEAD brings no body, so marker and login_signature could never be seen: use GET")
        return self


class HttpKind(CheckKind[HttpParams]):
    """2xx with the marker is open; 401, 403, 404, a known sign-in page or host are denials, if the control gets in."""

    name = "http"
    bounded = True
    params = HttpParams

    def locate(self, params: HttpParams) -> Locator:
        place = web_place(params.url)
        return Locator(f"{params.method} {place.text}", (place.endpoint,))

    def attempt(self, params: HttpParams, access: Access) -> Attempt:
        """1. The identity's self-test, where it has one. 2. The target. Both within ``access.timeout``."""
        ends = access.clock.monotonic() + access.timeout
        headers = _headers(access.credentials)
        steps: tuple[Step, ...] = ()
        if access.credentials.self_test_url:
            reason, *own = _self_test(access.credentials.self_test_url, headers, access)
            steps = tuple(own)
            if reason is not None:
                return Attempt(Result.trouble, reason, Phase.self_test, steps)
        answer = _get(params, access, headers, ends)
        if answer.trouble and answer.phase is Phase.connect:
            steps += (Step(Phase.connect, False, f"could not connect: {answer.trouble}", answer.total_ms),)
            return Attempt(Result.trouble, answer.trouble, Phase.connect, steps)
        told = _meaning(params, access, answer)
        connected = Step(Phase.connect, True, f"connected to {access.pins[0].address}", answer.connect_ms)
        waited = max(answer.total_ms - answer.connect_ms, 0.0)
        target = Step(Phase.target, told.result is not Result.trouble, told.note, waited)
        return Attempt(
            told.result, told.reason, Phase.target, (connected, *steps, target), told.retry_after_s, told.skew_s
        )


def _meaning(params: HttpParams, access: Access, answer: Answer) -> Told:
    """What the answer says; with one exception. RFC 9110 section 15.5.2: 401 means that the credentials are not valid.
    So to an identity that sent some, and has no self-test to show that they live, it is no denial."""
    expected = Expected.of(params.url, params.method, params.marker, params.login_signature, params.signin_hosts)
    told = read(answer, expected, access.clock.now())
    if answer.status != 401 or not access.credentials.has_secrets or access.credentials.self_test_url:
        return told
    note = "answered 401 to credentials: they may be dead, and the identity has no self_test_url to tell"
    return replace(told, result=Result.trouble, reason=Reason.auth_failed, note=note)


def _get(params: HttpParams, access: Access, headers: list[str], ends: float) -> Answer:
    place = web_place(params.url)
    answer = fetch(place, access.pins[0], params.method, headers, ends - access.clock.monotonic(), FIRST_RANGE)
    more = answer.status == 206 and len(answer.body) > FIRST_RANGE and answer.trouble is None
    if not more or (params.marker and params.marker.encode() in answer.body):
        return answer
    return fetch(place, access.pins[0], params.method, headers, ends - access.clock.monotonic(), BODY_CAP - 1)


def _self_test(url: str, headers: list[str], access: Access) -> tuple[Reason | None, *tuple[Step, ...]]:
    """Whether the identity is alive: its own page answers 2xx, else why not; and whether it is still who it was. No
    failure here is a denial."""
    began = access.clock.monotonic()

    def step(ok: bool, note: str) -> Step:
        return Step(Phase.self_test, ok, note, (access.clock.monotonic() - began) * 1000)

    try:
        place = web_place(url)
        pin = access.admit(place.endpoint)[0]
    except (TargetRefused, NameUnknown, ValueError):
        return Reason.auth_failed, step(False, "the place of the identity's self-test is refused or unknown")
    marker = access.credentials.self_test_marker
    answer = fetch(place, pin, "GET", headers, access.timeout, BODY_CAP - 1 if marker else FIRST_RANGE)
    if 200 <= answer.status < 300:
        passed = step(True, "the identity's self-test passed")
        if marker and marker.encode() not in answer.body:
            return Reason.identity_drift, passed, step(False, "the self-test's answer lacks the identity's marker")
        return None, passed
    if not answer.status:
        return answer.trouble or Reason.unreachable, step(False, f"the self-test got no answer: {answer.trouble}")
    return _SELF_TEST.get(answer.status, Reason.auth_failed), step(False, f"the self-test answered {answer.status}")


def _headers(credentials: Credentials) -> list[str]:
    headers = {name.lower(): f"{name}: {value}" for name, value in credentials.headers.items()}
    if credentials.token:
        headers.setdefault("authorization", f"Authorization: Bearer {credentials.token}")
    elif credentials.password is not None:
        pair = base64.b64encode(f"{credentials.username or ''}:{credentials.password}".encode()).decode()
        headers.setdefault("authorization", f"Authorization: Basic {pair}")
    return list(headers.values())
