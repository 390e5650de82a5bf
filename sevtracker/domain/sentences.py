"""What a record says, in one plain sentence. The same words on the timeline, in the API, later in Slack and mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Facts = Mapping[str, Any]

_CAUSES = {
    "seen_open": "a check saw the door open",
    "verification_lost": "the watch could not see for too long",
    "check_taken_away": "the check that watched a copy was taken away, and nothing looks there any more",
    "by_hand": "somebody reopened it",
    "waiver_ended": "a waiver ended, and its check has not seen the door closed as it has to",
    "attestation_ended": "an attestation ended",
}


def sentence(kind: str, facts: Facts) -> str:
    """The sentence for a record of ``kind`` with these facts. An unknown kind is shown by its own name."""
    tell = _SENTENCES.get(kind)
    return tell(facts) if tell else kind.replace(":", ": ").replace("_", " ")


def _filed(f: Facts) -> str:
    hidden = ", restricted" if f.get("restricted") else ""
    return f"SEV filed as {f['level']}{hidden}, affecting {', '.join(f['datasets'])}."


def _changed(f: Facts) -> str:
    parts = []
    for name, change in f.items():
        if isinstance(change, Mapping) and "old" in change and name != "commander":
            parts.append(f"{name} from {_said(change['old'])} to {_said(change['new'])}")
        else:
            parts.append(str(name))
    return f"Changed {', '.join(parts)}."


def _copy_changed(f: Facts) -> str:
    parts = (f"{name} from {_said(c['old'] or None)} to {_said(c['new'] or None)}" for name, c in f["changed"].items())
    return f"Copy {f['copy']} changed: {', '.join(parts)}."


def _said(value: object) -> str:
    return "nothing" if value is None else str(value)


def _check(word: str) -> Callable[[Facts], str]:
    def tell(f: Facts) -> str:
        at = f"{f['identity']} at {f['dataset']}/{f['copy']}, check {f['check']}"
        return f"{at}: {word} ({f['reason'].replace('_', ' ')})."

    return tell


def _check_changed(f: Facts) -> str:
    what = ", ".join([*_parts(f["changed"]), *f.get("params", ())]) or "name"
    done = "retired" if f.get("retired") else f"changed ({what})"
    approved = f", as proposal {f['proposal']} of somebody else" if f.get("proposal") else ""
    return f"Check {f['check']} {done}{approved}."


def _parts(changed: Facts) -> list[str]:
    """What people change. The fingerprint follows from that."""
    return [name for name in changed if name != "fingerprint"]


def _change_refused(f: Facts) -> str:
    what = "Retiring" if f["retires"] else "Changing"
    parts = ", ".join([*_parts(f["changed"]), *f["params"]])
    why = "it last saw the door open" if f["why"] == "saw_open" else "it judges a patch of whoever asked"
    waits = f" Proposal {f['proposal']} waits for a second person." if f["proposal"] else ""
    return f"{what} check {f['check']}{f' ({parts})' if parts else ''} refused: {why}.{waits}"


def _accepted(f: Facts) -> str:
    what = ", ".join(f["changed"]) or "nothing"
    return (
        f"New definition of check {f['check']} accepted: revision {f['revision']} differs from revision {f['since']},"
        f" which saw the door open, in {what}. It still has to be proven."
    )


def _acceptance_refused(f: Facts) -> str:
    why = "it judges a patch of whoever asked" if f["why"] == "own_patch" else "whoever asked had changed it"
    return f"Accepting the new definition of check {f['check']} refused: {why}."


def _halted(f: Facts) -> str:
    if "identity" not in f:
        return f"Check {f['check']} stopped by itself: {f['reason'].replace('_', ' ')} twice in a row."
    return (
        f"{f['identity']} could not sign in at {f['target']} twice in a row (check {f['check']} was the last):"
        f" {_checks(len(f['stopped']))} stopped."
    )


def _checks(count: int) -> str:
    return f"{count} {'check' if count == 1 else 'checks'}"


def _claimed(f: Facts) -> str:
    scope = f" for {', '.join(f['datasets'])}" if f["datasets"] else ""
    return f"Patch {f['patch']} claimed{scope}."


def _failed(f: Facts) -> str:
    """By which checks, as far as the record says: older ones have their numbers only."""
    by = list(f.get("about", ())) or [f"check {number}" for number in f.get("checks", ())]
    return f"Patch {f['patch']} failed: {_listed(by) or 'a check'} saw the door open after it had settled."


def _listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a and 3 others``."""
    if len(names) > 2:
        return f"{names[0]} and {len(names) - 1} others"
    return " and ".join(names)


