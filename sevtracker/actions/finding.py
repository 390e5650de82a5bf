"""What comes to light while looking: further ways in that runs come across, copies that nobody looks at.

Kept as suggestions. A suggestion gates nothing by itself: what was seen open gates by the check that saw it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from sevtracker.checks.interface import Suggestion
from sevtracker.checks.probing import ProbeEnvironment
from sevtracker.config import Settings
from sevtracker.domain.vocabulary import SuggestionState
from sevtracker.store import checks as stored
from sevtracker.store import datasets, sevs, suggestions
from sevtracker.store import tables as t
from sevtracker.store.work import Work

#: What one run may suggest. A catalog with more leaks than this is open all the same.
A_RUN = 200
#: Classes of identities that a door should be shut to, the likeliest first.
_OUTSIDERS = ("staff", "contractor", "ex_member", "held_session", "anonymous")


@dataclass(frozen=True, slots=True)
class Finding:
    """What came to light, where (a copy), and by which check."""

    check: t.Check
    copy_id: int
    seen: Suggestion


def keep(work: Work, settings: Settings, check_id: int, seen: Sequence[Suggestion]) -> None:
    """Keep what a run of a check came across. What is watched already, or known, is not suggested again."""
    check = stored.by_id(work.session, check_id)
    if check is None:
        return
    watched = suggestions.watched(work.session, check.copy_id)
    places = {(kind, locator) for kind, locator, _ in watched}

    def known(one: Suggestion) -> bool:
        """Does a check look there: as the one who was named, where somebody was?"""
        if one.identity is None:
            return (one.kind, one.locator) in places
        return (one.kind, one.locator, one.identity) in watched

    unwatched = [one for one in seen[:A_RUN] if not known(one)]
    _keep(work, settings, [Finding(check, check.copy_id, one) for one in unwatched])


def _keep(work: Work, settings: Settings, findings: Sequence[Finding]) -> None:
    if not findings:
        return
    looking = stored.of_datasets(work.session, [findings[0].check.dataset_id])
    rows = [_row(work, settings, finding, looking) for finding in findings]
    new = set(suggestions.add(work.session, rows))
    if not new:
        return
    numbers = sevs.affecting(work.session, findings[0].check.dataset_id)
    for line in suggestions.listing(work.session, limit=len(new), ids=new):
        told = {"suggestion": line.id, "check": line.check, "kind": line.kind, "copy": line.copy, "place": line.locator}
        _tell(work, "suggestion:made", line, told, line.why, numbers)


def _row(work: Work, settings: Settings, finding: Finding, looking: Sequence[t.Check]) -> dict[str, Any]:
    seen = finding.seen
    named = {"kind": seen.kind, "locator": seen.locator, "identity": seen.identity or ""}
    identity, control = _whose_eyes(settings, finding, looking)
    return {
        "copy_id": finding.copy_id,
        "check_id": finding.check.id,
        "kind": seen.kind,
        "identity": seen.identity or identity,
        "control": control if control != seen.identity else None,
        "params": dict(seen.params),
        "locator": seen.locator,
        "digest": hashlib.sha256(rfc8785.dumps(named)).hexdigest(),
        "why": seen.why[:500],
        "first_at": work.now,
        "last_at": work.now,
        "state": SuggestionState.proposed,
        "reason": "",
    }


def _whose_eyes(settings: Settings, finding: Finding, looking: Sequence[t.Check]) -> tuple[str, str | None]:
    """Who should try the new door, and who has to get in. In this order:

    1. The finder, unless it is somebody who may see it anyway.
    2. Whoever tries the dataset's other doors of that kind.
    3. The first identity of the configuration that stands for people without a right, before the finder as control.
    """
    check = finding.check
    if _may_not(settings, check.identity):
        return check.identity, check.control
    for other in looking:
        if other.kind == finding.seen.kind and _may_not(settings, other.identity):
            return other.identity, other.control
    outsiders = [name for name, who in settings.identities.items() if who.username and _may_not(settings, name)]
    outsiders.sort(key=lambda name: _OUTSIDERS.index(settings.identities[name].cls))
    finder = settings.identities.get(check.identity)
    control = check.identity if finder is not None and finder.cls == "control" else check.control
    return (outsiders[0], control) if outsiders else (check.identity, check.control)


def _may_not(settings: Settings, identity: str) -> bool:
    """Does this identity stand for somebody who has no business there?"""
    who = settings.identities.get(identity)
    return who is not None and who.cls in _OUTSIDERS


def tell(work: Work, kind: str, line: suggestions.Line, told: dict[str, Any], text: str | None = None) -> None:
    """On the dataset's record, and on the timeline of every SEV of it that is owed something."""
    dataset = datasets.by_slug(work.session, line.dataset)
    _tell(work, kind, line, told, text, sevs.affecting(work.session, dataset.id or 0) if dataset else ())


def _tell(
    work: Work, kind: str, line: suggestions.Line, told: dict[str, Any], text: str | None, numbers: Sequence[int]
) -> None:
    for number in numbers or (None,):
        work.record(kind, sev=number, dataset=line.dataset, facts=told, text=text)


# ---- copies that nobody looks at ---------------------------------------------------------------------------------


def for_copies(work: Work, settings: Settings, probes: ProbeEnvironment, dataset_id: int) -> None:
    """Suggest, for each copy of a dataset that no check looks at, what looks at another copy, at that copy's location.

    Only where the location says where that is, as ``postgresql://db2:5432/hr`` or ``https://replica.corp.example``.
    """
    looking = stored.of_datasets(work.session, [dataset_id])
    seen = {check.copy_id for check in looking}
    bare = [copy for copy in datasets.copies_of(work.session, [dataset_id]) if copy.id not in seen and copy.location]
    found = [
        Finding(check, copy.id or 0, suggestion)
        for copy in bare
        for check in looking
        for suggestion in _moved(probes, check, copy)
    ]
    if found:
        _keep(work, settings, found)


def _moved(probes: ProbeEnvironment, check: t.Check, copy: t.Copy) -> Iterable[Suggestion]:
    """The check as it would look at the copy, if the copy's location is a URL of the same scheme as the check's."""
    kind = probes.kinds.get(check.kind)
    url = check.params.get("url")
    if kind is None or not isinstance(url, str):
        return
    scheme, _, rest = url.partition("://")
    if not rest or copy.location.partition("://")[0] != scheme or "@" in copy.location:
        return
    params = {**check.params, "url": copy.location}
    try:
        locator = kind.locate(kind.params.model_validate(params)).text
    except ValueError:  # the location is written for people: no check can go there
        return
    why = f"The {check.kind} check {check.id} looks at another copy; at {copy.slug} nobody does so."
    yield Suggestion(check.kind, params, why, check.identity, locator)
