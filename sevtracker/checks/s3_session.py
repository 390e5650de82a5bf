"""One identity's requests to one bucket, at one validated address, within one deadline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from sevtracker.checks.guard import NameUnknown
from sevtracker.checks.hosts import WebPlace, web_place
from sevtracker.checks.http_answers import Told
from sevtracker.checks.http_fetch import Answer, fetch
from sevtracker.checks.interface import Access, Credentials, Pinned, Result, Step
from sevtracker.checks.s3_answers import error_code, refusal
from sevtracker.checks.s3_places import BucketParams, host_header, place_of
from sevtracker.checks.s3_signing import Keys, Query, signed_headers
from sevtracker.domain.vocabulary import Phase, Reason
from sevtracker.errors import TargetRefused

#: Nobody's secret key. What is signed with it has to be told from what is signed with the true one.
_FALSE_SECRET = "sevtracker-signs-this-falsely-on-purpose"
_LATE = Answer(0, {}, b"", Reason.timeout, Phase.target, 0.0, 0.0)

NO_KEYS = "the identity has no access key (username) with a secret key (password)"


class Unusable(Exception):
    """The identity's secrets are none that S3 could take."""


class S3Session:
    """Sends what it is asked to, signed as the identity, or unsigned for one without secrets. Never follows a redirect.

    Raises Unusable for an identity with some secrets, but no access key: unsigned, it would pass for anonymous.
    """

    def __init__(self, params: BucketParams, access: Access) -> None:
        self._params = params
        self._access = access
        self._pin = access.pins[0]
        self._ends = access.clock.monotonic() + access.timeout
        self._keys = _keys(access.credentials)
        self.connected: float | None = None

    @property
    def signed(self) -> bool:
        """Whether requests carry a signature, so that they might be refused for its sake."""
        return self._keys is not None

    def ask(
        self, key: str | None = None, query: Query = (), *, method: str = "GET", last_byte: int | None = None
    ) -> Answer:
        """One request about the bucket, or about a key in it."""
        return self._send(place_of(self._params, key, query), query, self._keys, self._pin, method, last_byte)

    def write(self, method: str, key: str, body: bytes | None = None, more: Mapping[str, str] | None = None) -> Answer:
        """PUT or DELETE of a key, with these further headers. For what we put there ourselves: canary twins."""
        return self._send(place_of(self._params, key), (), self._keys, self._pin, method, None, body, more)

    def fetch(self, place: WebPlace, pin: Pinned) -> Answer:
        """GET the first byte of ``place`` as it is, unsigned: what a presigned URL is for."""
        return self._send(place, (), None, pin, "GET", 0)

    def alive(self) -> tuple[Told | None, Step]:
        """Whether the identity's keys live, once it was denied: None, or why that cannot be told.

        Some servers answer AccessDenied to a dead key as well. So 1. an identity with a self_test_url fetches that,
        signed, and has to be given it; 2. any other repeats its request with a false signature: only a server that
        says SignatureDoesNotMatch to that has found the true one to be right.
        """
        began = self._access.clock.monotonic()
        told = self._self_test() if self._access.credentials.self_test_url else self._false_signature()
        ms = (self._access.clock.monotonic() - began) * 1000
        ok = told.result is Result.got_in
        return None if ok else told, Step(Phase.self_test, ok, told.note, ms)

    def _false_signature(self) -> Told:
        assert self._keys is not None
        false = replace(self._keys, secret=_FALSE_SECRET)
        place = place_of(self._params, self._params.key)
        answer = self._send(place, (), false, self._pin, "GET", 0)
        if error_code(answer) == "SignatureDoesNotMatch":
            return Told(Result.got_in, Reason.connected, "the server tells this identity's signature from a false one")
        told = refusal(answer, self._access.clock.now())
        if told.reason in (Reason.rate_limited, Reason.timeout, Reason.unreachable, Reason.tls):
            return replace(told, note=f"a false signature: {told.note}")
        note = "the server answers a false signature no worse: its keys may be dead, and it has no self_test_url"
        return Told(Result.trouble, Reason.auth_failed, note)

    def _self_test(self) -> Told:
        try:
            place, query = _resent(self._access.credentials.self_test_url or "")
            pin = self._access.admit(place.endpoint)[0]
        except (TargetRefused, NameUnknown, ValueError):
            return Told(Result.trouble, Reason.auth_failed, "the place of the self-test is refused or unknown")
        answer = self._send(place, query, self._keys, pin, "GET", 0)
        if 200 <= answer.status < 300:
            return Told(Result.got_in, Reason.connected, "the identity's self-test passed")
        told = refusal(answer, self._access.clock.now())
        reason = told.reason if told.result is Result.trouble else Reason.auth_failed
        return Told(Result.trouble, reason, f"the self-test {told.note}", told.retry_after_s)

    def _send(  # noqa: PLR0913  # what a request has
        self,
        place: WebPlace,
        query: Query,
        keys: Keys | None,
        pin: Pinned,
        method: str,
        last_byte: int | None,
        body: bytes | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        left = self._ends - self._access.clock.monotonic()
        if left <= 0:
            return _LATE
        host = host_header(place)
        headers = [f"Host: {host}"]
        if keys is not None:
            now = self._access.clock.now()
            region = self._params.region
            headers = signed_headers(method, host, place.path, query, keys, region, now, body or b"", more)
        if body is not None:
            headers += ["Content-Type: text/plain", "Expect:"]
        answer = fetch(place, pin, method, headers, left, last_byte, body)
        if answer.connect_ms and self.connected is None:
            self.connected = answer.connect_ms
        return answer


def _keys(credentials: Credentials) -> Keys | None:
    if credentials.username and credentials.password:
        return Keys(credentials.username, credentials.password, credentials.token)
    if credentials.username or credentials.has_secrets:
        raise Unusable
    return None


def _resent(url: str) -> tuple[WebPlace, Query]:
    """A URL that somebody wrote, spelled as it is signed."""
    parts = urlsplit(url)
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    spelled = parts._replace(path=quote(unquote(parts.path or "/"), safe="/-._~")).geturl()
    return web_place(spelled), query
