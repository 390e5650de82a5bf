"""Canary twins in a bucket, before a real S3 server (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sevtracker.checks.interface import Definition, Observation, Twins
from sevtracker.checks.probing import probe
from sevtracker.checks.registry import load_kinds
from sevtracker.checks.twins.makers import maker_for
from sevtracker.checks.twins.making import Made, NotMade, Order
from tests.checks.s3_server import BUCKET, KEY, S3Server, s3_server
from tests.checks.sites import World
from tests.checks.test_s3 import UNGUARDED

OPEN, LOCKED = "sevtracker-twins/open-7", "sevtracker-twins/locked-7"


@pytest.fixture(scope="module")
def lax() -> Iterator[S3Server]:
    with s3_server(iam=False) as running:
        yield running


@pytest.fixture
def bucket(lax: S3Server) -> S3Server:
    """ACLs count, for anonymous. There is an object that only its owner may read."""
    lax.reset()
    lax.put()
    return lax


def params(server: S3Server, **more: Any) -> dict[str, Any]:
    return {"endpoint": server.url, "bucket": BUCKET, "key": KEY, **UNGUARDED, **more}


def order(server: S3Server, identity: str = "anonymous", keeper: str = "privacy-team", **more: Any) -> Order:
    kind = load_kinds()["s3"]
    given = kind.params.model_validate({k: v for k, v in params(server, **more).items() if v is not None})
    return Order(7, "a mark of ours", "s3", given, kind.locate(given), identity, "privacy-team", keeper)


def make(server: S3Server, **more: Any) -> Made:
    return maker_for("s3").make(order(server, **more), World().environment)


def drop(server: S3Server) -> None:
    maker_for("s3").drop(order(server), (), World().environment)


def look(server: S3Server, twins: Twins) -> Observation:
    definition = Definition("s3", "anonymous", "privacy-team", params(server))
    return probe(replace(definition, twins=twins), World().environment)


def keys(server: S3Server) -> set[str]:
    return {one["Key"] for one in server.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def test_an_object_for_everybody_is_told_from_one_for_its_owner(bucket: S3Server) -> None:
    made = make(bucket)
    assert made.twins == Twins({"key": OPEN}, {"key": LOCKED})
    seen = look(bucket, made.twins)
    assert (seen.verdict, seen.twins and seen.twins.wrong) == ("closed", None)
    assert seen.twins is not None


def test_a_locked_twin_that_somebody_opened_gives_no_proof(bucket: S3Server) -> None:
    made = make(bucket)
    bucket.s3.put_object_acl(Bucket=BUCKET, Key=LOCKED, ACL="public-read")
    seen = look(bucket, made.twins)
    assert seen.twins is not None
    assert str(seen.twins.wrong).startswith("the locked twin was open (content served)")


def test_dropping_removes_exactly_what_was_made(bucket: S3Server) -> None:
    make(bucket)
    make(bucket)
    assert keys(bucket) == {KEY, OPEN, LOCKED}
    drop(bucket)
    assert keys(bucket) == {KEY}
    drop(bucket)


def test_an_object_that_is_not_ours_is_left_alone(bucket: S3Server) -> None:
    bucket.put(LOCKED)
    with pytest.raises(NotMade, match="that this tracker did not make"):
        make(bucket)
    with pytest.raises(NotMade, match="that this tracker did not make"):
        drop(bucket)
    assert keys(bucket) == {KEY, LOCKED}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"identity": "any-employee"}, "said by a policy.* Name two keys"),
        ({"keeper": "anonymous"}, "has no access key"),
        ({"keeper": "privacy-site"}, "no access key .username. with a secret key"),
        ({"key": None, "list": True}, "names no key.* Name two keys"),
        ({"version_id": "null"}, "a version or a presigned URL.* Name two keys"),
    ],
)
def test_what_a_bucket_cannot_give_is_told_with_what_to_do(bucket: S3Server, more: dict[str, Any], said: str) -> None:
    with pytest.raises(NotMade, match=said):
        make(bucket, **more)
    assert keys(bucket) == {KEY}


def test_a_keeper_without_the_right_is_told_so_and_nothing_stays() -> None:
    with s3_server() as strict:
        strict.put()
        strict.allow("any_employee", "s3:GetObject", "s3:ListBucket")
        with pytest.raises(NotMade, match="could not put an object: it answered 403 AccessDenied"):
            make(strict, keeper="any-employee")
        assert keys(strict) == {KEY}
        strict.deny("any_employee")
        with pytest.raises(NotMade, match="could not look whether its key is taken"):
            make(strict, keeper="any-employee")


def test_a_site_takes_no_twins_from_us() -> None:
    with pytest.raises(NotMade, match="Name two places on the same server by hand"):
        maker_for("http")
