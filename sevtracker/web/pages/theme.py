"""Light, dark, or as the system has it: kept in a cookie, so that it works for everybody and without JavaScript."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from sevtracker.web.chrome import THEME_COOKIE
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms
from sevtracker.web.pages.blueprint import pages
from sevtracker.web.pages.showing import off_to
from sevtracker.web.permissions import public
from sevtracker.web.rendering import theme_of
from sevtracker.web.security import safe_next

YEAR_S = 365 * 24 * 3600


@pages.post("/theme")
@public("a matter of taste, kept in the browser")
def theme() -> AnyResponse:
    answer = off_to(safe_next(forms.text("next")))
    answer.set_cookie(
        THEME_COOKIE,
        theme_of(forms.text("theme")),
        max_age=YEAR_S,
        httponly=True,
        samesite="Lax",
        secure=runtime().settings.server.cookies_are_secure,
    )
    return answer
