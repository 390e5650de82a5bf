"""Whether a presigned URL from before a patch still gives the key. It is a secret: read for this run, kept nowhere."""

from __future__ import annotations

import re
from urllib.parse import unquote

from sevtracker.checks.guard import NameUnknown
from sevtracker.checks.hosts import WebPlace, web_place
from sevtracker.checks.http_answers import Told
from sevtracker.checks.interface import Access, Pinned, Result
from sevtracker.checks.s3_answers import error_code, object_read
from sevtracker.checks.s3_places import BucketParams, place_of
from sevtracker.checks.s3_session import S3Session
from sevtracker.domain.vocabulary import Reason
from sevtracker.errors import ConfigError, TargetRefused

_SIGNED = re.compile(r"[?&](x-amz-|x-goog-)?signature=", re.IGNORECASE)
#: A presigned URL is revoked by revoking whoever signed it: to the URL these are denials, and no dead password.
_REVOKED = frozenset({"InvalidAccessKeyId", "ExpiredToken"})


def presigned(session: S3Session, params: BucketParams, key: str, reference: str, access: Access) -> Told:
    """GET the URL as it is, at each of its addresses; the first that gives anything ends it."""
    try:
        place = web_place.__wrapped__(access.secret(reference))  # not by the cache: that would keep the secret
    except ConfigError:
        return Told(Result.trouble, Reason.not_permitted, "its reference gives nothing")
    except ValueError:
        return Told(Result.trouble, Reason.not_permitted, "what its reference gives is no URL")
    if not _SIGNED.search(place.url):
        return Told(Result.trouble, Reason.not_permitted, "what its reference gives has no signature")
    if not _is_about(place, params, key):
        return Told(Result.trouble, Reason.target_changed, "it is for another bucket or key")
    try:
        pins = _pins(place, params, access)
    except TargetRefused:
        return Told(Result.trouble, Reason.blocked_by_policy, "its host is refused: it is not in targets.allow")
    except NameUnknown:
        return Told(Result.trouble, Reason.dns, "its host has no address")
    worst = _told(session, place, pins[0], access)
    for pin in pins[1:]:
        if worst.result is Result.got_in:
            break
        told = _told(session, place, pin, access)
        worst = told if told.result in (Result.got_in, Result.trouble) else worst
    return worst


def _pins(place: WebPlace, params: BucketParams, access: Access) -> tuple[Pinned, ...]:
    """This round's address, where the URL is at the check's own endpoint."""
    return access.pins[:1] if place.endpoint == place_of(params, params.key).endpoint else access.admit(place.endpoint)


def _is_about(place: WebPlace, params: BucketParams, key: str) -> bool:
    """The bucket is the host's first part and the path the key; or the path names both, at a host of no bucket."""
    path, host, bucket = unquote(place.path), place.endpoint.host, params.bucket.lower()
    if host == bucket or host.startswith(f"{bucket}."):
        return path == f"/{key}"
    of_a_bucket = host.endswith((".amazonaws.com", ".amazonaws.com.cn")) and not host.startswith("s3")
    return path == f"/{params.bucket}/{key}" and not of_a_bucket


def _told(session: S3Session, place: WebPlace, pin: Pinned, access: Access) -> Told:
    answer = session.fetch(place, pin)
    told = object_read(answer, access.clock.now())
    if error_code(answer) in _REVOKED:
        return Told(Result.denied, Reason.denied, f"{told.note}: whoever signed it is gone", skew_s=told.skew_s)
    return told
