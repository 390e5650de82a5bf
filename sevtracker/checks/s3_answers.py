"""What an answer of an S3 server says about a door. Pure. A code that is not in the table is trouble, never a denial.

AccessDenied, or 403 with nothing in it                      denied
NoSuchKey, NoSuchBucket, NoSuchVersion                       absent
InvalidRange (416): a key without a single byte              empty
InvalidAccessKeyId, SignatureDoesNotMatch, ExpiredToken ...  trouble (auth_failed)
RequestTimeTooSkewed                                         trouble (clock_skew)
SlowDown, 429, 503                                           trouble (rate_limited), with Retry-After
any 3xx, PermanentRedirect                                   trouble (redirected)
401, 403 and 404 without a code that we know                 trouble (intercepted): perhaps a proxy's answer
all others                                                   trouble (server_error)
"""

from __future__ import annotations

import html
import re
from datetime import datetime
from urllib.parse import unquote_plus

from sevtracker.checks.http_answers import Told, retry_after, skew_of
from sevtracker.checks.http_fetch import Answer
from sevtracker.checks.interface import Result
from sevtracker.domain.vocabulary import Reason

#: The codes that we know; nothing else of an answer is ever repeated. AWS: "List of error codes"; MinIO and Ceph use
#: the same. A server that lacks something says NotImplemented: for what is tried beside the key, no evidence.
_CODES: dict[str, tuple[Result, Reason]] = {
    "AccessDenied": (Result.denied, Reason.denied),
    **dict.fromkeys(("NoSuchKey", "NoSuchBucket", "NoSuchVersion"), (Result.absent, Reason.hidden)),
    "InvalidRange": (Result.empty, Reason.empty),
    **dict.fromkeys(
        (
            *("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"),
            *("AuthorizationHeaderMalformed", "InvalidSecurity", "AccountProblem", "NotSignedUp", "UserSuspended"),
            "AuthorizationQueryParametersError",
        ),
        (Result.trouble, Reason.auth_failed),
    ),
    "RequestTimeTooSkewed": (Result.trouble, Reason.clock_skew),
    **dict.fromkeys(("SlowDown", "ServiceUnavailable", "Busy"), (Result.trouble, Reason.rate_limited)),
    **dict.fromkeys(
        ("PermanentRedirect", "TemporaryRedirect", "Redirect", "IllegalLocationConstraintException"),
        (Result.trouble, Reason.redirected),
    ),
    "RequestTimeout": (Result.trouble, Reason.timeout),
    **dict.fromkeys(
        (
            *("InternalError", "NotImplemented", "MethodNotAllowed", "NoSuchBucketPolicy", "InvalidArgument"),
            *("NoSuchPublicAccessBlockConfiguration", "ServerSideEncryptionConfigurationNotFoundError"),
        ),
        (Result.trouble, Reason.server_error),
    ),
}
_CODE = re.compile(rb"<Error\b[^>]{0,200}>.{0,2000}?<Code>\s*([A-Za-z]{1,64})\s*</Code>", re.DOTALL)
_KEY = re.compile(r"<Key>([^<]{1,6000})</Key>")


def error_code(answer: Answer) -> str | None:
    """The code in an error's body, if it is one that we know."""
    found = _CODE.search(answer.body) if answer.status >= 300 else None
    code = found[1].decode() if found else ""
    return code if code in _CODES else None


def refusal(answer: Answer, now: datetime) -> Told:
    """The table above, for an answer that gave nothing, with the server's clock beside it."""
    told = _refusal(answer, now)
    return Told(told.result, told.reason, told.note, told.retry_after_s, skew_of(answer, now))


def _refusal(answer: Answer, now: datetime) -> Told:
    status = answer.status
    if answer.trouble:
        return Told(Result.trouble, answer.trouble, f"no whole answer: {answer.trouble}")
    code = error_code(answer)
    note = f"answered {status} {code}" if code else f"answered {status}"
    if 300 <= status < 400:
        return Told(Result.trouble, Reason.redirected, f"{note}: it is elsewhere, in another region perhaps")
    if status in (429, 503):
        return Told(Result.trouble, Reason.rate_limited, note, retry_after(answer.headers.get("retry-after"), now))
    if code:
        return Told(*_CODES[code], note)
    if status == 403 and not answer.body.strip():
        return Told(Result.denied, Reason.denied, note)
    if status == 416:
        return Told(Result.empty, Reason.empty, note)
    if status in (401, 403, 404, 407, 511):
        return Told(
            Result.trouble, Reason.intercepted, f"{note} without a code that we know: perhaps something else answered"
        )
    if 200 <= status < 300:
        return Told(Result.trouble, Reason.ambiguous_200, f"{note}, and not as S3 does")
    return Told(Result.trouble, Reason.timeout if status == 408 else Reason.server_error, note)


def object_read(answer: Answer, now: datetime) -> Told:
    """An answer to GET of the first byte of a key. Every S3 server tells an object's ETag; a sign-in page has none."""
    if answer.status not in (200, 206) or "etag" not in answer.headers:
        return refusal(answer, now)
    if answer.body:
        return Told(Result.got_in, Reason.content_served, f"answered {answer.status} with content")
    if answer.trouble:
        return refusal(answer, now)
    return Told(Result.empty, Reason.empty, f"answered {answer.status} without a single byte")


def listing(answer: Answer, now: datetime) -> Told:
    """An answer to a listing of keys, or of versions."""
    if answer.status != 200 or not re.search(rb"<List(Bucket|Versions)Result\b", answer.body):
        return refusal(answer, now)
    if re.search(rb"<(Contents|Version|DeleteMarker)\b", answer.body):
        return Told(Result.got_in, Reason.object_listed, "answered 200 and listed")
    if answer.trouble:
        return refusal(answer, now)
    return Told(Result.empty, Reason.empty, "answered 200 and listed nothing")


def keys_in(answer: Answer) -> list[str]:
    """The keys that a listing names. For this run only; they are kept nowhere."""
    text = answer.body.decode("utf-8", "replace")
    found = [html.unescape(key) for key in _KEY.findall(text)]
    return [unquote_plus(key) for key in found] if "<EncodingType>url</EncodingType>" in text else found
