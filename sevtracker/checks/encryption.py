"""The kind ``encryption``: are a bucket's objects encrypted, with the expected key? See docs/checks/encryption.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import Field, model_validator

from sevtracker.checks.http_answers import Told, skew_of
from sevtracker.checks.http_fetch import Answer
from sevtracker.checks.interface import Access, Attempt, CheckKind, Locator, Result, Step, bucket
from sevtracker.checks.s3_answers import error_code, keys_in, listing, refusal
from sevtracker.checks.s3_places import BucketParams, place_of
from sevtracker.checks.s3_session import NO_KEYS, S3Session, Unusable
from sevtracker.domain.vocabulary import Phase, Reason, Weight

_ALGORITHM = re.compile(rb"<SSEAlgorithm>\s*([\w:]{1,40})\s*</SSEAlgorithm>")
_MASTER_KEY = re.compile(rb"<KMSMasterKeyID>\s*([^<\s]{1,2048})\s*</KMSMasterKeyID>")
_GOOD = Told(Result.denied, Reason.encrypted, "")


class EncryptionParams(BucketParams):
    """``key`` is a prefix here: the first objects under it are looked at."""

    expected_key: str | None = Field(
        default=None,
        min_length=1,
        max_length=2048,
        description="The KMS key that everything has to be encrypted with: its ARN, or the last part of it",
    )
    default: bool = Field(default=True, description="The bucket has to encrypt what is written from now on, too")
    list: bool = Field(default=True, description="List what is under the key. Without that, the key is one object's")
    samples: int = Field(default=20, ge=1, le=20, description="How many of the objects under the key are looked at")

    twins_fixed: ClassVar[frozenset[str]] = frozenset({"expected_key", "default", "list", "samples"})

    @model_validator(mode="after")
    def _has_an_object(self) -> EncryptionParams:
        if not self.list and self.key is None:
            raise ValueError("without listing, name a key")
        return self


class EncryptionKind(CheckKind[EncryptionParams]):
    """An object, or a bucket's default, without encryption or with another key is open. It closes no access.

    Whoever is told how an object is encrypted was let in there, so the identity is its own control.
    """

    name = "encryption"
    own_control = True
    looks = True
    weight = Weight.supports
    bounded = True
    params = EncryptionParams

    def locate(self, params: EncryptionParams) -> Locator:
        place = place_of(params, params.key)
        return Locator(f"encryption of s3 {place.text}", (place.endpoint,))

    def attempt(self, params: EncryptionParams, access: Access) -> Attempt:
        """1. The bucket's default. 2. The first objects under the key. The first trouble, or plaintext, ends it."""
        try:
            session = S3Session(params, access)
        except Unusable:
            step = Step(Phase.self_test, False, NO_KEYS, 0.0)
            return Attempt(Result.trouble, Reason.auth_failed, Phase.self_test, (step,))
        steps: list[Step] = []
        told = _GOOD
        began = access.clock.monotonic()
        for told in _looks(params, session, access):
            now = access.clock.monotonic()
            steps.append(Step(Phase.target, told.result is not Result.trouble, told.note, (now - began) * 1000))
            began = now
            if told.result is not Result.denied:
                break
        if session.connected is None:
            steps = [Step(Phase.connect, False, f"could not connect: {told.reason}", steps[0].ms)]
        else:
            steps.insert(0, Step(Phase.connect, True, f"connected to {access.pins[0].address}", session.connected))
        control = Result.got_in if told.result is Result.denied else told.result
        phase = steps[-1].phase if told.result is Result.trouble else Phase.target
        return Attempt(told.result, told.reason, phase, tuple(steps), told.retry_after_s, told.skew_s, control=control)


def _looks(params: EncryptionParams, session: S3Session, access: Access) -> Iterator[Told]:
    """What was met, one look after another; each is asked for only once the one before was good."""
    if params.default:
        yield _default(params, session, access)
    yield _objects(params, session, access)


