"""Datasets: register one with its copies, change it, add a copy. What becomes of a copy: ``copies``."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from sevtracker.actions import evaluation, finding
from sevtracker.actions.enforce import May, require
from sevtracker.actions.inputs import ChangeDataset, NewCopy, NewDataset
from sevtracker.checks.probing import ProbeEnvironment
from sevtracker.config import Settings
from sevtracker.errors import FieldError, InputError, NotFound
from sevtracker.store import datasets, sevs
from sevtracker.store.tables import Copy, Dataset, Programme
from sevtracker.store.work import Work


def register(work: Work, given: NewDataset) -> Dataset:
    """Register a dataset; a programme that it names is created in place. Raises InputError for a slug that is taken."""
    require(work.by, May.keep_datasets)
    errors = []
    if datasets.by_slug(work.session, given.slug) is not None:
        errors.append(FieldError("slug", f"There is a dataset {given.slug!r} already."))
    slugs = [copy.slug for copy in given.copies]
    errors += [
        FieldError(f"copies.{place}.slug", "Two copies have this slug.")
        for place, slug in enumerate(slugs)
        if slug in slugs[:place]
    ]
    if errors:
        raise InputError(*errors)
    programme = _programme(work, given.programme) if given.programme else None
    dataset = Dataset(
        slug=given.slug,
        name=given.name,
        owner=given.owner,
        programme_id=programme.id if programme else None,
        classification=given.classification,
        description=given.description,
        disclosed_fields=given.disclosed_fields,
        created_at=work.now,
    )
    work.session.add(dataset)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise InputError.of("slug", f"There is a dataset {given.slug!r} already.") from error
    copies = given.copies or [NewCopy(slug="primary")]
    for copy in copies:
        work.session.add(_copy(dataset, copy))
    work.record(
        "dataset:registered",
        dataset=given.slug,
        programme=given.programme,
        facts={"copies": [c.slug for c in copies], "classification": given.classification},
    )
    return dataset


def change(work: Work, slug: str, given: ChangeDataset) -> Dataset:
    """Change what is said of a dataset; a programme that it names is created in place. Raises NotFound."""
    require(work.by, May.keep_datasets)
    dataset = datasets.by_slug(work.session, slug)
    if dataset is None:
        raise NotFound(f"There is no dataset {slug!r}.")
    before = datasets.programme_slugs(work.session, [dataset.id or 0])
    facts: dict[str, object] = {}
    for name in sorted(given.model_fields_set - {"programme"}):
        if getattr(given, name) != getattr(dataset, name) and (
            getattr(given, name) is not None or name == "disclosed_fields"
        ):
            setattr(dataset, name, getattr(given, name))
            facts[name] = "changed"
    if "programme" in given.model_fields_set and before != [p for p in [given.programme] if p]:
        dataset.programme_id = _programme(work, given.programme).id if given.programme else None
        facts["programme"] = {"old": before[0] if before else None, "new": given.programme}
    if facts:
        work.session.add(dataset)
        work.record("dataset:changed", dataset=slug, programme=given.programme, facts=facts)
    return dataset


def _copy(dataset: Dataset, given: NewCopy) -> Copy:
    return Copy(dataset_id=dataset.id or 0, slug=given.slug, kind=given.kind, location=given.location)


def _programme(work: Work, slug: str) -> Programme:
    found = datasets.programme(work.session, slug)
    if found is not None:
        return found
    created = Programme(slug=slug, name=slug, created_at=work.now)
    work.session.add(created)
    work.session.flush()
    work.record("programme:created", programme=slug)
    return created


def add_copy(work: Work, settings: Settings, probes: ProbeEnvironment, slug: str, given: NewCopy) -> Copy:
    """Register another copy of a dataset. SEVs of the dataset are uncovered there until a check looks at it.

    Where its location is a place that a check can look at, what looks at another copy is suggested for it.
    """
    require(work.by, May.keep_datasets)
    dataset = datasets.by_slug(work.session, slug)
    if dataset is None:
        raise NotFound(f"There is no dataset {slug!r}.")
    there = datasets.copy(work.session, dataset.id or 0, given.slug)
    if there is not None:
        had = "had" if there.retired_at else "has"
        raise InputError.of("slug", f"This dataset {had} a copy {given.slug!r} already.")
    copy = _copy(dataset, given)
    work.session.add(copy)
    work.session.flush()
    work.record("dataset:copy_added", dataset=slug, facts={"copy": given.slug, "kind": given.kind})
    evaluation.evaluate(work, settings, evaluation.lock(work, sevs.affecting(work.session, dataset.id or 0)))
    finding.for_copies(work, settings, probes, dataset.id or 0)
    return copy
