"""The traps of the web, each with a real server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from sevtracker.checks.interface import Observation
from sevtracker.domain.vocabulary import Phase
from tests.checks.sites import ROWS, ShiftedClock, Site, World, everyone, outcome, person, serve, site

LOGIN = b"<html><h1>Corp sign-in</h1><form><input name=p type=password></form>"


@pytest.fixture
def door() -> Iterator[Site]:
    with site() as running:
        yield running


def look(door: Site, world: World | None = None, control: str | None = "privacy-site", **params: Any) -> Observation:
    told = {"url": door.url(), "marker": "MARKER-41", **params}
    return (world or World()).look("http", {k: v for k, v in told.items() if v is not None}, "anonymous", control)


def test_the_marker_is_open_without_any_control(door: Site) -> None:
    assert outcome(look(door, control=None)) == ("open", "marker_found")


def test_the_marker_in_a_partial_answer_is_open(door: Site) -> None:
    door.answer = everyone(206, ROWS)
    assert outcome(look(door)) == ("open", "marker_found")


def test_a_marker_beyond_the_first_range_is_looked_for_once_more(door: Site) -> None:
    big = b"x" * 5000 + ROWS
    door.answer = lambda asked: (206, {}, big[: int(asked.headers["Range"].partition("-")[2]) + 1])
    assert outcome(look(door)) == ("open", "marker_found")
    assert [asked.headers["Range"] for asked in door.asked] == ["bytes=0-1023", "bytes=0-65535"]


def test_a_body_without_end_is_cut(door: Site) -> None:
    door.answer = serve(200, b"x" * 20_000_000)
    assert outcome(look(door)) == ("inconclusive", "ambiguous_200")


def test_the_marker_before_a_body_without_end_is_open(door: Site) -> None:
    door.answer = everyone(200, ROWS + b"x" * 20_000_000)
    assert outcome(look(door)) == ("open", "marker_found")


@pytest.mark.parametrize("status", [401, 403])
def test_a_denial_is_closed_when_the_control_gets_in(door: Site, status: int) -> None:
    door.answer = serve(status)
    seen = look(door)
    assert outcome(seen) == ("closed", "denied")
    assert [step.phase for step in seen.steps] == [Phase.connect, Phase.target, Phase.control]


@pytest.mark.parametrize("status", [404, 410])
def test_nothing_there_is_closed_only_when_the_control_gets_data(door: Site, status: int) -> None:
    door.answer = serve(status)
    assert outcome(look(door)) == ("closed", "hidden")
    door.answer = everyone(status)
    assert outcome(look(door)) == ("inconclusive", "control_failed")


def test_a_control_that_does_not_see_the_marker_confirms_nothing(door: Site) -> None:
    door.answer = lambda asked: (200, {}, b"something else") if asked.is_control else (403, {}, b"")
    assert outcome(look(door)) == ("inconclusive", "control_failed")


def test_a_login_page_with_its_signature_is_closed(door: Site) -> None:
    door.answer = serve(200, LOGIN)
    assert outcome(look(door, login_signature="Corp sign-in")) == ("closed", "login_page")
    assert outcome(look(door, login_signature="Corp sign-in", marker=None)) == ("closed", "login_page")


def test_a_login_page_that_everybody_gets_is_no_evidence(door: Site) -> None:
    door.answer = everyone(200, LOGIN)
    assert outcome(look(door, login_signature="Corp sign-in")) == ("inconclusive", "control_failed")


@pytest.mark.parametrize("body", [LOGIN, b'{"error": "not signed in"}'])
def test_a_200_without_marker_or_signature_is_ambiguous(door: Site, body: bytes) -> None:
    door.answer = serve(200, body)
    assert outcome(look(door)) == ("inconclusive", "ambiguous_200")


def test_without_a_marker_content_is_open_and_a_password_form_is_ambiguous(door: Site) -> None:
    assert outcome(look(door, marker=None)) == ("open", "content_served")
    door.answer = everyone(200, LOGIN)
    assert outcome(look(door, marker=None)) == ("inconclusive", "ambiguous_200")


@pytest.mark.parametrize("marker", ["MARKER-41", None])
@pytest.mark.parametrize(("status", "body"), [(200, b""), (200, b" \n"), (204, b""), (416, b"")])
def test_an_empty_answer_is_inconclusive(door: Site, status: int, body: bytes, marker: str | None) -> None:
    door.answer = serve(status, body)
    assert outcome(look(door, marker=marker)) == ("inconclusive", "empty")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://sso.corp.example/login?next=/people", ("closed", "signin_redirect")),
        ("//sso.corp.example/login", ("closed", "signin_redirect")),
        ("https://SSO.corp.example./login", ("closed", "signin_redirect")),
        ("https://evil.example/?sso.corp.example", ("inconclusive", "redirected")),
        ("https://sso.corp.example@evil.example/", ("inconclusive", "redirected")),
        ("https://sso.corp.example.evil.example/", ("inconclusive", "redirected")),
        ("/elsewhere", ("inconclusive", "redirected")),
        ("javascript:alert(1)", ("inconclusive", "redirected")),
        ("http://[", ("inconclusive", "redirected")),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_closed_only_to_a_listed_sign_in_host(
    door: Site, status: int, location: str, expected: tuple[str, str]
) -> None:
    door.answer = serve(status, Location=location)
    assert outcome(look(door, signin_hosts=["sso.corp.example"])) == expected


def test_redirects_are_never_followed(door: Site) -> None:
    with site() as other:
        door.answer = serve(302, Location=other.url("/"))
        look(door, signin_hosts=["127.0.0.1"])
        assert other.connections == 0


def test_a_redirect_to_the_same_page_is_no_sign_in_even_on_a_listed_host(door: Site) -> None:
    door.answer = serve(301, Location=door.url("/people/").replace("http:", "https:"))
    assert outcome(look(door, signin_hosts=["127.0.0.1"])) == ("inconclusive", "redirected")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_rate_limited_and_its_wish_is_passed_on(door: Site, status: int) -> None:
    door.answer = serve(status, Retry_After="120")
    seen = look(door)
    assert (outcome(seen), seen.retry_after_s) == (("inconclusive", "rate_limited"), 120.0)
    door.answer = serve(status, Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True))
    wish = look(door).retry_after_s
    assert wish is not None
    assert 80 < wish <= 90
    door.answer = serve(status, Retry_After="soon")
    assert look(door).retry_after_s is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *(
            (500, "server_error"),
            (502, "server_error"),
            (504, "server_error"),
            (400, "server_error"),
            (405, "server_error"),
        ),
        *((451, "server_error"), (304, "server_error"), (408, "timeout"), (407, "intercepted"), (511, "intercepted")),
        *((300, "server_error"), (305, "server_error"), (999, "server_error")),
    ],
)
def test_every_other_status_is_inconclusive(door: Site, status: int, reason: str) -> None:
    door.answer = serve(status, b"denied")
    assert outcome(look(door)) == ("inconclusive", reason)


def test_a_clock_more_than_a_minute_off_makes_a_would_be_closed_clock_skew(door: Site) -> None:
    door.answer = serve(403)
    assert outcome(look(door, World(clock=ShiftedClock(90)))) == ("inconclusive", "clock_skew")
    assert outcome(look(door, World(clock=ShiftedClock(-90)))) == ("inconclusive", "clock_skew")
    assert outcome(look(door, World(clock=ShiftedClock(30)))) == ("closed", "denied")
    door.answer = everyone(200, ROWS)
    assert outcome(look(door, World(clock=ShiftedClock(90)))) == ("open", "marker_found")


def test_a_cached_answer_has_an_old_date_in_good_faith(door: Site) -> None:
    old = format_datetime(datetime.now(UTC) - timedelta(seconds=600), usegmt=True)
    door.answer = serve(403, Date=old, Age="600")
    assert outcome(look(door)) == ("closed", "denied")


def test_head_cannot_tell_a_page_from_a_sign_in_page(door: Site) -> None:
    door.answer = everyone(200, b"", Content_Type="text/html", Content_Length="100")
    assert outcome(look(door, method="HEAD", marker=None)) == ("inconclusive", "ambiguous_200")
    door.answer = everyone(200, b"", Content_Type="text/csv", Content_Length="100")
    assert outcome(look(door, method="HEAD", marker=None)) == ("open", "content_served")
    door.answer = serve(403)
    assert door.asked[-1].method == "HEAD"


def test_a_stopped_server_is_unreachable(door: Site) -> None:
    with site() as gone:
        pass
    seen = look(gone)
    assert outcome(seen) == ("inconclusive", "unreachable")
    assert [(step.phase, step.ok) for step in seen.steps] == [(Phase.connect, False)]


def test_a_name_without_an_address_is_dns() -> None:
    world = World(allow=["nowhere.invalid:80"])
    seen = world.look("http", {"url": "http://nowhere.invalid/"}, "anonymous", "privacy-site")
    assert outcome(seen) == ("inconclusive", "dns")


def test_a_server_that_says_nothing_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        params = {"url": f"http://127.0.0.1:{mute.getsockname()[1]}/", "timeout": 0.2}
        assert outcome(World().look("http", params)) == ("inconclusive", "timeout")


@pytest.mark.parametrize("text", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 403 No\r\nContent-Length: 50\r\n\r\nshort"])
def test_a_server_that_breaks_off_is_unreachable(text: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(text)

        thread = threading.Thread(target=once)
        thread.start()
        seen = World().look("http", {"url": f"http://127.0.0.1:{server.getsockname()[1]}/", "timeout": 2})
        thread.join()
    assert outcome(seen) == ("inconclusive", "unreachable")


def test_plain_http_where_tls_is_asked_for_is_tls(door: Site) -> None:
    seen = World().look("http", {"url": door.url().replace("http:", "https:")})
    assert outcome(seen) == ("inconclusive", "tls")


def test_the_environments_proxy_is_not_used(door: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with site() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url(""))
        assert outcome(look(door)) == ("open", "marker_found")
        assert proxy.connections == 0


def test_the_ipv6_door_is_a_vantage_of_its_own(door: Site) -> None:
    door.answer = serve(403)
    with site("::1", door.port) as other:
        assert outcome(look(door)) == ("closed", "denied")
        assert outcome(look(other)) == ("open", "marker_found")


def test_401_to_credentials_without_a_self_test_may_be_their_death(door: Site) -> None:
    staff = person("staff", token="env:STAFF_TOKEN")
    tested = person("staff", token="env:STAFF_TOKEN", self_test_url=door.url("/whoami"))
    world = World()
    world.identities |= {"staff": staff, "tested": tested}
    door.answer = lambda asked: (
        (200, {}, ROWS) if asked.is_control else (200, {}, b"me") if asked.path == "/whoami" else (401, {}, b"")
    )
    params = {"url": door.url(), "marker": "MARKER-41"}
    assert outcome(world.look("http", params, "staff", "privacy-site")) == ("inconclusive", "auth_failed")
    assert outcome(world.look("http", params, "tested", "privacy-site")) == ("closed", "denied")


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "auth_failed"), (403, "auth_failed"), (302, "auth_failed"), (503, "rate_limited")]
)
def test_a_failed_self_test_is_never_a_denial(door: Site, status: int, reason: str) -> None:
    world = World()
    world.identities["staff"] = person("staff", token="env:STAFF_TOKEN", self_test_url=door.url("/whoami"))
    door.answer = serve(status)
    assert outcome(world.look("http", {"url": door.url()}, "staff", "privacy-site")) == ("inconclusive", reason)


def test_credentials_are_sent_as_configured(door: Site) -> None:
    world = World()
    world.identities["basic"] = person("staff", username="ann", password="env:STAFF_TOKEN", headers={"X-Team": "a"})
    world.look("http", {"url": door.url()}, "basic")
    assert door.asked[-1].headers["Authorization"] == "Basic YW5uOmNhbmFyeS10b2tlbi1acTE="
    assert door.asked[-1].headers["X-Team"] == "a"
