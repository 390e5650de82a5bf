"""SEVs: the list, the form that files one, and one SEV's own page with its live part."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import TypeVar

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import filing
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import FileSev, NewDataset, parse
from sevtracker.domain.vocabulary import Exposure, Level, Status
from sevtracker.errors import InputError, NotFound
from sevtracker.store import datasets, sevs
from sevtracker.store.session import Session
from sevtracker.web import auth
from sevtracker.web.contexts import DatasetOption, Form, Option, SevFilters, SevList, SevLivePage, SevNew, SevRow
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms, sev_live, sev_page
from sevtracker.web.pages.blueprint import SEV, pages
from sevtracker.web.pages.names import key, numbers, paged
from sevtracker.web.pages.showing import done, go, show, since, unchanged
from sevtracker.web.permissions import allow

E = TypeVar("E", Status, Level, Exposure)

A_PAGE = 25
MOST_ROWS = 100
#: A list to choose from; whoever has more names the dataset in the address.
MOST_CHOICES = 1000
#: Characters of an unknown word that are said back.
_LONGEST_WORD = 40
FORM_KEY = "form_key"


# ---- the list ----------------------------------------------------------------------------------------------------


@pages.get("/sevs")
@allow(May.read)
def sev_list() -> Response:
    filters = _filters()
    with runtime().read() as session:
        page = _list(session, filters)
    return show(page, q=filters.q)


def _filters() -> SevFilters:
    """What the address asks for; ``level:SEV1`` typed is a filter. A word that is none of ours asks for nothing, and
    is told."""
    given = {name: request.args.getlist(name) for name in ("status", "level", "exposure", "dataset", "programme")}
    rest = []
    for word in request.args.get("q", "").split():
        name, colon, value = word.partition(":")
        if colon and value and name in given:
            given[name].append(value)
        else:
            rest.append(word)
    return SevFilters(
        q=" ".join(rest),
        status=_known(Status, given["status"]),
        level=_known(Level, given["level"]),
        exposure=_known(Exposure, given["exposure"]),
        dataset=next(filter(None, given["dataset"]), ""),
        programme=next(filter(None, given["programme"]), ""),
        unknown=tuple(_unknown(given)),
    )


_MEMBERS: Mapping[str, type[Level] | type[Status] | type[Exposure]] = {
    "level": Level,
    "status": Status,
    "exposure": Exposure,
}


def _unknown(given: Mapping[str, list[str]]) -> Iterator[str]:
    """A sentence for each value that is none, with those that there are."""
    for name, members in _MEMBERS.items():
        there_is = [str(member) for member in members]
        for value in dict.fromkeys(v for v in given[name] if v and v.casefold() not in map(str.casefold, there_is)):
            said = f"There is no {name} {value[:_LONGEST_WORD]}, so that narrows nothing."
            yield f"{said} There are {', '.join(there_is)}."


def _known(of: type[E], values: list[str]) -> tuple[E, ...]:
    words = {str(member).casefold(): member for member in of}
    return tuple(dict.fromkeys(words[v] for v in map(str.casefold, values) if v in words))


def _list(session: Session, filters: SevFilters) -> SevList:
    """One page of the list. Three statements, whatever its size."""
    cursor = request.args.get("cursor")
    before = numbers(cursor)
    size = request.args.get("rows", default=A_PAGE, type=int)
    limit = min(max(size, 1), MOST_ROWS)
    asked = sevs.Filters(
        statuses=filters.status,
        levels=filters.level,
        exposures=filters.exposure,
        dataset=filters.dataset or None,
        programme=filters.programme or None,
        text=filters.q or None,
    )
    found = sevs.brief(session, auth.person().viewer, asked, limit=limit + 1, before=before[-1] if before else None)
    last = [str(found[limit - 1].number)] if len(found) > limit else []
    shown, around = paged(found, limit, cursor, last)
    choices = datasets.choices(session, limit=MOST_CHOICES)
    programmes = {slug: name for _, _, slug, name in choices if slug and name}
    return SevList(
        rows=tuple(_row(line) for line in shown),
        filters=filters,
        datasets=tuple(Option(slug, name) for slug, name, _, _ in choices),
        programmes=tuple(Option(slug, name) for slug, name in sorted(programmes.items())),
        cursor=around,
    )


def _row(line: sevs.Brief) -> SevRow:
    return SevRow(
        number=line.number,
        key=key(line.number),
        title=line.title,
        level=line.level,
        status=line.status,
        exposure=line.exposure,
        filed_at=line.reported_at,
        datasets=", ".join(line.datasets),
        restricted=line.restricted,
        exceptions=line.exceptions,
    )


# ---- filing ------------------------------------------------------------------------------------------------------


@pages.get("/sevs/new")
@allow(May.work_on_sevs)
def sev_new() -> Response:
    return show(_new(forms.prefilled(many=("dataset",))))


@pages.post("/sevs")
@allow(May.work_on_sevs)
def sev_file() -> AnyResponse:
    try:
        given, unregistered = _filed()
        with runtime().work(auth.person()) as work:
            number = filing.once(work, runtime().settings, forms.text(FORM_KEY)[:100], given, unregistered)
    except InputError as error:
        fields = {"datasets": "dataset", "slug": "new_dataset_slug", "name": "new_dataset_name"}
        return show(_new(forms.refused(error, forms.typed(many=("dataset",)), fields)), 422)
    done(f"{key(number)} is filed.")
    return go("pages.sev_show", number=number, filed=1)


def _filed() -> tuple[FileSev, NewDataset | None]:
    """What was typed. Raises InputError for all of it at once."""
    slug, name = forms.text("new_dataset_slug").strip(), forms.text("new_dataset_name").strip()
    wanted = [chosen for chosen in request.form.getlist("dataset") if chosen]
    raw_new = {"slug": slug, "name": name or slug}
    raw = {
        "title": forms.text("title"),
        "level": forms.text("level"),
        "datasets": [*wanted, *([slug or "new"] if slug or name else [])],
        "summary": forms.text("summary"),
        "exposed_from": forms.moment("exposed_from"),
        "detected_at": forms.moment("detected_at"),
        "restricted": forms.ticked("restricted"),
    }
    if not slug and not name:
        return parse(FileSev, raw), None
    forms.together(lambda: _without_the_new(raw, wanted), lambda: parse(NewDataset, raw_new))
    return parse(FileSev, raw), parse(NewDataset, raw_new)


def _without_the_new(raw: Mapping[str, object], wanted: list[str]) -> FileSev:
    """What is wrong with the rest: the new dataset's own complaints are told at its own fields."""
    return parse(FileSev, {**raw, "datasets": wanted or ["new"]})


def _new(form: Form) -> SevNew:
    with runtime().read() as session:
        found = datasets.listing(session, limit=MOST_CHOICES)
    values = {**form.values, FORM_KEY: form.values.get(FORM_KEY) or secrets.token_urlsafe(16)}
    options = tuple(DatasetOption(d.slug, d.name, d.programme or "", d.copies, d.checks) for d in found)
    return SevNew(options, Form(values, form.chosen, form.errors, form.problem))


# ---- one SEV -----------------------------------------------------------------------------------------------------


@pages.get(f"/sevs/{SEV}")
@allow(May.read)
def sev_show(number: int) -> Response:
    return sev_page.shown(number)


@pages.get(f"/sevs/{SEV}/live", endpoint="sev_live")
@allow(May.read)
def live(number: int) -> Response:
    now = runtime().clock.now()
    with runtime().read() as session:
        sev = sevs.find(session, number, auth.person().viewer)
        if sev is None:
            raise NotFound(f"There is no SEV-{number}.")
        if since() == sev_live.token(sev, now):
            return unchanged()
        told = sev_live.tell(session, runtime().settings, sev, auth.person(), now)
    return show(SevLivePage(told.live))
