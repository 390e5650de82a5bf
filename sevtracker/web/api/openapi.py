"""The OpenAPI 3.1 document, made from the same declarations that serve the requests."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from sevtracker import __version__
from sevtracker.web import idempotency
from sevtracker.web.api.models import Problem
from sevtracker.web.api.routes import Endpoint

_REF = "#/components/schemas/{model}"
_PART = re.compile(r"<(\w+):(\w+)>")
_PARTS: dict[str, dict[str, Any]] = {
    "number": {"type": "integer", "minimum": 1, "maximum": 10**9 - 1},
    "slug": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"},
}
_PROBLEMS = {
    "400": "The body is not valid JSON.",
    "401": "No valid token came with the request.",
    "403": "The token's owner may not do this. A refused change of a check names the proposal that it waits as.",
    "404": "There is no such thing, or none that you may know of.",
    "409": "The thing's state does not allow it. A refused resolution names its blockers.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "What was sent is not valid; errors names every field.",
}
_Mode = Literal["validation", "serialization"]


def written(endpoints: Sequence[Endpoint], prefix: str) -> str:
    """The document, as JSON text."""
    return json.dumps(document(endpoints, prefix))


def document(endpoints: Sequence[Endpoint], prefix: str) -> dict[str, Any]:
    """The document."""
    takes = {e.takes for e in endpoints}
    gives = {e.gives for e in endpoints} | {Problem}
    wanted: list[tuple[type[BaseModel], _Mode]] = [
        *((m, "validation") for m in sorted(takes, key=_by_name)),
        *((m, "serialization") for m in sorted(gives, key=_by_name)),
    ]
    schemas, rest = models_json_schema(wanted, ref_template=_REF)
    paths: dict[str, Any] = {}
    for e in endpoints:
        path = prefix + _PART.sub(r"{\2}", e.path)
        paths.setdefault(path, {})[e.method.lower()] = _operation(e, schemas, rest["$defs"])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sevtracker",
            "version": __version__,
            "description": "File SEVs, log patches, and ask whether the door was seen closed.",
        },
        "security": [{"token": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(e.tag for e in endpoints)],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": rest["$defs"],
        },
    }


def _by_name(model: type[BaseModel]) -> str:
    return f"{model.__module__}.{model.__name__}"


def _operation(e: Endpoint, schemas: Any, defined: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": e.name,
        "summary": e.summary,
        "tags": [e.tag],
        "parameters": [_path_part(kind, name) for kind, name in _PART.findall(e.path)],
        "responses": _responses(e, schemas),
    }
    taken = schemas[e.takes, "validation"]
    if e.method in ("GET", "DELETE"):
        told["parameters"] += _query(defined[taken["$ref"].rsplit("/", 1)[-1]])
    elif e.takes.model_fields:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": taken}}}
    if e.method == "POST":
        told["parameters"].append(_KEY)
    return told


_KEY = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "Repeat a request with the same key: it has one effect, and the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.MAX_LENGTH, "pattern": "^[!-~]+$"},
}


def _path_part(kind: str, name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _PARTS[kind]}


def _query(model: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of a model as query parameters."""
    found = []
    for name, schema in model.get("properties", {}).items():
        told = {k: v for k, v in schema.items() if k not in ("title", "description")}
        options = [o for o in told.get("anyOf", []) if o.get("type") != "null"]
        if len(options) == 1:
            told = options[0]
        parameter = {"name": name, "in": "query", "required": False, "schema": told}
        if "description" in schema:
            parameter["description"] = schema["description"]
        found.append(parameter)
    return found


def _responses(e: Endpoint, schemas: Any) -> dict[str, Any]:
    good: dict[str, Any] = {
        "description": e.summary,
        "content": {"application/json": {"schema": schemas[e.gives, "serialization"]}},
    }
    if e.location:
        good["headers"] = {"Location": {"description": "Where it is found.", "schema": {"type": "string"}}}
    codes = ["401", "403", "404", "422"]
    if e.method != "GET":
        codes += ["400", "409", "413", "415"]
    problem = {"application/problem+json": {"schema": schemas[Problem, "serialization"]}}
    bad = {code: {"description": _PROBLEMS[code], "content": problem} for code in sorted(codes)}
    return {str(e.status): good, **bad}
