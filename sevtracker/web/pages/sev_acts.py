"""What people do to a SEV through its page: every form of it but resolving. A refused one is shown again as typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import patches, sevs
from sevtracker.actions.enforce import May
from sevtracker.actions.inputs import Act, ChangeSev, Dismiss, LogPatch, Note, ReviseNote, WithReason
from sevtracker.store import people
from sevtracker.store import sevs as stored
from sevtracker.store.tables import Sev
from sevtracker.store.work import Work
from sevtracker.web import auth
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms
from sevtracker.web.pages.acting import on_sev
from sevtracker.web.pages.blueprint import SEQ, SEV, pages
from sevtracker.web.pages.names import whole
from sevtracker.web.pages.showing import done, go
from sevtracker.web.permissions import allow

# ---- facts and notes ---------------------------------------------------------------------------------------------


@pages.post(f"/sevs/{SEV}/edit")
@allow(May.work_on_sevs)
def sev_edit(number: int) -> AnyResponse:
    def raw(work: Work) -> Mapping[str, Any]:
        sev = stored.find(work.session, number, auth.person().viewer)
        chosen = forms.text("commander").strip()
        by_id = whole(chosen)
        person = people.by_id(work.session, by_id) if by_id is not None else None
        return {
            "title": forms.text("title"),
            "level": forms.text("level"),
            "summary": forms.text("summary"),
            "exposed_from": _moment(sev, "exposed_from"),
            **({"aware_at": _moment(sev, "aware_at")} if "aware_at" in request.form else {}),
            "restricted": forms.ticked("restricted"),
            "commander": person.email if person else chosen or None,
        }

    def act(work: Work, given: ChangeSev) -> str:
        sevs.change(work, runtime().settings, number, given)
        return "Saved."

    return on_sev(number, "edit", ChangeSev, raw, act)


def _moment(sev: Sev | None, name: str) -> Any:
    """The time typed; the stored one if its field came back as shown, which is without seconds."""
    before: datetime | None = getattr(sev, name, None)
    as_shown = before is not None and forms.text(name) == before.strftime("%Y-%m-%dT%H:%M")
    return before if as_shown else forms.moment(name)


@pages.post(f"/sevs/{SEV}/notes")
@allow(May.work_on_sevs)
def sev_note(number: int) -> AnyResponse:
    def act(work: Work, given: Note) -> str:
        sevs.note(work, number, given)
        return "The note is on the timeline."

    raw = {"text": forms.text("text"), "at": forms.moment("at")}
    return on_sev(number, "note", Note, raw, act, anchor="timeline")


@pages.post(f"/sevs/{SEV}/notes/{SEQ}")
@allow(May.work_on_sevs)
def sev_note_revise(number: int, seq: int) -> AnyResponse:
    def act(work: Work, given: ReviseNote) -> str:
        sevs.revise_note(work, number, seq, given)
        return "The note is revised. Its earlier text stays on the record."

    return on_sev(number, "note", ReviseNote, {"text": forms.text("text")}, act, anchor=f"r-{seq}")


# ---- patches and checks ------------------------------------------------------------------------------------------


@pages.post(f"/sevs/{SEV}/patches")
@allow(May.work_on_sevs)
def sev_patch(number: int) -> AnyResponse:
    def raw(work: Work) -> Mapping[str, Any]:
        return {
            "summary": forms.text("summary"),
            "url": forms.text("url").strip(),
            "applied_at": forms.moment("applied_at"),
            "datasets": _scope(work, number),
        }

    def act(work: Work, given: LogPatch) -> str:
        patch = patches.log(work, runtime().settings, number, given)
        return f"Patch {patch.number} is logged. The checks are looking whether it held."

    return on_sev(number, "patch", LogPatch, raw, act, anchor="patches-title")


def _scope(work: Work, number: int) -> list[str]:
    """Every dataset ticked is no scope at all: the patch then reaches those that are added later, too."""
    chosen = [slug for slug in request.form.getlist("datasets") if slug]
    affected = {d.slug for d in stored.datasets_of(work.session, [number])[number]}
    return [] if affected and affected <= set(chosen) else chosen


@pages.post(f"/sevs/{SEV}/verify")
@allow(May.work_on_sevs)
def sev_verify(number: int) -> AnyResponse:
    with runtime().work(auth.person()) as work:
        asked = sevs.verify(work, number)
    done(f"Asked for: {len(asked)} check{'s' if len(asked) != 1 else ''}." if asked else "No check looks at it yet.")
    return go("pages.sev_show", number=number)


# ---- what is owed before resolving -------------------------------------------------------------------------------

_NO_LOGS = "No logs exist for that time: who accessed the data is unknown."


def _owed(number: int, kind: str, evidence: str, said: str) -> AnyResponse:
    def act(work: Work, given: Act) -> str:
        sevs.act(work, runtime().settings, number, kind, given)
        return said

    # ``reason`` is what was done and found; the form calls it ``evidence``, as the page does.
    return on_sev(number, kind, Act, {"reason": evidence}, act, fields={"reason": "evidence", "body": "evidence"})


@pages.post(f"/sevs/{SEV}/retest")
@allow(May.work_on_sevs)
def sev_retest(number: int) -> AnyResponse:
    return _owed(number, "retest", forms.text("evidence"), "Your retest is recorded.")


@pages.post(f"/sevs/{SEV}/access-review")
@allow(May.work_on_sevs)
def sev_access_review(number: int) -> AnyResponse:
    told = forms.text("evidence").strip()
    evidence = f"{_NO_LOGS}\n\n{told}".strip() if forms.ticked("no_logs") else told
    return _owed(number, "access_review", evidence, "The access review is recorded.")


@pages.post(f"/sevs/{SEV}/sessions-handled")
@allow(May.work_on_sevs)
def sev_sessions(number: int) -> AnyResponse:
    return _owed(number, "sessions", forms.text("evidence"), "What became of sessions and tokens is recorded.")


# ---- status ------------------------------------------------------------------------------------------------------


@pages.post(f"/sevs/{SEV}/reopen")
@allow(May.resolve_sevs)
def sev_reopen(number: int) -> AnyResponse:
    def act(work: Work, given: WithReason) -> str:
        sevs.reopen(work, runtime().settings, number, given.reason)
        return "Reopened."

    return on_sev(number, "reopen", WithReason, {"reason": forms.text("reason")}, act)


@pages.post(f"/sevs/{SEV}/dismiss")
@allow(May.resolve_sevs)
def sev_dismiss(number: int) -> AnyResponse:
    def act(work: Work, given: Dismiss) -> str:
        sevs.dismiss(work, runtime().settings, number, given)
        return "Dismissed."

    other = re.sub(r"(?i)^sev-?", "", forms.text("duplicate_of").strip())
    raw = forms.only(duplicate_of=other) | {"reason": forms.text("reason")}
    return on_sev(number, "dismiss", Dismiss, raw, act)


@pages.post(f"/sevs/{SEV}/close")
@allow(May.resolve_sevs)
def sev_close(number: int) -> AnyResponse:
    def act(work: Work, given: WithReason) -> str:
        sevs.close(work, runtime().settings, number, given.reason)
        return "Closed after review. The watch goes on."

    return on_sev(number, "close", WithReason, {"reason": forms.text("reason")}, act)


# ---- who may see a restricted one --------------------------------------------------------------------------------


@pages.post(f"/sevs/{SEV}/viewers")
@allow(May.work_on_sevs)
def sev_viewer_add(number: int) -> AnyResponse:
    def raw(work: Work) -> Mapping[str, Any]:
        return {"members": [*_members(work, number), forms.text("email")]}

    def act(work: Work, given: ChangeSev) -> str:
        sevs.change(work, runtime().settings, number, given)
        return f"{(given.members or [''])[-1]} can see this SEV now."

    return on_sev(number, "viewer", ChangeSev, raw, act, fields={"members": "email"})


@pages.post(f"/sevs/{SEV}/viewers/remove")
@allow(May.work_on_sevs)
def sev_viewer_remove(number: int) -> AnyResponse:
    def raw(work: Work) -> Mapping[str, Any]:
        return {"members": _members(work, number, leaving=forms.text("person"))}

    def act(work: Work, given: ChangeSev) -> str:
        sevs.change(work, runtime().settings, number, given)
        return "Removed. They can't see this SEV any more."

    return on_sev(number, "viewer", ChangeSev, raw, act, fields={"members": "email"})


def _members(work: Work, number: int, leaving: str = "") -> list[str]:
    """The e-mail addresses of those who were added, but for the one who is to leave. Nobody, to whom may not know."""
    if stored.find(work.session, number, auth.person().viewer) is None:
        return []
    return [p.email for p in stored.members_of(work.session, number) if str(p.id) != leaving]
