"""Whatever is sent: an answer that says what is wrong with it, never a 500."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.web.world import World


def _post(world: World, data: bytes, content_type: str | None = "application/json") -> tuple[int, dict[str, object]]:
    headers = {"Authorization": f"Bearer {world.dana.token}"}
    answer = world.app.test_client().post("/api/v1/sevs", data=data, content_type=content_type, headers=headers)
    assert answer.mimetype == "application/problem+json"
    found: dict[str, object] = answer.get_json()
    assert set(found) >= {"type", "title", "status", "detail"}
    assert found["status"] == answer.status_code
    return answer.status_code, found


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"\xff\xfe", 400),
        (b'{"title": NaN}', 400),
        (b'{"duplicate_of": ' + b"9" * 10_000 + b"}", 400),
        (b'{"datasets": ' + b"[" * 40 + b"]" * 40 + b"}", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b'{"title": "\\ud800", "level": "SEV3", "datasets": ["x"]}', 422),
        (b'{"title": "a\\u0000b", "level": "SEV3", "datasets": ["x"]}', 422),
        (b'{"title": 7, "level": [], "datasets": {}}', 422),
        (json.dumps({"title": "[" * 200, "level": "SEV3", "datasets": ["nope"]}).encode(), 422),
    ],
)
def test_a_body_that_cannot_be_is_refused_in_words(world: World, data: bytes, status: int) -> None:
    assert _post(world, data)[0] == status


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_only_json_is_taken(world: World, content_type: str | None) -> None:
    assert _post(world, b"title=x", content_type)[0] == 415


def test_a_body_over_the_cap_is_refused(world: World) -> None:
    assert _post(world, b"x" * (world.runtime.settings.server.max_body + 1))[0] == 413


def test_a_body_over_the_cap_is_refused_without_a_length_too(world: World) -> None:
    size = world.runtime.settings.server.max_body + 1
    environ: dict[str, Any] = EnvironBuilder(
        "/api/v1/sevs",
        method="POST",
        content_type="application/json",
        headers=Headers({"Authorization": f"Bearer {world.dana.token}"}),
    ).get_environ()
    environ.pop("CONTENT_LENGTH", None)
    environ["wsgi.input"] = BytesIO(b'{"title": "' + b"x" * size + b'"}')
    environ["wsgi.input_terminated"] = True
    assert run_wsgi_app(world.app, environ)[1].startswith("413")


def test_numbers_that_no_database_holds_are_no_addresses(world: World) -> None:
    for number in ("0", "-1", "2147483648", "9" * 40, "1.5", "١"):
        world.dana.get(f"/sevs/{number}", status=404)
        world.dana.get(f"/checks/{number}", status=404)
    for slug in ("%00", "UPPER", "a b", "x" * 65):
        world.dana.get(f"/datasets/{slug}", status=404)


def test_a_method_that_is_not_taken_says_which_are(world: World) -> None:
    answer = world.dana.ask("DELETE", "/sevs/1")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "PATCH"}
    assert answer.mimetype == "application/problem+json"


def test_what_nobody_foresaw_is_a_500_without_internals(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("sevtracker.store.people.by_id", fails)
    answer = world.dana.ask("GET", "/me")
    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert "hunter2" not in answer.get_data(as_text=True)
    assert "RuntimeError" in caplog.text
    assert answer.headers["X-Request-Id"] in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("number", [2**31, 10**12])
def test_a_number_that_no_database_holds_is_no_address_whatever_the_method(world: World, number: int) -> None:
    for method, path in (("GET", f"/checks/{number}"), ("PATCH", f"/checks/{number}"), ("PATCH", f"/sevs/{number}")):
        assert world.dana.ask(method, path, {} if method == "PATCH" else None).status_code == 404
