"""Copies that are there already: changed and retired, on the record, and never to the good of a SEV."""

from __future__ import annotations

import pytest
from sqlmodel import col, select

from sevtracker.actions import checks, copies, datasets, sevs
from sevtracker.actions.inputs import ChangeCopy, Dismiss, NewCopy, WithReason, parse
from sevtracker.domain.sentences import sentence
from sevtracker.errors import Conflict, InputError, NotFound, NotPermitted
from sevtracker.store import checks as stored_checks
from sevtracker.store import datasets as stored
from sevtracker.store import facts as gathered
from sevtracker.store.ledger import facts_of
from sevtracker.store.tables import Copy, LedgerRecord, Sev
from tests.cast import CLOSED, Tracker


def edit(tracker: Tracker, copy: str = "tape", *, by: str = "dana", **changed: str) -> None:
    with tracker.work(by) as work:
        given = parse(ChangeCopy, changed)
        copies.change(work, tracker.settings, tracker.runtime.probes, "mci-events", copy, given)


def retire(tracker: Tracker, copy: str = "tape", *, by: str = "dana") -> None:
    with tracker.work(by) as work:
        copies.retire(work, "mci-events", copy, parse(WithReason, {"reason": "shredded"}))


def said(tracker: Tracker, kind: str) -> list[str]:
    with tracker.read() as session:
        found = session.exec(select(LedgerRecord).where(col(LedgerRecord.kind) == kind)).all()
        return [sentence(kind, facts_of(bytes(record.body))["facts"]) for record in found]


def holes(tracker: Tracker, number: int = 1) -> list[str]:
    settings = tracker.settings
    with tracker.read() as session:
        sev = session.get_one(Sev, number)
        [case] = gathered.gather(session, [sev], settings.policy, settings.identities, tracker.clock.now())
        return [hole.place for hole in case.holes]


def standing(tracker: Tracker) -> list[str]:
    with tracker.read() as session:
        dataset = stored.by_slug(session, "mci-events")
        assert dataset is not None
        return [copy.slug for copy in stored.copies_of(session, [dataset.id or 0])]


@pytest.fixture
def taped(tracker: Tracker) -> Tracker:
    """A dataset with a primary and a tape, on which no SEV was filed."""
    tracker.dataset("mci-events", "primary", "tape")
    return tracker


def test_a_copy_is_changed_and_the_record_has_both_values(taped: Tracker) -> None:
    edit(taped, kind="backup", location="vault 7")
    assert said(taped, "dataset:copy_changed") == [
        "Copy tape changed: kind from tape to backup, location from nothing to vault 7."
    ]
    edit(taped, location="vault 7")
    assert len(said(taped, "dataset:copy_changed")) == 1


def test_a_location_takes_no_password(taped: Tracker) -> None:
    with pytest.raises(InputError) as refused:
        edit(taped, location="postgresql://dana:secret@db1/hr")
    assert [e.field for e in refused.value.errors] == ["location"]


def test_another_location_changes_no_check(taped: Tracker) -> None:
    check_id = taped.check("tape")
    with taped.read() as session:
        before = stored_checks.by_id(session, check_id)
        assert before is not None
        told = (before.revision, before.fingerprint, before.locator, before.params)
    edit(taped, location="elsewhere")
    with taped.read() as session:
        after = stored_checks.by_id(session, check_id)
        assert after is not None
        assert (after.revision, after.fingerprint, after.locator, after.params) == told


def test_who_may_not_register_copies_may_neither_change_nor_retire_them(taped: Tracker) -> None:
    with pytest.raises(NotPermitted):
        edit(taped, by="aud", location="x")
    with pytest.raises(NotPermitted):
        retire(taped, by="aud")


def test_a_retired_copy_is_asked_for_by_no_later_sev(taped: Tracker) -> None:
    retire(taped)
    assert standing(taped) == ["primary"]
    assert said(taped, "dataset:copy_retired") == ["Copy tape (tape) retired."]
    taped.file()
    assert holes(taped) == ["mci-events/primary"]


def test_a_retired_copy_takes_no_check_no_change_and_its_name_stays_taken(taped: Tracker) -> None:
    retire(taped)
    with pytest.raises(InputError, match="retired"):
        taped.check("tape")
    with pytest.raises(Conflict):
        edit(taped, location="x")
    with pytest.raises(Conflict):
        retire(taped)
    with pytest.raises(NotFound):
        retire(taped, "nowhere")
    again = parse(NewCopy, {"slug": "tape"})
    with taped.work("dana") as work, pytest.raises(InputError, match="had a copy"):
        datasets.add_copy(work, taped.settings, taped.runtime.probes, "mci-events", again)


def test_a_copy_that_a_check_looks_at_cannot_go(taped: Tracker) -> None:
    check_id = taped.check("tape", name="Tape reader")
    with pytest.raises(Conflict, match=rf"check {check_id} \(Tape reader\) looks at it; retire it first"):
        retire(taped)
    with taped.work("dana") as work:
        checks.retire(work, taped.settings, taped.runtime.probes, check_id, "the tape goes")
    retire(taped)
    assert standing(taped) == ["primary"]


def test_a_copy_of_an_active_sev_cannot_go_and_the_hole_stays(taped: Tracker) -> None:
    taped.file()
    assert "mci-events/tape" in holes(taped)
    with pytest.raises(Conflict, match="SEV-1 on this dataset is not over"):
        retire(taped)
    assert "mci-events/tape" in holes(taped)


def test_a_restricted_sev_is_not_named_to_who_may_not_know_of_it(taped: Tracker) -> None:
    taped.file(restricted=True)
    with pytest.raises(Conflict) as refused:
        retire(taped, by="eve")
    assert "SEV-1" not in str(refused.value)
    assert "a SEV on this dataset is not over" in str(refused.value)


def test_the_only_copy_cannot_go(taped: Tracker) -> None:
    retire(taped)
    with pytest.raises(Conflict, match="only copy"):
        retire(taped, "primary")


def test_a_sev_that_comes_back_asks_for_a_copy_that_was_retired_meanwhile(taped: Tracker) -> None:
    """Dismissing, retiring and reopening is no way to make a hole vanish."""
    taped.file()
    with taped.work("vik") as work:
        sevs.dismiss(work, taped.settings, 1, parse(Dismiss, {"reason": "nothing to it"}))
    taped.wait(1)
    retire(taped)
    with taped.work("vik") as work:
        sevs.reopen(work, taped.settings, 1, "there is")
    assert "mci-events/tape" in holes(taped)


def test_what_a_resolved_sev_was_seen_closed_on_can_go_only_after_its_check(mci: Tracker) -> None:
    mci.look(1)
    mci.patch(1)
    for minute in (20, 35, 50):
        mci.look(minute, primary=CLOSED)
    with pytest.raises(Conflict, match="check 1"):
        retire(mci, "primary")
    with mci.read() as session:
        assert session.get_one(Copy, 1).retired_at is None
