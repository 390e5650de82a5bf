"""Canary twins in a bucket: two objects, one of which everybody may read. For checks as somebody without credentials.

What a named identity may read, a policy says: of its own account, or of the bucket. An object's writer can't grant it.
"""

from __future__ import annotations

import secrets

from sevtracker.checks.environment import ProbeEnvironment
from sevtracker.checks.http_fetch import Answer
from sevtracker.checks.interface import Twins
from sevtracker.checks.s3_answers import refusal
from sevtracker.checks.s3_places import BucketParams
from sevtracker.checks.s3_session import S3Session, Unusable
from sevtracker.checks.twins.making import Made, NotMade, Order, access_of

#: What the keys of all twins begin with.
PREFIX = "sevtracker-twins/"
_MARK = "x-amz-meta-sevtracker"
_BY_HAND = "Name two keys of the bucket by hand, in the check's twins."


class S3Twins:
    """For the kind ``s3``."""

    def make(self, order: Order, environment: ProbeEnvironment) -> Made:
        """1. Neither key is somebody else's. 2. The open object, for everybody. 3. The locked one, for its owner."""
        params = _bucket(order, environment)
        hands = _Hands(order, params, environment)
        opened, locked = _keys(order)
        for key in (opened, locked):
            hands.ours(key)
        hands.put(opened, "public-read", "Perhaps ACLs are off for this bucket; then no object can be opened alone. ")
        try:
            hands.put(locked, "private", "")
        except NotMade:
            hands.delete(opened)
            raise
        return Made(Twins({"key": opened}, {"key": locked}))

    def drop(self, order: Order, readers: tuple[str, ...], environment: ProbeEnvironment) -> None:
        """In a bucket that keeps versions, their versions stay, with nothing in them but a random marker."""
        assert isinstance(order.params, BucketParams)
        hands = _Hands(order, order.params, environment)
        for key in _keys(order):
            if hands.ours(key):
                hands.delete(key)


def _bucket(order: Order, environment: ProbeEnvironment) -> BucketParams:
    params = order.params
    assert isinstance(params, BucketParams)
    if params.key is None:
        raise NotMade(f"The check names no key, only the bucket, and a bucket has no twin in itself. {_BY_HAND}")
    if getattr(params, "version_id", None) or getattr(params, "presigned_url", None):
        raise NotMade(f"The check tries a version or a presigned URL of its very key. {_BY_HAND}")
    identity = environment.identities.get(order.identity)
    if identity.username or identity.has_secrets:
        raise NotMade(
            f"{order.identity} has an account, and what that may read is said by a policy, which whoever writes objects"
            f" can't change. {_BY_HAND}"
        )
    if order.control is None:
        raise NotMade("The check has no control, so it can never say closed, and twins can prove nothing.")
    return params


def _keys(order: Order) -> tuple[str, str]:
    return f"{PREFIX}open-{order.check}", f"{PREFIX}locked-{order.check}"


class _Hands:
    """The keeper's requests to the bucket. Errors tell what was tried, with the status and a code that we know."""

    def __init__(self, order: Order, params: BucketParams, environment: ProbeEnvironment) -> None:
        self._order = order
        self._clock = environment.clock
        try:
            self._session = S3Session(params, access_of(order.keeper, order, environment))
        except Unusable:
            raise NotMade(f"{order.keeper} has no access key (username) with a secret key (password).") from None
        if not self._session.signed:
            raise NotMade(f"{order.keeper} has no access key, so nobody would know who puts objects there.")

    def ours(self, key: str) -> bool:
        """Whether the key is there and ours. Raises NotMade for somebody else's, or if that can't be told."""
        answer = self._session.ask(key, method="HEAD")
        if answer.status == 404:
            return False
        if answer.status != 200:
            raise self._refused("look whether its key is taken", answer, "It needs to read and list there. ")
        if answer.headers.get(_MARK) != self._order.mark:
            raise NotMade(f"There is an object {key} that this tracker did not make for this check. It was left alone.")
        return True

    def put(self, key: str, acl: str, hint: str) -> None:
        headers = {"x-amz-acl": acl, _MARK: self._order.mark}
        answer = self._session.write("PUT", key, secrets.token_hex(16).encode(), headers)
        if answer.status != 200:
            raise self._refused("put an object", answer, f"{hint}{_BY_HAND} ")

    def delete(self, key: str) -> None:
        answer = self._session.write("DELETE", key)
        if answer.status not in (200, 204, 404):
            raise self._refused("delete an object", answer, "")

    def _refused(self, what: str, answer: Answer, hint: str) -> NotMade:
        note = refusal(answer, self._clock.now()).note
        return NotMade(f"At the target, {self._order.keeper} could not {what}: it {note}. {hint}".rstrip())
