"""Checks: the list, and the forms that add one, change it, run it. ``check_page`` shows one; ``check_ends`` ends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import checks as acts
from sevtracker.actions.enforce import May, may
from sevtracker.actions.guarding import Refused
from sevtracker.actions.inputs import ChangeCheck, NewCheck, parse
from sevtracker.domain.vocabulary import Verdict
from sevtracker.errors import Conflict, InputError, NotFound
from sevtracker.store import checks, datasets, facts, sevs
from sevtracker.store.session import Session
from sevtracker.store.tables import Check
from sevtracker.web import auth
from sevtracker.web.contexts import CheckEdit, CheckList, Form, Option
from sevtracker.web.current import runtime
from sevtracker.web.pages import check_form, check_page, forms, who
from sevtracker.web.pages.blueprint import CHECK, pages
from sevtracker.web.pages.kinds import choices as kind_choices
from sevtracker.web.pages.names import check_line, numbers, paged, proofs_since
from sevtracker.web.pages.showing import done, go, show
from sevtracker.web.permissions import allow

A_PAGE = 50
MOST_CHOICES = 1000


# ---- the list ----------------------------------------------------------------------------------------------------


@pages.get("/checks")
@allow(May.read)
def check_list() -> Response:
    q, verdict, cursor = (request.args.get(name, "").strip() for name in ("q", "verdict", "cursor"))
    after = numbers(cursor)
    wanted = Verdict(verdict) if verdict in set(Verdict) else None
    with runtime().read() as session:
        found = checks.listing(session, limit=A_PAGE + 1, after=after[-1] if after else None, verdict=wanted, text=q)
        shown, around = paged(found, A_PAGE, cursor, [str(found[A_PAGE - 1].id)] if len(found) > A_PAGE else [])
        since = proofs_since(runtime().settings, runtime().clock.now())
        proven = checks.proven(session, [line.id for line in shown], since)
    rows = tuple(check_line(line, runtime().settings, line.id in proven) for line in shown)
    may_add = may(auth.person().role, May.keep_checks)
    return show(CheckList(rows, q, str(wanted or ""), around, may_add))


@pages.get(f"/checks/{CHECK}")
@allow(May.read)
def check_show(check_id: int) -> Response:
    return show(check_page.build(check_id))


# ---- adding ------------------------------------------------------------------------------------------------------


@pages.get("/checks/new")
@allow(May.keep_checks)
def check_new() -> Response:
    form = forms.prefilled()
    if number := request.args.get("sev", default=0, type=int):
        form = _for_sev(form, number)
    values = {**form.values, "required": "true"} if "kind" not in form.values else dict(form.values)
    values.pop("kind", None)
    return show(new_form(request.args.get("kind"), Form({"required": "true", **values})))


def _for_sev(form: Form, number: int) -> Form:
    """Filled in with the first place of the SEV that nobody looks at."""
    settings = runtime().settings
    with runtime().read() as session:
        sev = sevs.find(session, number, auth.person().viewer) if number < 2**31 else None
        if sev is None or form.values.get("dataset"):
            return form
        [case] = facts.gather(session, [sev], settings.policy, settings.identities, runtime().clock.now())
    places = [hole.place for hole in case.holes] or [f"{d.slug}/primary" for d in case.datasets]
    dataset, _, copy = places[0].partition("/")
    return Form({**form.values, "dataset": dataset, "copy": copy})


@pages.post("/checks")
@allow(May.keep_checks)
def check_add() -> AnyResponse:
    kind = runtime().probes.kinds.get(forms.text("kind"))
    raw = {
        "kind": forms.text("kind"),
        "dataset": forms.text("dataset"),
        "copy": forms.text("copy").strip() or "primary",
        "identity": forms.text("identity"),
        "control": forms.text("control"),
        "name": forms.text("name"),
        "required": forms.ticked("required"),
        "params": check_form.given(kind),
    }
    try:
        given = parse(NewCheck, {**raw, "twins": check_form.given_twins(kind)})
        vetted = acts.vet(runtime().probes, acts.defined(given))
        with runtime().work(auth.person()) as work:
            check = acts.create(work, runtime().settings, runtime().probes, given, vetted)
    except InputError as error:
        return show(new_form(forms.text("kind"), forms.refused(error, forms.typed())), 422)
    done("The check is added, and its first run is under way.")
    return go("pages.check_show", check_id=check.id)


def new_form(kind_name: str | None, form: Form) -> CheckEdit:
    """The form for a new check of that kind; for none, or one that isn't there, the page asks for the kind first."""
    kinds = runtime().probes.kinds
    kind = kinds.get(kind_name or "")
    with runtime().read() as session:
        found = datasets.listing(session, limit=MOST_CHOICES)
        copies = _copies(session, form.value("dataset"))
    return CheckEdit(
        kinds=kind_choices(kinds),
        kind=kind_name if kind else None,
        params=check_form.fields(kind, form) if kind else (),
        twin_example=check_form.twin_example(kind) if kind else "",
        datasets=tuple(Option(d.slug, d.name) for d in found),
        copies=copies,
        identities=who.choices(runtime().settings, kind, form.value("identity")),
        form=who.preset(runtime().settings, kind, form),
        looks=kind is not None and kind.looks,
        own_control=kind is not None and kind.own_control,
    )


