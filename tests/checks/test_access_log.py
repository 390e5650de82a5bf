"""Who else came in, as logs tell it: tables of a real PostgreSQL and a real MariaDB, and CSV files."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sevtracker.checks import access_csv, access_log
from sevtracker.checks.access_tally import Stay, coverage, seconds
from sevtracker.checks.interface import Definition, Impact, Observation, Window
from sevtracker.checks.local import LocalRules
from sevtracker.checks.validation import validate
from sevtracker.domain.vocabulary import Weight
from sevtracker.errors import InputError
from tests.checks.people import create_roles, create_users
from tests.checks.sites import STAFF_SECRET, World, outcome
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(hours=10)
WINDOW = Window(SINCE, UNTIL)

OPEN = ("open", "accessed")
NOBODY = ("closed", "not_accessed")
INCOMPLETE = ("inconclusive", "log_incomplete")

Entry = tuple[str | None, datetime | None]


def at(hours: float) -> datetime:
    return SINCE + timedelta(hours=hours)


#: An entry every half hour of somebody on the list, and the known access.
WHOLE: list[Entry] = [("clock", at(n / 2)) for n in range(21)] + [("canary-reader", at(3.2))]


@dataclass
class Log:
    """A log of one sort. ``keep`` writes it anew."""

    params: dict[str, Any]
    world: World

    def keep(self, entries: Sequence[Entry]) -> None:
        raise NotImplementedError

    def look(self, window: Window | None = WINDOW, **params: Any) -> Observation:
        told = {
            "columns": {"principal": "usr", "at": "ts"},
            "allowed_principals": ["clock"],
            "canary_principal": "canary-reader",
            **self.params,
            **params,
        }
        return self.world.look("access_log", told, "any-employee", window=window)

    def impact(self, window: Window | None = WINDOW, **params: Any) -> Impact:
        found = self.look(window, **params).impact
        assert found is not None
        return found


class CsvLog(Log):
    def keep(self, entries: Sequence[Entry]) -> None:
        self.write("ts,usr\n" + "".join(f"{'' if ts is None else ts.isoformat()},{usr or ''}\n" for usr, ts in entries))

    def write(self, text: str | bytes) -> None:
        Path(self.params["csv"]).write_bytes(text if isinstance(text, bytes) else text.encode())


class TableLog(Log):
    server: Any
    database: str = ""
    #: How the column keeps a time.
    sort = "timestamptz"

    def keep(self, entries: Sequence[Entry]) -> None:
        self.run("DELETE FROM LOG")
        rows = ", ".join(f"({self._text(usr)}, {self._time(ts)})" for usr, ts in entries)
        self.run(f"INSERT INTO LOG VALUES {rows}")

    def run(self, *statements: str) -> None:
        told = [text.replace("LOG", self.params["table"]) for text in statements]
        self.server.execute(*told, **({"database": self.database} if self.database else {}))

    def _text(self, text: str | None) -> str:
        return "NULL" if text is None else f"'{text}'"

    def _time(self, time: datetime | None) -> str:
        if time is None:
            return "NULL"
        if self.sort == "bigint":
            return str(int(time.timestamp() * 1000))
        return f"'{time.replace(tzinfo=None).isoformat()}{'+00' if self.sort == 'timestamptz' else ''}'"


@pytest.fixture
def in_csv(tmp_path: Path) -> CsvLog:
    return CsvLog({"csv": str(tmp_path / "log.csv")}, World(local=LocalRules(paths=(str(tmp_path),))))


@contextlib.contextmanager
def in_postgresql(postgres: PostgresServer, sort: str) -> Iterator[TableLog]:
    create_roles(postgres)
    database = f"logs_{secrets.token_hex(4)}"
    postgres.create_database(database)
    postgres.execute(f"ALTER DATABASE {database} SET timezone = 'Asia/Tokyo'")
    url = f"postgresql://127.0.0.1:{postgres.port}/{database}"
    made = TableLog({"url": url, "table": "public.accesses"}, World())
    made.server, made.database, made.sort = postgres, database, sort
    made.run(f"CREATE TABLE LOG (usr text, ts {sort})", "GRANT SELECT ON LOG TO any_employee")
    yield made
    postgres.drop_database(database)


@contextlib.contextmanager
def in_mariadb(mariadb: MariaDBServer, sort: str) -> Iterator[TableLog]:
    name, employee = f"logs_{secrets.token_hex(4)}", f"staff_{secrets.token_hex(4)}"
    create_users(mariadb, {employee: STAFF_SECRET})
    world = World()
    world.identities["any-employee"] = world.identities["any-employee"].model_copy(update={"username": employee})
    made = TableLog({"url": f"mariadb://127.0.0.1:{mariadb.port}", "table": f"{name}.accesses"}, world)
    made.server, made.sort = mariadb, sort
    made.run(
        f"CREATE DATABASE {name}",
        f"CREATE TABLE LOG (usr varchar(50), ts {sort})",
        f"GRANT SELECT ON LOG TO '{employee}'@'%'",
    )
    yield made
    made.run(f"DROP USER '{employee}'@'%'", f"DROP DATABASE {name}")


@pytest.fixture
def on_postgresql(postgres: PostgresServer) -> Iterator[TableLog]:
    with in_postgresql(postgres, "timestamptz") as made:
        yield made


@pytest.fixture
def on_mariadb(mariadb: MariaDBServer) -> Iterator[TableLog]:
    with in_mariadb(mariadb, "datetime(6)") as made:
        yield made


SORTS = [
    "csv",
    *("postgres timestamptz", "postgres timestamp", "postgres bigint"),
    *("mariadb datetime(6)", "mariadb timestamp(6) NULL", "mariadb bigint"),
]


@pytest.fixture(params=SORTS)
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    server, _, sort = request.param.partition(" ")
    if server == "csv":
        yield request.getfixturevalue("in_csv")
        return
    make: Any = in_postgresql if server == "postgres" else in_mariadb
    with make(request.getfixturevalue(server), sort) as made:
        yield made


# ---- what every sort of log tells ----


def test_a_whole_log_with_the_known_access_and_nobody_else_is_closed(log: Log) -> None:
    log.keep(WHOLE)
    assert outcome(log.look()) == NOBODY
    assert log.impact() == Impact("0", "0", (WINDOW,), complete=True)


def test_somebody_else_in_the_window_is_open(log: Log) -> None:
    log.keep([*WHOLE, ("kim", at(2)), ("kim", at(5.25)), ("lee", at(4)), (None, at(6))])
    assert outcome(log.look()) == OPEN
    assert log.impact() == Impact("2-9", "2-9", (WINDOW,), complete=True, first_at=at(2), last_at=at(6))


def test_who_came_before_and_after_the_window_does_not_count(log: Log) -> None:
    log.keep([*WHOLE, ("kim", at(-0.1)), ("lee", at(10.1))])
    assert outcome(log.look()) == NOBODY


def test_a_stretch_without_any_entry_is_unknown_and_never_none(log: Log) -> None:
    log.keep([one for one in WHOLE if one[1] is not None and not at(5) < one[1] < at(7)])
    seen = log.look()
    assert outcome(seen) == INCOMPLETE
    assert log.impact().covered == (Window(SINCE, at(5)), Window(at(7), UNTIL))
    assert outcome(log.look(max_gap="2h")) == NOBODY


def test_a_log_that_begins_late_or_ends_early_is_incomplete(log: Log) -> None:
    log.keep([one for one in WHOLE if one[1] is not None and one[1] >= at(2)])
    assert log.impact().covered == (Window(at(2), UNTIL),)
    log.keep([one for one in WHOLE if one[1] is not None and one[1] <= at(8)])
    assert log.impact().covered == (Window(SINCE, at(8)),)
    assert outcome(log.look()) == INCOMPLETE


def test_an_access_in_a_log_with_gaps_is_open_all_the_same(log: Log) -> None:
    log.keep([("kim", at(4))])
    assert outcome(log.look()) == OPEN
    assert log.impact() == Impact("1", "1", (Window(at(4), at(4)),), complete=False, first_at=at(4), last_at=at(4))


def test_without_the_known_access_a_log_proves_nothing(log: Log) -> None:
    log.keep(WHOLE[:-1])
    assert outcome(log.look()) == INCOMPLETE
    log.keep([*WHOLE[:-1], ("canary-reader", at(-0.5))])
    assert outcome(log.look()) == INCOMPLETE
    assert log.impact().complete is False


def test_an_entry_without_a_time_makes_it_incomplete(log: Log) -> None:
    log.keep([*WHOLE, ("clock", None)])
    assert outcome(log.look()) == INCOMPLETE


def test_a_log_without_an_entry_covers_nothing(log: Log) -> None:
    log.keep([("clock", at(-100))])
    assert outcome(log.look()) == INCOMPLETE
    assert log.impact() == Impact("0", "0", (), complete=False)


def test_names_are_compared_letter_by_letter(log: Log) -> None:
    log.keep([*WHOLE, ("CLOCK", at(1)), ("clóck", at(2))])
    assert outcome(log.look()) == OPEN
    assert log.impact().principals == "2-9"


def test_only_matching_entries_are_accesses_but_all_show_that_the_log_is_on(log: Log) -> None:
    log.keep([*WHOLE, ("kim", at(2))])
    assert outcome(log.look(match={"usr": "canary-reader"})) == NOBODY
    assert outcome(log.look(match={"usr": "kim"})) == OPEN
    assert outcome(log.look(match={"usr": "nobody"})) == INCOMPLETE


def test_a_missing_column_is_no_answer(log: Log) -> None:
    log.keep(WHOLE)
    assert log.look(columns={"principal": "usr", "at": "missing"}).verdict == "inconclusive"
    assert log.look(match={"missing": "x"}).verdict == "inconclusive"


def test_no_name_is_told(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    log.keep([*WHOLE, ("secret-kim", at(2))])
    told = repr(log.look()) + caplog.text
    assert "secret-kim" not in told
    assert "canary-reader" not in told


# ---- windows ----


def test_without_a_window_the_last_day_is_looked_at(in_csv: CsvLog) -> None:
    now = datetime.now(UTC)
    in_csv.keep([*[("clock", now - timedelta(minutes=30 * n)) for n in range(50)], ("canary-reader", now)])
    assert outcome(in_csv.look(None)) == NOBODY
    (covered,) = in_csv.impact(None).covered
    assert covered.until is not None
    assert covered.until - covered.since == timedelta(days=1)


def test_a_window_that_goes_on_ends_now(in_csv: CsvLog) -> None:
    now = datetime.now(UTC)
    in_csv.keep([("canary-reader", now - timedelta(minutes=10)), ("clock", now)])
    assert outcome(in_csv.look(Window(now - timedelta(minutes=30)))) == NOBODY


def test_a_window_to_come_or_too_long_is_not_looked_at(in_csv: CsvLog) -> None:
    in_csv.keep(WHOLE)
    now = datetime.now(UTC)
    assert outcome(in_csv.look(Window(now + timedelta(hours=1)))) == INCOMPLETE
    assert "longer max_gap" in in_csv.look(Window(SINCE, UNTIL), max_gap="1s").steps[-1].note


def test_coverage_keeps_the_longest_stretches_of_many() -> None:
    stays = [Stay(at(n * 3).timestamp(), at(n * 3 + n / 100).timestamp()) for n in range(80)]
    found = coverage(stays, SINCE, at(300), timedelta(hours=1))
    assert len(found) == 50
    assert found[0].since == at(90)


@pytest.mark.parametrize("scale", [1, 1e3, 1e6, 1e9])
def test_numbers_are_read_in_the_unit_that_they_must_be_in(scale: float) -> None:
    assert seconds(1_772_323_200 * scale) == 1_772_323_200


# ---- tables ----


def test_how_many_accesses_an_entry_stands_for(on_postgresql: TableLog) -> None:
    on_postgresql.keep([*WHOLE, ("kim", at(2))])
    on_postgresql.run("ALTER TABLE LOG ADD COLUMN n int", "UPDATE LOG SET n = 41 WHERE usr = 'kim'")
    assert on_postgresql.impact(columns={"principal": "usr", "at": "ts", "count": "n"}).accesses == "10-99"


def test_a_log_that_may_not_be_read_is_no_answer(on_postgresql: TableLog, on_mariadb: TableLog) -> None:
    for log in (on_postgresql, on_mariadb):
        who = log.world.identities["any-employee"].username
        log.run(f"REVOKE SELECT ON LOG FROM {who if log is on_postgresql else repr(who)}")
        assert outcome(log.look()) == ("inconclusive", "not_permitted")


def test_times_as_text_or_dates_are_refused_in_words(on_postgresql: TableLog) -> None:
    for sort in ("text", "date"):
        on_postgresql.run(
            "DROP TABLE LOG", f"CREATE TABLE LOG (usr text, ts {sort})", "GRANT SELECT ON LOG TO any_employee"
        )
        on_postgresql.run("INSERT INTO LOG VALUES ('kim', '2026-03-01')")
        assert outcome(on_postgresql.look()) == INCOMPLETE
        assert "timestamp" in on_postgresql.look().steps[-1].note


def test_numbers_for_names(on_postgresql: TableLog) -> None:
    on_postgresql.run("ALTER TABLE LOG ADD COLUMN no int")
    on_postgresql.keep([*WHOLE])
    on_postgresql.run("UPDATE LOG SET no = CASE usr WHEN 'clock' THEN 7 ELSE 8 END")
    told = {"columns": {"principal": "no", "at": "ts"}, "allowed_principals": ["7"], "canary_principal": "8"}
    assert outcome(on_postgresql.look(**told)) == NOBODY


# ---- files ----


def test_times_in_a_file_in_all_their_spellings(in_csv: CsvLog) -> None:
    rows = [f"{int(at(n / 2).timestamp())}" for n in range(18)]
    rows += ["2026-03-01T09:00:00Z", "2026-03-01 09:30:00", "2026-03-01T11:00:00+01:00"]
    in_csv.write("\ufefftime;x".replace(";", ",") + ",usr\n" + "".join(f'{row},"a,b",clock\n' for row in rows))
    with Path(in_csv.params["csv"]).open("a") as file:
        file.write(f"{at(2).timestamp() * 1000},x,canary-reader\n")
    assert outcome(in_csv.look(columns={"principal": "usr", "at": "time"})) == NOBODY


@pytest.mark.parametrize(
    "line",
    [
        b"yesterday,clock\n",
        b"2026-03-01\n",
        b"\xff\xfe,clock\n",
        b"2026-03-01T01:00:00Z," + b"x" * 70_000 + b"\n",
        b'2026-03-01T01:00:00Z,"' + b"x\n" * 70_000,
        b"9" * 400 + b",clock\n",
        b"2026-03-01T01:00:00Z,clo\0ck\x00\n\n",
    ],
)
def test_a_line_that_cannot_be_read_makes_it_incomplete(in_csv: CsvLog, line: bytes) -> None:
    in_csv.keep(WHOLE)
    whole = Path(in_csv.params["csv"]).read_bytes()
    in_csv.write(whole + line + b"2026-03-01T01:00:00Z,clock\n")
    seen = in_csv.look()
    assert seen.verdict != "closed"
    assert seen.reason in ("log_incomplete", "accessed")


def test_a_file_without_an_end_of_line_costs_no_memory(in_csv: CsvLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_csv, "MAX_FILE", 10_000_000)
    with Path(in_csv.params["csv"]).open("wb") as file:
        file.write(b"ts,usr\n")
        file.truncate(50_000_000)
    assert outcome(in_csv.look()) == INCOMPLETE


def test_a_file_that_takes_too_long_is_incomplete(in_csv: CsvLog) -> None:
    in_csv.write("ts,usr\n" + f"{SINCE.isoformat()},clock\n" * 600_000)
    seen = in_csv.look(timeout=0.3)
    assert outcome(seen) in (INCOMPLETE, ("inconclusive", "timeout"))


def test_an_empty_or_headless_file_is_no_log(in_csv: CsvLog) -> None:
    for text in ("", "\n", "ts,ts,usr\n", "a,b\n1,2\n"):
        in_csv.write(text)
        assert outcome(in_csv.look()) == INCOMPLETE
    Path(in_csv.params["csv"]).unlink()
    assert outcome(in_csv.look()) == INCOMPLETE


def test_a_file_outside_the_allowed_folders_is_never_read(in_csv: CsvLog, tmp_path: Path) -> None:
    in_csv.keep([*WHOLE, ("kim", at(1))])
    log = Path(in_csv.params["csv"])
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.csv").symlink_to(log)
    os.mkfifo(inside / "pipe.csv")
    in_csv.world.local = LocalRules(paths=(str(inside),))
    assert outcome(in_csv.look()) == ("inconclusive", "blocked_by_policy")
    for name in ("link.csv", "pipe.csv"):
        assert outcome(in_csv.look(csv=str(inside / name))) == INCOMPLETE
    in_csv.world.local = LocalRules(paths=(str(tmp_path),), own=(str(log),))
    assert outcome(in_csv.look(csv=str(inside / "link.csv"))) == INCOMPLETE


# ---- parameters ----


def saved(world: World | None = None, identity: str = "any-employee", **params: Any) -> dict[str, Any]:
    told = {"url": "postgresql://127.0.0.1/hr", "table": "a.b", "columns": {"principal": "usr", "at": "ts"}, **params}
    told = {name: value for name, value in told.items() if value is not None}
    environment = (world or World()).environment
    return validate(environment.kinds, environment, Definition("access_log", identity, None, told)).params


def test_columns_may_come_as_json_from_a_form() -> None:
    given = '{"principal": "usr", "at": "ts"}'
    assert saved(columns=given)["columns"] == {"principal": "usr", "at": "ts"}
    assert saved(match='{"object": "tracking.events"}')["match"] == {"object": "tracking.events"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": "usr, ts"},
        {"columns": {"principal": "usr"}},
        {"columns": {"principal": "usr", "at": "ts", "more": "x"}},
        {"csv": "/srv/log.csv"},
        {"url": None},
        {"url": None, "table": None, "csv": "/etc/passwd"},
        {"max_gap": "0s"},
        {"max_gap": 5},
        {"match": {f"c{n}": "x" for n in range(11)}},
    ],
)
def test_what_cannot_be_asked_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        saved(**wrong)


def test_a_file_needs_nobody_to_sign_in_and_a_table_does() -> None:
    world = World(local=LocalRules(paths=("/srv",)))
    assert saved(world, "anonymous", url=None, table=None, csv="/srv/log.csv")["csv"] == "/srv/log.csv"
    with pytest.raises(InputError, match="username"):
        saved(world, "anonymous")


def test_it_informs_and_never_gates() -> None:
    assert access_log.AccessLogKind.weight is Weight.informs
    assert replace(WINDOW, until=None).until is None
