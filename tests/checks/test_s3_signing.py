"""Our signatures are those of AWS' own documentation, and of AWS' own library."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sevtracker.checks.hosts import web_place
from sevtracker.checks.s3_places import BucketParams, host_header, place_of
from sevtracker.checks.s3_signing import Keys, Query, signed_headers

#: "Signature calculations for the Authorization header: examples" in the S3 API reference.
EXAMPLE = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
THEN = datetime(2013, 5, 24, tzinfo=UTC)


def signature(headers: list[str]) -> str:
    return headers[-1].rpartition("Signature=")[2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([("lifecycle", None)], "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            [("prefix", "J"), ("max-keys", "2")],
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_the_examples_of_the_documentation(query: Query, expected: str) -> None:
    headers = signed_headers("GET", "examplebucket.s3.amazonaws.com", "/", query, EXAMPLE, "us-east-1", THEN)
    assert signature(headers) == expected


@pytest.mark.parametrize("session", [None, "canary/session+token=="])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "query", [(), (("acl", None),), (("list-type", "2"), ("prefix", "ä/b c&d=+~*'(")), (("versionId", ""),)]
)
@pytest.mark.parametrize("key", [None, "plain.csv", "a b/ä€😀/+&='\"()*!@$,;:?#[]%41~-._.csv", "/leading//double/"])
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9000", "https://s3.corp.example/storage/v1"])
def test_the_signatures_of_botocore(
    endpoint: str | None, key: str | None, query: Query, method: str, session: str | None
) -> None:
    keys = Keys("access", "sécret'\"\\", session)
    place = place_of(BucketParams(endpoint=endpoint, bucket="tracking-events", region="eu-west-1"), key, query)
    ours = signed_headers(method, host_header(place), place.path, query, keys, "eu-west-1", THEN)

    auth = S3SigV4Auth(Credentials(keys.access, keys.secret, session), "s3", "eu-west-1")
    sent = dict(line.split(": ", 1) for line in ours[:-1])
    request = AWSRequest(method=method, url=place.url, headers=sent)
    request.context["timestamp"] = sent["x-amz-date"]
    to_sign = auth.string_to_sign(request, auth.canonical_request(request))
    assert signature(ours) == auth.signature(to_sign, request)


@pytest.mark.parametrize(
    ("told", "url"),
    [
        ({}, "https://tracking-events.s3.us-east-1.amazonaws.com:443/a%20b"),
        ({"region": "cn-north-1"}, "https://tracking-events.s3.cn-north-1.amazonaws.com.cn:443/a%20b"),
        ({"bucket": "dots.in.it"}, "https://s3.us-east-1.amazonaws.com:443/dots.in.it/a%20b"),
        ({"endpoint": "http://[::1]:9000"}, "http://[::1]:9000/tracking-events/a%20b"),
        ({"endpoint": "https://S3.Corp.example/x/"}, "https://s3.corp.example:443/x/tracking-events/a%20b"),
    ],
)
def test_where_a_bucket_is(told: dict[str, str], url: str) -> None:
    assert place_of(BucketParams.model_validate({"bucket": "tracking-events", **told}), "a b").url == url


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example/", "a.example"),
        ("http://a.example:80/", "a.example"),
        ("http://a.example:443/", "a.example:443"),
        ("http://[::1]:9000/", "[::1]:9000"),
    ],
)
def test_the_host_that_is_signed(url: str, host: str) -> None:
    assert host_header(web_place(url)) == host


@pytest.mark.parametrize(
    "told",
    [
        {"bucket": "../up"},
        {"bucket": "a/b"},
        {"bucket": "UPPER"},  # on AWS
        {"bucket": "fine", "key": "a/../b"},
        {"bucket": "fine", "key": ""},
        {"bucket": "fine", "key": "ä" * 513},
        {"bucket": "fine", "region": "eu west"},
        {"bucket": "fine", "region": "evil.example/"},
        {"bucket": "fine", "endpoint": "https://key:secret@s3.example"},
        {"bucket": "fine", "endpoint": "https://s3.example/?x=1"},
    ],
)
def test_what_is_no_bucket_or_key_is_refused(told: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        BucketParams.model_validate(told)


def test_keys_are_not_shown() -> None:
    assert "EXAMPLE" not in repr(EXAMPLE)
