"""The kind ``s3``: can this identity read a key of a bucket, list it, or is it open to all? See docs/checks/s3.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar

from pydantic import Field, model_validator

from sevtracker.checks.http_answers import Told
from sevtracker.checks.interface import Access, Attempt, CheckKind, Locator, Result, Step, Suggestion
from sevtracker.checks.s3_answers import listing, object_read
from sevtracker.checks.s3_places import BucketParams, place_of
from sevtracker.checks.s3_presigned import presigned
from sevtracker.checks.s3_public import acl, optional, policy
from sevtracker.checks.s3_session import NO_KEYS, S3Session, Unusable
from sevtracker.checks.s3_signing import Query
from sevtracker.config.references import SecretReference
from sevtracker.domain.vocabulary import Phase, Reason

#: One key is enough to see that somebody may list.
_LIST: Query = (("list-type", "2"), ("max-keys", "1"))
#: Which result speaks for all that was tried: whatever let somebody in, else what leaves us not knowing.
_RANK = (Result.got_in, Result.trouble, Result.empty, Result.denied, Result.absent)
#: After these, nothing more is asked: it would meet the same.
_STOPS = frozenset({Reason.rate_limited, Reason.timeout, Reason.unreachable, Reason.dns, Reason.tls})


class S3Params(BucketParams):
    """Each of ``list``, ``versions``, ``acl``, ``policy`` and ``presigned_url`` is a further thing that is tried."""

    list: bool = Field(default=True, description="Try to list the bucket, and to list it by the key as prefix")
    versions: bool = Field(default=True, description="Try to list versions of the key, and to read one")
    version_id: str | None = Field(
        default=None, min_length=1, max_length=1024, description="The version to read, such as one from before a patch"
    )
    acl: bool = Field(
        default=True, title="ACL", description="Judge the ACLs of bucket and key, if this identity may read them"
    )
    policy: bool = Field(default=True, description="Judge the bucket's policy, if this identity may read it")
    presigned_url: SecretReference | None = Field(
        default=None,
        description="Where an old presigned URL of the key is kept: env:NAME or file:PATH, never the URL itself",
    )

    twins_fixed: ClassVar[frozenset[str]] = frozenset(
        {"list", "versions", "version_id", "acl", "policy", "presigned_url"}
    )

    @model_validator(mode="after")
    def _something_to_try(self) -> S3Params:
        if self.key is None and (self.presigned_url or self.version_id):
            raise ValueError("presigned_url and version_id need the key: the control has to be shown the same object")
        if self.key is None and not self.list:
            raise ValueError("give a key, or let list be true: else nothing is tried that the control could confirm")
        return self


@dataclass(frozen=True, slots=True)
class _Look:
    """One thing to try. ``signed``: as the identity, so not worth a try once its keys were found dead."""

    name: str
    ask: Callable[[], Told]
    signed: bool = True


class S3Kind(CheckKind[S3Params]):
    """A byte of the key, a listing, a version, a public grant or a working presigned URL is open. AccessDenied to all
    of them is a denial, if the identity's keys live and the control reads the key."""

    name = "s3"
    bounded = True
    params = S3Params

    def locate(self, params: S3Params) -> Locator:
        place = place_of(params, params.key)
        return Locator(f"s3 {place.text}", (place.endpoint,))

    def attempt(self, params: S3Params, access: Access) -> Attempt:
        """1. Each look in turn, until one lets the identity in. 2. After a denial: do its keys live at all?"""
        try:
            session = S3Session(params, access)
        except Unusable:
            return _ended(Told(Result.trouble, Reason.auth_failed, ""), [Step(Phase.self_test, False, NO_KEYS, 0.0)])
        looks = _confirm(params, session, access) if access.is_control else _looks(params, session, access)
        steps, met = _try(looks, access)
        told = min(met, key=lambda one: _RANK.index(one.result))
        if session.connected is None:
            return _ended(told, [Step(Phase.connect, False, f"could not connect: {told.reason}", steps[0].ms)])
        steps.insert(0, Step(Phase.connect, True, f"connected to {access.pins[0].address}", session.connected))
        if told.result in (Result.denied, Result.absent) and session.signed and not access.is_control:
            dead, step = session.alive()
            steps.append(step)
            if dead is not None:
                return _ended(dead, steps)
        return _ended(told, steps, _suggested(params, access, told))


