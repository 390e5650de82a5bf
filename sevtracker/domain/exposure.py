"""What counts as closed. The product's heart: read it in one sitting.

A *vantage* is one check: one copy of one dataset, one identity, one way in. Its story is a list of events (runs,
patches, edits, canary proofs). ``fold`` turns the story into a ``VantageState``; ``assess`` turns a state and the time
into an ``Assessment``: the exposure, how far the streak got, and until when that holds if nothing more happens.

The rules, in the order in which ``assess`` asks them:

1. The last decisive verdict is ``open``            -> exposed. Nothing outvotes an open.
2. There is no decisive verdict                     -> unverified. An error is never a denial.
3. The door was never seen open by this very check  -> unproven. A check that can't see in can't see out. Twins prove
                                                       nothing while another definition of it last saw the door open,
                                                       unless an executive accepted the present one.
4. Nobody logged a patch for it                     -> no_patch.
5. It was open after the last patch had settled     -> unattributed: whatever closed it, it wasn't that patch.
6. Two closed-to-open swings inside the window      -> flapping, until twice the streak over twice the soak is seen.
7. The streak is long enough, over long enough      -> verified; uncertain if the latest run was inconclusive; stale if
                                                       there was no run lately.
8. Otherwise                                        -> verifying.

A ``closed`` is counted only when it is proven, attributed, after the last patch plus settle, and spaced from the one
counted before; a gap that is too long starts the streak again.

Runs are taken in the order in which they were stored. A target's runs never overlap, so that is the order in which
they were made, also when the wall clock jumped back meanwhile: no open is ever put behind a closed that was seen
before it. What people say (patches, edits, proofs) is put in at its own time, since that may be told later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sevtracker.domain.policy import Rules
from sevtracker.domain.vocabulary import EXPOSURE_ORDER, Exposure, Verdict

#: A run stamped later than this beyond ``now`` comes from a clock that jumped; it cannot be fresh evidence.
CLOCK_TOLERANCE = timedelta(seconds=60)
#: So many swings from closed to open within ``flapping_window`` are flapping.
FLAPS = 2


# ---- events ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Edited:
    """The check's definition has been ``fingerprint`` since ``at``. The first one creates the check.

    ``twins`` stands for its canary twins ("": none). They are no part of the definition. ``looser``: it judges more
    loosely than the one before, or looks elsewhere.
    """

    at: datetime
    fingerprint: str
    twins: str = ""
    looser: bool = False


@dataclass(frozen=True, slots=True)
class Patched:
    """Patch ``number`` was applied at ``at``. Out of scope it restarts the streak but is no patch of this vantage."""

    at: datetime
    number: int
    in_scope: bool = True


@dataclass(frozen=True, slots=True)
class TwinsProven:
    """The check said open on an open canary twin and closed on a locked one."""

    at: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that started at ``at``, with the definition ``fingerprint``."""

    at: datetime
    verdict: Verdict
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An executive accepted that ``fingerprint`` judges otherwise than the definition that last saw the door open."""

    at: datetime
    fingerprint: str


Event = Edited | Patched | TwinsProven | Accepted | Ran
_ORDER: dict[type[Event], int] = {Edited: 0, Patched: 1, TwinsProven: 2, Accepted: 3}


# ---- state -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VantageState:
    """Everything that a vantage's story leaves behind. Plain values, so that it is stored and compared as they are."""

    fingerprint: str | None = None
    twins: str = ""
    reproduced: tuple[str, ...] = ()
    twins_fingerprint: str | None = None
    twins_at: datetime | None = None

    patch: int | None = None
    applied_at: datetime | None = None
    restarted_at: datetime | None = None
    failed_patches: tuple[int, ...] = ()
    decided_since_patch: bool = False

    last: Verdict | None = None
    last_at: datetime | None = None
    decisive: Verdict | None = None
    decisive_at: datetime | None = None
    blind_since: datetime | None = None

    counted: int = 0
    first_counted_at: datetime | None = None
    last_counted_at: datetime | None = None

    first_open_at: datetime | None = None
    last_open_at: datetime | None = None
    swings: tuple[datetime, ...] = ()

    #: The definitions that saw the door open, and have not seen it closed since. Another one takes that over when it
    #: sees the door open, too; but not for those that are ``held``, since a looser one came after them.
    open_by: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    #: The definition that an executive accepted all the same, until the next edit; ``settled``: what of the others
    #: that settles, as long as it stands.
    accepted: str | None = None
    settled: tuple[str, ...] = ()

    #: The latest time that a patch, an edit or a proof has. A run from before it can't simply be added.
    said_at: datetime | None = None

    @property
    def still_open(self) -> bool:
        """Is there a definition whose own last word is open?"""
        return bool(self.open_by)

    @property
    def door_open(self) -> bool:
        """Is the door open, as far as we know? An edit after an open takes nothing back."""
        return self.decisive is Verdict.open or self.still_open

    @property
    def attributed(self) -> bool:
        """False once the last patch of this vantage was seen not to hold."""
        return self.patch is None or self.patch not in self.failed_patches

    def proven(self, rules: Rules, at: datetime) -> bool:
        """Has the current definition been seen to tell an open door from a closed one, as of ``at``?"""
        if any(definition != self.fingerprint for definition in self.open_by):
            return False
        if self.fingerprint in self.reproduced:
            return True
        return (
            not self.still_open
            and self.twins_at is not None
            and self.twins_fingerprint == self.fingerprint
            and at - self.twins_at <= rules.proof_valid
        )


