"""The resolve gate: facts in, blockers out. Never a bare boolean: every "no" says why and what would clear it.

Each numbered rule of ``blockers`` is one small function below, in the order in which a page shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sevtracker.domain.exposure import Assessment
from sevtracker.domain.openings import stands_open
from sevtracker.domain.policy import Rules
from sevtracker.domain.spans import span
from sevtracker.domain.vocabulary import ACTIVE, Exposure, Level, Reason, Status, Verdict, Weight


class Code(StrEnum):
    """Why resolving is refused. Scripts rely on these words."""

    status = "status"
    uncovered = "uncovered"
    no_check = "no_check"
    no_patch = "no_patch"
    open = "open"
    inconclusive = "inconclusive"
    unproven = "unproven"
    unattributed = "unattributed"
    flapping = "flapping"
    soak = "soak"
    stale = "stale"
    retest = "retest"
    access_review = "access_review"
    sessions = "sessions"
    attestation = "attestation"


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason not to resolve: a code, one plain sentence, and what would clear it. ``check`` or ``place`` it is
    about, if it is about one."""

    code: Code
    message: str
    clears: str
    check: int | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """An executive's word that this vantage may be passed over, until then. ``knew_open``: the door was seen open.

    It is about what the check looked at then, its ``fingerprint``. People are their ids.
    """

    until: datetime
    knew_open: bool
    fingerprint: str = ""
    granted_by: int = 0
    patch_authors: frozenset[int] = frozenset()

    def trouble(self, now: datetime, fingerprint: str) -> str | None:
        """Why it counts for nothing at a check with this fingerprint, in words; None if it stands."""
        if now >= self.until:
            return "has expired"
        if self.granted_by in self.patch_authors:
            return "was granted by an author of a patch"
        return "is for what the check looked at before it was changed" if fingerprint != self.fingerprint else None


@dataclass(frozen=True, slots=True)
class Vantage:
    """What the gate knows of one check of the SEV. ``place`` is ``dataset/copy``; ``reason`` is the latest run's.

    ``which``: what tells it from others of that identity there; empty: there are none.
    """

    check: int
    place: str
    identity: str
    required: bool
    weight: Weight
    assessment: Assessment
    decisive: Verdict | None
    last: Verdict | None
    reason: Reason | None
    last_at: datetime | None
    fingerprint: str = ""
    waivers: tuple[Waiver, ...] = ()
    #: An earlier definition of it was the last that said open, and nothing has taken that back.
    still_open: bool = False
    kind: str = ""
    which: str = ""

    @property
    def door_open(self) -> bool:
        """Is the door open, as far as we know? An edit after an open takes nothing back."""
        return self.decisive is Verdict.open or self.still_open

    @property
    def about(self) -> str:
        return f"{self.identity} at {self.place}{self.which}"

    def standing(self, now: datetime) -> tuple[Waiver, ...]:
        """The waivers that are in force, whether or not they cover what the check sees."""
        return tuple(w for w in self.waivers if w.trouble(now, self.fingerprint) is None)

    def waived_until(self, now: datetime) -> datetime | None:
        """Until when a waiver lets it through; None: none does. An open door takes one whose granter knew of it."""
        covering = [w.until for w in self.standing(now) if w.knew_open or not self.door_open]
        return max(covering, default=None)

    def waived(self, now: datetime) -> bool:
        """Does a waiver let this vantage through?"""
        return self.waived_until(now) is not None

    def made_good(self) -> bool:
        """Would it need no waiver any more?"""
        seen = self.assessment
        proven = seen.proven and seen.attributed and seen.soaked and not seen.flapping
        return not self.door_open and self.decisive is Verdict.closed and self.last is Verdict.closed and proven


@dataclass(frozen=True, slots=True)
class Hole:
    """A copy of an affected dataset that no required check looks at (as ``identity_class``, or at all)."""

    place: str
    identity_class: str | None = None
    #: It is said to be gone. No check can be added for it.
    retired: bool = False


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """A check that can see ``place``, and was disabled: neither retired nor a vantage any more."""

    check: int
    place: str


@dataclass(frozen=True, slots=True)
class Attestation:
    """People's word where no probe can exist. Shown as attested, never as verified. People are their ids."""

    place: str
    evidence_url: str
    attested_by: tuple[int, ...]
    expires_at: datetime
    patch_authors: frozenset[int] = frozenset()

    def trouble(self, now: datetime) -> str | None:
        """What is missing for it to count, in words; None if nothing is."""
        if not self.evidence_url:
            return "has no link to its evidence"
        if len(set(self.attested_by)) < 2:
            return "needs two different people"
        if set(self.attested_by) & self.patch_authors:
            return "is attested by an author of the patch"
        return "has expired" if now >= self.expires_at else None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the gate looks at, gathered in one transaction.

    The three ``*_at`` are when that act was last recorded in this cycle; ``patched_at``: when the last patch applied.
    """

    level: Level
    status: Status
    rules: Rules
    now: datetime
    vantages: Sequence[Vantage]
    holes: Sequence[Hole]
    patches: int
    patched_at: datetime | None = None
    switched_off: Sequence[SwitchedOff] = ()
    attestations: Sequence[Attestation] = ()
    retest_at: datetime | None = None
    access_review_at: datetime | None = None
    sessions_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer. ``exceptions`` are the checks that a waiver only let through, ``attested`` the places where people's
    word stands in for a check."""

    blockers: tuple[Blocker, ...]
    exceptions: tuple[int, ...] = ()
    attested: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        return not self.blockers