def _try(looks: Iterator[_Look], access: Access) -> tuple[list[Step], list[Told]]:
    steps: list[Step] = []
    met: list[Told] = []
    dead = False
    for look in looks:
        if dead and look.signed:
            continue
        began = access.clock.monotonic()
        told = look.ask()
        ms = (access.clock.monotonic() - began) * 1000
        steps.append(Step(Phase.target, told.result is not Result.trouble, f"{look.name}: {told.note}", ms))
        met.append(told)
        dead = dead or (look.signed and told.reason is Reason.auth_failed)
        if told.result is Result.got_in or told.reason in _STOPS:
            break
    return steps, met


def _looks(params: S3Params, session: S3Session, access: Access) -> Iterator[_Look]:
    now = access.clock.now()
    key = params.key
    if key is not None:
        yield _Look("the key", partial(_read, session, params, None, now))
    if params.list:
        yield _Look("listing", lambda: listing(session.ask(query=_LIST), now))
        if key is not None:
            yield _Look("listing by the key", lambda: listing(session.ask(query=(*_LIST, ("prefix", key))), now))
    if params.versions or params.version_id:
        yield from _version_looks(params, session, access)
    if params.acl:
        yield _Look("the bucket's ACL", partial(acl, session, None, now))
        if key is not None:
            yield _Look("the key's ACL", partial(acl, session, key, now))
    if params.policy:
        yield _Look("the bucket's policy", partial(policy, session, params, now))
    if params.presigned_url and key is not None:
        yield _Look(
            "the presigned URL", partial(presigned, session, params, key, params.presigned_url, access), signed=False
        )


def _version_looks(params: S3Params, session: S3Session, access: Access) -> Iterator[_Look]:
    """Reading a version is a right of its own, and so is listing them. ``null`` is the version of a key that was
    written while the bucket kept none."""
    now = access.clock.now()
    if params.versions:
        query = (("versions", None), ("max-keys", "1"), *((("prefix", params.key),) if params.key else ()))
        yield _Look("listing versions", lambda: _optional_listing(session, query, now))
    if params.version_id:
        yield _Look("the version", partial(_read, session, params, params.version_id, now))
    elif params.key is not None:
        yield _Look("the null version", partial(_null_version, session, params, now))


def _confirm(params: S3Params, session: S3Session, access: Access) -> Iterator[_Look]:
    """The control: it has to read the very key, or the very version; a check without a key, to list."""
    now = access.clock.now()
    if params.key is None:
        yield _Look("listing", lambda: listing(session.ask(query=_LIST), now))
    else:
        yield _Look(
            "the version" if params.version_id else "the key", partial(_read, session, params, params.version_id, now)
        )


def _read(session: S3Session, params: S3Params, version: str | None, now: datetime) -> Told:
    query = (("versionId", version),) if version else ()
    return object_read(session.ask(params.key, query, last_byte=0), now)


def _null_version(session: S3Session, params: S3Params, now: datetime) -> Told:
    answer = session.ask(params.key, (("versionId", "null"),), last_byte=0)
    return optional(answer, object_read(answer, now))


def _optional_listing(session: S3Session, query: Query, now: datetime) -> Told:
    answer = session.ask(query=query)
    return optional(answer, listing(answer, now))


def _suggested(params: S3Params, access: Access, told: Told) -> tuple[Suggestion, ...]:
    """A public grant that a reader of grants came across is for somebody without any credentials to walk through."""
    if told.reason is not Reason.public_grant or not access.credentials.has_secrets:
        return ()
    given = params.model_dump(mode="json", include={"endpoint", "region", "bucket", "key"}, exclude_none=True)
    return (Suggestion("s3", given, "An ACL or the policy of the bucket lets everybody read.", "anonymous"),)


def _ended(told: Told, steps: list[Step], suggestions: tuple[Suggestion, ...] = ()) -> Attempt:
    return Attempt(
        told.result,
        told.reason,
        steps[-1].phase if told.result is Result.trouble else Phase.target,
        tuple(steps),
        told.retry_after_s,
        told.skew_s,
        suggestions=suggestions,
    )
