"""The doorways of the kinds that look into S3, each before a real server (moto) that checks signatures and policies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.checks.contract import Doorway, doorway
from tests.checks.s3_server import ALL, BUCKET, KEY, s3_server


@doorway("s3")
@contextlib.contextmanager
def s3() -> Iterator[Doorway]:
    with s3_server() as server:

        def reopen() -> None:
            server.start()
            server.reset()
            server.put()
            server.allow("any_employee", *ALL)

        def rename() -> None:
            server.s3.delete_object(Bucket=BUCKET, Key=KEY)
            server.put("elsewhere.csv")

        yield Doorway(
            kind="s3",
            params={"endpoint": server.url, "bucket": BUCKET, "key": KEY},
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lambda: server.deny("any_employee"),
            stop=server.stop,
            rename=rename,
        )


@doorway("encryption")
@contextlib.contextmanager
def encryption() -> Iterator[Doorway]:
    with s3_server() as server:
        key_id = "arn:aws:kms:us-east-1:123456789012:key/0d6b6f3c-canary"
        how = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id}
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_id}}

        def reopen() -> None:
            server.start()
            server.reset()
            server.put()
            server.allow("any_employee", *ALL)

        def lock() -> None:
            server.s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
            server.put(**how)

        def rename() -> None:
            server.s3.delete_object(Bucket=BUCKET, Key=KEY)
            server.put("elsewhere.csv", **how)

        yield Doorway(
            kind="encryption",
            params={"endpoint": server.url, "bucket": BUCKET, "key": KEY, "expected_key": key_id},
            identity="any-employee",
            identity_with_dead_password="dead-password",
            control="privacy-team",
            reopen=reopen,
            lock=lock,
            stop=server.stop,
            rename=rename,
            closed_as="encrypted",
            own_control=True,
        )
