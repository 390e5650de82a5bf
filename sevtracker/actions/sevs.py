"""What people do to a SEV: file, change, note, retest and the like, reopen, dismiss, close."""

from __future__ import annotations

from typing import Any

from sevtracker.actions import evaluation
from sevtracker.actions.enforce import May, require
from sevtracker.actions.inputs import Act, ChangeSev, Dismiss, FileSev, Note, ReviseNote
from sevtracker.config import Settings
from sevtracker.domain import lifecycle
from sevtracker.domain.vocabulary import Exposure, Level, Status, Trigger, Verdict
from sevtracker.errors import Conflict, FieldError, InputError, NotFound, NotPermitted
from sevtracker.store import acceptances, checks, datasets, jobs, people, sevs, timeline, vantages
from sevtracker.store.facts import patches_of
from sevtracker.store.tables import Check, Sev, SevAct, SevMember
from sevtracker.store.work import Work

_LEVELS = list(Level)


def file(work: Work, settings: Settings, given: FileSev) -> int:
    """As ``filed``. Returns the number."""
    return filed(work, settings, given).number


def filed(work: Work, settings: Settings, given: FileSev) -> sevs.Line:
    """File a SEV; its checks are run at once. Returns it as lists show it.

    Raises InputError for a dataset that is not registered, or times that can't be.
    """
    require(work.by, May.work_on_sevs)
    wanted = list(dict.fromkeys(given.datasets))
    affected = datasets.affected(work.session, wanted)
    known = {a.slug: a.id for a in affected}
    _refuse(_unknown(given.datasets, known), *_impossible(work, given))
    detected_at = given.detected_at or work.now
    sev = Sev(
        title=given.title,
        summary=given.summary,
        level=given.level,
        status=Status.reported,
        exposure=Exposure.unverified,
        exposure_since=work.now,
        restricted=given.restricted,
        reporter_id=work.by.id,
        exposed_from=given.exposed_from,
        detected_at=detected_at,
        reported_at=work.now,
        version=1,
    )
    looking = vantages.looking(work.session, [known[slug] for slug in wanted])
    places = [f"{a.slug}/{copy}" for a in affected for copy in a.copies]
    links = evaluation.first_look(work, settings, sev, places, [v for v, _ in looking])
    shown = {name: getattr(sev, name) for name in _SHOWN}
    number = sevs.insert(work.session, **shown, **{name: getattr(sev, name) for name in _KEPT})
    sevs.link_datasets(work.session, number, [known[slug] for slug in wanted])
    work.record(
        "sev:filed",
        sev=number,
        at=detected_at,
        text=f"{given.title}\n\n{given.summary}".strip(),
        facts={"level": given.level.value, "datasets": wanted, "restricted": given.restricted},
    )
    if links:
        vantages.link(work.session, number, links)
        run = [(v.check_id, target) for v, target in looking if v.enabled]
        jobs.enqueue(work.session, run, Trigger.filed, work.now, sev=number)
    if sev.exposure is not Exposure.unverified:
        changed = {"old": Exposure.unverified.value, "new": sev.exposure.value}
        work.record("exposure:changed", sev=number, facts=changed)
    return sevs.Line(**_NEW, **shown, number=number, datasets=tuple(sorted(wanted)))


#: What no SEV has when it is filed.
_NEW: dict[str, Any] = {
    **dict.fromkeys(("aware_at", "fix_claimed_at", "verified_closed_at", "resolved_at")),
    "exceptions": 0,
}
#: What a list shows of one that is being filed, and what is kept beside that.
_SHOWN = (
    *("title", "level", "status", "exposure", "exposure_since", "restricted"),
    *("exposed_from", "detected_at", "reported_at", "reopens", "blockers"),
)
_KEPT = ("summary", "reporter_id", "harm", "version", "recheck_at")


def _look(work: Work, settings: Settings, number: int) -> bool:
    """Link the checks that exist to a new SEV, judge by what they know, and run them. Were there any?"""
    linked = [check_id for _, check_id in vantages.link_new(work.session, number=number)]
    if not linked:
        return False
    [sev] = evaluation.lock(work, [number])
    evaluation.refold(work, settings, sev, linked)
    evaluation.evaluate(work, settings, [sev])
    jobs.enqueue(work.session, checks.targets(work.session, linked), Trigger.filed, work.now, sev=number)
    return True


