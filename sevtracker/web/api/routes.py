"""How an endpoint is declared: once, for the router, for permissions and for the OpenAPI document.

    routes = Routes("SEVs")

    @routes.post("/sevs", may=May.work_on_sevs, takes=FileSev, gives=SevLine, status=201)
    def file(call: Call[FileSev]) -> Answer: ...

A GET takes query parameters, the others a JSON body. Views are plain Flask views: the reading of a request is ours
(docs/adr/0010-own-openapi.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel
from werkzeug.routing import BaseConverter

from sevtracker.actions.enforce import May
from sevtracker.actions.runtime import Runtime
from sevtracker.config import Settings
from sevtracker.store.work import Person, Viewer, Work
from sevtracker.web import auth, idempotency
from sevtracker.web.api.reading import Nothing, body, query
from sevtracker.web.current import runtime
from sevtracker.web.errors import PROBLEM
from sevtracker.web.idempotency import Answer, Key
from sevtracker.web.permissions import allow

G = TypeVar("G", bound=BaseModel)
H = TypeVar("H", bound=Callable[..., Answer])


@dataclass(frozen=True, slots=True)
class Call(Generic[G]):
    """One request: what was given, by whom, with which key."""

    runtime: Runtime
    person: Person
    given: G
    key: Key | None

    @property
    def viewer(self) -> Viewer:
        return self.person.viewer

    @property
    def settings(self) -> Settings:
        return self.runtime.settings

    def once(self, act: Callable[[Work], Answer]) -> Answer:
        """Do ``act`` in a transaction, once a key."""
        return idempotency.once(self.runtime, self.person, self.key, act)


def answer(document: BaseModel, status: int = 200) -> Answer:
    """``document`` as JSON."""
    return Answer(status, document.model_dump_json(by_alias=True))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A declared endpoint. ``summary`` is the first line of the handler's docstring."""

    method: str
    path: str
    name: str
    summary: str
    tag: str
    may: May
    takes: type[BaseModel]
    gives: type[BaseModel]
    status: int
    location: str | None
    handle: Callable[..., Answer]


@dataclass(slots=True)
class Routes:
    """The endpoints of one file."""

    tag: str
    endpoints: list[Endpoint] = field(default_factory=list)

    def get(self, path: str, *, gives: type[BaseModel], takes: type[BaseModel] = Nothing) -> Callable[[H], H]:
        """Reading: everybody with a token may; what they see is their own matter."""
        return self._add("GET", path, may=May.read, takes=takes, gives=gives)

    def post(
        self,
        path: str,
        *,
        may: May,
        gives: type[BaseModel],
        takes: type[BaseModel] = Nothing,
        status: int = 200,
        location: str | None = None,
    ) -> Callable[[H], H]:
        """Doing. ``location``: where what was made is found, filled from the answer."""
        return self._add("POST", path, may=may, takes=takes, gives=gives, status=status, location=location)

    def patch(self, path: str, *, may: May, gives: type[BaseModel], takes: type[BaseModel]) -> Callable[[H], H]:
        """Changing some fields."""
        return self._add("PATCH", path, may=may, takes=takes, gives=gives)

    def delete(self, path: str, *, may: May, gives: type[BaseModel], takes: type[BaseModel]) -> Callable[[H], H]:
        """Doing away with something. What it takes comes as query parameters, or as a body, as clients differ in that
        (RFC 9110, section 9.3.5)."""
        return self._add("DELETE", path, may=may, takes=takes, gives=gives)

    def _add(
        self,
        method: str,
        path: str,
        *,
        may: May,
        takes: type[BaseModel],
        gives: type[BaseModel],
        status: int = 200,
        location: str | None = None,
    ) -> Callable[[H], H]:
        def add(handle: H) -> H:
            name = f"{handle.__module__.rsplit('.', 1)[-1]}_{handle.__name__}"
            summary = (handle.__doc__ or "").strip().split("\n")[0].rstrip(".")
            self.endpoints.append(
                Endpoint(method, path, name, summary, self.tag, may, takes, gives, status, location, handle)
            )
            return handle

        return add


def mount(blueprint: Blueprint, endpoint: Endpoint) -> None:
    """Give ``endpoint`` its place in Flask."""
    posts = endpoint.method == "POST"
    queried = endpoint.method == "GET"

    def view(**path: Any) -> Response:
        by_query = queried or (endpoint.method == "DELETE" and not request.get_data())
        given = (query if by_query else body)(endpoint.takes)
        header = request.headers.get(idempotency.HEADER) if posts else None
        key = idempotency.key_of(header, request.method, request.path, request.get_data())
        return _response(endpoint, endpoint.handle(Call(runtime(), auth.bearer(), given, key), **path))

    blueprint.add_url_rule(
        endpoint.path,
        endpoint.name,
        allow(endpoint.may)(view),
        methods=[endpoint.method],
        provide_automatic_options=False,
    )


def _response(endpoint: Endpoint, found: Answer) -> Response:
    made = Response(found.body, found.status, mimetype="application/json" if found.status < 400 else PROBLEM)
    if endpoint.location is not None and found.status == 201:
        document: Mapping[str, Any] = json.loads(found.body)
        made.headers["Location"] = endpoint.location.format_map(document)
    if found.replayed:
        made.headers[idempotency.REPLAYED] = "true"
    return made


# ---- parts of paths ----------------------------------------------------------------------------------------------


class NumberConverter(BaseConverter):
    """A number or id that a database can hold (of its ten-digit ones we shall see none). Others are no address.

    Nothing is refused after the expression matched: for that, Werkzeug answers 405 to methods that the address takes.
    """

    regex = r"[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        return int(value)


class SlugConverter(BaseConverter):
    """A slug."""

    regex = r"[a-z0-9][a-z0-9._-]{0,63}"
