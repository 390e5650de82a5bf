"""The vantage matrix: copies down, identities across, and the holes where nothing looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sevtracker.config import Settings
from sevtracker.domain.vocabulary import WATCHED, IdentityClass
from sevtracker.store.facts import Case
from sevtracker.store.vantages import Vantage
from sevtracker.web.contexts import Cell, Hole, Matrix, MatrixColumn, MatrixRow
from sevtracker.web.exceptions import attested_until
from sevtracker.web.pages.names import class_of

_CLASSES = list(IdentityClass)


def build(case: Case, settings: Settings) -> Matrix:
    """Empty while nothing looks at the SEV at all."""
    if not case.vantages:
        return Matrix()
    columns, attested = _columns(case, settings), case.attested()
    rows = []
    for dataset in case.datasets:
        for copy in (c for c in case.copies if c.dataset_id == dataset.id):
            here = [v for v in case.vantages if v.copy_id == copy.id]
            place = f"{dataset.slug}/{copy.slug}"
            holes = [h.identity_class for h in case.holes if h.place == place]
            until = attested_until(case, place) if holes and place in attested else None
            cells = tuple(_entry(case, column, here, holes, until) for column in columns)
            rows.append(MatrixRow(dataset.slug, copy.slug, cells))
    return Matrix(columns, tuple(rows))


def _columns(case: Case, settings: Settings) -> tuple[MatrixColumn, ...]:
    """An identity each, by class; and one for each class that the level asks for and no identity has."""
    found = {v.identity: class_of(settings, v.identity) for v in case.vantages}
    asked = {IdentityClass(h.identity_class) for h in case.holes if h.identity_class}
    for missing in asked - set(found.values()):
        found.setdefault(str(missing), missing)
    ordered = sorted(found.items(), key=lambda pair: (_CLASSES.index(pair[1]), pair[0]))
    return tuple(MatrixColumn(identity, cls) for identity, cls in ordered)


def _entry(
    case: Case,
    column: MatrixColumn,
    here: Sequence[Vantage],
    holes: Sequence[str | None],
    attested_until: datetime | None,
) -> tuple[Cell, ...] | Hole:
    cells = tuple(_cell(case, v) for v in here if v.identity == column.identity)
    if cells:
        return cells
    unseen = None in holes or str(column.identity_class) in holes
    return Hole(column.identity_class, attested_until) if unseen else ()


def _cell(case: Case, v: Vantage) -> Cell:
    seen = case.assessments[v.check_id]
    return Cell(
        check=v.check_id,
        exposure=seen.exposure,
        verdict=v.last_verdict,
        reason=v.last_reason,
        last_at=v.state.last_at,
        streak=min(seen.streak, seen.needed),
        needed=0 if case.sev.status in WATCHED else seen.needed,  # nothing is counted any more
        required=v.required and v.enabled,
        waived_until=case.seen(v).waived_until(case.now),
        via=via(v) if v.alike else "",
    )


def via(v: Vantage) -> str:
    """Which way in it is, where the identity and the copy are said already."""
    called = v.name.removeprefix(f"{v.identity} · ").removesuffix(f" at {v.copy}")
    same = v.name == f"{v.identity} at {v.place}"  # as checks were named that nobody named
    return f"check {v.check_id} · {v.kind if same else called}"