def evaluate(facts: Facts) -> Gate:
    """Ask every question; keep every objection."""
    found = (
        *_status(facts),
        *_vantages(facts),
        *_coverage(facts),
        *_patches(facts),
        *_acts(facts),
    )
    exceptions = tuple(v.check for v in facts.vantages if v.waived(facts.now) and objects(v, facts))
    return Gate(found, exceptions, tuple(sorted({hole.place for hole in facts.holes} & attested(facts))))


def objects(vantage: Vantage, facts: Facts) -> bool:
    """Would this vantage keep the SEV from being resolved, if no waiver let it through?"""
    return vantage.weight is not Weight.informs and next(_vantage(vantage, facts), None) is not None


def _status(facts: Facts) -> Iterator[Blocker]:
    if facts.status not in ACTIVE:
        yield Blocker(Code.status, f"This SEV is {facts.status}.", "Only a SEV with work still owed can be resolved.")


def vouched(facts: Facts) -> set[str]:
    """The places where people's word is complete and no machine sees the door open: no word outvotes that."""
    seen_open = {v.place for v in facts.vantages if v.door_open and v.weight is not Weight.informs}
    return {a.place for a in facts.attestations if a.trouble(facts.now) is None} - seen_open


def attested(facts: Facts) -> set[str]:
    """The places where people's word stands in for a check: it holds, and there is none that could look instead."""
    return vouched(facts) - probed(facts).keys()


def probed(facts: Facts) -> dict[str, tuple[int, str]]:
    """The places that a check of the SEV can look at, required or not, enabled or not: its number, and how it stands.

    People's word does not count there: whoever made the check look away could say by word what it would not.
    """
    looking = [(v.place, v.check, "looks there" if v.required else "is optional") for v in facts.vantages if _sees(v)]
    off = [(one.place, one.check, "was switched off") for one in facts.switched_off]
    return {place: (check, how) for place, check, how in (*looking, *off)}


def _sees(v: Vantage) -> bool:
    return v.weight is Weight.decides


def _coverage(facts: Facts) -> Iterator[Blocker]:
    good, unseen, checked = attested(facts), {hole.place for hole in facts.holes}, probed(facts)
    idle = unseen & checked.keys()
    for place in sorted({a.place for a in facts.attestations if facts.now < a.expires_at} & idle):
        check, how = checked[place]
        yield Blocker(
            Code.attestation,
            f"The attestation for {place} does not count: check {check} {_can(how)}.",
            f"{_back(check)} People's word is for what no check can look at.",
            place=place,
        )
    for place, trouble in _unfinished(facts, good | idle, unseen):
        yield Blocker(
            Code.attestation,
            f"The attestation for {place} {trouble}.",
            "Attest with an evidence link and two people, neither of them an author of the patch.",
            place=place,
        )
    for hole in facts.holes:
        if hole.place in good:
            continue
        yield _uncovered(hole, checked.get(hole.place))
    if not any(v.weight is Weight.decides and v.required for v in facts.vantages):
        yield Blocker(
            Code.no_check,
            "No required check of this SEV can see access closed.",
            "Add a check that can see the exposure; people's word alone never resolves.",
        )


def _uncovered(hole: Hole, checked: tuple[int, str] | None) -> Blocker:
    """A copy that nobody looks at; which check could, if one was made to look away."""
    eyes = f"as {hole.identity_class}" if hole.identity_class else "at all"
    says, clears = f"No required check looks at {hole.place} {eyes}", "Add a required check for that copy."
    if hole.retired:
        says = f"{hole.place} was retired after this SEV was filed, and nothing looks at it any more"
        return Blocker(
            Code.uncovered, f"{says}.", "Two people attest that it is gone, with evidence.", place=hole.place
        )
    if checked is not None and hole.identity_class is None:
        check, how = checked
        says, clears = f"{says}: check {check} {how}", f"{_back(check)} Or add another one for that copy."
    return Blocker(Code.uncovered, f"{says}.", clears, place=hole.place)


def _can(how: str) -> str:
    return how if how == "looks there" else f"can look there, and {how}"


def _back(check: int) -> str:
    return f"Enable check {check} and make it required; if it can't see, an executive can waive it."


def _unfinished(facts: Facts, good: set[str], unseen: set[str]) -> list[tuple[str, str]]:
    """Attestations that lack something, as (place, what): not where another one is good, and none that is mere history
    since a check looks there now."""
    told = [(a, a.trouble(facts.now)) for a in facts.attestations if a.place not in good]
    owed = [(a.place, trouble) for a, trouble in told if trouble and (a.place in unseen or facts.now < a.expires_at)]
    return list(dict.fromkeys(owed))


