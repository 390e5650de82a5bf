"""The traps of S3 that a small server of our own has to play, since moto guards only some of the doors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from sevtracker.checks.interface import Observation
from sevtracker.domain.vocabulary import Phase
from tests.checks.sites import Asked, Reply, ShiftedClock, Site, World, outcome, person, site
from tests.checks.test_pinning import resolving

BUCKET, KEY = "tracking-events", "hr/canary.csv"
GIVEN: Reply = (206, {"ETag": '"d41d"', "Content-Range": "bytes 0-0/22"}, b"c")
EXTRAS = {"list": False, "versions": False, "acl": False, "policy": False}


def error(code: str, status: int = 403, **headers: str) -> Reply:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    body = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>canary ssn 078-05-1120</Message></Error>'
    return status, told, body.encode()


DENIED = error("AccessDenied")
LISTED: Reply = (200, {}, b"<?xml?><ListBucketResult><Contents><Key>canary-name</Key></Contents></ListBucketResult>")
ANYBODY = b"<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>"
PUBLIC_ACL: Reply = (200, {}, b"<AccessControlPolicy><Grant><Grantee>" + ANYBODY + b"</AccessControlPolicy>")
PUBLIC_POLICY: Reply = (
    200,
    {},
    b'{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}',
)


def door_of(asked: Asked) -> str:
    """Which of a bucket's doors a request is for."""
    parts = urlsplit(asked.path)
    query = parse_qs(parts.query, keep_blank_values=True)
    of_key = "key " if unquote(parts.path) == f"/{BUCKET}/{KEY}" else ""
    for name in (
        "acl",
        "policy",
        "publicAccessBlock",
        "versions",
        "versionId",
        "prefix",
        "list-type",
        "X-Amz-Signature",
    ):
        if name in query:
            return of_key + name
    return of_key.strip() or parts.path


def guarded(default: Reply = DENIED, **doors: Reply) -> Callable[[Asked], Reply]:
    """The control reads the key; to everybody else ``doors`` (spaces as underscores), and ``default``."""

    def answer(asked: Asked) -> Reply:
        if "Credential=privacy_team/" in asked.headers.get("Authorization", ""):
            return GIVEN
        return doors.get(door_of(asked).replace(" ", "_").replace("-", "_"), default)

    return answer


@pytest.fixture
def door() -> Iterator[Site]:
    with site() as running:
        running.answer = guarded()
        yield running


def look(door: Site, who: str = "anonymous", world: World | None = None, **params: Any) -> Observation:
    told = {"endpoint": door.url(""), "bucket": BUCKET, "key": KEY, **params}
    return (world or World()).look("s3", told, who, "privacy-team")


def test_access_denied_to_all_that_is_tried_is_closed(door: Site) -> None:
    seen = look(door)
    assert outcome(seen) == ("closed", "denied")
    assert [door_of(asked) for asked in door.asked] == [
        *("key", "list-type", "prefix", "versions", "key versionId", "acl", "key acl", "policy", "key"),
    ]
    assert "Authorization" not in door.asked[0].headers
    assert {asked.headers["Range"] for asked in door.asked if door_of(asked) == "key"} == {"bytes=0-0"}
    assert {asked.method for asked in door.asked} == {"GET"}


@pytest.mark.parametrize(
    ("which", "reply", "reason"),
    [
        ("key", GIVEN, "content_served"),
        ("key", (200, {"ETag": '"x"'}, b"canary" * 20_000), "content_served"),
        ("list_type", LISTED, "object_listed"),
        ("prefix", LISTED, "object_listed"),
        (
            "versions",
            (200, {}, b"<ListVersionsResult><Version><Key>k</Key></Version></ListVersionsResult>"),
            "object_listed",
        ),
        ("versions", (200, {}, b"<ListVersionsResult><DeleteMarker/></ListVersionsResult>"), "object_listed"),
        ("key_versionId", GIVEN, "content_served"),
        ("acl", PUBLIC_ACL, "public_grant"),
        ("key_acl", PUBLIC_ACL, "public_grant"),
        ("policy", PUBLIC_POLICY, "public_grant"),
    ],
)
def test_any_one_way_in_is_open(door: Site, which: str, reply: Reply, reason: str) -> None:
    door.answer = guarded(**{which: reply})
    assert outcome(look(door)) == ("open", reason)


