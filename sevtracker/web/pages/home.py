"""Home: what is exposed now, ordered by harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import notices
from sevtracker.actions.enforce import May
from sevtracker.domain import clocks
from sevtracker.domain.vocabulary import Exposure, Reason
from sevtracker.store import datasets, proposals
from sevtracker.store import home as home_store
from sevtracker.store.session import Session
from sevtracker.store.work import Viewer
from sevtracker.web import auth, words
from sevtracker.web.contexts import Alarm, BlindCheck, Home, HomeLive, HomeLivePage, HomeSev, PausedProgramme
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms
from sevtracker.web.pages.blueprint import pages
from sevtracker.web.pages.names import key
from sevtracker.web.pages.showing import done, go, show, since, unchanged
from sevtracker.web.permissions import allow

#: More than anybody reads at once; the SEV list has the rest.
MOST_SEVS, MOST_ASIDE, MOST_ALIKE = 100, 12, 200
#: Times on the page are shown by the minute, so a page that is open is told anew each minute.
TOLD_ANEW = timedelta(minutes=1)
CLOCK_72 = timedelta(hours=72)
_REFUSED = "check:change_refused"


@pages.get("/")
@allow(May.read)
def home() -> Response:
    now = runtime().clock.now()
    with runtime().read() as session:
        figures = home_store.figures(session, auth.person().viewer)
        live = build(session, auth.person().viewer, figures, now)
    return show(Home(live, first_step=not figures.filed, datasets=figures.datasets))


@pages.get("/live")
@allow(May.read)
def home_live() -> Response:
    now = runtime().clock.now()
    with runtime().read() as session:
        figures = home_store.figures(session, auth.person().viewer)
        if since() == token(figures, now):
            return unchanged()
        live = build(session, auth.person().viewer, figures, now)
    return show(HomeLivePage(live))


@pages.post("/alarms/seen")
@allow(May.work_on_sevs)
def alarms_seen() -> AnyResponse:
    """Take one alarm off home: its notice, and the older ones that it stands for."""
    with runtime().work(auth.person()) as work:
        for notice in forms.text("notices").split()[:MOST_ALIKE]:
            notices.acknowledge(work, notice)
    done("Taken off. The record says that you have seen it.")
    return go("pages.home")


def token(figures: home_store.Figures, now: datetime) -> str:
    """Names what the page tells: it differs whenever a text on it would."""
    return f"{figures.pulse}-{int(now.timestamp() // TOLD_ANEW.total_seconds())}"


def build(session: Session, viewer: Viewer, figures: home_store.Figures, now: datetime) -> HomeLive:
    """Home as ``viewer`` may see it at ``now``. Four statements; one more while a programme is paused."""
    cards = home_store.cards(session, viewer, limit=MOST_SEVS)
    seen = home_store.seen(session, [card.number for card in cards])
    blind = home_store.blind(session, viewer, limit=MOST_ASIDE)
    sevs = [_sev(card, seen[card.number], now) for card in cards]
    return HomeLive(
        token=token(figures, now),
        exposed=tuple(s for s in sevs if s.exposure is Exposure.exposed),
        closing=tuple(s for s in sevs if s.exposure is not Exposure.exposed),
        alarms=_alarms(session, cards, blind),
        paused=_paused(session) if figures.paused else (),
        blind=tuple(BlindCheck(b.id, b.name, b.place, b.identity, b.reason, b.since, b.sev) for b in blind),
        watching=figures.watching,
        checks=figures.checks,
        last_run_at=figures.last_run_at,
    )


def _sev(card: home_store.Card, seen: Sequence[home_store.Seen], now: datetime) -> HomeSev:
    counted = [s for s in seen if s.counts and s.exposure is card.exposure]
    slowest = min(counted, key=lambda s: s.streak / s.needed if s.needed else 0.0, default=None)
    opens = [s.state.last_open_at for s in seen if s.state.last_open_at]
    firsts = [s.state.first_open_at for s in seen if s.state.first_open_at]
    return HomeSev(
        number=card.number,
        key=key(card.number),
        title=card.title,
        level=card.level,
        status=card.status,
        exposure=card.exposure,
        filed_at=card.reported_at,
        exposed_since=card.exposed_from or min(firsts, default=None),
        last_open_at=max(opens, default=None),
        blockers=card.blockers,
        failed_patches=tuple(sorted({n for s in seen for n in s.state.failed_patches})),
        gap=clocks.false_fix_gap(card.fix_claimed_at, card.verified_closed_at, now),
        streak=slowest.streak if slowest else 0,
        needed=slowest.needed if slowest else 0,
        clock72=card.aware_at + CLOCK_72 if card.aware_at else None,
        commander=card.commander,
        restricted=card.restricted,
        exceptions=card.exceptions,
    )


# ---- beside the SEVs ---------------------------------------------------------------------------------------------

_ALARMS: Mapping[str, tuple[str, str]] = {
    "patch:failed": ("Patch failed", "patch {patch}: a check saw the door open after it had settled."),
    "patch:unverified": ("Patch unverified", "patch {patch}: no check could judge it in time."),
    "sev:reopened": ("Reopened", "it was resolved, and is not any more."),
    "exposure:flapping": ("Flapping", "the access closed and opened again, twice in a day."),
    "exposure:watch_blind": ("Watch blind", "resolved, but its checks see nothing any more."),
    "check:change_refused": ("Change of a check refused", "check {check}: it waits for a second person."),
    "check:halted": ("Check stopped by itself", "{reason} twice in a row; {many} until somebody mends it."),
    "check:control_halted": ("Control not let in", "twice in a row; {identity} is not tried until somebody mends it."),
}


def _alarms(session: Session, cards: Sequence[home_store.Card], blind: Sequence[home_store.Blind]) -> tuple[Alarm, ...]:
    """Notices that still matter: of SEVs in which something is owed, of checks that stopped. The newest of each."""
    of_checks = {b.id: b for b in blind}
    told = home_store.alarms(session, [card.number for card in cards], list(of_checks), limit=MOST_ALIKE)
    refused = {notice.check or 0 for notice in told if notice.kind == _REFUSED}
    waiting = proposals.waiting(session, refused)
    told = [n for n in told if _still(n, of_checks.get(n.check or 0)) and (n.kind != _REFUSED or n.check in waiting)]
    alike: dict[tuple[str, int | None, int | None], list[home_store.Told]] = {}
    for notice in told:
        by_check = notice.sev is None or notice.kind == _REFUSED
        about = (notice.kind, notice.sev, notice.check if by_check else None)
        alike.setdefault(about, []).append(notice)
    return tuple(_alarm(told_alike, of_checks) for told_alike in list(alike.values())[:MOST_ASIDE])


def _still(notice: home_store.Told, check: home_store.Blind | None) -> bool:
    """Is what it tells of still so?"""
    match notice.kind:
        case "check:halted":
            return check is not None and check.halted is not None
        case "check:control_halted":
            return check is not None and check.reason is Reason.control_failed
    return True


def _alarm(alike: Sequence[home_store.Told], of_checks: Mapping[int, home_store.Blind]) -> Alarm:
    """The newest of those ``alike``; the others would come up in its place, so they go with it."""
    notice = alike[0]
    title, text = _ALARMS.get(notice.kind, (notice.kind.replace(":", " ").replace("_", " ").capitalize(), ""))
    check = of_checks.get(notice.check or 0) if notice.sev is None else None
    reason = words.REASON[check.halted].capitalize() if check and check.halted else ""
    stopped = int(notice.facts.get("stopped", 1))
    many = "it waits" if stopped < 2 else f"all {stopped} checks of it there wait"
    named = {name: notice.facts.get(name, "") for name in ("patch", "check", "identity")}
    said = text.format_map({**named, "reason": reason, "many": many})
    about = key(notice.sev) if notice.sev else f"{check.identity} at {check.place} (check {check.id})" if check else ""
    told = f"{about}{' ' if said.startswith('patch ') else ': '}{said}" if about else said
    return Alarm(title, told, notice.at, notice.sev, tuple(n.id for n in alike))


def _paused(session: Session) -> tuple[PausedProgramme, ...]:
    paused = [p for p in datasets.programmes(session) if p.state != "running"]
    return tuple(PausedProgramme(p.slug, p.name, p.created_at, "") for p in paused)
