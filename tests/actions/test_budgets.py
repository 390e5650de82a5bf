"""How many statements an act may take: budgets instead of times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from tests.cast import CLOSED, Tracker


@dataclass
class Sent:
    statements: list[str] = field(default_factory=list)
    commits: int = 0

    def __len__(self) -> int:
        return len(self.statements)


@contextmanager
def sent(tracker: Tracker) -> Iterator[Sent]:
    """The statements and commits that are sent meanwhile. BEGIN is the driver's own, on both."""
    counted, engine = Sent(), tracker.runtime.database.engine

    def statement(_connection: object, _cursor: object, text: str, *_: object) -> None:
        if not text.startswith("BEGIN"):
            counted.statements.append(text)

    def commit(_connection: object) -> None:
        counted.commits += 1

    sa.event.listen(engine, "before_cursor_execute", statement)
    sa.event.listen(engine, "commit", commit)
    try:
        yield counted
    finally:
        sa.event.remove(engine, "before_cursor_execute", statement)
        sa.event.remove(engine, "commit", commit)


def test_filing_takes_ten_statements_and_one_commit(tracker: Tracker) -> None:
    tracker.dataset("mci-events", "primary", "export")
    tracker.file()
    with sent(tracker) as counted:
        tracker.file()
    assert len(counted) <= 10, counted.statements
    assert counted.commits == 1


def test_filing_where_checks_look_already_does_not_grow_with_their_number(mci: Tracker) -> None:
    mci.file()
    with sent(mci) as one:
        mci.file()
    for _ in range(3):
        mci.check()
    mci.run_queued()
    with sent(mci) as four:
        mci.file()
    assert one.commits == four.commits == 1
    assert len(one) <= FILING_WITH_CHECKS, "\n@@".join(one.statements)
    assert len(four) <= FILING_WITH_CHECKS, four.statements


FILING_WITH_CHECKS = 12


def test_storing_runs_does_not_grow_with_the_batch(mci: Tracker) -> None:
    def statements(checks: int) -> int:
        for _ in range(checks):
            mci.check()
        mci.run_queued()
        mci.look(_later(mci), primary="open")
        with mci.work("dana") as work:
            from sevtracker.actions import sevs

            sevs.verify(work, 1)
        claimed = mci.claim()
        mci.doors["primary"] = CLOSED
        with sent(mci) as counted:
            assert len(mci.store([mci.seen(job) for job in claimed])) == len(claimed)
        assert counted.commits == 1
        return len(counted)

    assert statements(0) == statements(5)


def _later(tracker: Tracker) -> float:
    return (tracker.clock.time - tracker.at(0)).total_seconds() / 60 + 1


def test_a_tick_with_nothing_to_do_writes_nothing(mci: Tracker) -> None:
    mci.tick()
    mci.run_queued()
    with sent(mci) as counted:
        mci.tick()
    assert counted.commits == 0
    assert len(counted) <= 4