def test_trouble_at_one_door_hides_no_other_that_is_open(door: Site) -> None:
    door.answer = guarded(list_type=error("InternalError", 500), policy=PUBLIC_POLICY)
    assert outcome(look(door)) == ("open", "public_grant")
    door.answer = guarded(list_type=error("InternalError", 500))
    assert outcome(look(door)) == ("inconclusive", "server_error")


def test_a_deleted_key_whose_old_version_can_be_read_is_open(door: Site) -> None:
    gone = error("NoSuchKey", 404, x_amz_delete_marker="true")
    door.answer = guarded(key=gone, key_versionId=GIVEN)
    seen = look(door, version_id="3HL4kqtJlcpXroDTDmJ")
    assert (outcome(seen), seen.steps[-1].note) == (
        ("open", "content_served"),
        "the version: answered 206 with content",
    )
    assert "versionId=3HL4kqtJlcpXroDTDmJ" in door.asked[-1].path
    door.answer = guarded(key=gone)
    assert outcome(look(door, version_id="3HL4kqtJlcpXroDTDmJ")) == ("closed", "denied")


@pytest.mark.parametrize("which", ["versions", "key_versionId", "acl", "key_acl", "policy"])
@pytest.mark.parametrize("code", ["NotImplemented", "MethodNotAllowed"])
def test_a_door_that_a_server_does_not_have_is_no_evidence(door: Site, which: str, code: str) -> None:
    door.answer = guarded(**{which: error(code, 501)})
    assert outcome(look(door)) == ("closed", "denied")


def test_a_bucket_without_a_policy_has_none_that_is_public(door: Site) -> None:
    door.answer = guarded(policy=error("NoSuchBucketPolicy", 404))
    assert outcome(look(door)) == ("closed", "denied")


@pytest.mark.parametrize(
    ("which", "reply", "part"),
    [
        ("acl", PUBLIC_ACL, "IgnorePublicAcls"),
        ("key_acl", PUBLIC_ACL, "IgnorePublicAcls"),
        ("policy", PUBLIC_POLICY, "RestrictPublicBuckets"),
    ],
)
def test_a_public_grant_counts_unless_public_access_is_blocked(door: Site, which: str, reply: Reply, part: str) -> None:
    def blocked(value: str, what: str = part) -> tuple[str, str]:
        text = f"<PublicAccessBlockConfiguration><{what}>{value}</{what}></PublicAccessBlockConfiguration>"
        door.answer = guarded(**{which: reply, "publicAccessBlock": (200, {}, text.encode())})
        return outcome(look(door))

    assert blocked("true") == ("closed", "denied")
    assert blocked("false") == ("open", "public_grant")
    assert blocked("true", "BlockPublicPolicy") == ("open", "public_grant")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        *((error(code), "auth_failed") for code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity")),
        *(
            (error(code, 400), "auth_failed")
            for code in ("ExpiredToken", "InvalidToken", "AuthorizationHeaderMalformed")
        ),
        (error("RequestTimeTooSkewed"), "clock_skew"),
        (error("PermanentRedirect", 301, Location="http://127.0.0.1:1/"), "redirected"),
        (error("TemporaryRedirect", 307), "redirected"),
        ((302, {"Location": "https://sso.corp.example/"}, b""), "redirected"),
        (error("SlowDown", 503), "rate_limited"),
        ((429, {}, b""), "rate_limited"),
        (error("InternalError", 500), "server_error"),
        (error("AllAccessDisabled"), "intercepted"),  # a code that is not on our list
        (error("SomethingNew", 400), "server_error"),
        ((403, {}, b"<html>blocked by the firewall, AccessDenied</html>"), "intercepted"),
        ((401, {}, b""), "intercepted"),
        ((404, {}, b"<html>nginx</html>"), "intercepted"),
        ((407, {}, b""), "intercepted"),
        ((200, {}, b"<html><input type=password></html>"), "ambiguous_200"),
        ((200, {}, b"<Error><Code>AccessDenied</Code></Error>"), "ambiguous_200"),
        ((204, {}, b""), "ambiguous_200"),
        ((416, {}, b""), "empty"),
        ((200, {"ETag": '"x"'}, b""), "empty"),
        (error("RequestTimeout", 400), "timeout"),
    ],
)
def test_every_other_answer_is_inconclusive(door: Site, reply: Reply, reason: str) -> None:
    door.answer = guarded(key=reply)
    seen = look(door)
    assert outcome(seen) == ("inconclusive", reason)
    assert "ssn" not in repr(seen)
    assert "canary" not in repr(seen)
    assert "SomethingNew" not in repr(seen)


