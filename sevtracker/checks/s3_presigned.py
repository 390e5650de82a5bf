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
        return Told(Result.trouble, Reason.auth_failed, "its reference gives nothing")
    except ValueError:
        return Told(Result.trouble, Reason.auth_failed, "what its reference gives is no URL")
    if not _SIGNED.search(place.url):
        return Told(Result.trouble, Reason.auth_failed, "what its reference gives has no signature")
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
    path = unquote(place.path)
    return path == f"/{key}" or path.endswith(f"/{params.bucket}/{key}")


def _told(session: S3Session, place: WebPlace, pin: Pinned, access: Access) -> Told:
    answer = session.fetch(place, pin)
    told = object_read(answer, access.clock.now())
    if error_code(answer) in _REVOKED:
        return Told(Result.denied, Reason.denied, f"{told.note}: whoever signed it is gone", skew_s=told.skew_s)
    return told