def _patches(facts: Facts) -> Iterator[Blocker]:
    if not facts.patches:
        yield Blocker(Code.no_patch, "No patch has been logged.", "Log the patch that closed the access.")


def _vantages(facts: Facts) -> Iterator[Blocker]:
    for vantage in facts.vantages:
        if vantage.weight is not Weight.informs and not vantage.waived(facts.now):
            yield from _vantage(vantage, facts)


def _vantage(v: Vantage, facts: Facts) -> Iterator[Blocker]:
    """What one vantage objects. An optional check objects only while its door is open, as far as we know."""
    who, seen = v.about, v.assessment
    if v.decisive is Verdict.open:
        yield Blocker(
            Code.open,
            stands_open(v.kind, v.reason, v.identity, f"{v.place}{v.which}"),
            "Close it and log the patch; the check has to see it closed.",
            v.check,
        )
    if not v.required:
        if v.door_open and v.decisive is not Verdict.open:
            yield _taken_back(v)
        return
    if v.last is None:
        yield Blocker(Code.inconclusive, f"The check of {who} has not run yet.", "Run the checks.", v.check)
    elif v.last is Verdict.inconclusive:
        why = f" ({v.reason})" if v.reason else ""
        yield Blocker(
            Code.inconclusive,
            f"The latest run as {who} was inconclusive{why}.",
            "Mend what keeps the check from seeing, then run it again.",
            v.check,
        )
    if v.decisive is Verdict.open:
        return
    if v.door_open:
        yield _taken_back(v)
    elif v.last is not None and not seen.proven:
        yield Blocker(
            Code.unproven,
            f"The check of {who} has never seen this door open, so its closed proves nothing.",
            "Reproduce the exposure with this very check, or prove it on canary twins.",
            v.check,
        )
    elif v.last is not None and not seen.attributed:
        yield Blocker(
            Code.unattributed,
            f"{v.place} was seen open after the last patch had settled; nobody knows what closed it for"
            f" {v.identity}{v.which}.",
            "Find out what closed it and log that as a patch.",
            v.check,
        )
    elif facts.patches and seen.exposure is Exposure.no_patch:
        yield Blocker(
            Code.no_patch,
            f"No patch has been logged for {v.place}{v.which}.",
            "Log the patch that closed it there.",
            v.check,
        )
    yield from _streak(v, facts)


def _taken_back(v: Vantage) -> Blocker:
    """It saw its door open, and was edited since: what it says now takes that back no more than twins do."""
    return Blocker(
        Code.unproven,
        f"The check of {v.about} saw this door open and was changed since; what it says now does not take that back.",
        "Change it back, and run it until it sees the door closed. If what it judges by had to change, an executive"
        " accepts the new definition on the check's page; then prove it.",
        v.check,
    )


def _streak(v: Vantage, facts: Facts) -> Iterator[Blocker]:
    who, seen = v.about, v.assessment
    if seen.flapping:
        yield Blocker(
            Code.flapping,
            f"The access of {who} went from closed to open twice within {span(facts.rules.flapping_window)}.",
            "Find what opens it again; twice the streak over twice the soak is needed now.",
            v.check,
        )
    if not seen.soaked and facts.patches:
        until = f", and not before {seen.soaked_at:%Y-%m-%d %H:%M:%S} UTC" if seen.soaked_at else ""
        yield Blocker(
            Code.soak,
            f"{who} was seen closed {seen.streak} of {seen.needed} times needed since the last patch.",
            f"Wait for the next runs: spaced {span(facts.rules.spacing)} or more{until}.",
            v.check,
        )
    if v.last is not None and not seen.fresh:
        yield Blocker(
            Code.stale,
            f"The last run as {who} is older than {span(facts.rules.freshness)}.",
            "Run the checks; see whether the worker is up.",
            v.check,
        )


def _acts(facts: Facts) -> Iterator[Blocker]:
    """What people owe, by level. An act recorded before the last patch was applied cannot speak for what came after."""
    rules = facts.rules
    if rules.reporter_retest and not _since_patch(facts.retest_at, facts):
        yield Blocker(
            Code.retest,
            "The reporter has not retested since the last patch.",
            "The reporter tries again what they reported, and records that it is gone.",
        )
    if rules.access_review and not _since_patch(facts.access_review_at, facts):
        yield Blocker(
            Code.access_review,
            "Nobody has recorded who accessed the data while it was exposed.",
            'Review the access logs of the exposure window. "No logs exist" is a valid answer, if stated.',
        )
    if rules.sessions and not _since_patch(facts.sessions_at, facts):
        yield Blocker(
            Code.sessions,
            "Nobody has recorded that sessions and tokens from before the patch were ended.",
            "End or re-test sessions, cursors, signed links and tokens from before the patch, and record it.",
        )


def _since_patch(recorded: datetime | None, facts: Facts) -> bool:
    return recorded is not None and (facts.patched_at is None or recorded >= facts.patched_at)
