"""People: added, signed in, thrown out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sevtracker.actions import people
from sevtracker.actions.enforce import PERMISSIONS, May, may
from sevtracker.actions.inputs import ChangePerson, NewPerson, parse
from sevtracker.domain.vocabulary import Role
from sevtracker.errors import Conflict, InputError, NotFound, NotPermitted, NotSignedIn, Throttled
from sevtracker.store import people as stored
from sevtracker.store.engine import Database
from sevtracker.store.tables import Person
from tests.cast import Tracker

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2id with its least cost: what is tested is what we do with it."""
    from argon2 import PasswordHasher

    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(people, "_HASHER", quick)
    monkeypatch.setattr(people, "_NOBODY", quick.hash("nobody"))


def add(tracker: Tracker, by: str = "ada", **given: object) -> people.Added:
    wanted = {"email": "new@corp.example", "name": "New", "role": "engineer", **given}
    with tracker.work(by) as work:
        return people.add(work, parse(NewPerson, wanted))


def sign_in(
    tracker: Tracker, password: str = PASSWORD, email: str = "new@corp.example", address: str = "10.0.0.1"
) -> Person | None:
    with tracker.work(None) as work:
        return people.sign_in(work, tracker.settings.auth, email, password, address)


def change(tracker: Tracker, person_id: int, **given: object) -> None:
    with tracker.work("ada") as work:
        people.change(work, person_id, parse(ChangePerson, given))


def bearer(tracker: Tracker, secret: str) -> stored.Bearer | None:
    with tracker.read() as session:
        return stored.bearer(session, people.fingerprint(secret))


def test_somebody_added_with_a_password_signs_in(tracker: Tracker) -> None:
    assert add(tracker, password=PASSWORD).link_token is None
    found = sign_in(tracker, email=" NEW@corp.example ")
    assert found is not None
    assert found.role is Role.engineer
    assert sign_in(tracker, "wrong") is None
    assert sign_in(tracker, email="nobody@corp.example") is None


def test_without_a_password_a_link_sets_one_and_works_once(tracker: Tracker) -> None:
    added = add(tracker)
    assert added.link_token is not None
    assert sign_in(tracker, "") is None
    with tracker.work(None) as work:
        people.set_password(work, added.link_token, PASSWORD)
    assert sign_in(tracker) is not None
    for token in (added.link_token, "made-up"):
        with pytest.raises(NotSignedIn), tracker.work(None) as work:
            people.set_password(work, token, "another password")


def test_a_link_runs_out(tracker: Tracker) -> None:
    added = add(tracker)
    tracker.clock.time += people.LINK_VALID
    with pytest.raises(NotSignedIn), tracker.work(None) as work:
        people.set_password(work, added.link_token or "", PASSWORD)


def test_only_an_admin_manages_people(tracker: Tracker) -> None:
    for name in ("dana", "vik", "aud"):
        with pytest.raises(NotPermitted):
            add(tracker, by=name)
        with pytest.raises(NotPermitted), tracker.work(name) as work:
            people.change(work, tracker.cast["eve"].id, parse(ChangePerson, {"active": False}))
    with pytest.raises(InputError, match="already"):
        add(tracker, email="DANA@corp.example")


def test_nobody_changes_themselves(tracker: Tracker) -> None:
    with pytest.raises(Conflict):
        change(tracker, tracker.cast["ada"].id, role="executive")
    with pytest.raises(NotFound):
        change(tracker, 99, active=False)


def test_whoever_is_deactivated_is_out_by_every_door(tracker: Tracker) -> None:
    person = add(tracker, password=PASSWORD).person
    with tracker.work("ada") as work:
        secret = people.create_token(work, person, "script")
    found = bearer(tracker, secret)
    assert found is not None
    assert found.pid == person.pid
    change(tracker, person.id or 0, active=False)
    assert bearer(tracker, secret) is None
    assert sign_in(tracker) is None
    with tracker.read() as session:
        assert session.get_one(Person, person.id).session_epoch == 1
    change(tracker, person.id or 0, active=True)
    assert bearer(tracker, secret) is not None