def fold(events: Iterable[Event], rules: Rules, state: VantageState | None = None) -> VantageState:
    """The state after ``events``: runs in the order given, the others put in at their own times.

    At the same time an edit comes first, then a patch, then a proof, then runs.
    """
    state = state or VantageState()
    listed = list(events)
    said = deque(sorted((e for e in listed if not isinstance(e, Ran)), key=lambda e: (e.at, _ORDER[type(e)])))
    for run in (e for e in listed if isinstance(e, Ran)):
        while said and said[0].at <= run.at:
            state = apply(state, said.popleft(), rules)
        state = apply(state, run, rules)
    for event in said:
        state = apply(state, event, rules)
    return state


def follows(state: VantageState, run: Ran) -> bool:
    """May ``run``, just stored, simply be applied? If not, fold anew: something said since belongs after it."""
    return state.said_at is None or state.said_at <= run.at


def apply(state: VantageState, event: Event, rules: Rules) -> VantageState:
    """The state after one more event."""
    if not isinstance(event, Ran):
        state = replace(state, said_at=max(event.at, state.said_at or event.at))
    match event:
        case Ran():
            return _ran(state, event, rules)
        case Patched():
            return _patched(state, event)
        case Edited():
            return _edited(state, event)
        case TwinsProven():
            return replace(state, twins_fingerprint=event.fingerprint, twins_at=event.at)
        case Accepted():
            return _accepted(state, event)


def _edited(state: VantageState, event: Edited) -> VantageState:
    """Another definition: its streak starts from nothing. What was last seen stays: an edit closes no door.

    Other twins: what the former ones proved is void, and so is a streak that nothing else had proven.
    """
    if event.twins != state.twins:
        state = replace(state, twins=event.twins, twins_fingerprint=None, twins_at=None)
        if event.fingerprint in state.reproduced and event.fingerprint == state.fingerprint:
            return state
    elif event.fingerprint == state.fingerprint:
        return state
    if event.fingerprint != state.fingerprint:
        state = _unsettled(state)
    if event.looser:
        state = replace(state, held=_joined(state.held, state.open_by))
    return replace(state, fingerprint=event.fingerprint, counted=0, first_counted_at=None, last_counted_at=None)


def _accepted(state: VantageState, event: Accepted) -> VantageState:
    """What other definitions saw is settled, for this one only. An open of its own is nobody's to accept."""
    if event.fingerprint != state.fingerprint or state.decisive is Verdict.open:
        return state
    others = _without(state.open_by, event.fingerprint)
    own = tuple(d for d in state.open_by if d == event.fingerprint)
    return replace(state, open_by=own, accepted=event.fingerprint, settled=_joined(state.settled, others))


def _unsettled(state: VantageState) -> VantageState:
    """Nobody's word holds any more: what it settled is open again."""
    return replace(state, open_by=_joined(state.settled, state.open_by), accepted=None, settled=())


def _those(some: tuple[str, ...], held: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(d for d in some if d in held)


def _without(some: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(d for d in some if d != one)


def _joined(some: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *more)))


def _patched(state: VantageState, event: Patched) -> VantageState:
    """A patch anywhere restarts every streak; only one in scope can explain a closed door here."""
    state = replace(state, restarted_at=event.at, counted=0, first_counted_at=None, last_counted_at=None)
    if not event.in_scope:
        return state
    return replace(state, patch=event.number, applied_at=event.at, decided_since_patch=False)


def _ran(state: VantageState, run: Ran, rules: Rules) -> VantageState:
    if run.verdict is Verdict.inconclusive:
        return replace(state, last=run.verdict, last_at=run.at, blind_since=state.blind_since or run.at)
    settled = _settled(state.applied_at, run.at, rules)
    seen = replace(
        state,
        last=run.verdict,
        last_at=run.at,
        decisive=run.verdict,
        decisive_at=run.at,
        blind_since=None,
        decided_since_patch=state.decided_since_patch or settled,
    )
    if run.verdict is Verdict.open:
        return _opened(seen, run, settled, swung=state.decisive is Verdict.closed)
    seen = replace(seen, open_by=_without(seen.open_by, run.fingerprint), held=_without(seen.held, run.fingerprint))
    return _closed(seen, run, rules)


