"""The two forms of a copy on its dataset's page: say better where it lies, retire it."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import copies as acts
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import ChangeCopy, WithReason, parse
from sevtracker.errors import Conflict, InputError
from sevtracker.web import auth
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms
from sevtracker.web.pages.blueprint import pages
from sevtracker.web.pages.datasets import page
from sevtracker.web.pages.showing import done, go, show
from sevtracker.web.permissions import allow


@pages.post("/datasets/<slug>/copies/<copy>/edit")
@allow(May.keep_datasets)
def copy_save(slug: str, copy: str) -> AnyResponse:
    try:
        given = parse(ChangeCopy, {"kind": forms.text("kind"), "location": forms.text("location")})
        with runtime().work(auth.person()) as work:
            acts.change(work, runtime().settings, runtime().probes, slug, copy, given)
    except (InputError, Conflict) as error:
        return _again(slug, copy, error)
    done(f"The copy {copy} is changed. Its checks look where they looked before.")
    return go("pages.dataset_show", slug=slug)


@pages.post("/datasets/<slug>/copies/<copy>/retire")
@allow(May.keep_datasets)
def copy_retire(slug: str, copy: str) -> AnyResponse:
    try:
        given = parse(WithReason, {"reason": forms.text("reason")})
        with runtime().work(auth.person()) as work:
            acts.retire(work, slug, copy, given)
    except (InputError, Conflict) as error:
        return _again(slug, copy, error)
    done(f"The copy {copy} is retired. No SEV from now on asks for it.")
    return go("pages.dataset_show", slug=slug)


def _again(slug: str, copy: str, error: InputError | Conflict) -> AnyResponse:
    typed = forms.refused(error, forms.typed())
    return show(page(slug, copy_forms={copy: typed}), forms.status_of(error))
