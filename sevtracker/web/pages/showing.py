"""From a context to an answer, and from a POST to the page that shows what came of it."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.web.chrome import chrome
from sevtracker.web.contexts import PageContext
from sevtracker.web.rendering import render

UNCHANGED = 204


def show(page: PageContext, status: int = 200, q: str = "") -> Response:
    """``page`` as an answer. ``q`` fills the search box."""
    return Response(render(page, chrome(q)), status, mimetype="text/html")


def done(text: str) -> None:
    """Say on the next page what was done."""
    flash(text, "done")


def go(endpoint: str, **arguments: Any) -> AnyResponse:
    """Off to another page, by GET."""
    return redirect(url_for(endpoint, **arguments), 303)


def off_to(path: str) -> AnyResponse:
    """Off to a path of ours (``safe_next`` made sure), by GET."""
    return redirect(path, 303)


def unchanged() -> Response:
    """Nothing new since the token that the page holds."""
    return Response(status=UNCHANGED)


def since() -> str:
    """The token of what the page shows already."""
    return request.args.get("since", "")
