"""The ledger in a real database: nobody changes it, writers at once don't fork it, and damage is found."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from sevtracker.config import Database as DatabaseSettings
from sevtracker.errors import LedgerBroken
from sevtracker.store import ledger
from sevtracker.store.engine import Database
from sevtracker.store.migrate import upgrade
from sevtracker.store.work import working
from tests.cast import STAMP, START
from tests.servers.postgres import PostgresServer
from tests.servers.store import Dialect, StoreDatabases


def write(database: Database, count: int = 1, text: str | None = "what happened") -> None:
    with working(database, now=lambda: START, person=None, stamp=STAMP) as work:
        for n in range(count):
            work.record("note:added", sev=1, facts={"n": n}, text=text)


def verified(database: Database) -> ledger.Intact:
    with database.reading() as session:
        return ledger.verify(session)


@pytest.fixture
def written(database: Database) -> Database:
    """With three records."""
    write(database, 3)
    return database


COPY = (
    "INSERT INTO ledger (seq, prev, h, body, id, kind, at, ts)"
    " SELECT {seq}, {prev}, {h}, body, {id}, 'forged', at, ts FROM ledger WHERE seq = 2"
)
_NEW = {"prev": "h", "h": "prev", "id": "'new'"}
REFUSED = {
    "update": "UPDATE ledger SET kind = 'forged' WHERE seq = 2",
    "update of one column": "UPDATE ledger SET sev = NULL",
    "delete": "DELETE FROM ledger WHERE seq = 3",
    "delete all": "DELETE FROM ledger",
    "same seq": COPY.format(seq=2, **_NEW),
    "a fork": COPY.format(seq=4, prev="prev", h="'\\x01'", id="'new'"),
    "upsert": COPY.format(seq=2, **_NEW) + " ON CONFLICT (seq) DO UPDATE SET kind = 'forged'",
}
ON_SQLITE = {
    "replace": COPY.format(seq=2, **_NEW).replace("INSERT", "INSERT OR REPLACE"),
    "replace by hash": COPY.format(seq=4, prev="x'02'", h="h", id="'new'").replace("INSERT", "INSERT OR REPLACE"),
    "replace by id": COPY.format(seq=4, prev="x'02'", h="x'03'", id="id").replace("INSERT", "INSERT OR REPLACE"),
    "update or replace": "UPDATE OR REPLACE ledger SET seq = 2 WHERE seq = 3",
    "a gap": COPY.format(seq=9, prev="x'02'", h="x'03'", id="'new'"),
    "before the first": COPY.format(seq=0, prev="x'02'", h="x'03'", id="'new'"),
}
ON_POSTGRESQL = {"truncate": "TRUNCATE ledger", "truncate cascade": "TRUNCATE ledger CASCADE"}


def _refuses(database: Database, statement: str) -> None:
    with database._write_engine.connect() as connection, pytest.raises(DBAPIError):
        connection.exec_driver_sql(statement)


def test_no_statement_changes_a_record(written: Database, store_dialect: Dialect) -> None:
    for statement in {**REFUSED, **(ON_SQLITE if store_dialect == "sqlite" else ON_POSTGRESQL)}.values():
        _refuses(written, statement)
    assert verified(written).records == 3


# ---- PostgreSQL with an owner and an application role ------------------------------------------------------------


@pytest.fixture
def app(postgres: PostgresServer, store_databases: StoreDatabases) -> Iterator[Database]:
    """As the application's own role; the owner has migrated."""
    owner = store_databases.empty("postgresql")
    name = owner.rsplit("/", 1)[1]
    role = f"app_{name}"
    postgres.create_role(role)
    settings = DatabaseSettings(url=postgres.url(name, role), migrate_url=owner)
    upgrade(settings)
    database = Database(settings)
    yield database
    database.dispose()
    postgres.execute(f'DROP OWNED BY "{role}"', database=name)
    postgres.execute(f'DROP ROLE "{role}"')


def test_the_application_role_may_append_and_nothing_else(app: Database) -> None:
    write(app, 3)
    for statement in {**REFUSED, **ON_POSTGRESQL}.values():
        _refuses(app, statement)
    for statement in (
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "DROP TRIGGER ledger_no_change ON ledger",
        "DROP TABLE ledger",
        "UPDATE installation SET log = 'other'",
        "UPDATE alembic_version SET version_num = '0'",
        "SET session_replication_role = replica",
    ):
        _refuses(app, statement)
    assert verified(app).records == 3


def test_a_replica_cannot_change_a_record_either(
    app: Database, postgres: PostgresServer, store_databases: StoreDatabases
) -> None:
    write(app, 3)
    name = str(app.engine.url.database)
    superuser = sa.create_engine(postgres.url(name, postgres.superuser))
    for statement in ("UPDATE ledger SET kind = 'x'", "DELETE FROM ledger", "TRUNCATE ledger"):
        with superuser.connect() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            with pytest.raises(DBAPIError, match="append-only"):
                connection.exec_driver_sql(statement)
    superuser.dispose()


# ---- many writers ------------------------------------------------------------------------------------------------


