"""Copies that are there already: say better what one is and where it lies; retire one that is gone.

Neither touches a check. Where a check looks is its own definition, and changed there.
"""

from __future__ import annotations

from sevtracker.actions import finding
from sevtracker.actions.enforce import May, require
from sevtracker.actions.inputs import ChangeCopy, WithReason
from sevtracker.checks.probing import ProbeEnvironment
from sevtracker.config import Settings
from sevtracker.domain.vocabulary import ACTIVE
from sevtracker.errors import Conflict, NotFound
from sevtracker.store import checks, datasets, sevs
from sevtracker.store.tables import Copy
from sevtracker.store.work import Work

#: Of those that keep a copy from being retired, so many are named.
MOST_NAMED = 5


def change(
    work: Work, settings: Settings, probes: ProbeEnvironment, slug: str, copy_slug: str, given: ChangeCopy
) -> Copy:
    """Change the kind or the location of a copy. Where nobody looks yet, what looks elsewhere is suggested for it anew.

    Raises NotFound, and Conflict for one that is retired.
    """
    copy = _standing(work, slug, copy_slug)
    wanted = {name: getattr(given, name) for name in sorted(given.model_fields_set)}
    changed = {
        name: {"old": getattr(copy, name), "new": value}
        for name, value in wanted.items()
        if value is not None and value != getattr(copy, name)
    }
    if not changed:
        return copy
    for name, values in changed.items():
        setattr(copy, name, values["new"])
    work.session.add(copy)
    work.session.flush()
    work.record("dataset:copy_changed", dataset=slug, facts={"copy": copy.slug, "changed": changed})
    finding.for_copies(work, settings, probes, copy.dataset_id)
    return copy


def retire(work: Work, slug: str, copy_slug: str, given: WithReason) -> Copy:
    """Say that a copy is gone: no later SEV asks for it. SEVs that were filed before still do.

    Raises NotFound, and Conflict, which says what is in the way: checks that are not retired, SEVs that are not over,
    or that it is the only one left.
    """
    copy = _standing(work, slug, copy_slug)
    in_the_way = [*_checks(work, slug, copy), *_sevs(work, copy), *_alone(work, copy)]
    if in_the_way:
        raise Conflict(f"The copy {copy.slug} can't be retired: {'; '.join(in_the_way)}.")
    copy.retired_at = work.now
    work.session.add(copy)
    facts = {"copy": copy.slug, "kind": copy.kind, "location": copy.location}
    work.record("dataset:copy_retired", dataset=slug, text=given.reason, facts=facts)
    return copy


def _standing(work: Work, slug: str, copy_slug: str) -> Copy:
    """The copy. Its dataset is locked: nobody files a SEV about it or points a check at it meanwhile."""
    require(work.by, May.keep_datasets)
    dataset = datasets.lock(work.session, slug)
    copy = datasets.copy(work.session, dataset.id or 0, copy_slug) if dataset else None
    if copy is None:
        raise NotFound(f"There is no copy {slug}/{copy_slug}.")
    if copy.retired_at is not None:
        raise Conflict("This copy is retired.")
    return copy


def _checks(work: Work, slug: str, copy: Copy) -> list[str]:
    """Those that could look at it: retire them, or they would go on saying something of a place that is gone."""
    found = checks.looking_at(work.session, copy.id or 0)
    if not found:
        return []
    one = len(found) == 1
    named = ", ".join(f"{number} ({name})" for number, name in found[:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return [f"{'check' if one else 'checks'} {named}{more} {'looks' if one else 'look'} at it; retire"
            f" {'it' if one else 'them'} first"]  # fmt: skip


def _sevs(work: Work, copy: Copy) -> list[str]:
    """SEVs in which something is owed. One that the person may not know of is told without its number."""
    owed = sevs.affecting(work.session, copy.dataset_id, ACTIVE)
    if not owed:
        return []
    known = sorted(sevs.known(work.session, work.by.viewer, owed))
    named = ", ".join(f"SEV-{number}" for number in known[:MOST_NAMED]) or "a SEV"
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    return [f"{named}{more} on this dataset {'is' if len(owed) == 1 else 'are'} not over"]


def _alone(work: Work, copy: Copy) -> list[str]:
    others = [c for c in datasets.copies_of(work.session, [copy.dataset_id]) if c.id != copy.id]
    return [] if others else ["it is the only copy of this dataset"]
