"""SEVs as they are read: who sees which, filters, pages, timelines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from sevtracker.domain.vocabulary import Exposure, Level, Status
from sevtracker.store import checks, notices, sevs, timeline
from sevtracker.store.sevs import Filters
from tests.cast import CAST, CLOSED, Tracker


@contextmanager
def counted(tracker: Tracker) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    sa.event.listen(tracker.runtime.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(tracker.runtime.database.engine, "before_cursor_execute", note)


@pytest.fixture
def filed(tracker: Tracker) -> Tracker:
    """SEV-1 SEV3 on mci-events, SEV-2 SEV1 on both, SEV-3 restricted on payroll (Dana's, Priya commands)."""
    tracker.dataset(programme="mci")
    tracker.dataset("payroll")
    tracker.file()
    tracker.file(level="SEV1", datasets=["payroll", "mci-events"])
    tracker.file(datasets=["payroll"], restricted=True)
    with tracker.work("dana") as work:
        from sevtracker.actions import sevs as acts
        from sevtracker.actions.inputs import ChangeSev, parse

        acts.change(work, tracker.settings, 3, parse(ChangeSev, {"commander": "priya@corp.example"}))
    return tracker


def numbers(
    tracker: Tracker, name: str = "dana", limit: int = 50, before: int | None = None, **given: object
) -> list[int]:
    with tracker.read() as session:
        filters = Filters(**given)  # type: ignore[arg-type]  # each test names its own
        listed = sevs.listing(session, tracker.viewer(name), filters, limit=limit, before=before)
    return [line.number for line in listed]


def test_a_restricted_sev_is_seen_by_those_who_belong_to_it_and_by_nobody_else(filed: Tracker) -> None:
    sees = {name: filed.sees(name, 3) for name in CAST}
    assert sees == {"dana": True, "priya": True, "vik": True, "aud": True, "ada": False, "eve": False}
    for name, seen in sees.items():
        assert numbers(filed, name) == ([3, 2, 1] if seen else [2, 1])
        with filed.read() as session:
            assert (3 in sevs.known(session, filed.viewer(name), [1, 2, 3])) is seen
            harmful = [line.number for line in sevs.harmful(session, filed.viewer(name), limit=50)]
            assert (3 in harmful) is seen


def test_somebody_added_sees_it_until_removed(filed: Tracker) -> None:
    from sevtracker.actions import sevs as acts
    from sevtracker.actions.inputs import ChangeSev, parse

    for members, seen in ((["eve@corp.example", "ada@corp.example"], True), (["ada@corp.example"], False)):
        with filed.work("dana") as work:
            acts.change(work, filed.settings, 3, parse(ChangeSev, {"members": members}))
        assert filed.sees("eve", 3) is seen
    assert filed.sees("ada", 3)


def test_runs_and_notices_tell_nothing_of_a_hidden_sev(filed: Tracker) -> None:
    filed.check("primary", dataset="payroll")
    with filed.work("priya") as work:
        from sevtracker.actions import sevs as acts

        acts.verify(work, 3)
    filed.run_queued()
    filed.patch(3)
    filed.look(10)
    assert "patch:failed" in filed.notices("dana")
    assert "patch:failed" not in filed.notices("eve")
    with filed.read() as session:
        hidden = [run.sev for run in checks.runs(session, 1, filed.viewer("eve"), limit=10)]
        shown = [run.sev for run in checks.runs(session, 1, filed.viewer("dana"), limit=10)]
        all_of_them = notices.pending(session, filed.viewer("dana"), limit=50)
        of_3 = next(n for n in all_of_them if n.sev_number == 3)
        assert notices.by_id(session, of_3.id, filed.viewer("eve")) is None
        assert notices.by_id(session, of_3.id, filed.viewer("vik")) is not None
    assert 3 not in hidden
    assert 3 in shown


def test_filters_narrow(filed: Tracker) -> None:
    assert numbers(filed, levels=(Level.SEV1,)) == [2]
    assert numbers(filed, levels=(Level.SEV1, Level.SEV3)) == [3, 2, 1]
    assert numbers(filed, statuses=(Status.investigating,)) == [3]
    assert numbers(filed, exposures=(Exposure.unverified,)) == [3, 2, 1]
    assert numbers(filed, exposures=(Exposure.exposed,)) == []
    assert numbers(filed, dataset="payroll") == [3, 2]
    assert numbers(filed, dataset="none-such") == []
    assert numbers(filed, programme="mci") == [2, 1]
    assert numbers(filed, programme="mci", dataset="payroll") == []
    assert numbers(filed, programme="mci", levels=(Level.SEV3,), text="readable") == [1]


def test_pages_follow_each_other(filed: Tracker) -> None:
    assert numbers(filed, limit=2) == [3, 2]
    assert numbers(filed, limit=2, before=2) == [1]
    assert numbers(filed, limit=1, before=2, text="readable") == [1]


def test_a_list_takes_one_statement_whatever_its_length(filed: Tracker) -> None:
    for limit in (1, 50):
        with counted(filed) as sent:
            numbers(filed, limit=limit, programme="mci")
        assert len([s for s in sent if s.startswith("SELECT")]) == 1


def test_words_take_a_second_statement_only_where_the_newest_do_not_fill_the_page(filed: Tracker) -> None:
    looks = 1 if filed.runtime.database.is_sqlite else 2
    for limit, most in ((1, 1), (50, looks)):
        with counted(filed) as sent:
            assert numbers(filed, limit=limit, programme="mci", text="readable")
        assert len([s for s in sent if s.startswith("SELECT")]) == most


def test_lines_carry_the_datasets_in_order(filed: Tracker) -> None:
    with filed.read() as session:
        line = next(iter(sevs.listing(session, filed.viewer("dana"), Filters(levels=(Level.SEV1,)), limit=9)))
    assert line.datasets == ("mci-events", "payroll")


def test_the_worst_comes_first(filed: Tracker) -> None:
    filed.check()
    filed.run_queued()
    with filed.read() as session:
        lines = sevs.harmful(session, filed.viewer("dana"), limit=50)
    assert [line.number for line in lines] == [2, 1, 3]
    assert [line.exposure for line in lines] == [Exposure.exposed, Exposure.exposed, Exposure.unverified]


def test_a_timeline_can_be_paged_either_way_and_narrowed(filed: Tracker) -> None:
    from sevtracker.actions import sevs as acts
    from sevtracker.actions.inputs import Note, parse

    for n in range(5):
        with filed.work("priya") as work:
            acts.note(work, 1, parse(Note, {"text": f"note {n}"}))
    with filed.read() as session:
        whole = timeline.of_sev(session, 1, limit=100)
        first = timeline.of_sev(session, 1, limit=3)
        rest = timeline.of_sev(session, 1, limit=100, after=first[-1].seq)
        newest = timeline.of_sev(session, 1, limit=2, newest_first=True)
        older = timeline.of_sev(session, 1, limit=2, newest_first=True, before=newest[-1].seq)
        only_notes = timeline.of_sev(session, 1, limit=100, kinds=["note:"])
        head = timeline.head(session, 1)
        none = timeline.of_sev(session, 1, limit=100, kinds=["not%"])
    assert [i.seq for i in (*first, *rest)] == [i.seq for i in whole]
    assert [i.text for i in (*newest, *older)] == ["note 4", "note 3", "note 2", "note 1"]
    assert [i.kind for i in only_notes] == ["note:added"] * 5
    assert {i.actor_name for i in only_notes} == {"Priya"}
    assert head == whole[-1].seq
    assert none == []


def test_counting_statements_does_not_grow_with_the_timeline(filed: Tracker) -> None:
    with counted(filed) as sent, filed.read() as session:
        timeline.of_sev(session, 1, limit=100)
    assert len([s for s in sent if s.startswith("SELECT")]) == 2


def test_runs_are_paged_newest_first(filed: Tracker) -> None:
    filed.check()
    for minute in range(1, 6):
        filed.look(minute, primary=CLOSED)
    with filed.read() as session:
        page = checks.runs(session, 1, filed.viewer("dana"), limit=2)
        following = checks.runs(session, 1, filed.viewer("dana"), limit=2, before=page[-1].id)
        one = checks.run(session, 1, page[0].id, filed.viewer("dana"))
    assert [r.started_at for r in (*page, *following)] == [filed.at(m) for m in (5, 4, 3, 2)]
    assert one == page[0]
