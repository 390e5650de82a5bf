"""A repeated POST has one effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.web.world import World

GIVEN = {"title": "Events readable", "level": "SEV3", "datasets": ["events"]}


def test_a_repeated_request_gets_the_same_answer_and_files_once(world: World) -> None:
    world.dataset()
    first = world.dana.ask("POST", "/sevs", GIVEN, key="k-1")
    again = world.dana.ask("POST", "/sevs", GIVEN, key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert first.headers["Location"] == again.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(world.dana.get("/sevs")["items"]) == 1


def test_a_key_is_somebodys_own(world: World) -> None:
    world.dataset()
    assert world.dana.post("/sevs", GIVEN, key="k")["number"] == 1
    assert world.erik.post("/sevs", GIVEN, key="k")["number"] == 2


def test_a_key_with_another_body_or_place_is_refused(world: World) -> None:
    world.dataset()
    number = world.dana.post("/sevs", GIVEN, key="k")["number"]
    for path, body in (("/sevs", {**GIVEN, "level": "SEV1"}), (f"/sevs/{number}/notes", {"text": "x"})):
        problem = world.dana.post(path, body, key="k", status=422)
        assert [e["field"] for e in problem["errors"]] == ["Idempotency-Key"]
    assert len(world.dana.get("/sevs")["items"]) == 1


def test_a_refusal_is_not_kept(world: World) -> None:
    world.dana.post("/sevs", GIVEN, key="k", status=422)
    world.dataset()
    world.dana.post("/sevs", GIVEN, key="k")


def test_a_refused_resolve_can_be_asked_again_with_its_key(world: World) -> None:
    world.dataset()
    number = world.sev()
    for _ in range(2):
        world.dana.post(f"/sevs/{number}/resolve", {"summary": "x"}, key="k", status=409)
    kinds = [i["kind"] for i in world.dana.get(f"/sevs/{number}/timeline?kind=gate:")["items"]]
    assert kinds == ["gate:refused", "gate:refused"]


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "a\tb", "ключ"])
def test_a_key_has_to_be_printable_ascii(world: World, key: str) -> None:
    world.dataset()
    answer = world.app.test_client().post(
        "/api/v1/sevs",
        json=GIVEN,
        headers={"Authorization": f"Bearer {world.dana.token}"},
        environ_overrides={"HTTP_IDEMPOTENCY_KEY": key.encode().decode("latin-1")},
    )
    assert answer.status_code == 422
    assert [e["field"] for e in answer.get_json()["errors"]] == ["Idempotency-Key"]


@pytest.mark.parametrize("path", ["/sevs", "/datasets", "/sevs/1/notes", "/sevs/1/patches"])
def test_the_same_request_eight_times_at_once_has_one_effect(world: World, path: str) -> None:
    world.dataset()
    world.sev()
    body = {
        "/sevs": GIVEN,
        "/datasets": {"slug": "new", "name": "New"},
        "/sevs/1/notes": {"text": "once"},
        "/sevs/1/patches": {"summary": "once"},
    }[path]

    def send(_: int) -> tuple[int, bytes]:
        client = world.app.test_client()
        headers = {"Authorization": f"Bearer {world.dana.token}", "Idempotency-Key": "same"}
        answer = client.post(f"/api/v1{path}", json=body, headers=headers)
        return answer.status_code, answer.data

    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(send, range(8)))
    assert [status for status, _ in answers] == [201]
    kinds = [i["kind"] for i in world.dana.get("/sevs/1/timeline")["items"]]
    assert kinds.count("note:added") <= 1
    assert kinds.count("patch:claimed") <= 1
    assert len(world.dana.get("/sevs")["items"]) == (2 if path == "/sevs" else 1)
