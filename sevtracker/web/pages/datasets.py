"""Datasets: the list, one with its copies and who tries to get in, and the forms that register and change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import datasets as acts
from sevtracker.actions.enforce import May, may
from sevtracker.actions.inputs import ChangeDataset, NewCopy, NewDataset, parse
from sevtracker.config import Settings
from sevtracker.domain.exposure import worst
from sevtracker.domain.vocabulary import COPY_KINDS
from sevtracker.errors import InputError, NotFound
from sevtracker.store import checks, datasets, sevs
from sevtracker.store.session import Session
from sevtracker.store.tables import Copy, Dataset
from sevtracker.store.work import Viewer
from sevtracker.web import auth
from sevtracker.web.contexts import (
    EMPTY_FORM,
    CheckLine,
    CopyBlock,
    DatasetEdit,
    DatasetList,
    DatasetRow,
    DatasetShow,
    Form,
    Option,
    ProgrammeRef,
)
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms
from sevtracker.web.pages.blueprint import pages
from sevtracker.web.pages.names import check_line, paged, proofs_since, sev_refs, trail
from sevtracker.web.pages.showing import done, go, show
from sevtracker.web.permissions import allow

A_PAGE = 50
MOST_CHECKS, MOST_SEVS = 500, 25
CLASSIFICATIONS = ("public", "internal", "confidential", "personal data", "special-category personal data")


# ---- the list ----------------------------------------------------------------------------------------------------


@pages.get("/datasets")
@allow(May.read)
def dataset_list() -> Response:
    person, q, cursor = auth.person(), request.args.get("q", "").strip(), request.args.get("cursor")
    after = trail(cursor)
    with runtime().read() as session:
        found = datasets.listing(session, limit=A_PAGE + 1, after=after[-1] if after else None, text=q)
        shown, around = paged(found, A_PAGE, cursor, [found[A_PAGE - 1].slug] if len(found) > A_PAGE else [])
        page = DatasetList(rows(session, person.viewer, shown), q, around, may(person.role, May.keep_datasets))
    return show(page)


def rows(session: Session, viewer: Viewer, found: Sequence[datasets.Line]) -> tuple[DatasetRow, ...]:
    """Datasets as lists show them, with the SEVs on them that ``viewer`` may know of. Two statements."""
    ids = [line.id for line in found]
    opened = sevs.open_on(session, viewer, ids)
    uncovered = datasets.uncovered(session, ids)
    return tuple(
        DatasetRow(
            slug=line.slug,
            name=line.name,
            owner=line.owner,
            programme=line.programme or "",
            copies=line.copies,
            checks=line.checks,
            open_sevs=len(opened.get(line.id, [])),
            exposure=worst(opened[line.id]) if line.id in opened else None,
            uncovered=uncovered.get(line.id, 0) if line.checks else 0,
        )
        for line in found
    )


# ---- one dataset -------------------------------------------------------------------------------------------------


@pages.get("/datasets/<slug>")
@allow(May.read)
def dataset_show(slug: str) -> Response:
    return show(page(slug))


def page(slug: str, copy_form: Form = EMPTY_FORM, copy_forms: Mapping[str, Form] | None = None) -> DatasetShow:
    """The page of a dataset. ``copy_form``: of another copy; ``copy_forms``: of each, by its slug. Raises NotFound."""
    person, settings = auth.person(), runtime().settings
    with runtime().read() as session:
        dataset = _found(session, slug)
        lines = checks.listing(session, limit=MOST_CHECKS, dataset=slug)
        since = proofs_since(settings, runtime().clock.now())
        proven = checks.proven(session, [line.id for line in lines], since)
        every = datasets.copies_of(session, [dataset.id or 0], retired=True)
        copies = _copies(every, settings, lines, proven, copy_forms or {})
        programmes = datasets.programmes_of(session, [dataset.id or 0]) if dataset.programme_id else []
        filed = sev_refs(sevs.of_dataset(session, person.viewer, slug, limit=MOST_SEVS))
    return DatasetShow(
        slug=slug,
        name=dataset.name,
        owner=dataset.owner,
        programme=next((ProgrammeRef(p.slug, p.name, p.state != "running") for p in programmes), None),
        classification=dataset.classification,
        description=dataset.description,
        disclosed_fields=tuple(dataset.disclosed_fields or ()),
        copies=copies,
        sevs=filed,
        may_edit=may(person.role, May.keep_datasets),
        copy_kinds=COPY_KINDS,
        copy_form=copy_form,
        retired=tuple((copy.slug, copy.retired_at) for copy in every if copy.retired_at is not None),
    )


def _found(session: Session, slug: str) -> Dataset:
    dataset = datasets.by_slug(session, slug)
    if dataset is None:
        raise NotFound(f"There is no dataset {slug!r}.")
    return dataset


def _copies(
    every: Sequence[Copy],
    settings: Settings,
    lines: Sequence[checks.Line],
    proven: set[int],
    forms_: Mapping[str, Form],
) -> tuple[CopyBlock, ...]:
    here: dict[str, list[CheckLine]] = {}
    for line in lines:
        here.setdefault(line.copy, []).append(check_line(line, settings, line.id in proven))
    return tuple(
        CopyBlock(
            copy.slug,
            copy.kind,
            copy.location,
            tuple(here.get(copy.slug, ())),
            forms_.get(copy.slug) or Form({"kind": copy.kind, "location": copy.location}),
        )
        for copy in every
        if copy.retired_at is None
    )


@pages.post("/datasets/<slug>/copies")
@allow(May.keep_datasets)
def copy_add(slug: str) -> AnyResponse:
    raw = {name: forms.text(name) for name in ("slug", "kind", "location")}
    try:
        given = parse(NewCopy, raw)
        with runtime().work(auth.person()) as work:
            acts.add_copy(work, runtime().settings, runtime().probes, slug, given)
    except InputError as error:
        return show(page(slug, forms.refused(error, forms.typed())), 422)
    done(f"The copy {given.slug} is registered. Nothing looks at it until you point a check there.")
    return go("pages.dataset_show", slug=slug)


# ---- registering and changing ------------------------------------------------------------------------------------


@pages.get("/datasets/new")
@allow(May.keep_datasets)
def dataset_new() -> Response:
    return show(_form(None, "", forms.prefilled()))


@pages.post("/datasets")
@allow(May.keep_datasets)
def dataset_add() -> AnyResponse:
    try:
        given = parse(NewDataset, {"slug": forms.text("slug"), **_typed()})
        with runtime().work(auth.person()) as work:
            acts.register(work, given)
    except InputError as error:
        return show(_form(None, "", forms.refused(error, forms.typed())), 422)
    done(f"{given.name} is registered. Point a check at it, so that it can be seen closed.")
    return go("pages.dataset_show", slug=given.slug)


@pages.get("/datasets/<slug>/edit")
@allow(May.keep_datasets)
def dataset_edit(slug: str) -> Response:
    with runtime().read() as session:
        dataset = _found(session, slug)
        programmes = datasets.programme_slugs(session, [dataset.id or 0])
    values = {
        "name": dataset.name,
        "owner": dataset.owner,
        "programme": programmes[0] if programmes else "",
        "classification": dataset.classification,
        "description": dataset.description,
        "disclosed_fields": "\n".join(dataset.disclosed_fields or ()),
    }
    return show(_form(slug, dataset.name, Form(values)))


@pages.post("/datasets/<slug>/edit")
@allow(May.keep_datasets)
def dataset_save(slug: str) -> AnyResponse:
    with runtime().read() as session:
        name = _found(session, slug).name
    try:
        given = parse(ChangeDataset, _typed())
        with runtime().work(auth.person()) as work:
            acts.change(work, slug, given)
    except InputError as error:
        return show(_form(slug, name, forms.refused(error, forms.typed())), 422)
    done("Saved.")
    return go("pages.dataset_show", slug=slug)


def _typed() -> Mapping[str, Any]:
    raw: dict[str, Any] = {
        name: forms.text(name) for name in ("name", "owner", "programme", "classification", "description")
    }
    return raw | {"disclosed_fields": forms.lines("disclosed_fields") or None}


def _form(slug: str | None, name: str, form: Form) -> DatasetEdit:
    with runtime().read() as session:
        programmes = tuple(Option(p.slug, p.name) for p in datasets.programmes(session))
    return DatasetEdit(slug, name, form, programmes, CLASSIFICATIONS)