def _settled(patched_at: datetime | None, at: datetime, rules: Rules) -> bool:
    return patched_at is None or at >= patched_at + rules.settle


def _opened(state: VantageState, run: Ran, settled: bool, swung: bool) -> VantageState:
    """An open after its own patch settled shows that patch failed; patches elsewhere must not put that off."""
    failed = state.failed_patches
    if settled and state.patch is not None and state.patch not in failed:
        failed = (*failed, state.patch)
    if run.fingerprint == state.fingerprint:
        held = _without(state.held, run.fingerprint)
        state = replace(state, held=held, open_by=_those(state.open_by, held), settled=_those(state.settled, held))
    else:  # a run that was under way when the check was edited: nobody takes over from it
        state = _unsettled(replace(state, held=_joined(state.held, (run.fingerprint,))))
    return replace(
        state,
        reproduced=_joined(state.reproduced, (run.fingerprint,)),
        open_by=_joined(state.open_by, (run.fingerprint,)),
        failed_patches=failed,
        counted=0,
        first_counted_at=None,
        last_counted_at=None,
        first_open_at=state.first_open_at or run.at,
        last_open_at=run.at,
        swings=(*state.swings, run.at)[-8:] if swung else state.swings,
    )


def _closed(state: VantageState, run: Ran, rules: Rules) -> VantageState:
    """Count this closed, if it may be counted."""
    if uncounted(state, run, rules) is not None:
        return state
    if state.last_counted_at is None or _gap(state.last_counted_at, run, rules):
        return replace(state, counted=1, first_counted_at=run.at, last_counted_at=run.at)
    return replace(state, counted=state.counted + 1, last_counted_at=run.at)


def _gap(counted_at: datetime, run: Ran, rules: Rules) -> bool:
    """Is this run too far from the one counted before it to carry its streak on?"""
    return abs(run.at - counted_at) > rules.max_gap


class Uncounted(StrEnum):
    """Why a run does not count towards the streak of its vantage."""

    not_closed = "not_closed"
    settling = "settling"
    no_patch = "no_patch"
    unattributed = "unattributed"
    edited = "edited"
    unproven = "unproven"
    too_soon = "too_soon"


def uncounted(state: VantageState, run: Ran, rules: Rules) -> Uncounted | None:
    """Why ``run`` does not count after ``state``; None if it does. ``state`` has all that was said until then."""
    last = state.last_counted_at
    objections = {
        Uncounted.not_closed: run.verdict is not Verdict.closed,
        Uncounted.settling: not _settled(state.restarted_at, run.at, rules),
        Uncounted.no_patch: state.patch is None,
        Uncounted.unattributed: not state.attributed,
        Uncounted.edited: run.fingerprint != state.fingerprint,
        Uncounted.unproven: not state.proven(rules, run.at),
        Uncounted.too_soon: last is not None and not _gap(last, run, rules) and run.at - last < rules.spacing,
    }
    return next((why for why, holds in objections.items() if holds), None)


def until(events: Sequence[Event], run: Ran, rules: Rules, state: VantageState | None = None) -> VantageState:
    """The state that ``run``, one of ``events``, met: of the runs before it, and what was said until its time."""
    runs = [e for e in events if isinstance(e, Ran)]
    before = runs[: runs.index(run)] if run in runs else runs
    return fold([*before, *(e for e in events if not isinstance(e, Ran) and e.at <= run.at)], rules, state)


