"""A real S3 server (moto) with the fixed cast as its users. It checks signatures and IAM policies, like AWS.

What it does not do like AWS: with IAM on, it has no anonymous callers; with IAM off, it lets anonymous list, and lets a
presigned URL live for ever. What needs that is tried against ``Site`` in test_s3_traps.py.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from moto import settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from tests.checks.sites import CONTROL_SECRET, STAFF_SECRET

BUCKET = "tracking-events"
#: Whatever a URL could get wrong.
KEY = "hr data/Ä+b&c='~.csv"
BODY = b"canary-object-body-555"
ALL = ["s3:GetObject", "s3:ListBucket", "s3:GetEncryptionConfiguration", "s3:HeadObject"]
_ADMIN = ("admin", "canary-admin-Zq3")


class S3Server:
    """``iam`` says whether signatures and IAM policies count."""

    def __init__(self, *, iam: bool = True) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.iam = iam
        self._running: ThreadedMotoServer | None = None
        self.port = 0
        self.start()
        self.s3 = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=_ADMIN[0],
            aws_secret_access_key=_ADMIN[1],
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )
        self.reset()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        if self._running is None:
            self._running = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
            self._running.start()
            self.port = self._running.get_host_and_port()[1]

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None

    def reset(self) -> None:
        """An empty bucket; users without rights, but for the control and for who sets things up."""
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0 if self.iam else float("inf")
        ActionAuthenticatorMixin.request_count = 0
        s3_backends.reset()
        iam_backends.reset()
        for name, secret in (("any_employee", STAFF_SECRET), ("privacy_team", CONTROL_SECRET), _ADMIN):
            self._user(name, secret)
        self.allow("privacy_team", *ALL)
        self.allow(_ADMIN[0], "s3:*")
        self.s3.create_bucket(Bucket=BUCKET)

    def _user(self, name: str, secret: str) -> None:
        users = self._users
        users.create_user("us-east-1", name)
        key = users.create_access_key(name)
        key.access_key_id, key.secret_access_key = name, secret

    @property
    def _users(self) -> Any:
        return iam_backends[DEFAULT_ACCOUNT_ID]["aws"]

    def allow(self, name: str, *actions: str) -> None:
        """Exactly these."""
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        self._users.put_user_policy(name, "rights", json.dumps(document))

    def deny(self, name: str) -> None:
        """Nothing any more."""
        with contextlib.suppress(Exception):
            self._users.delete_user_policy(name, "rights")

    def forget(self, name: str) -> None:
        """Its access key is deleted."""
        self._users.get_user(name).access_keys.clear()

    def put(self, key: str = KEY, **how: Any) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=BODY, **how)

    def policy(self, *statements: dict[str, Any]) -> None:
        self.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


@contextlib.contextmanager
def s3_server(*, iam: bool = True) -> Iterator[S3Server]:
    server = S3Server(iam=iam)
    try:
        yield server
    finally:
        server.s3.close()
        server.stop()
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")


def public(action: str = "s3:GetObject", **more: Any) -> dict[str, Any]:
    """A statement that lets everybody."""
    place = f"arn:aws:s3:::{BUCKET}" + ("" if action.startswith("s3:List") else "/*")
    return {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": place, **more}