def _refused(f: Facts) -> str:
    codes = ", ".join(dict.fromkeys(b["code"].replace("_", " ") for b in f["blockers"]))
    count = len(f["blockers"])
    return f"Resolving refused: {count} {'blocker' if count == 1 else 'blockers'} ({codes})."


def _resolved(f: Facts) -> str:
    """The checks that were only waived, and the copies that were only attested, are named: they are exceptions."""
    named = [f"{_vantage(w, w['place'])} (waived)" for w in f.get("waived", ())]
    named += [f"{place} (attested)" for place in f.get("attested", ())]
    if named:
        return f"Resolved with {len(named)} exception{'s' if len(named) > 1 else ''}: {', '.join(named)}."
    return "Resolved with exception." if f.get("exceptions") else "Resolved: every door was seen closed."


def _reopened(f: Facts) -> str:
    about = f" ({', '.join(f['about'])})" if f.get("about") else ""
    return f"Reopened: {_CAUSES.get(f['cause'], f['cause'])}{about}."


def _waived(f: Facts) -> str:
    known = ", though its door is open" if f["knew_open"] else ""
    about = _vantage(f, f"{f['dataset']}/{f['copy']}")
    return f"Waived until {_minute(f['until'])}: {about}{known}."


def _vantage(f: Facts, place: str) -> str:
    """Who tries where, and by which check if there were others alike then. Older records don't say, so they name it."""
    return f.get("about") or f"{f['identity']} at {place}, check {f['check']}"


def _waiver(word: str) -> Callable[[Facts], str]:
    return lambda f: f"Waiver for {f.get('about') or 'check ' + str(f['check'])} {word}."


def _attested(word: str) -> Callable[[Facts], str]:
    return lambda f: f"Attestation for {f['dataset']}/{f['copy']} {word}."


def _minute(moment: str) -> str:
    """A time of the record as people read it."""
    return f"{moment[:10]} {moment[11:16]} UTC"


def _dismissed(f: Facts) -> str:
    return f"Dismissed as a duplicate of SEV-{f['duplicate_of']}." if f.get("duplicate_of") else "Dismissed."


def _exposure(f: Facts) -> str:
    return f"Exposure went from {f['old'].replace('_', ' ')} to {f['new'].replace('_', ' ')}."


def _fixed(text: str) -> Callable[[Facts], str]:
    return lambda _: text


