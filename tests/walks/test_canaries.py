"""Nothing that a target holds or says, and no secret, is kept anywhere: canaries are searched for in everything."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.walks.conftest import Incident, Live
from tests.walks.living import eventually, sev_when
from tests.walks.test_story import filed, registered

pytestmark = pytest.mark.slow

BODY = "canary-body-5b1f"
TOKEN = "canary-token-77aa"
CONTROL = "canary-control-19cc"
SPOKEN = "canary-header-00ef"


class _Page(BaseHTTPRequestHandler):
    """Open to the employee's token and to the control; says canaries in body and headers, whatever it answers."""

    status = 200

    def do_GET(self) -> None:
        body = f"<p>marker-of-the-page {BODY}</p>".encode()
        self.send_response(200 if CONTROL in (self.headers.get("Authorization") or "") else type(self).status)
        self.send_header("X-Backend", SPOKEN)
        self.send_header("Location", f"https://elsewhere.example/{SPOKEN}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def page() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def _web(host: str, path: str) -> str:
    """What an anonymous visitor is shown."""
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", path)
    text = connection.getresponse().read().decode(errors="replace")
    connection.close()
    return text


def test_no_canary_is_kept_anywhere(live: Live, incident: Incident, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    place = f"127.0.0.1:{page}"
    config = incident.config.replace("allow = [", f'allow = ["{place}", ', 1)
    config += "".join(
        f'\n[identities.web-{name}]\nclass = "{word}"\ntoken = "env:{name.upper()}_TOKEN"\nhosts = ["{place}"]'
        for name, word in (("staff", "staff"), ("control", "control"))
    )
    environment = {**incident.environment, "STAFF_TOKEN": TOKEN, "CONTROL_TOKEN": CONTROL}
    tracker = live(config, environment)
    tracker.start()
    api = tracker.person()
    ids = registered(api, incident)
    params = {"url": f"http://{place}/events", "marker": "marker-of-the-page"}
    web = {"dataset": "mci-events", "kind": "http", "identity": "web-staff", "control": "web-control", "params": params}
    ids.append(api.post("/checks", web)["id"])
    number = filed(api)
    sev_when(api, number, lambda s: {v["verdict"] for v in s["vantages"]} == {"open"})
    for status in (403, 302, 500, 429):
        monkeypatch.setattr(_Page, "status", status)
        before = api.get(f"/checks/{ids[-1]}/runs")["items"][0]["id"]
        api.post(f"/checks/{ids[-1]}/run")
        eventually(lambda before=before: api.get(f"/checks/{ids[-1]}/runs")["items"][0]["id"] > before)  # type: ignore[misc]  # bound now
    incident.run("REVOKE SELECT ON tracking.events FROM PUBLIC")
    incident.run(f"ALTER ROLE {incident.ex_session} PASSWORD 'another'")  # its probe's sign-in fails from now on
    api.post(f"/sevs/{number}/patches", {"summary": "Revoked"})
    sev_when(api, number, lambda s: {v["reason"] for v in s["vantages"]} >= {"auth_failed"})
    api.ask("POST", f"/sevs/{number}/resolve", {"summary": "now?"})
    shown = [str(api.get(path)) for path in _paths(number, ids)]
    shown += [
        _web(place_of(tracker.url), path) for path in ("/", "/sign-in", f"/sevs/{number}", "/healthz", "/nowhere")
    ]
    assert tracker.stop() == 0
    canaries = [*incident.passwords.values(), "canary-row-value", BODY, TOKEN, CONTROL, SPOKEN]
    kept = {str(path): path.read_bytes() for path in tracker.folder.rglob("*") if path.is_file()}
    kept.pop(str(tracker.file))
    kept["what it printed"] = tracker.printed().encode()
    kept["what it answered"] = "\n".join(shown).encode()
    found = [(name, canary) for name, content in kept.items() for canary in canaries if canary.encode() in content]
    assert found == []
    assert any(re.search(r"sevtracker\.db$", name) for name in kept)


def _paths(number: int, ids: list[int]) -> list[str]:
    paths = [
        "/sevs",
        f"/sevs/{number}",
        f"/sevs/{number}/timeline?limit=200",
        "/datasets",
        "/datasets/mci-events",
        "/checks",
    ]
    return paths + [f"/checks/{i}" for i in ids] + [f"/checks/{i}/runs" for i in ids]


def place_of(url: str) -> str:
    return url.removeprefix("http://")


def test_the_search_would_find_one(live: Live) -> None:
    """The test above can fail: a title with a canary in it is in the database file or its WAL."""
    tracker = live()
    tracker.start()
    api = tracker.person()
    api.post("/datasets", {"slug": "d", "name": BODY})
    tracker.kill()
    files = [path.read_bytes() for path in (tracker.folder / "var").glob("sevtracker.db*")]
    assert any(BODY.encode() in content for content in files)