def test_a_403_without_a_word_is_a_denial(door: Site) -> None:
    door.answer = guarded((403, {}, b""))
    assert outcome(look(door)) == ("closed", "denied")


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchBucket"])
def test_nothing_there_is_closed_only_as_the_control_gets_in(door: Site, code: str) -> None:
    door.answer = guarded(key=error(code, 404))
    assert outcome(look(door, **EXTRAS)) == ("closed", "hidden")
    door.answer = lambda asked: error(code, 404)
    assert outcome(look(door)) == ("inconclusive", "control_failed")


def test_a_busy_server_is_asked_for_nothing_more_and_its_wish_is_passed_on(door: Site) -> None:
    door.answer = guarded(list_type=error("SlowDown", 503, Retry_After="120"))
    seen = look(door)
    assert (outcome(seen), seen.retry_after_s) == (("inconclusive", "rate_limited"), 120.0)
    assert [door_of(asked) for asked in door.asked] == ["key", "list-type"]


def test_a_listing_of_nothing_is_no_denial(door: Site) -> None:
    door.answer = guarded(list_type=(200, {}, b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>"))
    assert outcome(look(door)) == ("inconclusive", "empty")


def test_a_clock_more_than_a_minute_off_is_clock_skew(door: Site) -> None:
    assert outcome(look(door, world=World(clock=ShiftedClock(90)))) == ("inconclusive", "clock_skew")
    assert outcome(look(door, world=World(clock=ShiftedClock(30)))) == ("closed", "denied")


def test_all_that_is_tried_keeps_to_one_timeout(door: Site) -> None:
    def slow(asked: Asked) -> Reply:
        time.sleep(0.2)
        return DENIED

    door.answer = slow
    seen = look(door, timeout=0.5)
    assert outcome(seen) == ("inconclusive", "timeout")
    assert seen.duration_ms < 900
    assert len(door.asked) <= 3


def test_redirects_are_not_followed_and_no_proxy_is_used(door: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with site() as other:
        for name in ("http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, other.url(""))
        door.answer = guarded(key=error("TemporaryRedirect", 307, Location=other.url("/")))
        look(door)
        assert other.connections == 0


def test_the_address_is_pinned_and_the_host_is_kept(door: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["127.0.0.1"])
    world = World(allow=["s3.corp.example:*"])
    world.look("s3", {"endpoint": f"http://s3.corp.example:{door.port}", "bucket": BUCKET, "key": KEY})
    assert door.asked[0].headers["Host"] == f"s3.corp.example:{door.port}"


# ---- identities ------------------------------------------------------------------------------------------------------


def test_a_server_that_denies_dead_keys_like_living_ones_proves_nothing_by_it(door: Site) -> None:
    seen = look(door, "any-employee")
    assert outcome(seen) == ("inconclusive", "auth_failed")
    assert (seen.steps[-1].phase, seen.steps[-1].ok) == (Phase.self_test, False)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (GIVEN, ("closed", "denied")),
        (DENIED, ("inconclusive", "auth_failed")),
        (error("SlowDown", 503), ("inconclusive", "rate_limited")),
    ],
)
def test_a_self_test_shows_that_its_keys_live(door: Site, reply: Reply, expected: tuple[str, str]) -> None:
    world = World()
    url = door.url("/own bucket/a+b.txt?x-id=1".replace(" ", "%20"))
    world.identities["staff"] = person("staff", username="staff", password="env:STAFF_SECRET", self_test_url=url)
    others = guarded()
    door.answer = lambda asked: reply if asked.path.startswith("/own%20bucket/a%2Bb.txt?") else others(asked)
    assert outcome(look(door, "staff", world)) == expected
    assert any("Credential=staff/" in asked.headers.get("Authorization", "") for asked in door.asked)


def test_dead_keys_are_tried_once_and_no_more(door: Site) -> None:
    door.answer = guarded(error("InvalidAccessKeyId"))
    assert outcome(look(door, "any-employee")) == ("inconclusive", "auth_failed")
    assert len(door.asked) == 1


@pytest.mark.parametrize(
    "told", [{"token": "env:STAFF_SECRET"}, {"username": "half"}, {"headers": {"X-Key": "env:STAFF_SECRET"}}]
)
def test_an_identity_without_a_whole_access_key_never_passes_for_anonymous(door: Site, told: dict[str, Any]) -> None:
    world = World()
    world.identities["half"] = person("staff", **told)
    assert outcome(look(door, "half", world)) == ("inconclusive", "auth_failed")
    assert door.asked == []


# ---- presigned URLs --------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[str], str]:
    """Keeps a text where a reference finds it."""

    def keep(text: str) -> str:
        (tmp_path / "url").write_text(text)
        return f"file:{tmp_path / 'url'}"

    return keep


SIGNED = f"/{BUCKET}/{KEY}?X-Amz-Credential=c%2F1&X-Amz-Expires=604800&X-Amz-Signature=canary-5f2"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (GIVEN, ("open", "content_served")),
        (error("AccessDenied"), ("closed", "denied")),  # "Request has expired"
        (error("InvalidAccessKeyId"), ("closed", "denied")),  # whoever signed it is gone
        (error("ExpiredToken", 400), ("closed", "denied")),
        (error("NoSuchKey", 404), ("closed", "denied")),
        (error("SignatureDoesNotMatch"), ("inconclusive", "auth_failed")),
        (error("AuthorizationQueryParametersError", 400), ("inconclusive", "auth_failed")),
        (error("SlowDown", 503), ("inconclusive", "rate_limited")),
        ((403, {}, b"<html>"), ("inconclusive", "intercepted")),
    ],
)
def test_what_an_old_presigned_url_meets(
    door: Site, kept: Callable[[str], str], reply: Reply, expected: tuple[str, str]
) -> None:
    door.answer = guarded(key_X_Amz_Signature=reply)
    seen = look(door, presigned_url=kept(door.url(SIGNED)))
    assert outcome(seen) == expected
    presigned = next(asked for asked in door.asked if "Signature" in asked.path)
    assert presigned.path == SIGNED
    assert "Authorization" not in presigned.headers
    assert "canary" not in repr(seen)


