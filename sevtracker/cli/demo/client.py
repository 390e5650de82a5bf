"""The JSON API as a script uses it: standard library only."""

from __future__ import annotations

import http.client
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON of one answer."""

    status: int
    body: Any


class Refused(Exception):
    """An answer that was not expected. The text has the status and what the problem says."""

    def __init__(self, method: str, path: str, answer: Answer) -> None:
        self.answer = answer
        said = answer.body if isinstance(answer.body, dict) else {}
        errors = "; ".join(f"{e.get('field')}: {e.get('message')}" for e in said.get("errors", []))
        super().__init__(f"{method} {path}: {answer.status} {errors or said.get('detail') or said.get('title') or ''}")


class Api:
    """One base address and one token. A connection each time: the demo is no race."""

    def __init__(self, base: str, token: str, timeout: float = 60.0) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._token = token
        self._timeout = timeout

    def ask(self, method: str, path: str, body: object = None, key: str | None = None) -> Answer:
        """Any call under /api/v1. Raises OSError or HTTPException when no answer came."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if method != "GET":
            headers["Idempotency-Key"] = key or secrets.token_hex(16)
        payload = None
        if body is not None:
            payload, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            connection.request(method, f"/api/v1{path}", payload, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        return Answer(response.status, json.loads(text) if text else None)

    def get(self, path: str) -> Any:
        """The JSON of a GET that has to succeed. Raises Refused."""
        return self._must("GET", path, None)

    def post(self, path: str, body: object = None) -> Any:
        """The JSON of a POST that has to succeed. Raises Refused."""
        return self._must("POST", path, {} if body is None else body)

    def _must(self, method: str, path: str, body: object) -> Any:
        answer = self.ask(method, path, body)
        if not 200 <= answer.status < 300:
            raise Refused(method, path, answer)
        return answer.body
