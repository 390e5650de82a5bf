"""The app as gunicorn loads it, and behind a proxy."""

from __future__ import annotations

import pytest

from sevtracker.config import load_settings
from sevtracker.errors import ConfigError
from sevtracker.web.app import create_app, from_environment
from sevtracker.wiring import build
from tests.servers.store import Dialect, StoreDatabases
from tests.web.world import environment, upgraded


def test_gunicorn_gets_an_app_from_the_environment(
    store_databases: StoreDatabases, store_dialect: Dialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(store_databases.built(store_dialect, upgraded)).items():
        monkeypatch.setenv(name, value)
    app = from_environment()
    assert app.test_client().get("/readyz").status_code == 200
    app.extensions["sevtracker"].close()


def test_a_database_of_another_schema_is_refused_at_the_start(
    store_databases: StoreDatabases, store_dialect: Dialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(store_databases.empty(store_dialect)).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="sevtracker db upgrade"):
        from_environment()


def test_behind_a_trusted_proxy_cookies_are_secure_and_addresses_are_the_clients(
    store_databases: StoreDatabases, store_dialect: Dialect
) -> None:
    told = environment(
        store_databases.built(store_dialect, upgraded),
        SEVTRACKER_SERVER__TRUSTED_PROXIES="1",
        SEVTRACKER_SERVER__BASE_URL="https://sev.corp.example",
    )
    runtime = build(load_settings(told))
    client = create_app(runtime).test_client()
    headers = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "sev.corp.example"}
    page = client.get("/sign-in", headers=headers)
    assert client.get("/metrics", headers=headers).status_code == 403
    runtime.close()
    [cookie] = [c for c in page.headers.getlist("Set-Cookie") if c.startswith("__Host-sevtracker=")]
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert page.headers["Strict-Transport-Security"]