def test_a_presigned_url_outlives_dead_keys(door: Site, kept: Callable[[str], str]) -> None:
    door.answer = guarded(error("InvalidAccessKeyId"), key_X_Amz_Signature=GIVEN)
    assert outcome(look(door, "any-employee", presigned_url=kept(door.url(SIGNED)))) == ("open", "content_served")


def test_a_presigned_url_goes_only_where_probes_may_go(door: Site, kept: Callable[[str], str]) -> None:
    with site("::1") as other:
        other.answer = guarded(GIVEN)
        params = {"presigned_url": kept(other.url(SIGNED))}
        assert outcome(look(door, world=World(allow=["127.0.0.1:*"]), **params)) == (
            "inconclusive",
            "blocked_by_policy",
        )
        assert other.connections == 0
        assert outcome(look(door, **params)) == ("open", "content_served")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://{place}/tracking-events/other.csv?X-Amz-Signature=canary", "target_changed"),
        ("http://{place}/tracking-events/hr/canary.csv", "not_permitted"),
        ("canary, not a URL", "not_permitted"),
        ("http://{place}/hr/canary.csv?X-Amz-Signature=canary", "target_changed"),
        ("http://canary:canary@{place}/tracking-events/hr/canary.csv?X-Amz-Signature=canary", "not_permitted"),
    ],
)
def test_what_is_no_presigned_url_of_the_key_closes_nothing(
    door: Site, kept: Callable[[str], str], text: str, reason: str
) -> None:
    seen = look(door, presigned_url=kept(text.format(place=door.place)))
    assert outcome(seen) == ("inconclusive", reason)
    assert outcome(look(door, presigned_url="env:NO_SUCH_VARIABLE")) == ("inconclusive", "not_permitted")


@pytest.mark.parametrize(
    "params",
    [
        {"key": None, "list": False},
        {"key": None, "presigned_url": "env:X"},
        {"key": None, "version_id": "1"},
        {"presigned_url": "https://x.example/?X-Amz-Signature=canary"},
        {"bukket": "x"},
    ],
)
def test_parameters_that_prove_nothing_are_refused_and_not_quoted(door: Site, params: dict[str, Any]) -> None:
    seen = look(door, **params)
    assert outcome(seen) == ("inconclusive", "plugin_error")
    assert door.asked == []
    assert "Signature" not in repr(seen)
