"""Doing what a form of a SEV's page asks for, and showing what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions.enforce import Denied
from sevtracker.actions.inputs import parse
from sevtracker.errors import Conflict, InputError, NotPermitted
from sevtracker.store.work import Work
from sevtracker.web import auth
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms, sev_page
from sevtracker.web.pages.showing import done, go

M = TypeVar("M", bound=BaseModel)


def on_sev(
    number: int,
    form: str,
    model: type[M],
    raw: Mapping[str, Any] | Callable[[Work], Mapping[str, Any]],
    act: Callable[[Work, M], str | Denied],
    *,
    fields: Mapping[str, str] | None = None,
    anchor: str | None = None,
) -> AnyResponse:
    """Do ``act`` with what ``form`` sent (``raw``, read as ``model``), then show the SEV and what came of it.

    What was typed wrongly, or cannot be done now, shows the page again: 422 or 409, with that form as it was typed. So
    does what was refused on the record, which is committed first: 403.
    """
    try:
        with runtime().work(auth.person()) as work:
            given = parse(model, raw(work) if callable(raw) else raw)
            said = act(work, given)
    except (InputError, Conflict) as error:
        shown = forms.refused(error, forms.typed(many=("datasets",)), fields)
        return sev_page.shown(number, {form: shown}, forms.status_of(error))
    if isinstance(said, Denied):
        denied = NotPermitted(said.why)
        return sev_page.shown(number, {form: forms.refused(denied, forms.typed())}, forms.status_of(denied))
    done(said)
    return go("pages.sev_show", number=number, _anchor=anchor)