def _unknown(slugs: list[str], known: dict[str, int]) -> list[FieldError]:
    return [
        FieldError(f"datasets.{place}", f"There is no dataset {slug!r}; register it first.")
        for place, slug in enumerate(slugs)
        if slug not in known
    ]


def _impossible(work: Work, given: FileSev | ChangeSev) -> list[FieldError]:
    found = []
    for name in ("exposed_from", "detected_at", "aware_at"):
        moment = getattr(given, name, None)
        if moment is not None and moment > work.now + lifecycle.CLOCK_GRACE:
            found.append(FieldError(name, "This lies in the future."))
    return found


def _refuse(*found: FieldError | list[FieldError]) -> None:
    flat = [error for item in found for error in (item if isinstance(item, list) else [item])]
    if flat:
        raise InputError(*flat)


def open_for(work: Work, number: int, what: May = May.work_on_sevs) -> Sev:
    """The SEV, locked with its checks, for an act of the person. Raises NotFound, NotPermitted."""
    if sevs.find(work.session, number, work.by.viewer) is None:
        raise NotFound(f"There is no SEV-{number}.")
    require(work.by, what)
    [sev] = evaluation.lock(work, [number])
    return sev


def touch(work: Work, sev: Sev) -> None:
    """Say that a page which shows this SEV is out of date."""
    sev.version += 1
    work.session.add(sev)


# ---- changing ----------------------------------------------------------------------------------------------------


def change(work: Work, settings: Settings, number: int, given: ChangeSev) -> None:
    """Change fields of a SEV. Only what was sent is touched; a changed level is judged by its own rules at once."""
    sev = open_for(work, number)
    sent = given.model_fields_set
    _refuse(_impossible(work, given))
    _refuse_null(given, sent - {"commander", "exposed_from", "aware_at"})
    _no_weakening(work, sev, given.level or sev.level)
    facts: dict[str, object] = {}
    texts: list[str] = []
    if "status" in sent and given.status:
        _move(sev, facts)
    for name in ("title", "summary"):
        if name in sent and getattr(sev, name) != getattr(given, name):
            texts.append(f"{name}: {getattr(sev, name)} -> {getattr(given, name)}")
            facts[name] = "changed"
            setattr(sev, name, getattr(given, name))
    for name in ("level", "restricted", "exposed_from", "detected_at", "aware_at"):
        if name in sent and getattr(sev, name) != getattr(given, name):
            facts[name] = {"old": _word(getattr(sev, name)), "new": _word(getattr(given, name))}
            setattr(sev, name, getattr(given, name))
    if "commander" in sent:
        _command(work, sev, given.commander, facts)
    if "members" in sent and given.members is not None:
        _members(work, sev, given.members, facts)
    if "datasets" in sent and given.datasets is not None:
        _add_datasets(work, sev, given.datasets, facts)
    if not facts:
        return
    work.record("sev:changed", sev=number, facts=facts, text="\n".join(texts) or None)
    touch(work, sev)
    work.session.flush()
    if "level" in facts:
        evaluation.refold_all(work, settings, sev)
    if "datasets" in facts:
        _look(work, settings, number)
    evaluation.evaluate(work, settings, [sev])


def _no_weakening(work: Work, sev: Sev, level: Level) -> None:
    """A lower level asks for less before resolving: not for those to decide whose patches it judges."""
    lower = _LEVELS.index(level) > _LEVELS.index(sev.level)
    number = sev.number or 0
    if lower and any(p.author_id == work.by.id for p in patches_of(work.session, [number])[number]):
        raise NotPermitted("This level judges a patch of yours. Somebody else has to lower it.")


def _refuse_null(given: ChangeSev, sent: set[str]) -> None:
    _refuse([FieldError(name, "This can't be empty.") for name in sorted(sent) if getattr(given, name) is None])


def _word(value: object) -> object:
    return value if value is None or isinstance(value, bool) else str(value)


def _move(sev: Sev, facts: dict[str, object]) -> None:
    before = sev.status
    sev.status = lifecycle.after("investigate", sev.status)
    facts["status"] = {"old": before.value, "new": sev.status.value}


