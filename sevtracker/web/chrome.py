"""What surrounds every page: who is signed in, the theme, what just happened."""

from __future__ import annotations

from typing import Literal, cast

from flask import get_flashed_messages, request

from sevtracker import __version__
from sevtracker.web import auth
from sevtracker.web.contexts import Chrome, Flash, Viewer
from sevtracker.web.current import runtime
from sevtracker.web.rendering import theme_of

THEME_COOKIE = "theme"


def chrome(q: str = "") -> Chrome:
    """The chrome of this request's page. ``q`` fills the search box."""
    account = auth.account()
    path = request.full_path if request.query_string else request.path
    flashed = cast(list[tuple[str, str]], get_flashed_messages(with_categories=True))
    return Chrome(
        now=runtime().clock.now(),
        viewer=Viewer(account.person.id, account.row.name, account.row.email, account.row.role) if account else None,
        theme=theme_of(request.cookies.get(THEME_COOKIE)),
        path=path if request.method == "GET" else "/",
        q=q,
        flashes=tuple(Flash(_tone(tone), text) for tone, text in flashed),
        version=__version__,
    )


def _tone(category: str) -> Literal["done", "problem"]:
    return "problem" if category == "problem" else "done"
