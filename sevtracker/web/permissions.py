"""Who may use a route: declared beside the view, enforced in one place before any view runs.

``@allow(May.x)`` for people who may do x, ``@public("why")`` for anybody. A view that declares nothing is refused,
and a house test fails for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import current_app, request

from sevtracker.actions.enforce import May, require
from sevtracker.errors import NotPermitted
from sevtracker.web import auth

V = TypeVar("V", bound=Callable[..., Any])

_MARK = "__who_may__"


@dataclass(frozen=True, slots=True)
class Public:
    """Anybody may, signed in or not, for this reason."""

    why: str


Declaration = May | Public


def allow(what: May) -> Callable[[V], V]:
    """Declare that whoever may do ``what`` may use this route."""
    return _declare(what)


def public(why: str) -> Callable[[V], V]:
    """Declare that anybody may use this route; say why that is all right."""
    return _declare(Public(why))


def _declare(what: Declaration) -> Callable[[V], V]:
    def mark(view: V) -> V:
        setattr(view, _MARK, what)
        return view

    return mark


def declared(view: Callable[..., Any]) -> Declaration | None:
    """What ``view`` declares; None: nothing, so nobody may."""
    found: Declaration | None = getattr(view, _MARK, None)
    return found


def enforce() -> None:
    """Before every request. Raises NotSignedIn, NotPermitted. An address that does not exist is left to the router."""
    if request.endpoint is None:
        return
    what = declared(current_app.view_functions[request.endpoint])
    if isinstance(what, Public):
        return
    if what is None:
        raise NotPermitted("This address declares nobody who may use it.")
    require(auth.person(), what)