def _command(work: Work, sev: Sev, email: str | None, facts: dict[str, object]) -> None:
    found = people.by_email(work.session, email) if email else None
    if email and (found is None or not found.active):
        raise InputError.of("commander", "There is nobody with this e-mail address.")
    new = found.id if found else None
    if new == sev.commander_id:
        return
    before = people.by_id(work.session, sev.commander_id) if sev.commander_id else None
    facts["commander"] = {"old": before.pid if before else None, "new": found.pid if found else None}
    sev.commander_id = new
    if sev.status is Status.reported and new is not None:
        _move(sev, facts)


def _members(work: Work, sev: Sev, emails: list[str], facts: dict[str, object]) -> None:
    wanted = {}
    for place, email in enumerate(emails):
        found = people.by_email(work.session, email)
        if found is None or not found.active:
            raise InputError.of(f"members.{place}", "There is nobody with this e-mail address.")
        wanted[found.id] = found
    have = {p.id: p for p in sevs.members_of(work.session, sev.number or 0)}
    added, removed = wanted.keys() - have.keys(), have.keys() - wanted.keys()
    for person_id in added:
        work.session.add(SevMember(sev_number=sev.number or 0, person_id=person_id or 0))
    for person_id in removed:
        work.session.delete(work.session.get_one(SevMember, (sev.number, person_id)))
    if added or removed:
        facts["members"] = {
            "added": sorted(wanted[i].pid for i in added),
            "removed": sorted(have[i].pid for i in removed),
        }


def _add_datasets(work: Work, sev: Sev, slugs: list[str], facts: dict[str, object]) -> None:
    """Affected datasets can be added; taking one away would take its evidence away, too."""
    known = datasets.by_slugs(work.session, slugs)
    _refuse(_unknown(slugs, known))
    have = {d.slug for d in sevs.datasets_of(work.session, [sev.number or 0])[sev.number or 0]}
    if gone := sorted(have - set(slugs)):
        raise InputError.of("datasets", f"A dataset can't be taken off a SEV once it is affected: {', '.join(gone)}.")
    added = [slug for slug in dict.fromkeys(slugs) if slug not in have]
    if added:
        sevs.link_datasets(work.session, sev.number or 0, [known[slug] for slug in added])
        facts["datasets"] = {"added": added}


def note(work: Work, number: int, given: Note) -> str:
    """Put a note on the timeline. Returns the record's id."""
    sev = open_for(work, number)
    if given.at is not None and given.at > work.now + lifecycle.CLOCK_GRACE:
        raise InputError.of("at", "This lies in the future.")
    touch(work, sev)
    return work.record("note:added", sev=number, at=given.at, text=given.text)


def revise_note(work: Work, number: int, seq: int, given: ReviseNote) -> str:
    """Give one's own note another text, by a new record. Raises NotFound, NotPermitted. Returns the record's id."""
    sev = open_for(work, number)
    told = timeline.record(work.session, number, seq)
    if told is None or told.kind != "note:added":
        raise NotFound(f"SEV-{number} has no note {seq}.")
    if told.actor_pid != work.by.pid:
        raise NotPermitted("A note is revised by whoever wrote it; add one of your own.")
    touch(work, sev)
    return work.record("note:revised", sev=number, text=given.text, facts={"note": seq})


def verify(work: Work, number: int) -> list[int]:
    """Run every check of the SEV now. Returns the ids of the checks."""
    sev = open_for(work, number)
    seen = vantages.of_sevs(work.session, [number])[number]
    ids = [v.check_id for v in seen if v.enabled]
    checks.run_soon(work.session, ids, work.now)
    jobs.enqueue(work.session, checks.targets(work.session, ids), Trigger.verify, work.now, sev=number)
    work.record("sev:verify_asked", sev=number, facts={"checks": ids})
    touch(work, sev)
    return ids


# ---- what is owed before resolving -------------------------------------------------------------------------------

ACTS = {"retest": "act:retest", "access_review": "act:access_review", "sessions": "act:sessions_handled"}


