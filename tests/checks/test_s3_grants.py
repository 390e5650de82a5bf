"""Which ACLs and policies are everybody's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sevtracker.checks.s3_grants import acl_is_public, policy_is_public
from tests.checks.s3_server import BUCKET, public

HERE, ANY_KEY = f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"


def told(*statements: dict[str, Any], key: str | None = "hr/a.csv") -> bool | None:
    return policy_is_public(json.dumps({"Statement": statements}).encode(), BUCKET, key)


@pytest.mark.parametrize(
    "statement",
    [
        public(),
        public("s3:ListBucket"),
        public("s3:GetObjectVersion"),
        public(Action="*"),
        public(Action="S3:get*"),
        public(Action=["s3:PutObject", "s3:GetObject"]),
        public(Principal={"AWS": "*"}),
        public(Principal={"AWS": ["arn:aws:iam::1:root", "*"]}),
        public(Resource="*"),
        public(Resource=f"arn:aws-cn:s3:::{BUCKET}/hr/*"),
        public(Resource=[f"arn:aws:s3:::{BUCKET}/x", f"arn:aws:s3:::{BUCKET}/hr/?.csv"]),
        public(Resource=f"{ANY_KEY[:-1]}${{aws:username}}/a.csv", Action="s3:*"),
        {"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::1:root"}, "Action": "s3:*", "Resource": ANY_KEY},
        {"Effect": "Allow", "Principal": "*", "NotAction": "s3:PutObject", "Resource": ANY_KEY},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "NotResource": f"{HERE}/other/*"},
        # conditions that pin nobody down
        public(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        public(Condition={"StringLike": {"aws:Referer": "https://corp.example/*"}}),
        public(Condition={"StringLike": {"aws:SourceVpc": "*"}}),
        public(Condition={"StringEquals": {"aws:SourceVpc": []}}),
        public(Condition={"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}),
        public(Condition={"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
        public(Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}),
        public(Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        public(Condition={"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}}),
        public(Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}),
        public(Condition={"IpAddress": {"aws:SourceIp": "::/0"}}),
        public(Condition="nonsense"),
    ],
)
def test_a_policy_that_lets_everybody(statement: dict[str, Any]) -> None:
    assert told(statement) is True
    assert policy_is_public(json.dumps({"Statement": statement}).encode(), BUCKET, "hr/a.csv") is True  # no list


@pytest.mark.parametrize(
    "statement",
    [
        public(Effect="Deny"),
        public("s3:PutObject"),
        public("s3:GetBucketLocation"),
        public(Principal={"AWS": "arn:aws:iam::111122223333:root"}),
        public(Principal={"Service": "*"}),
        public(Principal={"CanonicalUser": "79a5"}),
        public(Resource=f"arn:aws:s3:::{BUCKET}/other/*"),
        public(Resource="arn:aws:s3:::another/*"),
        public(Resource=f"arn:aws:s3:::{BUCKET}/[h]r/*"),
        public(NotAction="s3:*") | {"Action": None},
        public(Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}),
        public(
            Condition={
                "StringEquals": {"AWS:SourceVpce": ["vpce-1", "vpce-2"]},
                "Bool": {"aws:SecureTransport": "true"},
            }
        ),
        public(Condition={"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}}),
        public(Condition={"ForAnyValue:StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
    ],
)
def test_a_policy_that_does_not(statement: dict[str, Any]) -> None:
    assert told(statement) is False


def test_a_deny_of_everybody_takes_a_grant_back_and_one_with_exceptions_does_not() -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:Get*", "Resource": ANY_KEY}
    assert told(public(), deny) is False
    assert told(public("s3:ListBucket"), deny) is True
    assert told(public(), deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}) is True
    assert told(public(), deny | {"Principal": {"AWS": "arn:aws:iam::1:root"}}) is True
    assert told(public(), deny | {"Resource": f"{HERE}/other/*"}) is True
    assert told(public(), deny | {"Resource": f"{HERE}/${{aws:username}}/*"}) is True
    assert told(public(), deny, key=None) is True


def test_without_a_key_any_key_counts() -> None:
    assert told(public(Resource=f"arn:aws:s3:::{BUCKET}/other/*"), key=None) is True
    assert told(public(Resource=HERE), key=None) is False


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"Statement": "x"}', b'{"Statement": [1]}', b"[" * 60_000]
)
def test_what_is_no_policy_is_no_evidence(body: bytes) -> None:
    assert policy_is_public(body, BUCKET, None) is None


def grant(group: str, permission: str) -> bytes:
    return (
        '<Grant><Grantee xmlns:xsi="x" xsi:type="Group"><URI>http://acs.amazonaws.com/groups/'
        f"{group}</URI></Grantee><Permission>{permission}</Permission></Grant>"
    ).encode()


@pytest.mark.parametrize("group", ["global/AllUsers", "global/AuthenticatedUsers"])
@pytest.mark.parametrize(
    ("permission", "public"),
    [("READ", True), ("FULL_CONTROL", True), ("WRITE_ACP", True), ("WRITE", False), ("READ_ACP", False)],
)
def test_an_acl_that_lets_everybody(group: str, permission: str, public: bool) -> None:
    assert acl_is_public(grant(group, permission)) is public


def test_an_acl_that_does_not() -> None:
    owner = b"<Grant><Grantee><ID>79a5</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>"
    assert not acl_is_public(owner + grant("s3/LogDelivery", "READ"))
    assert not acl_is_public(grant("global/AllUsers", "WRITE") + owner)