def test_eight_writers_at_once_leave_one_chain(database: Database, database_url: str) -> None:
    databases = [Database(DatabaseSettings(url=database_url, pool_size=2)) for _ in range(4)]
    failures: list[BaseException] = []

    def append(mine: Database) -> None:
        try:
            for n in range(12):
                write(mine, 1 + n % 3, text=None)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=append, args=(databases[n % 4],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mine in databases:
        mine.dispose()
    assert failures == []
    assert verified(database).records == 8 * 24


_WRITER = """
import sys
sys.path[:0] = sys.argv[3:]
from sevtracker.config import Database as Settings
from sevtracker.store.engine import Database
from tests.store.test_ledger import verified, write
database = Database(Settings(url=sys.argv[1]))
for n in range(int(sys.argv[2])):
    write(database, 2, text=None)
    if n % 10 == 0:
        verified(database)
"""


def test_two_processes_that_read_and_write_never_find_it_locked(database: Database, database_url: str) -> None:
    command = [sys.executable, "-c", _WRITER, database_url, "15", *sys.path]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    for process in started:
        _, complaint = process.communicate(timeout=120)
        assert process.returncode == 0, complaint.decode()[-2000:]
    assert verified(database).records == 60


def test_a_block_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with working(database, now=lambda: START, person=None, stamp=STAMP) as work:
            work.record("note:added", facts={}, text="never")
            raise RuntimeError

    def say_floats() -> None:
        with working(database, now=lambda: START, person=None, stamp=STAMP) as work:
            work.record("note:added", facts={"share": 0.5})

    with pytest.raises(RuntimeError):
        fail()
    with pytest.raises(TypeError):
        say_floats()
    assert verified(database) == ledger.Intact(0, None, 0)


# ---- damage ------------------------------------------------------------------------------------------------------


def _as_intruder(database: Database, statement: str) -> None:
    """Somebody with the file, or the owner's role: first the guards go."""
    with database._write_engine.begin() as connection:
        if database.is_sqlite:
            for name in ("no_update", "no_delete", "append"):
                connection.exec_driver_sql(f"DROP TRIGGER ledger_{name}")
        else:
            connection.exec_driver_sql("ALTER TABLE ledger DISABLE TRIGGER ALL")
        connection.exec_driver_sql(statement)


_BITS = {
    "sqlite": "UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), '\"n\":1', '\"n\":7') AS BLOB) WHERE seq = 2",
    "postgresql": "UPDATE ledger SET body = set_byte(body, 20, get_byte(body, 20) # 1) WHERE seq = 2",
}


@pytest.mark.parametrize(
    ("statement", "seq", "damage"),
    [
        ("DELETE FROM ledger WHERE seq = 2", 2, "gap"),
        ("UPDATE ledger SET sev = 2 WHERE seq = 2", 2, "projection"),
        ("UPDATE ledger SET kind = 'sev:resolved' WHERE seq = 3", 3, "projection"),
        ("UPDATE ledger SET ts = at || 'x' WHERE seq = 1", 1, "projection"),
        (
            "UPDATE ledger_text SET text = 'something else' WHERE record_id = (SELECT id FROM ledger WHERE seq = 2)",
            2,
            "text",
        ),
        ("DELETE FROM ledger_text WHERE record_id = (SELECT id FROM ledger WHERE seq = 2)", 2, "text"),
        ("UPDATE installation SET log = 'another'", 1, "log"),
    ],
)
def test_damage_is_found(written: Database, statement: str, seq: int, damage: str) -> None:
    _as_intruder(written, statement)
    with pytest.raises(LedgerBroken) as found:
        verified(written)
    assert (found.value.seq, found.value.damage) == (seq, damage)


def test_a_flipped_bit_is_found(written: Database, store_dialect: Dialect) -> None:
    _as_intruder(written, _BITS[store_dialect])
    with pytest.raises(LedgerBroken) as found:
        verified(written)
    assert found.value.seq == 2
    assert found.value.damage in ("hash", "bytes")


def test_a_text_of_no_record_is_found(written: Database) -> None:
    salt = "x'00'" if written.is_sqlite else "'\\x00'"
    _as_intruder(written, f"INSERT INTO ledger_text (record_id, salt, text) VALUES ('stray', {salt}, 'x')")
    with pytest.raises(LedgerBroken, match="1 texts belong to no record"):
        verified(written)


def test_a_text_may_be_gone_if_a_record_says_so(written: Database) -> None:
    with written.reading() as session:
        erased, *_ = [record.projection["id"] for record in ledger.stored(session)]
    with working(written, now=lambda: START, person=None, stamp=STAMP) as work:
        work.session.connection().execute(sa.text("DELETE FROM ledger_text WHERE record_id = :id"), {"id": erased})
        work.record(ledger.TEXT_ERASED, facts={"record": erased})
    assert verified(written) == ledger.Intact(4, verified(written).head, 2)


def test_what_is_appended_during_a_verification_does_not_disturb_it(database: Database, database_url: str) -> None:
    other = Database(DatabaseSettings(url=database_url))
    write(database, 1500)
    with database.reading() as session:
        seen = 0
        for _ in ledger.stored(session):
            seen += 1
            if seen == 1:
                write(other, 2)
        assert seen == 1500
        assert ledger.verify(session).records >= 1500
    other.dispose()


def test_a_pool_of_one_connection_is_enough_to_verify(database_url: str, written: Database) -> None:
    small = Database(DatabaseSettings(url=database_url, pool_size=1))
    with small.reading() as session:
        small.log(session)
        assert ledger.verify(session).records == 3
    small.dispose()


def test_a_session_for_reading_changes_nothing(written: Database) -> None:
    with (
        contextlib.suppress(RuntimeError),  # PostgreSQL: there is no transaction to roll back, so it is refused
        written.reading() as session,
    ):
        session.connection().execute(sa.text("UPDATE installation SET log = 'another'"))
    with written.reading() as session:
        assert session.connection().execute(sa.text("SELECT log FROM installation")).scalar_one() != "another"
