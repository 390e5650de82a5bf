"""What is kept between runs: bounded, by one process, handed to one run at a time."""

from __future__ import annotations

import multiprocessing
import threading
from dataclasses import dataclass

import pytest

from sevtracker.checks.keeping import IDLE, InUse, Keeper


@dataclass
class Thing:
    closed: int = 0

    def close(self) -> None:
        self.closed += 1


def keeper(most: int = 4) -> Keeper:
    made = Keeper(most=most)
    made.open()
    return made


def kept(keeper: Keeper, key: str = "a", now: float = 0.0) -> Thing:
    thing = Thing()
    held = keeper.put(key, thing, now)
    assert held is not None
    keeper.give_back(key, held)
    return thing


def test_what_one_run_has_no_other_gets() -> None:
    a = keeper()
    thing = kept(a)
    held = a.take("a", 1.0)
    assert held is not None
    assert held.thing is thing
    with pytest.raises(InUse):
        a.take("a", 1.0)
    a.give_back("a", held)
    again = a.take("a", 2.0)
    assert again is held


def test_of_many_threads_exactly_one_takes_it() -> None:
    a = keeper()
    kept(a)
    got: list[str] = []
    gate = threading.Barrier(8)

    def grab() -> None:
        gate.wait()
        try:
            got.append("it" if a.take("a", 1.0) else "nothing")
        except InUse:
            got.append("in use")

    threads = [threading.Thread(target=grab) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == ["in use"] * 7 + ["it"]


def test_a_closed_keeper_keeps_nothing_and_lets_go_of_what_it_had() -> None:
    a = keeper()
    idle, busy = kept(a), kept(a, "b")
    held = a.take("b", 1.0)
    a.close()
    assert (idle.closed, busy.closed) == (1, 0)
    assert held is not None
    a.give_back("b", held)  # by a run that ends later
    assert busy.closed == 1
    assert a.put("c", Thing(), 1.0) is None
    assert a.take("a", 1.0) is None


def test_it_holds_so_many_and_lets_nothing_go_to_make_room() -> None:
    a = keeper(most=1)
    first = kept(a)
    assert a.put("b", Thing(), 1.0) is None
    assert first.closed == 0


def test_what_nobody_asked_for_in_two_weeks_is_let_go() -> None:
    a = keeper(most=1)
    first = kept(a)
    used = a.take("a", IDLE - 1)
    assert used is not None
    a.give_back("a", used)
    assert a.put("b", Thing(), IDLE + 1) is None
    assert a.put("b", Thing(), 2 * IDLE) is not None
    assert first.closed == 1


def test_a_forked_child_keeps_its_hands_off() -> None:
    a = keeper()
    thing = kept(a)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()

    def child() -> None:
        taken = a.take("a", 1.0)
        a.close()
        answers.put((taken is None, thing.closed))

    process = context.Process(target=child)
    process.start()
    assert answers.get(timeout=10) == (True, 0)
    process.join()
    assert a.take("a", 1.0) is not None
