"""The kind ``s3`` before a real S3 server (moto)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sevtracker.checks.interface import Observation
from tests.checks.s3_server import ALL, BODY, BUCKET, KEY, S3Server, public, s3_server
from tests.checks.sites import CONTROL_SECRET, STAFF_SECRET, World, outcome

#: What moto does not refuse to anonymous.
UNGUARDED = {"list": False, "versions": False, "acl": False, "policy": False}


@pytest.fixture(scope="module")
def strict() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture
def users(strict: S3Server) -> S3Server:
    """Signatures and IAM policies count; nobody is anonymous."""
    strict.reset()
    strict.put()
    return strict


@pytest.fixture(scope="module")
def lax() -> Iterator[S3Server]:
    with s3_server(iam=False) as running:
        yield running


@pytest.fixture
def anybody(lax: S3Server) -> S3Server:
    """ACLs and bucket policies count, for anonymous."""
    lax.reset()
    lax.put()
    return lax


def look(server: S3Server, who: str = "anonymous", **params: Any) -> Observation:
    return World().look("s3", {"endpoint": server.url, "bucket": BUCKET, "key": KEY, **params}, who, "privacy-team")


def test_the_policy_is_gone_and_one_objects_acl_still_lets_everybody(anybody: S3Server) -> None:
    anybody.put("hr data/other.csv")
    both = [
        lambda: outcome(look(anybody, **UNGUARDED)),
        lambda: outcome(look(anybody, **UNGUARDED, key="hr data/other.csv")),
    ]
    anybody.policy(public())
    assert [seen() for seen in both] == [("open", "content_served")] * 2
    anybody.s3.put_object_acl(Bucket=BUCKET, Key=KEY, ACL="public-read")
    anybody.s3.delete_bucket_policy(Bucket=BUCKET)
    assert [seen() for seen in both] == [("open", "content_served"), ("closed", "denied")]
    anybody.s3.put_object_acl(Bucket=BUCKET, Key=KEY, ACL="private")
    assert [seen() for seen in both] == [("closed", "denied")] * 2


def test_a_bucket_that_can_be_listed_is_open(anybody: S3Server) -> None:
    assert outcome(look(anybody)) == ("open", "object_listed")
    assert outcome(look(anybody, key="no such")) == ("open", "object_listed")


def test_an_old_presigned_url_is_a_way_in_of_its_own(anybody: S3Server, tmp_path: Path) -> None:
    url = anybody.s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": KEY}, ExpiresIn=60)
    kept = tmp_path / "url"
    kept.write_text(url + "\n")
    seen = look(anybody, **UNGUARDED, presigned_url=f"file:{kept}")
    assert outcome(seen) == ("open", "content_served")
    assert seen.steps[-1].note == "the presigned URL: answered 206 with content"


def test_the_rights_of_a_user_are_seen_one_by_one(users: S3Server) -> None:
    assert outcome(look(users, "any-employee")) == ("closed", "denied")
    users.allow("any_employee", "s3:GetObject")
    assert outcome(look(users, "any-employee")) == ("open", "content_served")
    users.allow("any_employee", "s3:ListBucket")
    assert outcome(look(users, "any-employee")) == ("open", "object_listed")
    users.allow("any_employee", "s3:ListBucketVersions")
    assert outcome(look(users, "any-employee")) == ("open", "object_listed")
    users.deny("any_employee")
    assert outcome(look(users, "any-employee")) == ("closed", "denied")


def test_a_check_without_a_key_stands_on_the_listing(users: S3Server) -> None:
    params = {"endpoint": users.url, "bucket": BUCKET}

    def seen() -> tuple[str, str]:
        return outcome(World().look("s3", params, "any-employee", "privacy-team"))

    assert seen() == ("closed", "denied")
    users.s3.delete_object(Bucket=BUCKET, Key=KEY)
    assert seen() == ("inconclusive", "empty")  # the control sees no key either
    users.allow("any_employee", "s3:ListBucket")
    assert seen() == ("inconclusive", "empty")


def test_an_auditor_of_grants_finds_what_everybody_may_and_suggests_to_try_it(users: S3Server) -> None:
    users.allow("any_employee", "s3:GetBucketAcl", "s3:GetObjectAcl", "s3:GetBucketPolicy")
    assert outcome(look(users, "any-employee")) == ("closed", "denied")
    users.s3.put_object_acl(Bucket=BUCKET, Key=KEY, ACL="public-read")
    seen = look(users, "any-employee")
    assert (outcome(seen), seen.steps[-1].note) == (
        ("open", "public_grant"),
        "the key's ACL: it grants everybody reading",
    )
    assert [(one.kind, one.identity, one.params["key"]) for one in seen.suggestions] == [("s3", "anonymous", KEY)]
    users.s3.put_object_acl(Bucket=BUCKET, Key=KEY, ACL="private")
    users.s3.put_bucket_acl(Bucket=BUCKET, ACL="authenticated-read")
    assert outcome(look(users, "any-employee")) == ("open", "public_grant")
    users.s3.put_bucket_acl(Bucket=BUCKET, ACL="private")
    users.policy(public("s3:ListBucket"))
    assert outcome(look(users, "any-employee")) == ("open", "public_grant")
    assert outcome(look(users, "any-employee", policy=False)) == ("closed", "denied")


def test_an_access_key_that_was_deleted_is_no_denial(users: S3Server) -> None:
    users.forget("any_employee")
    seen = look(users, "any-employee")
    assert outcome(seen) == ("inconclusive", "auth_failed")
    assert [step.note for step in seen.steps] == ["connected to 127.0.0.1", "the key: answered 403 InvalidAccessKeyId"]


def test_a_missing_bucket_or_key_is_closed_for_nobody(users: S3Server) -> None:
    users.allow("any_employee", *ALL)
    assert outcome(look(users, "any-employee", key="mistyped", list=False, versions=False)) == (
        "inconclusive",
        "control_failed",
    )
    assert outcome(look(users, "any-employee", bucket="mistyped-bucket")) == ("inconclusive", "control_failed")
    users.deny("any_employee")
    assert outcome(look(users, "any-employee", key="mistyped")) == ("inconclusive", "control_failed")


def test_a_key_without_a_byte_is_empty(users: S3Server) -> None:
    users.s3.put_object(Bucket=BUCKET, Key="nothing", Body=b"")
    users.allow("any_employee", "s3:GetObject")
    assert outcome(look(users, "any-employee", key="nothing")) == ("inconclusive", "empty")


def test_nothing_of_the_bucket_or_its_keys_is_kept(
    users: S3Server, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("botocore", "moto", "werkzeug", "urllib3"):  # the server is in this process, and is not us
        logging.getLogger(name).setLevel(logging.ERROR)
    caplog.set_level(logging.DEBUG, "sevtracker")
    kept = tmp_path / "url"
    kept.write_text(
        f"{users.url}/{BUCKET}/{KEY.replace(' ', '%20')}?X-Amz-Signature=canary-signature&X-Amz-Credential=canary-c"
    )
    seen = [look(users, who, presigned_url=f"file:{kept}") for who in ("any-employee", "dead-password")]
    users.allow("any_employee", *ALL)
    seen += [look(users, "any-employee"), look(users, "any-employee", key="missing", presigned_url="env:STAFF_SECRET")]
    out = capfd.readouterr()
    everything = repr(seen) + caplog.text + out.out + out.err
    assert len(everything) > 1000
    for canary in (STAFF_SECRET, CONTROL_SECRET, BODY.decode(), "canary", "any_employee", "privacy_team"):
        assert canary not in everything
