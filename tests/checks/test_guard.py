"""Where probes may go."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevtracker.checks.addresses import refusal
from sevtracker.checks.guard import Guard, NameUnknown, endpoint_allowed_for
from sevtracker.checks.interface import Endpoint, Pinned
from sevtracker.errors import TargetRefused
from tests.checks.sites import person

EVERYWHERE = ("0.0.0.0/0:*", "[::/0]:*", "*.corp.example:*", "metadata.google.internal:*")


def answering(*addresses: str) -> Callable[[str, int], Sequence[tuple[Any, ...]]]:
    """A resolver with one answer."""

    def resolve(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(None, None, None, "", (address, port)) for address in addresses]

    return resolve


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "2001:0:102:304:0:0:5601:5601",  # Teredo's client address is inverted
        "fe80::5efe:a9fe:a9fe",
        "2001:db8::5efe:a9fe:a9fe",
        "2001:db8::200:5efe:169.254.169.254",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "255.255.255.255",
        "224.0.0.1",
        "ff02::1",
        "64:ff9b::6464:64c8",
    ],
)
def test_some_addresses_are_refused_whatever_the_list_says(host: str) -> None:
    with pytest.raises(TargetRefused, match="refused"):
        Guard(EVERYWHERE).admit(Endpoint(host, 80))
    with pytest.raises(TargetRefused, match="refused"):
        Guard(EVERYWHERE, resolver=answering(host)).admit(Endpoint("db.corp.example", 80))


@pytest.mark.parametrize(
    "host",
    [
        *(
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "0x7f.0.0.1.",
            "1.2.3.4.5",
            "010.0.0.1",
        ),
        *(
            "fe80::1%eth0",
            "::1%lo",
            "127.0.0.1%00",
            "%31%32%37.0.0.1",
            "①②⑦.⓪.⓪.①x.0x1",
            "a@b",
            "a b",
            "a/b",
            "a\\b",
            "",
        ),
        *("a..b", "-a.example", ".", "a" * 64 + ".example", "x\n.example", "127。0。0.1.0x1", "xn--.-"),
    ],
)
def test_odd_spellings_of_hosts_are_refused_or_read_in_the_one_plain_way(host: str) -> None:
    guard = Guard(("10.9.9.9:*", "*.corp.example:*"), resolver=answering("10.9.9.9"))
    with pytest.raises(TargetRefused):
        guard.admit(Endpoint(host, 80))


def test_full_width_digits_are_the_address_they_look_like_and_judged_as_that() -> None:
    with pytest.raises(TargetRefused, match="link-local"):
        Guard(EVERYWHERE).admit(Endpoint("\uff11\uff16\uff19.254.169.254", 80))


@pytest.mark.parametrize("host", ["metadata.google.internal", "METADATA.google.internal.", "metadata"])
def test_names_of_metadata_services_are_refused_before_anything_is_resolved(host: str) -> None:
    with pytest.raises(TargetRefused, match="metadata"):
        Guard(EVERYWHERE, resolver=answering()).admit(Endpoint(host, 80))


@pytest.mark.parametrize(
    ("allow", "host", "port", "addresses", "admitted"),
    [
        (["10.0.0.0/8:443"], "10.1.2.3", 443, (), True),
        (["10.0.0.0/8:443"], "10.1.2.3", 80, (), False),
        (["10.0.0.0/8:*"], "10.1.2.3", 80, (), True),
        (["10.0.0.0/8:443"], "11.1.2.3", 443, (), False),
        (["[fd00::/8]:443"], "fd00::7", 443, (), True),
        (["[fd00::/8]:443"], "fe00::7", 443, (), False),
        (["10.0.0.5:443"], "::ffff:10.0.0.5", 443, (), True),
        (["db1:5432"], "DB1.", 5432, ("192.168.1.9",), True),
        (["db1:5432"], "db2", 5432, ("192.168.1.9",), False),
        (["*.corp.example:443"], "a.b.corp.example", 443, ("192.168.1.9",), True),
        (["*.corp.example:443"], "corp.example", 443, ("192.168.1.9",), False),
        (["*.corp.example:443"], "evilcorp.example", 443, ("192.168.1.9",), False),
        (["10.0.0.0/8:443"], "db", 443, ("10.0.0.1", "10.0.0.2"), True),
        (["10.0.0.0/8:443"], "db", 443, ("10.0.0.1", "192.168.0.1"), False),
        (["10.0.0.0/8:443", "[fd00::/8]:443"], "db", 443, ("10.0.0.1", "fd00::1"), True),
        (["10.0.0.0/8:443"], "db", 443, ("10.0.0.1", "fd00::1"), False),
        ([], "127.0.0.1", 80, (), False),
    ],
)
def test_the_list_is_read_by_host_network_and_port(
    allow: list[str], host: str, port: int, addresses: tuple[str, ...], admitted: bool
) -> None:
    guard = Guard(allow, resolver=answering(*addresses))
    if admitted:
        assert [pin.port for pin in guard.admit(Endpoint(host, port))] == [port] * max(len(addresses), 1)
    else:
        with pytest.raises(TargetRefused, match=r"not in targets\.allow"):
            guard.admit(Endpoint(host, port))


def test_a_listed_name_with_one_good_and_one_metadata_address_is_refused_whole() -> None:
    guard = Guard(["db.corp.example:443"], resolver=answering("10.0.0.1", "169.254.169.254"))
    with pytest.raises(TargetRefused, match="link-local"):
        guard.admit(Endpoint("db.corp.example", 443))


def test_a_listed_name_without_an_address_may_be_saved_and_is_unknown_on_a_run() -> None:
    guard = Guard(["db.corp.example:443"], resolver=answering())
    assert guard.check_endpoint(Endpoint("db.corp.example", 443)) == ()
    with pytest.raises(NameUnknown):
        guard.admit(Endpoint("db.corp.example", 443))
    with pytest.raises(TargetRefused):
        guard.check_endpoint(Endpoint("other.example", 443))


def test_a_resolver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    release = threading.Event()

    def hang(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        release.wait(10)
        return []

    with pytest.raises(NameUnknown):
        Guard(["db:1"], resolver=hang, wait=0.05).admit(Endpoint("db", 1))
    release.set()


@pytest.mark.parametrize(
    ("own", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.2"),
        ("127.0.0.1", "::1"),
        ("::1", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("/var/run/postgresql", "::1"),
        ("localhost", "127.0.0.1"),
    ],
)
def test_the_trackers_own_database_is_refused_under_every_name_of_this_machine(own: str, host: str) -> None:
    guard = Guard(["127.0.0.0/8:*", "[::1]:*"], [Endpoint(own, 5432)])
    with pytest.raises(TargetRefused, match="own database"):
        guard.admit(Endpoint(host, 5432))
    assert guard.admit(Endpoint(host, 5433))


def test_another_database_of_our_own_server_is_a_target_like_any_other() -> None:
    guard = Guard(["127.0.0.1:*"], [Endpoint("127.0.0.1", 5432, "sevtracker")])
    assert guard.admit(Endpoint("127.0.0.1", 5432, "hr"))
    for ours in (Endpoint("127.0.0.1", 5432, "sevtracker"), Endpoint("127.0.0.1", 5432)):
        with pytest.raises(TargetRefused, match="own database"):
            guard.admit(ours)


def test_the_trackers_own_database_elsewhere_is_refused_by_name_and_by_address() -> None:
    guard = Guard(["10.0.0.0/8:*", "db9:*"], [Endpoint("db9", 5432)], resolver=answering("10.0.0.9"))
    for host in ("db9", "10.0.0.9", "DB9."):
        with pytest.raises(TargetRefused, match="own database"):
            guard.admit(Endpoint(host, 5432))
    assert guard.admit(Endpoint("10.0.0.8", 5432))


def test_secrets_go_to_an_identitys_own_hosts_only() -> None:
    staff = person("staff", ["db1:5432", "10.0.0.0/8:443"], password="env:P", username="u")
    pin = Pinned("10.0.0.1", socket.AF_INET, 443)
    elsewhere = Pinned("192.168.0.1", socket.AF_INET, 443)
    assert endpoint_allowed_for(staff, Endpoint("db1", 5432))
    assert not endpoint_allowed_for(staff, Endpoint("db1", 5433))
    assert endpoint_allowed_for(staff, Endpoint("app", 443), [pin])
    assert not endpoint_allowed_for(staff, Endpoint("app", 443), [pin, elsewhere])
    assert not endpoint_allowed_for(staff, Endpoint("app", 443))
    assert endpoint_allowed_for(person("anonymous", ()), Endpoint("anywhere", 1))


V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
NEVER = st.one_of(
    st.integers(0, 2**16 - 1).map(lambda n: ipaddress.IPv4Address((169 << 24) + (254 << 16) + n)),
    st.integers(2, 2**24 - 1).map(ipaddress.IPv4Address),
    st.sampled_from(["100.100.100.200", "168.63.129.16", "192.0.0.192", "255.255.255.255"]).map(ipaddress.IPv4Address),
    st.integers(0, 2**28 - 1).map(lambda n: ipaddress.IPv4Address((224 << 24) + n)),
)
WRAPPINGS: list[Callable[[int], int]] = [
    lambda v4: v4,
    lambda v4: 0xFFFF << 32 | v4,
    lambda v4: 0xFFFF_0000 << 32 | v4,
    lambda v4: 0x0064_FF9B << 96 | v4,
    lambda v4: 0x0064_FF9B_0001 << 80 | v4,
    lambda v4: 0x0064_FF9B_0001 << 80 | (v4 >> 16) << 64 | (v4 & 0xFFFF) << 40,
    lambda v4: 0x2002 << 112 | v4 << 80 | 1,
    lambda v4: 0x2001_0000 << 96 | v4 << 64 | 1,
    lambda v4: 0x2001_0000 << 96 | 0x0102_0304 << 64 | (v4 ^ 0xFFFF_FFFF),
    lambda v4: 0x2001_0DB8 << 96 | 0x0000_5EFE << 32 | v4,
    lambda v4: 0x2001_0DB8 << 96 | 0x0200_5EFE << 32 | v4,
]


@given(NEVER, st.sampled_from(WRAPPINGS))
def test_no_wrapping_hides_a_refused_address(inner: ipaddress.IPv4Address, wrap: Callable[[int], int]) -> None:
    assert refusal(ipaddress.IPv6Address(wrap(int(inner))))


@given(V4.filter(lambda a: refusal(a) is None), st.sampled_from(WRAPPINGS[3:4] + WRAPPINGS[6:7]))
def test_a_wrapping_alone_refuses_nothing(inner: ipaddress.IPv4Address, wrap: Callable[[int], int]) -> None:
    assert refusal(ipaddress.IPv6Address(wrap(int(inner)))) is None


@given(st.text(max_size=40))
def test_any_text_as_a_host_is_admitted_as_a_plain_place_or_refused(text: str) -> None:
    guard = Guard(["10.9.9.9:*"], resolver=answering("10.9.9.9"))
    try:
        pins = guard.admit(Endpoint(text, 80))
    except TargetRefused:
        return
    assert [pin.address for pin in pins] == ["10.9.9.9"]
