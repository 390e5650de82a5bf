"""Acts of several people at the same moment: a thread each, on a real server."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sevtracker.errors import Conflict


def both(*acts: Callable[[], object]) -> list[object]:
    """Do these at once; what they returned. A failure of one fails the test."""
    answers: list[object] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(place: int, act: Callable[[], object]) -> None:
        start.wait()
        try:
            answers[place] = act()
        except BaseException as error:
            answers[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers


def conflict_of(*acts: Callable[[], object]) -> str:
    """Do these two at once, and say what the one who was told of a conflict was told. Fails unless it is just one."""
    met: list[str] = []

    def tried(act: Callable[[], object]) -> None:
        try:
            act()
        except Conflict as why:
            met.append(str(why))

    def trying(act: Callable[[], object]) -> Callable[[], object]:
        return lambda: tried(act)

    both(*map(trying, acts))
    [told] = met
    return told
