"""For those who run it."""

from __future__ import annotations

import pytest

from sevtracker.config import load_settings
from sevtracker.web.app import create_app
from sevtracker.wiring import build
from tests.servers.postgres import PostgresServer
from tests.servers.store import Dialect, StoreDatabases
from tests.web.world import World, environment, upgraded

FAR = {"REMOTE_ADDR": "10.1.2.3"}


def test_up_and_ready(world: World) -> None:
    client = world.app.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_not_ready_without_a_schema(store_databases: StoreDatabases, store_dialect: Dialect) -> None:
    runtime = build(load_settings(environment(store_databases.empty(store_dialect))))
    answer = create_app(runtime).test_client().get("/readyz")
    runtime.close()
    assert (answer.status_code, answer.data) == (503, b"the schema is not current\n")


def test_figures_are_for_this_machine_and_for_tokens(world: World) -> None:
    client = world.app.test_client()
    assert "sevtracker_requests_total" in client.get("/metrics").get_data(as_text=True)
    assert client.get("/metrics", environ_overrides=FAR).status_code == 403
    headers = {"Authorization": f"Bearer {world.dana.token}"}
    assert client.get("/metrics", environ_overrides=FAR, headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_a_proxy_on_this_machine_is_not_this_machine(world: World, header: str) -> None:
    assert world.app.test_client().get("/metrics", headers={header: "10.1.2.3"}).status_code == 403


def test_a_database_that_is_away_is_told_as_such_and_comes_back(private_postgres: PostgresServer) -> None:
    url = private_postgres.create_database()
    upgraded(url)
    runtime = build(load_settings(environment(url)))
    client = create_app(runtime).test_client()
    ask = {"Authorization": "Bearer sev_nobody"}
    private_postgres.stop()
    away = client.get("/api/v1/me", headers=ask)
    private_postgres.start()
    back = client.get("/api/v1/me", headers=ask)
    runtime.close()
    assert (away.status_code, away.headers["Retry-After"], back.status_code) == (503, "5", 401)
    assert "127.0.0.1" not in away.get_data(as_text=True)