def _copies(session: Session, slug: str) -> tuple[Option, ...]:
    dataset = datasets.by_slug(session, slug) if slug else None
    found = datasets.copies_of(session, [dataset.id or 0]) if dataset else []
    return tuple(
        Option(copy.slug, f"{copy.slug}, {copy.kind}" if copy.kind != copy.slug else copy.slug) for copy in found
    )


# ---- changing ----------------------------------------------------------------------------------------------------


@pages.get(f"/checks/{CHECK}/edit")
@allow(May.keep_checks)
def check_edit(check_id: int) -> Response:
    check = found(check_id)
    values = {
        "identity": check.identity,
        "control": check.control or "",
        "name": check.name,
        **({"required": "true"} if check.required else {}),
        **check_form.values(check.params, check.twins),
    }
    return show(_edit(check, Form(values)))


@pages.post(f"/checks/{CHECK}/edit")
@allow(May.keep_checks)
def check_save(check_id: int) -> AnyResponse:
    check = found(check_id)
    kind = runtime().probes.kinds.get(check.kind)
    raw: Mapping[str, Any] = {
        "identity": forms.text("identity"),
        **({"control": forms.text("control") or None} if "control" in request.form else {}),
        "params": check_form.given(kind),
        "required": forms.ticked("required"),
        "reason": forms.text("reason"),
        **forms.only(name=forms.text("name").strip()),
    }
    typed = Form({**forms.typed().values, "kind": check.kind})
    try:
        twins = {} if check.twins_made else {"twins": check_form.given_twins(kind)}
        changed = change(check, parse(ChangeCheck, {**raw, **twins}))
    except (InputError, Conflict) as error:
        return show(_edit(check, forms.refused(error, typed)), forms.status_of(error))
    if isinstance(changed, Refused):
        if changed.proposal is not None:
            return show(check_page.build(check_id, refused=changed.message), forms.status_of(changed.why))
        return show(_edit(check, Form(typed.values, problem=changed.message)), forms.status_of(changed.why))
    done(f"Saved as revision {changed.revision}.")
    return go("pages.check_show", check_id=check_id)


def change(check: Check, given: ChangeCheck) -> Check | Refused:
    """Judged before the transaction: names are looked up for that, which would hold others up."""
    vetted = acts.vet(runtime().probes, acts.redefined(check, given))
    with runtime().work(auth.person()) as work:
        return acts.change(work, runtime().settings, runtime().probes, check.id or 0, given, vetted)


def found(check_id: int) -> Check:
    with runtime().read() as session:
        check = checks.by_id(session, check_id)
    if check is None:
        raise NotFound(f"There is no check {check_id}.")
    return check


def _edit(check: Check, form: Form) -> CheckEdit:
    kind = runtime().probes.kinds.get(check.kind)
    with runtime().read() as session:
        own_patch = facts.judges_patches_of(session, check.id or 0, auth.person().id)
    return CheckEdit(
        kind=check.kind,
        check=check.id,
        name=check.name,
        params=check_form.fields(kind, form) if kind else (),
        identities=who.choices(runtime().settings, kind, check.identity),
        form=form,
        looks=kind is not None and kind.looks,
        own_control=kind is not None and kind.own_control,
        gates_own_patch=own_patch,
        twins_keeper=str((check.twins_made or {}).get("keeper", "")),
        twin_example=check_form.twin_example(kind) if kind else "",
    )


# ---- running ----------------------------------------------------------------------------------------------------


@pages.post(f"/checks/{CHECK}/run")
@allow(May.work_on_sevs)
def check_run(check_id: int) -> AnyResponse:
    with runtime().work(auth.person()) as work:
        acts.run_now(work, check_id)
    return go("pages.check_show", check_id=check_id)