# ---- assessment --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a vantage says at a time.

    ``streak`` of ``needed`` closeds are counted; ``soaked``: often enough over long enough;
    ``soaked_at`` is when the soak can be over at the earliest;
    ``until`` is when time alone changes this answer (None: never).
    """

    exposure: Exposure
    streak: int
    needed: int
    soaked: bool
    soaked_at: datetime | None
    proven: bool
    attributed: bool
    flapping: bool
    fresh: bool
    blind: bool
    lost: bool = False
    until: datetime | None = None


def assess(state: VantageState, rules: Rules, now: datetime, resolved_at: datetime | None = None) -> Assessment:
    """The exposure of a vantage at ``now``. ``resolved_at``: since when the SEV is only watched, if it is."""
    doubled, doubled_until = _doubled(state, rules, now)
    needed = rules.consecutive * (2 if doubled else 1)
    soak = rules.soak * (2 if doubled else 1)
    soaked = (
        state.counted >= needed
        and state.first_counted_at is not None
        and state.last_counted_at is not None
        and state.last_counted_at - state.first_counted_at >= soak
    )
    fresh_until = None if state.last_at is None else state.last_at + rules.freshness
    fresh = fresh_until is not None and now <= fresh_until <= now + rules.freshness + CLOCK_TOLERANCE
    flapping = doubled and not soaked
    proven = state.proven(rules, now)
    answer = Assessment(
        exposure=Exposure.verifying,
        streak=state.counted,
        needed=needed,
        soaked=soaked,
        soaked_at=None if state.first_counted_at is None else state.first_counted_at + soak,
        proven=proven,
        attributed=state.attributed,
        flapping=flapping,
        fresh=fresh,
        blind=state.last is Verdict.inconclusive,
    )
    if resolved_at is not None and state.decisive is not Verdict.open:
        return _watched(answer, state, rules, now, resolved_at)
    proof_ends = None
    if proven and state.fingerprint not in state.reproduced and state.twins_at is not None:
        proof_ends = state.twins_at + rules.proof_valid
    return replace(
        answer,
        exposure=_exposure(state, proven=proven, flapping=flapping, soaked=soaked, fresh=fresh),
        until=_next(now, doubled_until, proof_ends, fresh_until),
    )


def _exposure(state: VantageState, *, proven: bool, flapping: bool, soaked: bool, fresh: bool) -> Exposure:
    """The eight rules of this module's docstring, in their order."""
    if state.decisive is Verdict.open:
        return Exposure.exposed
    if state.decisive is None:
        return Exposure.unverified
    if not proven:
        return Exposure.unproven
    if state.patch is None:
        return Exposure.no_patch
    if not state.attributed:
        return Exposure.unattributed
    if flapping:
        return Exposure.flapping
    if not soaked:
        return Exposure.verifying
    if state.last is Verdict.inconclusive:
        return Exposure.uncertain
    return Exposure.verified if fresh else Exposure.stale


def _doubled(state: VantageState, rules: Rules, now: datetime) -> tuple[bool, datetime | None]:
    """Did it swing open twice within the window before the streak began (or before now)? And until when is that so?

    Measured from the streak's start, so that waiting does not shorten it: a soak as long as the window is doubled, too.
    """
    since = state.first_counted_at or now
    recent = [s for s in state.swings if since - s <= rules.flapping_window]
    if len(recent) < FLAPS:
        return False, None
    return True, recent[-FLAPS] + rules.flapping_window if state.first_counted_at is None else None


def _watched(answer: Assessment, state: VantageState, rules: Rules, now: datetime, resolved_at: datetime) -> Assessment:
    """After resolving: watching, until nothing but errors (or no run at all) makes the watch blind, then lost.

    A definition that was edited since it was proven, or since an executive accepted it, sees nothing that counts: blind
    at once.
    """
    every = rules.watch_every(resolved_at, now)
    missed_from = max(state.last_at or resolved_at, resolved_at) + max(3 * every, rules.interval)
    if state.blind_since is not None:
        dark_from = max(state.blind_since, resolved_at)
        blind_from = min(dark_from + rules.watch_blind, missed_from)
    else:
        dark_from = blind_from = missed_from
    if _edited_away(state) or state.still_open:
        dark_from = blind_from = min(dark_from, max(state.said_at or resolved_at, resolved_at))
    lost_from = dark_from + rules.watch_lost
    blind = now >= blind_from
    return replace(
        answer,
        exposure=Exposure.watch_blind if blind else Exposure.watching,
        blind=blind,
        lost=now >= lost_from,
        until=_next(now, blind_from, lost_from),
    )


def _edited_away(state: VantageState) -> bool:
    """Was an earlier definition proven, and the present one never? (A check that never was proven is a new one.)"""
    ever = bool(state.reproduced) or state.twins_fingerprint is not None
    return ever and state.fingerprint not in (*state.reproduced, state.twins_fingerprint)


def _next(now: datetime, *moments: datetime | None) -> datetime | None:
    return min((m for m in moments if m is not None and m >= now), default=None)


def worst(exposures: Iterable[Exposure]) -> Exposure:
    """A SEV's exposure is the worst of its vantages'. No vantage at all says nothing: ``unverified``."""
    return min(exposures, key=EXPOSURE_ORDER.__getitem__, default=Exposure.unverified)


def composite(verdicts: Iterable[Verdict]) -> Verdict:
    """Of several vantages: any open is open, else any inconclusive is inconclusive, else closed; none: inconclusive."""
    seen = set(verdicts)
    if Verdict.open in seen:
        return Verdict.open
    if Verdict.inconclusive in seen or not seen:
        return Verdict.inconclusive
    return Verdict.closed
