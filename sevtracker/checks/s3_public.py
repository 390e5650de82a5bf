"""Asking a bucket who it is open to: its ACLs, its policy, and whether "block public access" takes them back.

Who may not read an ACL or a policy has learnt nothing by that: such an answer is no evidence, and counts for nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from sevtracker.checks.http_answers import Told
from sevtracker.checks.http_fetch import Answer
from sevtracker.checks.interface import Result
from sevtracker.checks.s3_answers import error_code, refusal
from sevtracker.checks.s3_grants import acl_is_public, policy_is_public
from sevtracker.checks.s3_places import BucketParams
from sevtracker.checks.s3_session import S3Session
from sevtracker.domain.vocabulary import Reason

#: What a server says that has no such thing, or none here.
_NOT_THERE = frozenset({"NotImplemented", "MethodNotAllowed", "NoSuchBucketPolicy", "InvalidArgument"})


def nothing(note: str) -> Told:
    """No evidence either way. It weighs as an absence: less than any answer about the key itself."""
    return Told(Result.absent, Reason.hidden, note)


def optional(answer: Answer, told: Told) -> Told:
    """``told``, unless the server has no such thing to be asked for."""
    return nothing(f"{told.note}: no such thing here") if error_code(answer) in _NOT_THERE else told


def acl(session: S3Session, key: str | None, now: datetime) -> Told:
    """What the ACL of the bucket, or of ``key``, grants to everybody."""
    answer = session.ask(key, (("acl", None),))
    if answer.status != 200 or b"<AccessControlPolicy" not in answer.body:
        return _unread(answer, now)
    if not acl_is_public(answer.body):
        return nothing("it grants everybody nothing")
    if _blocked(session, b"IgnorePublicAcls"):
        return nothing("it grants everybody reading, and block public access takes that back")
    return Told(Result.got_in, Reason.public_grant, "it grants everybody reading")


def policy(session: S3Session, params: BucketParams, now: datetime) -> Told:
    """What the bucket's policy allows everybody."""
    answer = session.ask(query=(("policy", None),))
    if answer.status != 200:
        return _unread(answer, now)
    public = policy_is_public(answer.body, params.bucket, params.key)
    if public is None:
        return refusal(answer, now)
    if not public:
        return nothing("it allows everybody nothing")
    if _blocked(session, b"RestrictPublicBuckets"):
        return nothing("it allows everybody reading, and block public access takes that back")
    return Told(Result.got_in, Reason.public_grant, "it allows everybody reading")


def _unread(answer: Answer, now: datetime) -> Told:
    told = optional(answer, refusal(answer, now))
    if told.result is not Result.denied:
        return told
    return replace(nothing(f"{told.note}: not for this identity, so no evidence"), skew_s=told.skew_s)


def _blocked(session: S3Session, part: bytes) -> bool:
    """Whether the bucket's own "block public access" has ``part`` on. Not known: not blocked."""
    answer = session.ask(query=(("publicAccessBlock", None),))
    return answer.status == 200 and bool(re.search(rb"<%b>\s*true\s*</%b>" % (part, part), answer.body, re.IGNORECASE))
