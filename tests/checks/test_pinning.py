"""The probe connects to the addresses that were judged and to no others: a listener counts who comes."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sevtracker.checks.hosts import literal
from sevtracker.checks.http_fetch import forget_handle
from tests.checks import dialects
from tests.checks.sites import Site, World, everyone, outcome, serve, site

NAME = "tracker.corp.example"


@pytest.fixture
def listener() -> Iterator[Site]:
    """What must never be reached."""
    with site("127.0.0.2") as running:
        yield running


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Patch ``socket.getaddrinfo`` to give each answer in turn, the last for ever. Returns the log of names asked.

    An address is itself, as with any resolver: drivers look those up, too.
    """
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *rest: Any, **more: Any) -> list[tuple[Any, ...]]:
        if literal(host):
            addresses = [host]
        else:
            addresses = answers[min(len(asked), len(answers) - 1)]
            asked.append(host)
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with site("127.0.0.1") as good, site("127.0.0.2", good.port) as bad:
        asked = resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
        good.answer = serve(403)
        seen = World(allow=["127.0.0.1:*"]).look("http", {"url": f"http://{NAME}:{good.port}/"})
        assert (seen.reason, asked) == ("control_failed", [NAME])
        assert (good.connections, bad.connections) == (1, 0)
        assert good.asked[0].headers["Host"] == f"{NAME}:{good.port}"


def test_a_name_that_first_turns_bad_on_a_run_is_refused_then(monkeypatch: pytest.MonkeyPatch, listener: Site) -> None:
    resolving(monkeypatch, ["127.0.0.2"])
    seen = World(allow=["127.0.0.1:*"]).look("http", {"url": f"http://{NAME}:{listener.port}/"})
    assert (outcome(seen), listener.connections) == (("inconclusive", "blocked_by_policy"), 0)


@pytest.mark.parametrize("kind", ["http", "sql_read"])
def test_one_metadata_address_among_good_ones_refuses_the_whole_name(
    monkeypatch: pytest.MonkeyPatch, listener: Site, kind: str
) -> None:
    resolving(monkeypatch, ["127.0.0.2", "169.254.169.254"])
    world = World(allow=["*.corp.example:*", "127.0.0.0/8:*"])
    params = {
        "http": {"url": f"http://{NAME}:{listener.port}/"},
        "sql_read": {"url": f"postgresql://{NAME}:{listener.port}/hr", "table": "a.b"},
    }[kind]
    seen = world.look(kind, params, "any-employee", "privacy-team")
    assert (outcome(seen), listener.connections) == (("inconclusive", "blocked_by_policy"), 0)


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest/meta-data", "http://[::ffff:a9fe:a9fe]/", "http://[64:ff9b::a9fe:a9fe]/"],
)
def test_a_metadata_address_is_blocked_on_a_run_whatever_was_saved(url: str) -> None:
    seen = World(allow=["0.0.0.0/0:*", "[::/0]:*"]).look("http", {"url": url})
    assert outcome(seen) == ("inconclusive", "blocked_by_policy")


@pytest.mark.parametrize("kind", ["postgresql", "mariadb", "cockroach", "maria_generic"])
def test_sql_goes_to_the_pinned_address(monkeypatch: pytest.MonkeyPatch, listener: Site, kind: str) -> None:
    asked = resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    world = dialects.world(allow=["127.0.0.1:*"])
    world.identities = {
        name: who.model_copy(update={"hosts": ("*.corp.example:*",)}) for name, who in world.identities.items()
    }
    params = {"url": f"{kind}://{NAME}:{listener.port}/hr", "table": "a.b", "timeout": 2}
    seen = world.look("sql_read", params, "any-employee", "privacy-team")
    assert (outcome(seen), asked, listener.connections) == (("inconclusive", "unreachable"), [NAME], 0)


def test_secrets_do_not_go_to_a_host_that_is_not_the_identitys(listener: Site) -> None:
    world = World(allow=["127.0.0.0/8:*"])
    seen = world.look("http", {"url": listener.url()}, "privacy-site")
    assert (outcome(seen), listener.connections) == (("inconclusive", "blocked_by_policy"), 0)


def test_every_address_of_a_name_is_tried_and_any_open_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["127.0.0.1", "::1"])
    with site("127.0.0.1") as first, site("::1", first.port) as second:
        params = {"url": f"http://{NAME}:{first.port}/", "marker": "MARKER-41"}

        def seen() -> tuple[str, str]:
            return outcome(World().look("http", params, "anonymous", "privacy-site"))

        first.answer = serve(403)
        assert seen() == ("open", "marker_found")
        second.answer = serve(403)
        assert seen() == ("closed", "denied")
        second.answer = serve(500)
        assert seen() == ("inconclusive", "server_error")
        first.answer, second.answer = serve(500), everyone(200, b"MARKER-41")
        assert seen() == ("open", "marker_found")


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for ``name``, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([*names, x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Site, Path, list[str | None]]]:
    """A TLS site for NAME, its certificate, and the server names that clients asked for."""
    cert, key = certificate(tmp_path, NAME)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    names: list[str | None] = []
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    with site() as running:
        running.server.socket = context.wrap_socket(running.server.socket, server_side=True)
        running.server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]  # refused handshakes are expected
        yield running, cert, names


@pytest.fixture
def in_own_thread() -> Callable[[Callable[[], Any]], Any]:
    """libcurl's handle is kept by thread, with the places of CA certificates in it: a new thread reads them again."""

    def run(call: Callable[[], Any]) -> Any:
        box: list[Any] = []

        def body() -> None:
            box.append(call())
            forget_handle()

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        return box[0]

    return run


def test_tls_is_verified_for_the_name_while_the_address_is_pinned(
    monkeypatch: pytest.MonkeyPatch,
    secure: tuple[Site, Path, list[str | None]],
    in_own_thread: Callable[[Callable[[], Any]], Any],
) -> None:
    running, cert, names = secure
    resolving(monkeypatch, ["127.0.0.1"])
    params = {"url": f"https://{NAME}:{running.port}/", "marker": "MARKER-41"}
    assert outcome(in_own_thread(lambda: World().look("http", params))) == ("inconclusive", "tls")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    assert outcome(in_own_thread(lambda: World().look("http", params))) == ("open", "marker_found")
    assert names[-1] == NAME
    other = {"url": f"https://other.corp.example:{running.port}/", "marker": "MARKER-41"}
    assert outcome(in_own_thread(lambda: World().look("http", other))) == ("inconclusive", "tls")
