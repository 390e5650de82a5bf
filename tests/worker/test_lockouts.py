"""An account is not locked out by the checks that use it: on real servers, which count who could not sign in."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sevtracker.actions import checks
from sevtracker.actions.inputs import ChangeCheck, FileSev, NewCheck
from sevtracker.actions.runtime import Runtime
from sevtracker.domain.sentences import sentence
from sevtracker.domain.vocabulary import Reason, Verdict
from sevtracker.store.ledger import facts_of
from sevtracker.store.tables import Check, LedgerRecord, Notice, SignIn
from sevtracker.worker import Worker, run_check
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer
from tests.worker.conftest import Make, Tracker, soon

LIVE, DEAD = "the-right-password", "an-old-password"


@contextmanager
def at_work(*runtimes: Runtime) -> Iterator[None]:
    """A whole worker in each of these processes, until the block ends."""
    workers = [Worker(runtime) for runtime in runtimes]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()


@dataclass
class Place:
    """A table on a real server, and two accounts there: the employee and the control."""

    log: Path
    url: str
    employee: str
    owner: str
    run: Callable[..., object]
    #: The statement that gives an account another password, or lets one read.
    password: str
    grant: str
    environment: dict[str, str] = field(default_factory=dict)
    schema: str = "public"

    def __post_init__(self) -> None:
        for identity, account, cls in (("STAFF", self.employee, "staff"), ("OWNER", self.owner, "control")):
            prefix = f"SEVTRACKER_IDENTITIES__{identity}__"
            self.environment |= {
                f"{prefix}CLASS": cls,
                f"{prefix}USERNAME": account,
                f"{prefix}PASSWORD": f"env:PW_{identity}",
                f"{prefix}HOSTS": '["127.0.0.1:*"]',
            }
        self.environment["SEVTRACKER_TARGETS__ALLOW"] = '["127.0.0.0/8:*"]'

    def refused(self, account: str) -> int:
        """How many sign-ins of this account the server has refused."""
        denied = (f'password authentication failed for user "{account}"', f"Access denied for user '{account}'")
        text = self.log.read_text(errors="replace")
        return sum(any(words in line for words in denied) for line in text.splitlines())

    def mend(self, account: str) -> None:
        self.run(self.password.format(account=account, password=LIVE))

    def let_in(self, account: str) -> None:
        self.run(self.grant.format(account=account))

    def check(self, tracker: Tracker, **more: Any) -> int:
        params = {"url": self.url, "table": f"{self.schema}.events", **more}
        given = NewCheck(dataset="events", kind="sql_read", identity="staff", control="owner", params=params)
        with tracker.runtime.work(tracker.dana) as work:
            return checks.create(work, tracker.runtime.settings, tracker.runtime.probes, given).id or 0


def _accounts() -> tuple[str, str]:
    mark = secrets.token_hex(4)
    return f"staff_{mark}", f"owner_{mark}"


@pytest.fixture
def on_postgres(postgres: PostgresServer) -> Iterator[Place]:
    employee, owner = _accounts()
    for account in (employee, owner):
        postgres.create_role(account, DEAD)
    database = f"accounts_{secrets.token_hex(4)}"
    postgres.create_database(database)
    url = f"postgresql://127.0.0.1:{postgres.port}/{database}"

    def run(*statements: str) -> object:
        return postgres.execute(*statements, database=database)

    run("CREATE TABLE public.events (id int)", "INSERT INTO public.events VALUES (1)")
    password = "ALTER ROLE {account} PASSWORD '{password}'"
    grant = "GRANT SELECT ON public.events TO {account}"
    yield Place(Path(postgres.folder) / "log", url, employee, owner, run, password, grant)
    postgres.drop_database(database)


@pytest.fixture
def on_mariadb(mariadb: MariaDBServer) -> Iterator[Place]:
    employee, owner = _accounts()
    for account in (employee, owner):
        mariadb.create_user(account, DEAD)
    hr = f"accounts_{secrets.token_hex(4)}"  # of its own: tests run side by side
    mariadb.execute(
        f"CREATE DATABASE {hr}", f"CREATE TABLE {hr}.events (id int)", f"INSERT INTO {hr}.events VALUES (1)"
    )
    url = f"mysql://127.0.0.1:{mariadb.port}"
    password = "ALTER USER '{account}'@'%' IDENTIFIED BY '{password}'"
    grant = f"GRANT SELECT ON {hr}.events TO '{{account}}'@'%'"
    yield Place(Path(mariadb.folder) / "log", url, employee, owner, mariadb.execute, password, grant, schema=hr)
    mariadb.drop_database(hr)


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    """With both passwords dead: the configuration has other ones."""
    monkeypatch.setenv("PW_STAFF", LIVE)
    monkeypatch.setenv("PW_OWNER", LIVE)
    found: Place = request.getfixturevalue({"postgresql": "on_postgres", "mariadb": "on_mariadb"}[request.param])
    return found


def halted(tracker: Tracker) -> set[int]:
    rows = tracker.rows(Check)
    assert all(row["due_at"] is None for row in rows if row["halted"])
    return {row["id"] for row in rows if row["halted"] is Reason.auth_failed}


def told(tracker: Tracker, kind: str) -> list[dict[str, Any]]:
    """The facts of the records of this kind."""
    return [facts_of(bytes(row["body"]))["facts"] for row in tracker.rows(LedgerRecord, kind=kind)]


def alerts(tracker: Tracker) -> list[str]:
    return [row["kind"] for row in tracker.rows(Notice)]


def ask(tracker: Tracker, check_id: int) -> None:
    with tracker.runtime.work(tracker.dana) as work:
        checks.run_now(work, check_id)


def idle(tracker: Tracker) -> bool:
    """Nothing waits, and every lane was given back."""
    return not tracker.jobs() and not any(lane["worker"] for lane in tracker.lanes().values())


def test_50_checks_with_one_dead_password_make_two_sign_ins_and_one_alert(make_tracker: Make, place: Place) -> None:
    tracker = make_tracker(**place.environment)
    second = make_tracker(**place.environment)
    ids = {place.check(tracker) for _ in range(50)}
    with at_work(tracker.runtime, second.runtime):
        soon(lambda: halted(tracker) == ids and idle(tracker), 30)
        assert place.refused(place.employee) == 2
        assert len(tracker.runs()) == 2
        [record] = told(tracker, "check:halted")
        assert sentence("check:halted", record).endswith("50 checks stopped.")
        assert alerts(tracker) == ["check:halted"]

        # Filing a SEV, or adding another check, is nobody's word that it was mended.
        tracker.file()
        ids.add(place.check(tracker))
        soon(lambda: halted(tracker) == ids and idle(tracker))
        assert place.refused(place.employee) == 2

        # Asked for by somebody: one trial, whatever the number of checks.
        ask(tracker, min(ids))
        soon(lambda: len(tracker.runs()) == 3 and halted(tracker) == ids and idle(tracker))
        assert place.refused(place.employee) == 3

        # Mended: one trial gets in, and all go on.
        place.mend(place.employee)
        place.let_in(place.employee)
        ask(tracker, max(ids))
        soon(lambda: {r["check_id"] for r in tracker.runs() if r["verdict"] is Verdict.open} == ids, 30)
        soon(lambda: idle(tracker))
    assert place.refused(place.employee) == 3
    assert halted(tracker) == set()
    assert tracker.rows(SignIn) == []
    [resumed] = told(tracker, "check:resumed")
    assert sentence("check:resumed", resumed).endswith("50 checks that had stopped go on.")


def test_a_dead_control_is_not_asked_again_and_an_open_door_is_still_seen(make_tracker: Make, place: Place) -> None:
    tracker = make_tracker(**place.environment)
    place.mend(place.employee)
    ids = {place.check(tracker) for _ in range(10)}
    with at_work(tracker.runtime):
        soon(lambda: {r["check_id"] for r in tracker.runs()} == ids and idle(tracker), 30)
        assert {r["reason"] for r in tracker.runs()} == {Reason.control_failed}
        assert place.refused(place.owner) == 2
        assert alerts(tracker) == ["check:control_halted"]
        assert halted(tracker) == set()
        place.let_in(place.employee)
        tracker.make_due()
        soon(lambda: {r["check_id"] for r in tracker.runs() if r["verdict"] is Verdict.open} == ids, 30)
        assert place.refused(place.owner) == 2
        assert place.refused(place.employee) == 0


# ---- the ways back, at an HTTP target ----------------------------------------------------------------------------


@pytest.fixture
def stopped(make_tracker: Make, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracker]:
    """Three checks whose identity answers 401, all stopped; a worker at work."""
    monkeypatch.setenv("STAFF_TOKEN", "an-old-token")
    prefix = "SEVTRACKER_IDENTITIES__STAFF__"
    own = {f"{prefix}CLASS": "staff", f"{prefix}TOKEN": "env:STAFF_TOKEN", f"{prefix}HOSTS": '["127.0.0.0/8:*"]'}
    tracker = make_tracker(**own)
    tracker.target.status = 401
    for n in range(3):
        with tracker.runtime.work(tracker.dana) as work:
            params = {"url": tracker.target.url(f"/{n}")}
            given = NewCheck(dataset="events", kind="http", identity="staff", control="owner", params=params)
            checks.create(work, tracker.runtime.settings, tracker.runtime.probes, given)
    with at_work(tracker.runtime):
        soon(lambda: halted(tracker) == {1, 2, 3} and idle(tracker))
        assert len(tracker.target.seen) == 2
        yield tracker


def change(tracker: Tracker, check_id: int, **given: Any) -> None:
    with tracker.runtime.work(tracker.dana) as work:
        checks.change(work, tracker.runtime.settings, tracker.runtime.probes, check_id, ChangeCheck(**given))


def test_an_edit_allows_a_trial(stopped: Tracker) -> None:
    change(stopped, 2, name="Mended")
    soon(lambda: len(stopped.target.seen) == 3 and halted(stopped) == {1, 2, 3} and idle(stopped))
    stopped.target.status = 200
    change(stopped, 2, name="Mended by now")
    soon(lambda: {r["check_id"] for r in stopped.runs() if r["verdict"] is Verdict.open} == {1, 2, 3})


def test_verifying_a_sev_allows_one_trial_for_all_of_its_checks(stopped: Tracker) -> None:
    from sevtracker.actions import sevs

    with stopped.runtime.work(stopped.dana) as work:
        filed = FileSev(title="Readable", level="SEV3", datasets=["events"])  # type: ignore[arg-type]  # as JSON has it
        number = sevs.file(work, stopped.runtime.settings, filed)
    soon(lambda: idle(stopped))
    assert len(stopped.target.seen) == 2
    with stopped.runtime.work(stopped.dana) as work:
        sevs.verify(work, number)
    soon(lambda: len(stopped.target.seen) == 3 and halted(stopped) == {1, 2, 3} and idle(stopped))


def test_the_command_line_allows_a_trial(stopped: Tracker) -> None:
    stopped.target.status = 200
    assert run_check(stopped.runtime, 1).verdict is Verdict.open
    soon(lambda: halted(stopped) == set() and idle(stopped))


def test_another_identity_at_the_target_goes_on(stopped: Tracker) -> None:
    check = stopped.check("/open")
    soon(lambda: stopped.runs(check))
    assert halted(stopped) == {1, 2, 3}


def test_the_same_identity_at_another_target_goes_on(stopped: Tracker) -> None:
    stopped.target.statuses["127.0.0.9"] = 403
    with stopped.runtime.work(stopped.dana) as work:
        params = {"url": stopped.target.url("/", host=9)}
        given = NewCheck(dataset="events", kind="http", identity="staff", control="owner", params=params)
        check = checks.create(work, stopped.runtime.settings, stopped.runtime.probes, given).id or 0
    soon(lambda: stopped.runs(check))
    assert stopped.runs(check)[0]["verdict"] is Verdict.closed
    assert halted(stopped) == {1, 2, 3}


# ---- a target that asks to be left alone -------------------------------------------------------------------------


def test_what_a_target_asks_one_check_for_holds_for_all_of_them(make_tracker: Make) -> None:
    tracker = make_tracker()
    tracker.target.statuses["127.0.0.7"] = 429
    tracker.target.headers["127.0.0.7"] = {"Retry-After": "2"}
    resting = {tracker.check(f"/{n}", host=7) for n in range(5)}
    other = tracker.check("/", host=8)
    with at_work(tracker.runtime):
        soon(lambda: tracker.runs(other) and len(tracker.runs()) == 2)
        [run] = [run for run in tracker.runs() if run["check_id"] != other]
        assert (run["reason"], run["check_id"] in resting) == (Reason.rate_limited, True)
        ask(tracker, run["check_id"])
        soon(lambda: tracker.lanes()[f"127.0.0.7:{tracker.target.port}"]["worker"] == "")
        assert [path for path, at, _ in tracker.target.seen if at == "127.0.0.7"] == ["/0"]
        tracker.target.statuses.clear()
        soon(lambda: {run["check_id"] for run in tracker.runs()} == resting | {other})
    begun = [run["started_at"] for run in tracker.runs() if run["check_id"] in resting]
    assert all((later - begun[0]).total_seconds() > 1.9 for later in begun[1:])
