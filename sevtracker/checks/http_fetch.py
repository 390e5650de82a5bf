"""One HTTP exchange with one validated address, by libcurl, and nothing more: no redirects, proxy, cookies or pool."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pycurl

from sevtracker.checks.hosts import WebPlace
from sevtracker.checks.interface import Pinned
from sevtracker.domain.vocabulary import Phase, Reason

#: Bytes of a body that are looked at. The rest is never received.
BODY_CAP = 65_536

_DNS = frozenset({pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_RESOLVE_PROXY})
_TLS = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_USE_SSL_FAILED,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CRL_BADFILE,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_PINNEDPUBKEYNOTMATCH,
        pycurl.E_SSL_INVALIDCERTSTATUS,
        pycurl.E_SSL_ENGINE_NOTFOUND,
    }
)
_thread = threading.local()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``status`` 0: no answer, then ``trouble`` says why. ``body`` lives for one attempt only."""

    status: int
    headers: dict[str, str]
    body: bytes
    trouble: Reason | None
    phase: Phase
    connect_ms: float
    total_ms: float

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, trouble={self.trouble}, phase={self.phase})"


def fetch(  # what a request has
    place: WebPlace,
    pin: Pinned,
    method: str,
    headers: Sequence[str],
    timeout: float,
    last_byte: int | None = None,
    body: bytes | None = None,
) -> Answer:
    """Send one request to ``pin`` with the Host and SNI of ``place``. ``timeout`` in seconds covers all of it.

    ``last_byte`` asks for a range from the start; ``body`` is sent. Raises nothing for what network or target do.
    """
    curl = _handle()
    seen: dict[str, str] = {}
    got = bytearray()

    def take(chunk: bytes) -> int | None:
        got.extend(chunk[: BODY_CAP - len(got)])
        return None if len(got) < BODY_CAP else 0  # 0 ends the transfer: E_WRITE_ERROR

    def note_header(line: bytes) -> None:
        if line.startswith(b"HTTP/"):
            seen.clear()  # a 1xx came first
            return
        name, colon, value = line.partition(b":")
        if colon:
            seen.setdefault(name.strip().lower().decode("latin-1"), value.strip().decode("latin-1"))

    address = f"[{pin.address}]" if ":" in pin.address else pin.address
    curl.setopt(pycurl.URL, place.url)
    curl.setopt(pycurl.CONNECT_TO, [f"::{address}:{pin.port}"])  # for whatever host and port curl reads in the URL
    curl.setopt(pycurl.TIMEOUT_MS, max(int(timeout * 1000), 1))
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(int(timeout * 1000), 1))
    curl.setopt(pycurl.HTTPHEADER, list(headers))
    curl.setopt(pycurl.WRITEFUNCTION, take)
    curl.setopt(pycurl.HEADERFUNCTION, note_header)
    if method not in ("GET", "HEAD"):
        curl.setopt(pycurl.CUSTOMREQUEST, method)
    if body is not None:
        curl.setopt(pycurl.POSTFIELDS, body)
    if method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
    elif last_byte is not None:
        curl.setopt(pycurl.RANGE, f"0-{last_byte}")
    trouble: Reason | None = None
    phase = Phase.target
    try:
        curl.perform()
    except pycurl.error as error:
        code = int(error.args[0])
        trouble, phase = _trouble(code, connected=_connected(curl, place))
        if code == pycurl.E_WRITE_ERROR and len(got) >= BODY_CAP:
            trouble = None
    return Answer(
        status=curl.getinfo(pycurl.RESPONSE_CODE),
        headers=seen,
        body=bytes(got),
        trouble=trouble,
        phase=phase,
        connect_ms=curl.getinfo(pycurl.PRETRANSFER_TIME) * 1000 if _connected(curl, place) else 0.0,
        total_ms=curl.getinfo(pycurl.TOTAL_TIME) * 1000,
    )


def _connected(curl: pycurl.Curl, place: WebPlace) -> bool:
    """By the moment that TCP, or TLS, stood. (libcurl dates "pretransfer" for a refused connection as well.)"""
    return bool(curl.getinfo(pycurl.APPCONNECT_TIME if place.scheme == "https" else pycurl.CONNECT_TIME) > 0)


def _trouble(code: int, *, connected: bool) -> tuple[Reason, Phase]:
    phase = Phase.target if connected else Phase.connect
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return Reason.timeout, phase
    if code in _DNS:
        return Reason.dns, Phase.connect
    if code in _TLS:
        return Reason.tls, Phase.connect
    return Reason.unreachable, phase


def _handle() -> pycurl.Curl:
    """This thread's handle, with every option of an earlier use forgotten. Keeping it keeps curl's parsed CA store."""
    curl: pycurl.Curl | None = getattr(_thread, "curl", None)
    if curl is None:
        curl = _thread.curl = pycurl.Curl()
        _thread.verify = ssl.get_default_verify_paths()  # honours SSL_CERT_FILE and SSL_CERT_DIR
    curl.reset()
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.FOLLOWLOCATION, 0)
    curl.setopt(pycurl.PROXY, "")  # the empty string, and not the environment's
    curl.setopt(pycurl.NOPROXY, "*")
    curl.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
    curl.setopt(pycurl.FRESH_CONNECT, 1)
    curl.setopt(pycurl.FORBID_REUSE, 1)
    curl.setopt(pycurl.USERAGENT, "sevtracker")
    if _thread.verify.cafile:
        curl.setopt(pycurl.CAINFO, _thread.verify.cafile)
    if _thread.verify.capath:
        curl.setopt(pycurl.CAPATH, _thread.verify.capath)
    return curl


def forget_handle() -> None:
    """Close this thread's handle. The next fetch makes a new one, and reads the places of CA certificates again."""
    with contextlib.suppress(AttributeError):
        _thread.curl.close()
        del _thread.curl
