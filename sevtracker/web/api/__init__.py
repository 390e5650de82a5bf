"""The JSON API under /api/v1. Bearer tokens only: a cookie never authenticates here, so no form can be forged."""

from __future__ import annotations

from functools import cache

from flask import Blueprint, Flask, Response

from sevtracker.web.api import acts, checks, datasets, exceptions, me, openapi, sevs, suggestions
from sevtracker.web.api.routes import Endpoint, NumberConverter, SlugConverter, mount
from sevtracker.web.permissions import public

PREFIX = "/api/v1"


def endpoints() -> list[Endpoint]:
    """Every endpoint, in the order of the document."""
    rooms = (sevs, acts, exceptions, datasets, checks, suggestions, me)
    return [e for room in rooms for e in room.routes.endpoints]


def register(app: Flask) -> None:
    """Give ``app`` the API."""
    app.url_map.converters.update(number=NumberConverter, slug=SlugConverter)
    blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
    for endpoint in endpoints():
        mount(blueprint, endpoint)
    blueprint.add_url_rule("/openapi.json", "openapi", _document, methods=["GET"], provide_automatic_options=False)
    app.register_blueprint(blueprint)


@public("tells what can be asked, and nothing of what there is")
def _document() -> Response:
    return Response(_written(), mimetype="application/json")


@cache
def _written() -> str:
    return openapi.written(endpoints(), PREFIX)