def _default(params: EncryptionParams, session: S3Session, access: Access) -> Told:
    answer = session.ask(query=(("encryption", None),))
    if error_code(answer) == "ServerSideEncryptionConfigurationNotFoundError":
        return Told(Result.got_in, Reason.plaintext, "the bucket encrypts nothing by default")
    if answer.status != 200 or b"<ServerSideEncryptionConfiguration" not in answer.body:
        return _not_shown("the bucket's default", answer, access)
    algorithm, key = _ALGORITHM.search(answer.body), _MASTER_KEY.search(answer.body)
    if algorithm is None:
        return Told(Result.got_in, Reason.plaintext, "the bucket encrypts nothing by default")
    found = key[1].decode("utf-8", "replace") if key else ""
    if "alias/" in found and params.expected_key and "alias/" not in params.expected_key:
        note = "the bucket's default names its key by an alias, which cannot be compared: give default=false"
        return Told(Result.trouble, Reason.target_changed, note)
    if not _is_expected(found, params.expected_key):
        return Told(Result.got_in, Reason.plaintext, "the bucket encrypts with another key by default")
    return replace(_GOOD, note="the bucket encrypts by default, as expected")


def _objects(params: EncryptionParams, session: S3Session, access: Access) -> Told:
    """HEAD each of the first objects under the key; without listing, the key's own."""
    if not params.list and params.key is not None:
        return _each(params, session, [params.key], access)
    query = (
        ("list-type", "2"),
        ("max-keys", str(params.samples)),
        ("encoding-type", "url"),
        ("prefix", params.key or ""),
    )
    answer = session.ask(query=query)
    told = listing(answer, access.clock.now())
    if told.result is Result.got_in:
        keys = keys_in(answer)
    elif told.result is Result.denied and params.key is not None:
        keys = [params.key]  # who may not list may still be told of the one key
    elif told.result is Result.empty:
        return Told(Result.absent, Reason.hidden, "no object is there to look at")
    else:
        return _not_shown("the listing", answer, access)
    return _each(params, session, keys, access)


def _each(params: EncryptionParams, session: S3Session, keys: Sequence[str], access: Access) -> Told:
    """The first that is not as it should be; else the last."""
    if not keys:
        return Told(Result.trouble, Reason.ambiguous_200, "the listing names no object")
    seen = []
    for key in keys:
        seen.append(_object(params, session.ask(key, method="HEAD"), access))
        if seen[-1].result is not Result.denied:
            return seen[-1]
    return replace(seen[-1], note=f"objects looked at: {bucket(len(keys))}, all encrypted as expected")


def _object(params: EncryptionParams, answer: Answer, access: Access) -> Told:
    if answer.status != 200 or "etag" not in answer.headers:
        if answer.status == 404:
            return Told(Result.absent, Reason.hidden, "the object is not there")
        return _not_shown("an object", answer, access)
    if not answer.headers.get("x-amz-server-side-encryption"):
        return Told(Result.got_in, Reason.plaintext, "an object is not encrypted")
    if not _is_expected(answer.headers.get("x-amz-server-side-encryption-aws-kms-key-id", ""), params.expected_key):
        return Told(Result.got_in, Reason.plaintext, "an object is encrypted with another key")
    return replace(_GOOD, skew_s=skew_of(answer, access.clock.now()))


def _not_shown(what: str, answer: Answer, access: Access) -> Told:
    """Nothing about encryption was told: a denial of that closes nothing."""
    told = refusal(answer, access.clock.now())
    if told.result is Result.denied:
        return Told(Result.trouble, Reason.not_permitted, f"{what}: this identity may not be told")
    return replace(told, note=f"{what}: {told.note}")


def _is_expected(found: str, expected: str | None) -> bool:
    """Whether a key as a server names it is the expected one, given whole or as the last part of an ARN."""
    return expected is None or found == expected or found.endswith((f"/{expected}", f":{expected}"))
