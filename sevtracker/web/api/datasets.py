"""Datasets and their copies."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sevtracker.actions import copies
from sevtracker.actions import datasets as acts
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import ChangeCopy, Line, NewCopy, NewDataset, WithReason
from sevtracker.errors import NotFound
from sevtracker.store import checks, datasets, sevs
from sevtracker.store.session import Session
from sevtracker.store.work import Viewer, Work
from sevtracker.web.api import models, reading, views
from sevtracker.web.api.reading import Nothing, Paging
from sevtracker.web.api.routes import Call, Routes, answer
from sevtracker.web.idempotency import Answer

routes = Routes("Datasets")

NEWEST = 25
MAX_CHECKS = 500


class Find(Paging):
    """What to find, by words in slug and name."""

    q: Annotated[Line, Field(max_length=200)] = ""


@routes.post(
    "/datasets",
    may=May.keep_datasets,
    takes=NewDataset,
    gives=models.Dataset,
    status=201,
    location="/api/v1/datasets/{slug}",
)
def register(call: Call[NewDataset]) -> Answer:
    """Register a dataset with its copies. A programme that it names is created in place."""

    def act(work: Work) -> Answer:
        acts.register(work, call.given)
        work.session.flush()
        return answer(_dataset(work.session, call.viewer, call.given.slug), 201)

    return call.once(act)


@routes.get("/datasets", takes=Find, gives=models.DatasetPage)
def find(call: Call[Find]) -> Answer:
    """Find datasets, by slug."""
    asked = call.given
    with call.runtime.read() as session:
        found = datasets.listing(
            session, limit=asked.limit + 1, after=reading.place("datasets", asked.cursor), text=asked.q
        )
    shown = found[: asked.limit]
    going_on = shown[-1].slug if len(found) > len(shown) else None
    return answer(
        models.DatasetPage(items=[views.dataset_line(one) for one in shown], next=reading.cursor("datasets", going_on))
    )


@routes.get("/datasets/<slug:slug>", gives=models.Dataset)
def show(call: Call[Nothing], slug: str) -> Answer:
    """A dataset with its copies, checks, and newest SEVs."""
    with call.runtime.read() as session:
        return answer(_dataset(session, call.viewer, slug))


@routes.post("/datasets/<slug:slug>/copies", may=May.keep_datasets, takes=NewCopy, gives=models.Dataset, status=201)
def add_copy(call: Call[NewCopy], slug: str) -> Answer:
    """Register another copy. SEVs of the dataset are uncovered there until a check looks at it."""

    def act(work: Work) -> Answer:
        acts.add_copy(work, call.settings, call.runtime.probes, slug, call.given)
        work.session.flush()
        return answer(_dataset(work.session, call.viewer, slug), 201)

    return call.once(act)


@routes.patch("/datasets/<slug:slug>/copies/<slug:copy>", may=May.keep_datasets, takes=ChangeCopy, gives=models.Dataset)
def change_copy(call: Call[ChangeCopy], slug: str, copy: str) -> Answer:
    """Change what is said of a copy; what is left out stays. No check is changed by it."""
    with call.runtime.work(call.person) as work:
        copies.change(work, call.settings, call.runtime.probes, slug, copy, call.given)
        work.session.flush()
        return answer(_dataset(work.session, call.viewer, slug))


@routes.delete(
    "/datasets/<slug:slug>/copies/<slug:copy>", may=May.keep_datasets, takes=WithReason, gives=models.Dataset
)
def retire_copy(call: Call[WithReason], slug: str, copy: str) -> Answer:
    """Say that a copy is gone. Refused while a check looks at it, or a SEV of the dataset is not over."""
    with call.runtime.work(call.person) as work:
        copies.retire(work, slug, copy, call.given)
        work.session.flush()
        return answer(_dataset(work.session, call.viewer, slug))


def _dataset(session: Session, viewer: Viewer, slug: str) -> models.Dataset:
    row = datasets.by_slug(session, slug)
    if row is None:
        raise NotFound(f"There is no dataset {slug}.")
    every = datasets.copies_of(session, [row.id or 0], retired=True)
    looking = checks.listing(session, limit=MAX_CHECKS, dataset=slug)
    return models.Dataset(
        slug=row.slug,
        name=row.name,
        owner=row.owner,
        programme=next(iter(datasets.programme_slugs(session, [row.id or 0])), None),
        classification=row.classification,
        description=row.description,
        copy_count=sum(c.retired_at is None for c in every),
        check_count=sum(c.enabled for c in looking),
        open_check_count=sum(c.decisive == "open" for c in looking),
        disclosed_fields=row.disclosed_fields,
        created_at=row.created_at,
        copies=[models.Copy(slug=c.slug, kind=c.kind, location=c.location, retired_at=c.retired_at) for c in every],
        checks=[views.check_line(c) for c in looking],
        sevs=[views.sev_line(one) for one in sevs.of_dataset(session, viewer, slug, limit=NEWEST)],
    )