def test_a_revoked_token_is_worth_nothing(tracker: Tracker) -> None:
    with tracker.work("dana") as work:
        dana = work.session.get_one(Person, tracker.cast["dana"].id)
        secret = people.create_token(work, dana, "script")
    with pytest.raises(NotFound), tracker.work("eve") as work:
        people.revoke_token(work, 1)
    with tracker.work("dana") as work:
        people.revoke_token(work, 1)
    assert bearer(tracker, secret) is None
    assert bearer(tracker, "made-up") is None


def test_too_many_failures_slow_an_account_down_even_with_the_right_password(tracker: Tracker) -> None:
    add(tracker, password=PASSWORD)
    throttle = tracker.settings.auth.throttle
    for _ in range(throttle.max_failures):
        assert sign_in(tracker, "wrong") is None
        tracker.clock.time += timedelta(seconds=1)
    with pytest.raises(Throttled) as found:
        sign_in(tracker)
    assert 0 < found.value.retry_after <= throttle.window.total_seconds()
    tracker.clock.time += timedelta(seconds=found.value.retry_after)
    assert sign_in(tracker) is not None


def test_many_accounts_tried_from_one_address_slow_the_address_down(tracker: Tracker) -> None:
    most = 10 * tracker.settings.auth.throttle.max_failures
    with tracker.work(None) as work:
        subject = people.fingerprint("address:10.0.0.1")
        for _ in range(most):
            stored.add_failures(work.session, [subject], work.now)
    add(tracker, password=PASSWORD)
    with pytest.raises(Throttled):
        sign_in(tracker)
    assert sign_in(tracker, address="10.0.0.2") is not None


def test_the_first_link_makes_an_admin_once(store_database: str) -> None:
    from sevtracker.config import Database as DatabaseSettings
    from sevtracker.store.migrate import upgrade
    from sevtracker.store.work import working
    from tests.cast import STAMP, START

    settings = DatabaseSettings(url=store_database)
    upgrade(settings)
    database = Database(settings)
    given = parse(NewPerson, {"email": "a@corp.example", "name": "A", "role": "admin", "password": PASSWORD})
    with working(database, now=lambda: START, person=None, stamp=STAMP) as work:
        first, second = people.first_link(work), people.first_link(work)
    assert first is not None
    assert second is not None
    with working(database, now=lambda: START, person=None, stamp=STAMP) as work:
        assert people.welcome(work, first, given).role is Role.admin
    for token in (first, second):
        with pytest.raises(NotSignedIn), working(database, now=lambda: START, person=None, stamp=STAMP) as work:
            people.welcome(work, token, given)
    with working(database, now=lambda: START, person=None, stamp=STAMP) as work:
        assert people.first_link(work) is None
    database.dispose()


def test_one_changes_ones_own_password_by_knowing_the_old_one(tracker: Tracker) -> None:
    person = add(tracker, password=PASSWORD).person
    from sevtracker.store.work import Person as Acting

    tracker.cast["new"] = Acting(person.id or 0, person.pid, person.role, "web")
    with pytest.raises(InputError, match="present password"), tracker.work("new") as work:
        people.change_password(work, "wrong", "another password")
    with tracker.work("new") as work:
        people.change_password(work, PASSWORD, "another password")
    assert sign_in(tracker) is None
    assert sign_in(tracker, "another password") is not None


def test_who_may_do_what() -> None:
    workers = {May.read, May.own_tokens, May.work_on_sevs, May.resolve_sevs, May.keep_datasets, May.keep_checks}
    assert set(PERMISSIONS) == set(Role)
    assert PERMISSIONS[Role.engineer] == workers
    assert PERMISSIONS[Role.executive] == workers | {May.grant_waivers, May.accept_definitions}
    assert PERMISSIONS[Role.auditor] == {May.read, May.own_tokens, May.see_settings}
    assert not may(Role.admin, May.resolve_sevs)
    assert {role for role in Role if may(role, May.manage_people)} == {Role.admin}
