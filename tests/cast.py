"""The fixed small cast of every story, and a tracker to live it in: real database, a clock and doors of our own.

Dana reports, Priya commands, Vik is a VP, Aud audits, Ada administers, Eve is an engineer who belongs to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlmodel import Session

from sevtracker.actions import checks, clockwork, datasets, patches, people, resolve, sevs, verdicts
from sevtracker.actions.inputs import Act, FileSev, LogPatch, NewCheck, NewDataset, NewPerson, Resolve, parse
from sevtracker.actions.runtime import Runtime
from sevtracker.checks.interface import Access, Attempt, CheckKind, CheckParams, Locator, Observation, Result
from sevtracker.checks.probing import environment_from
from sevtracker.config import Database as DatabaseSettings
from sevtracker.config import Identity, Policy, Settings
from sevtracker.domain.vocabulary import Phase, Reason, Role, Verdict
from sevtracker.store import jobs, timeline, vantages
from sevtracker.store import people as stored_people
from sevtracker.store import sevs as stored_sevs
from sevtracker.store.engine import Database
from sevtracker.store.migrate import upgrade
from sevtracker.store.tables import Sev
from sevtracker.store.timeline import Item
from sevtracker.store.vantages import Vantage
from sevtracker.store.work import Person, Stamp, Viewer, Work

START = datetime(2026, 6, 18, 9, 0, tzinfo=UTC)
CAST = {
    "dana": Role.engineer,
    "priya": Role.engineer,
    "vik": Role.executive,
    "aud": Role.auditor,
    "ada": Role.admin,
    "eve": Role.engineer,
}
STAMP = Stamp("0.1.0", "test", "policy")


class TestClock:
    """A clock that stands until a test moves it."""

    __test__ = False

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - START).total_seconds()


# ---- doors -------------------------------------------------------------------------------------------------------


class DoorParams(CheckParams):
    door: str
    hint: str = ""
    #: Says where, too, but is not shown.
    part: str = ""
    #: Whom it lets pass.
    allowed: tuple[str, ...] = ()

    outside_place: ClassVar[frozenset[str]] = frozenset({"hint", "allowed"})
    loosened_by: ClassVar[Mapping[str, str]] = {"allowed": "more"}


class DoorKind(CheckKind[DoorParams]):
    """A door in memory. What stands behind ``attempt`` is ``Tracker.doors``: actions get observations from there."""

    name = "door"
    params = DoorParams

    def locate(self, params: DoorParams) -> Locator:
        return Locator(f"door {params.door}", ())

    def attempt(self, params: DoorParams, access: Access) -> Attempt:
        return Attempt(Result.trouble, Reason.unreachable, Phase.connect)


OPEN, CLOSED, DOWN = "open", "closed", "down"
_SEEN = {
    OPEN: (Verdict.open, Reason.row_read),
    CLOSED: (Verdict.closed, Reason.denied),
    DOWN: (Verdict.inconclusive, Reason.unreachable),
    "locked_out": (Verdict.inconclusive, Reason.auth_failed),
}


def observation(state: str, at: datetime) -> Observation:
    verdict, reason = _SEEN[state]
    control = Result.got_in if verdict is Verdict.closed else None
    return Observation(verdict, reason, at, 1.0, control)


# ---- the tracker -------------------------------------------------------------------------------------------------


def build_cast(url: str) -> None:
    """A migrated database with the cast in it."""
    settings = DatabaseSettings(url=url)
    upgrade(settings)
    database = Database(settings)
    runtime = Runtime(Settings(database=settings), TestClock(), database, _probes(Settings(), TestClock()), STAMP)
    with runtime.work(None) as work:
        for name, role in CAST.items():
            given = {"email": f"{name}@corp.example", "name": name.capitalize(), "role": role}
            people.add(work, parse(NewPerson, given))
    database.dispose()


def build_mci(url: str) -> None:
    """The cast, the dataset ``mci-events`` with a check on its primary copy, and SEV-1: all at minute 0, door open."""
    build_cast(url)
    tracker = Tracker.over(url)
    tracker.dataset()
    tracker.check()
    tracker.file()
    tracker.run_queued()
    tracker.runtime.close()


def _probes(settings: Settings, clock: TestClock) -> Any:
    return environment_from(settings, clock, {"door": DoorKind()})


#: The rules of docs/verification.md's table, for every level: three in a row over thirty minutes.
TABLE = Policy(spacing_factor=2 / 3, jitter=0)


@dataclass
class Tracker:
    """A runtime, the cast by name, and the doors: ``doors["primary"]`` or ``doors["primary", "contractor"]``."""

    runtime: Runtime
    clock: TestClock
    cast: dict[str, Person]
    doors: dict[Any, str] = field(default_factory=dict)

    @classmethod
    def over(cls, url: str, policy: Policy = TABLE, **settings: Any) -> Tracker:
        """A tracker over a database that ``build_cast`` made."""
        names = {"any-employee": "staff", "contractor": "contractor", "privacy": "control"}
        identities = {name: Identity(**{"class": c}) for name, c in names.items()}  # type: ignore[arg-type]  # by alias
        given = Settings(database=DatabaseSettings(url=url), policy=policy, identities=identities, **settings)
        clock = TestClock()
        runtime = Runtime(given, clock, Database(given.database), _probes(given, clock), STAMP)
        with runtime.read() as session:
            found = {name: stored_people.by_email(session, f"{name}@corp.example") for name in CAST}
        cast = {n: Person(p.id or 0, p.pid, p.role, "api") for n, p in found.items() if p is not None}
        return cls(runtime, clock, cast)

    @property
    def settings(self) -> Settings:
        return self.runtime.settings

    @contextmanager
    def work(self, name: str | None) -> Iterator[Work]:
        with self.runtime.work(self.cast[name] if name else None) as work:
            yield work

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self.runtime.read() as session:
            yield session

    def viewer(self, name: str) -> Viewer:
        return self.cast[name].viewer

    # ---- the time

    def at(self, minute: float) -> datetime:
        return START + timedelta(minutes=minute)

    def go_to(self, minute: float) -> None:
        self.clock.time = self.at(minute)

    def wait(self, minutes: float) -> None:
        self.clock.time += timedelta(minutes=minutes)

    # ---- acts, as somebody does them

    def dataset(self, slug: str = "mci-events", *copies: str, by: str = "dana", **more: Any) -> str:
        given = {"slug": slug, "name": slug, "copies": [{"slug": c, "kind": c} for c in copies], **more}
        with self.work(by) as work:
            datasets.register(work, parse(NewDataset, given))
        return slug

    def check(self, door: str = "primary", *, by: str = "dana", **more: Any) -> int:
        given = {
            "dataset": "mci-events",
            "copy": door,
            "kind": "door",
            "identity": "any-employee",
            "params": {"door": door},
            **more,
        }
        with self.work(by) as work:
            check = checks.create(work, self.settings, self.runtime.probes, parse(NewCheck, given))
            return check.id or 0

    def file(self, *, by: str = "dana", **more: Any) -> int:
        given = {"title": "Readable by all staff", "level": "SEV3", "datasets": ["mci-events"], **more}
        with self.work(by) as work:
            return sevs.file(work, self.settings, parse(FileSev, given))

    def patch(self, number: int, *, by: str = "dana", **more: Any) -> int:
        with self.work(by) as work:
            given = parse(LogPatch, {"summary": "revoked", **more})
            return patches.log(work, self.settings, number, given).number

    def act(self, number: int, kind: str, *, by: str = "dana") -> None:
        with self.work(by) as work:
            sevs.act(work, self.settings, number, kind, parse(Act, {"reason": "looked, and it is so"}))

    def begin(self, number: int, *, by: str = "priya") -> Any:
        with self.work(by) as work:
            return resolve.begin(work, self.settings, number)

    def finish(self, number: int, final: Any, *, by: str = "priya") -> Any:
        with self.work(by) as work:
            return resolve.finish(work, self.settings, parse(Resolve, {"summary": "closed for good"}), final)

    def resolve(self, number: int, *, by: str = "priya") -> Any:
        """Ask, let the final runs happen, and answer: what a door does."""
        final = self.begin(number, by=by)
        if isinstance(final, resolve.Refused):
            return final
        self.clock.time += timedelta(seconds=1)
        self.run_queued()
        return self.finish(number, final, by=by)

    # ---- the worker and the clock

    def claim(self) -> list[jobs.Claimed]:
        with self.runtime.work(None) as work:
            leased = jobs.claim(work.session, "worker", lease=timedelta(seconds=30), lanes=50, chunk=100)
        return [job for _, listed in leased.values() for job in listed]

    def seen(self, job: jobs.Claimed, state: str | None = None, at: datetime | None = None) -> verdicts.Finished:
        door = job.params["door"]
        state = state or self.doors.get((door, job.identity)) or self.doors.get(door, OPEN)
        return verdicts.Finished(job, observation(state, at or self.clock.now()))

    def store(self, finished: list[verdicts.Finished]) -> list[int]:
        with self.work(None) as work:
            kept = verdicts.store(work, self.settings, finished)
            jobs.release(work.session, {f.job.target: f.job.fence for f in finished})
        return kept

    def run_queued(self) -> int:
        """Run what is queued, now. Returns how many runs were kept."""
        claimed = self.claim()
        return len(self.store([self.seen(job) for job in claimed])) if claimed else 0

    def tick(self) -> int:
        return clockwork.tick(self.runtime)

    def live(self, minutes: float, step: float = 5.0) -> None:
        """Let the time pass: the clock ticks, due checks run."""
        ends = self.clock.time + timedelta(minutes=minutes)
        while self.clock.time < ends:
            self.clock.time = min(self.clock.time + timedelta(minutes=step), ends)
            self.tick()
            self.run_queued()

    def look(self, minute: float, *check_ids: int, **states: str) -> None:
        """At this minute, run these checks (all of them, unless named)."""
        self.go_to(minute)
        self.doors.update(states)
        with self.work("dana") as work:
            for check_id in check_ids or self._every_check(work.session):
                checks.run_now(work, check_id)
        self.run_queued()

    def _every_check(self, session: Session) -> list[int]:
        from sevtracker.store.checks import listing

        return [line.id for line in listing(session, limit=1000) if line.enabled]

    # ---- looking

    def sev(self, number: int = 1) -> Sev:
        with self.read() as session:
            return session.get_one(Sev, number)

    def vantages(self, number: int = 1) -> list[Vantage]:
        with self.read() as session:
            return vantages.of_sevs(session, [number])[number]

    def vantage(self, number: int = 1) -> Vantage:
        [only] = self.vantages(number)
        return only

    def timeline(self, number: int = 1) -> list[Item]:
        with self.read() as session:
            return timeline.of_sev(session, number, limit=1000)

    def kinds(self, number: int = 1) -> list[str]:
        return [item.kind for item in self.timeline(number)]

    def notices(self, name: str = "dana") -> list[str]:
        from sevtracker.store.notices import pending

        with self.read() as session:
            return [notice.kind for notice in reversed(pending(session, self.viewer(name), limit=1000))]

    def sees(self, name: str, number: int) -> bool:
        with self.read() as session:
            return stored_sevs.find(session, number, self.viewer(name)) is not None

    def as_(self, name: str, role: Role) -> None:
        """The same person, in another role from now on."""
        self.cast[name] = replace(self.cast[name], role=role)
