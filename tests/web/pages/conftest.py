"""People at their browsers: Flask's client with a session and a CSRF token, as a page's form would send it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sevtracker.actions import people
from sevtracker.store.people import by_email
from tests.web.world import CAST, World

PASSWORD = "correct horse battery staple"


@dataclass
class Browser:
    """Somebody at a browser without JavaScript. Forms are sent with the token of the page that was opened last."""

    client: FlaskClient
    world: World
    token: str = ""

    def open(self, path: str, status: int = 200, **arguments: Any) -> str:
        """The text of a page."""
        answer = self.client.get(path, query_string=arguments or None)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.headers.get('Location')}"
        return self._read(answer)

    def send(self, path: str, status: int = 303, **fields: Any) -> str:
        """Send a form. A redirect is followed, so that what comes back is the page that is seen then."""
        answer = self.client.post(path, data={"csrf_token": self.csrf(), **fields})
        assert answer.status_code == status, f"{path}: {answer.status_code} {text_of(answer)[:2000]}"
        if status == 303:
            return self._read(self.client.get(answer.headers["Location"]))
        return self._read(answer)

    def goes_to(self, path: str, **fields: Any) -> str:
        """Where a sent form leads."""
        answer = self.client.post(path, data={"csrf_token": self.csrf(), **fields})
        assert answer.status_code == 303, f"{answer.status_code} {text_of(answer)[:2000]}"
        return answer.headers["Location"]

    def csrf(self) -> str:
        if not self.token:
            self.open("/sign-in" if self.client.get("/").status_code == 303 else "/account")
        return self.token

    def _read(self, answer: TestResponse) -> str:
        html = answer.get_data(as_text=True)
        if found := re.search(r'name="csrf_token" value="([^"]+)"', html):
            self.token = found[1]
        return html


def text_of(answer: TestResponse | str) -> str:
    """What a page says, without its markup."""
    html = answer if isinstance(answer, str) else answer.get_data(as_text=True)
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body))).strip()


@dataclass
class Cast:
    """The same people as the API's, each at a browser, signed in."""

    world: World
    dana: Browser
    erik: Browser
    vera: Browser
    otto: Browser
    ada: Browser
    nobody: Browser


@pytest.fixture
def cast(world: World) -> Cast:
    return Cast(world=world, nobody=Browser(world.app.test_client(), world), **{n: signed_in(world, n) for n in CAST})


def signed_in(world: World, name: str) -> Browser:
    """``name`` with a session, as signing in gives it, without the time that hashing a password takes."""
    with world.runtime.read() as session:
        person = by_email(session, f"{name}@example.org")
    assert person is not None
    client = world.app.test_client()
    with client.session_transaction() as session_:
        session_["_user_id"] = f"{person.id}:{person.session_epoch}"
        session_["_fresh"] = True
        session_["auth_time"] = world.runtime.clock.now().isoformat()
    return Browser(client, world)


def give_password(world: World, name: str, password: str = PASSWORD) -> None:
    """Let ``name`` sign in by password."""
    with world.runtime.work(None) as work:
        person = by_email(work.session, f"{name}@example.org")
        assert person is not None
        people._new_password(work, person, password)