_SENTENCES: Mapping[str, Callable[[Facts], str]] = {
    "sev:filed": _filed,
    "sev:changed": _changed,
    "sev:verify_asked": lambda f: f"All checks asked for ({len(f['checks'])}).",
    "sev:resolved": _resolved,
    "sev:reopened": _reopened,
    "sev:dismissed": _dismissed,
    "sev:closed": _fixed("Closed after review. The watch goes on."),
    "note:added": _fixed("Note."),
    "note:revised": lambda f: f"Note {f['note']} revised.",
    "patch:claimed": _claimed,
    "patch:failed": _failed,
    "patch:held": lambda f: f"Patch {f['patch']} held.",
    "patch:partial": lambda f: f"Patch {f['patch']} held where it was applied; the SEV is exposed elsewhere.",
    "patch:superseded": lambda f: f"Patch {f['patch']} superseded before it was verified.",
    "patch:untested": lambda f: f"Patch {f['patch']} is untested.",
    "patch:unverified": lambda f: f"Patch {f['patch']} is still unverified: no check could judge it in time.",
    "check:created": lambda f: f"Check {f['check']} added: {f['kind']} as {f['identity']}.",
    "check:changed": _check_changed,
    "check:change_refused": _change_refused,
    "check:definition_accepted": _accepted,
    "check:acceptance_refused": _acceptance_refused,
    "check:change_denied": lambda f: f"Check {f['check']} stays as it is: proposal {f['proposal']} denied.",
    "check:opened": _check("open"),
    "check:closed": _check("closed"),
    "check:blind": _check("inconclusive"),
    "twins:proven": lambda f: f"Check {f['check']} proven: it told its open canary twin from its locked one.",
    "twins:failed": lambda f: f"The twins of check {f['check']} prove nothing: {f['wrong']}.",
    "twins:made": lambda f: f"Canary twins of check {f['check']} made at its target by {f['keeper']}.",
    "twins:dropped": lambda f: f"Canary twins of check {f['check']} dropped at its target by {f['keeper']}.",
    "suggestion:made": lambda f: f"Check {f['check']} came across a further way in, at {f['place']}.",
    "suggestion:accepted": lambda f: f"The way in at {f['place']} is watched now, by check {f['check']}.",
    "suggestion:dismissed": lambda f: f"The way in at {f['place']} is left unwatched.",
    "check:halted": _halted,
    "check:control_halted": lambda f: (
        f"{f['identity']}, the control of check {f['check']}, could not sign in at {f['target']} twice in a row, and is"
        " not tried there any more."
    ),
    "check:resumed": lambda f: (
        f"{f['identity']} signs in at {f['target']} again: {_checks(len(f['woken']))} that had stopped"
        f" {'goes' if len(f['woken']) == 1 else 'go'} on."
    ),
    "exposure:changed": _exposure,
    "gate:refused": _refused,
    "act:retest": _fixed("The reporter retested: what they reported is gone."),
    "act:access_review": _fixed("Access review of the exposure window recorded."),
    "act:sessions_handled": _fixed("Sessions and tokens from before the patch handled."),
    "waiver:granted": _waived,
    "waiver:revoked": _waiver("revoked"),
    "waiver:expired": _waiver("expired"),
    "waiver:refused": _waiver("refused: nobody waives a check that judges their own patch"),
    "attestation:made": lambda f: (
        f"{f['dataset']}/{f['copy']} attested until {_minute(f['until'])}; a second person has to sign."
    ),
    "attestation:signed": _attested("signed by a second person"),
    "attestation:refused": _attested("refused: nobody attests what their own patch did"),
    "attestation:withdrawn": _attested("withdrawn"),
    "attestation:expired": _attested("expired"),
    "notice:acknowledged": lambda f: f"Notice acknowledged: {f['kind'].split(':')[-1].replace('_', ' ')}.",
    "person:added": lambda f: f"Somebody added as {f['role']}.",
    "person:deactivated": _fixed("Somebody's access ended."),
    "person:restored": _fixed("Somebody's access restored."),
    "person:link_made": _fixed("One-time link made for somebody."),
    "person:password_set": _fixed("Password set."),
    "role:changed": lambda f: f"Role changed from {f['old']} to {f['new']}.",
    "token:created": _fixed("Token created."),
    "token:revoked": _fixed("Token revoked."),
    "programme:created": _fixed("Programme created."),
    "dataset:registered": lambda f: f"Dataset registered with {', '.join(f['copies'])}.",
    "dataset:changed": lambda f: f"Dataset changed ({', '.join(f)}).",
    "dataset:copy_added": lambda f: f"Copy {f['copy']} ({f['kind']}) added.",
    "dataset:copy_changed": _copy_changed,
    "dataset:copy_retired": lambda f: f"Copy {f['copy']} ({f['kind']}) retired.",
}
