"""AWS Signature Version 4 as S3 wants it, for requests with a short body or none. Pure. Why our own: docs/adr/0013.

The steps are those of "Create a signed AWS API request" in AWS' IAM user guide: 1. a canonical request, 2. a string to
sign, 3. a key derived from the secret, the day, the region and the service, 4. the signature, in a header.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

#: Name and value of each query parameter; None: a name alone, such as ``?acl``.
Query = Sequence[tuple[str, str | None]]

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key. ``repr`` shows none of its parts."""

    access: str = field(repr=False)
    secret: str = field(repr=False)
    session: str | None = field(default=None, repr=False)


def encoded(text: str, *, keep: str = "") -> str:
    """Percent-encoded as AWS spells it: all but letters, digits, ``-._~`` and what is in ``keep``, as UTF-8."""
    return quote(text, safe=f"-._~{keep}")


def query_string(query: Query) -> str:
    """The query as it is sent."""
    return "&".join(encoded(name) if value is None else f"{encoded(name)}={encoded(value)}" for name, value in query)


def signed_headers(  # noqa: PLR0913  # what a request has
    method: str,
    host: str,
    path: str,
    query: Query,
    keys: Keys,
    region: str,
    now: datetime,
    body: bytes = b"",
    more: Mapping[str, str] | None = None,
) -> list[str]:
    """The headers, ``Host`` among them, that make a request ``keys``' own. ``path`` is already encoded.

    ``more``: further headers to sign, by their names in lower case.
    """
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": moment, **(more or {})}
    if keys.session:
        headers["x-amz-security-token"] = keys.session
    headers = dict(sorted(headers.items()))
    names = ";".join(headers)
    canonical = "\n".join(
        (
            method,
            path,
            "&".join(f"{n}={v}" for n, v in sorted((encoded(name), encoded(value or "")) for name, value in query)),
            *(f"{name}:{value}" for name, value in headers.items()),
            "",
            names,
            digest,
        )
    )
    scope = (moment[:8], region, "s3", "aws4_request")
    to_sign = "\n".join((_ALGORITHM, moment, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{keys.secret}".encode()
    for part in (*scope, to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"{keys.access}/{'/'.join(scope)}"
    authorization = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={key.hex()}"
    return [*(f"{name}: {value}" for name, value in headers.items()), f"Authorization: {authorization}"]