def act(work: Work, settings: Settings, number: int, kind: str, given: Act) -> None:
    """Record the reporter's retest, the access review, or that sessions were handled. Raises NotPermitted, Conflict."""
    sev = open_for(work, number)
    if kind == "retest" and work.by.id != sev.reporter_id:
        raise NotPermitted("Only the reporter can say that what they reported is gone.")
    lifecycle.after("patch", sev.status)  # the same statuses: work is still owed
    work.session.add(
        SevAct(
            sev_number=number,
            kind=kind,
            at=work.now,
            person_id=work.by.id,
            text=given.reason,
            evidence=given.evidence,
        )
    )
    text = f"{given.reason}\n\n{given.evidence}".strip()
    work.record(ACTS[kind], sev=number, text=text, facts={"evidence_given": bool(given.evidence)})
    evaluation.evaluate(work, settings, [sev])


# ---- status ------------------------------------------------------------------------------------------------------


def reopen(work: Work, settings: Settings, number: int, reason: str) -> None:
    """Send a resolved, closed or dismissed SEV back to investigating."""
    sev = open_for(work, number, May.resolve_sevs)
    lifecycle.after("reopen", sev.status)
    sev.duplicate_of = None
    evaluation.reopen(work, sev, "by_hand", reason=reason)
    work.session.flush()
    _look(work, settings, number)
    evaluation.refold_all(work, settings, sev)
    evaluation.evaluate(work, settings, [sev])


def dismiss(work: Work, settings: Settings, number: int, given: Dismiss) -> None:
    """Say that it is no SEV, or the same as another. Refused if a check saw the door open, but for a duplicate."""
    sev = open_for(work, number, May.resolve_sevs)
    before = sev.status
    after = lifecycle.after("dismiss", sev.status)
    if given.duplicate_of is not None:
        other = sevs.find(work.session, given.duplicate_of, work.by.viewer)
        if other is None or given.duplicate_of == number or other.status is Status.dismissed:
            raise InputError.of("duplicate_of", "There is no other SEV with this number that is not dismissed itself.")
        mine = {d.slug for d in sevs.datasets_of(work.session, [number])[number]}
        theirs = {d.slug for d in sevs.datasets_of(work.session, [given.duplicate_of])[given.duplicate_of]}
        if not mine <= theirs:
            missing = ", ".join(sorted(mine - theirs))
            raise InputError.of("duplicate_of", f"That SEV does not affect {missing}; add it there first.")
    if given.duplicate_of is None:
        _no_false_alarm(work, sev)
    sev.status, sev.duplicate_of = after, given.duplicate_of
    facts = {"old": before.value, "new": after.value, "duplicate_of": given.duplicate_of}
    work.record("sev:dismissed", sev=number, text=given.reason, facts=facts)
    evaluation.evaluate(work, settings, [sev])


def _no_false_alarm(work: Work, sev: Sev) -> None:
    """Refuse to dismiss what our own checks saw: it has to be resolved. (Dismissed SEVs are not watched.)"""
    number = sev.number or 0
    seen = vantages.of_sevs(work.session, [number])[number]
    if any(v.state.decisive is Verdict.open for v in seen):
        raise Conflict("A check still sees this door open; a SEV that is exposed can't be dismissed.")
    opened = [v for v in seen if v.state.last_open_at is not None]
    if any(acceptances.left_open(work.session, work.session.get_one(Check, v.check_id)) for v in opened):
        raise Conflict(
            "A check saw this door open and was changed since; as it is now it never did. Change it back, or have an"
            " executive accept what it is now."
        )
    if any(v.state.last_open_at and v.state.last_open_at >= sev.reported_at for v in opened):
        raise Conflict("A check saw this door open since it was reported: it is no false alarm. Resolve it instead.")


def close(work: Work, settings: Settings, number: int, reason: str) -> None:
    """Say that a resolved SEV was reviewed. The watch goes on."""
    sev = open_for(work, number, May.resolve_sevs)
    before = sev.status
    sev.status = lifecycle.after("close", sev.status)
    sev.closed_at = work.now
    facts = {"old": before.value, "new": sev.status.value}
    work.record("sev:closed", sev=number, text=reason, facts=facts)
    evaluation.evaluate(work, settings, [sev])
