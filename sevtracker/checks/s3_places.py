"""Buckets and keys as people write them, in the one form that is compared, stored, signed and sent."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sevtracker.checks.hosts import WebPlace, web_place
from sevtracker.checks.interface import CheckParams
from sevtracker.checks.s3_signing import Query, encoded, query_string

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_HOST_SAFE = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def _endpoint(text: str) -> str:
    place = web_place(text)
    if "?" in text:
        raise ValueError("an endpoint has no query")
    return place.url.rstrip("/")


def _key(text: str) -> str:
    if any(part in (".", "..") for part in text.split("/")):
        raise ValueError("a key with . or .. between its slashes is not supported: programs on the way rewrite it")
    if not 1 <= len(text.encode("utf-8", "replace")) <= 1024:
        raise ValueError("a key has 1 to 1024 bytes")
    return text


def _bucket(text: str) -> str:
    if not _BUCKET.fullmatch(text):
        raise ValueError("a bucket's name has letters, digits, dots, hyphens and underscores, 2 to 255 of them")
    return text


class BucketParams(CheckParams):
    """A bucket on AWS or on any server that speaks S3."""

    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = Field(
        default=None,
        max_length=1000,
        description="URL of a server that speaks S3, such as https://minio.corp.example:9000. Empty: AWS, by region",
    )
    region: str = Field(
        default="us-east-1", pattern=r"^[a-z0-9-]{1,64}$", description="The bucket's region; requests are signed for it"
    )
    bucket: Annotated[str, AfterValidator(_bucket)] = Field(description="The bucket's name")
    key: Annotated[str, AfterValidator(_key)] | None = Field(
        default=None, description="The key of the object that is tried, best a canary's"
    )

    @model_validator(mode="after")
    def _a_host_of_aws(self) -> BucketParams:
        if self.endpoint is None and not _HOST_SAFE.fullmatch(self.bucket.replace(".", "-")):
            raise ValueError("a bucket on AWS has 3 to 63 lower-case letters, digits, dots and hyphens")
        return self

    @property
    def base(self) -> str:
        """The bucket's URL, without a slash at its end. In the path for a server of one's own; in the host for AWS,
        unless its name has dots, which no certificate of AWS' covers."""
        if self.endpoint is not None:
            return f"{self.endpoint}/{self.bucket}"
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        if "." in self.bucket:
            return f"https://s3.{self.region}.{suffix}/{self.bucket}"
        return f"https://{self.bucket}.s3.{self.region}.{suffix}"


def place_of(params: BucketParams, key: str | None = None, query: Query = ()) -> WebPlace:
    """Where a request about the bucket, or about one key in it, goes. Raises ValueError for a host that is none."""
    path = f"/{encoded(key, keep='/')}" if key is not None else "" if params.endpoint or "." in params.bucket else "/"
    asked = query_string(query)
    return web_place(f"{params.base}{path}?{asked}" if asked else f"{params.base}{path}")


def host_header(place: WebPlace) -> str:
    """What is sent as ``Host``, and signed: without the scheme's own port."""
    endpoint = place.endpoint
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return host if endpoint.port == _DEFAULT_PORTS[place.scheme] else f"{host}:{endpoint.port}"
