"""The kind ``encryption`` before a real S3 server (moto), and before answers that it does not give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sevtracker.checks.encryption import EncryptionKind
from sevtracker.checks.interface import Observation
from sevtracker.domain.vocabulary import Weight
from tests.checks.s3_server import ALL, BUCKET, KEY, S3Server, s3_server
from tests.checks.sites import Asked, Reply, Site, World, outcome, site

ARN = "arn:aws:kms:us-east-1:123456789012:key/canary-0d6b"
KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": ARN}


@pytest.fixture(scope="module")
def running() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def server(running: S3Server) -> S3Server:
    running.reset()
    running.allow("any_employee", *ALL)
    return running


def by_default(server: S3Server, algorithm: str = "aws:kms", **key: str) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm, **key}}
    server.s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})


def look(server: S3Server, **params: Any) -> Observation:
    told = {"endpoint": server.url, "bucket": BUCKET, "key": KEY, **params}
    return World().look("encryption", {k: v for k, v in told.items() if v is not None}, "any-employee")


def test_it_supports_and_never_decides() -> None:
    assert EncryptionKind.weight is Weight.supports


def test_an_object_from_before_the_default_is_still_plaintext(server: S3Server) -> None:
    server.put("hr data/1.csv")
    by_default(server, KMSMasterKeyID=ARN)
    server.put("hr data/2.csv")
    assert outcome(look(server, key="hr data/")) == ("open", "plaintext")
    assert outcome(look(server, key="hr data/2")) == ("closed", "encrypted")
    server.put("hr data/1.csv", **KMS)
    seen = look(server, key="hr data/")
    assert (outcome(seen), seen.control) == (("closed", "encrypted"), "got_in")
    assert seen.steps[-1].note == "objects looked at: 2-9, all encrypted as expected"


def test_without_a_default_the_next_object_will_be_plaintext(server: S3Server) -> None:
    server.put(**KMS)
    assert outcome(look(server)) == ("open", "plaintext")
    assert outcome(look(server, default=False)) == ("closed", "encrypted")


@pytest.mark.parametrize("expected", [ARN, "canary-0d6b", "key/canary-0d6b"])
def test_another_key_than_the_expected_one_is_open(server: S3Server, expected: str) -> None:
    by_default(server, KMSMasterKeyID=ARN)
    server.put(**KMS)
    assert outcome(look(server, expected_key=expected)) == ("closed", "encrypted")
    assert outcome(look(server, expected_key="0d6b")) == ("open", "plaintext")
    server.put(ServerSideEncryption="AES256")
    seen = look(server, expected_key=expected)
    assert (outcome(seen), seen.steps[-1].note) == (("open", "plaintext"), "an object is encrypted with another key")
    assert outcome(look(server)) == ("closed", "encrypted")
    by_default(server, "AES256")
    server.put(**KMS)
    assert outcome(look(server, expected_key=expected)) == ("open", "plaintext")
    assert outcome(look(server, expected_key=expected, default=False)) == ("closed", "encrypted")


def test_an_alias_cannot_be_compared(server: S3Server) -> None:
    by_default(server, KMSMasterKeyID="alias/canary")
    server.put(**KMS)
    assert outcome(look(server, expected_key=ARN)) == ("inconclusive", "target_changed")
    assert outcome(look(server, expected_key=ARN, default=False)) == ("closed", "encrypted")


def test_keys_with_odd_names_are_looked_at(server: S3Server) -> None:
    for key in (KEY, "hr data/a+b %41&amp;.csv", "hr data/ü<>'\".csv", "hr data/sub/"):
        server.put(key, **KMS)
    seen = look(server, key="hr data/", default=False)
    assert (outcome(seen), seen.steps[-1].note[:23]) == (("closed", "encrypted"), "objects looked at: 2-9,")
    server.put("hr data/ü<>'\".csv")
    assert outcome(look(server, key="hr data/", default=False)) == ("open", "plaintext")


def test_only_so_many_are_looked_at(server: S3Server) -> None:
    for number in range(25):
        server.put(f"{number:02}", **(KMS if number < 20 else {}))
    seen = look(server, key=None, default=False)
    assert (outcome(seen), seen.steps[-1].note[:25]) == (("closed", "encrypted"), "objects looked at: 10-99,")


def test_who_may_not_be_told_closes_nothing(server: S3Server) -> None:
    by_default(server, KMSMasterKeyID=ARN)
    server.put(**KMS)
    server.deny("any_employee")
    assert outcome(look(server)) == ("inconclusive", "not_permitted")
    assert outcome(look(server, default=False)) == ("inconclusive", "not_permitted")
    server.allow("any_employee", "s3:GetObject")
    assert outcome(look(server, default=False)) == ("closed", "encrypted")  # the key itself, without a listing
    assert outcome(look(server, default=False, key=None)) == ("inconclusive", "not_permitted")


def test_an_empty_bucket_closes_nothing(server: S3Server) -> None:
    assert outcome(look(server, default=False)) == ("inconclusive", "control_failed")
    assert outcome(look(server, default=False, bucket="no-such-bucket")) == ("inconclusive", "control_failed")


# ---- answers that moto does not give ---------------------------------------------------------------------------------


@pytest.fixture
def door() -> Iterator[Site]:
    with site() as playing:
        yield playing


LISTED: Reply = (200, {}, b"<ListBucketResult><Contents><Key>canary-name</Key></Contents></ListBucketResult>")


def playing(head: Reply, default: Reply = (404, {}, b"")) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        if "?encryption" in asked.path:
            return default
        return LISTED if "list-type" in asked.path else head

    return answer


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ((200, {"ETag": "x", "x-amz-server-side-encryption": "aws:kms:dsse"}, b""), ("closed", "encrypted")),
        ((200, {"ETag": "x"}, b""), ("open", "plaintext")),
        ((200, {}, b""), ("inconclusive", "ambiguous_200")),
        ((400, {}, b""), ("inconclusive", "server_error")),  # so is one with a customer's key (SSE-C) answered
        ((403, {}, b""), ("inconclusive", "not_permitted")),
        ((404, {}, b""), ("inconclusive", "control_failed")),
        ((301, {}, b""), ("inconclusive", "redirected")),
        ((503, {}, b""), ("inconclusive", "rate_limited")),
    ],
)
def test_what_head_says_of_an_object(door: Site, head: Reply, expected: tuple[str, str]) -> None:
    door.answer = playing(head)
    params = {"endpoint": door.url(""), "bucket": BUCKET, "default": False}
    seen = World().look("encryption", params)
    assert outcome(seen) == expected
    assert [asked.method for asked in door.asked] == ["GET", "HEAD"]
    assert "canary" not in repr(seen)


def test_a_default_that_is_not_told_in_s3s_words_is_inconclusive(door: Site) -> None:
    params = {"endpoint": door.url(""), "bucket": BUCKET}
    for default, expected in (
        ((200, {}, b"<html>sign in</html>"), ("inconclusive", "ambiguous_200")),
        ((501, {}, b"<Error><Code>NotImplemented</Code></Error>"), ("inconclusive", "server_error")),
        ((200, {}, b"<ServerSideEncryptionConfiguration/>"), ("open", "plaintext")),
    ):
        door.answer = playing((403, {}, b""), default)
        assert outcome(World().look("encryption", params)) == expected


def test_no_name_of_a_key_is_kept(server: S3Server) -> None:
    by_default(server, KMSMasterKeyID=ARN)
    server.put("canary-name", **KMS)
    seen = [look(server, key=None, expected_key=expected) for expected in (None, ARN, "canary-other")]
    assert "canary" not in repr(seen)
    assert "arn:" not in repr(seen)
