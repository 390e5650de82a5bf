"""What is made of a table on MySQL and MariaDB: views and routines, and who reads the table by way of them. Pure.

A view's text comes from the server with every table written `` `schema`.`name` ``, so what it reads is known. A
routine's comes as somebody wrote it: one that mentions the name as a word is taken to read it, also in a comment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from sevtracker.checks.sql.grants_mysql_rights import PUBLIC, Right, Rights, Who


class Sort(StrEnum):
    """What a thing is."""

    table = "table"
    view = "view"
    routine = "routine"


@dataclass(frozen=True, slots=True)
class Thing:
    """``definer``: whose rights it runs with; None: those of whoever asks. ``text`` None: we were not let see it."""

    sort: Sort
    schema: str
    name: str
    definer: Who | None = None
    text: str | None = ""

    @property
    def right(self) -> Right:
        return Right.execute if self.sort is Sort.routine else Right.select


class Family:
    """A table and what is made of it. ``guess``: a thing whose text is hidden is taken to be made of it, too."""

    def __init__(self, table: Thing, things: Sequence[Thing], rights: Rights, *, guess: bool) -> None:
        self._rights = rights
        self._made_of = _made_of(table, things, rights.folds, guess=guess)
        self._known: dict[tuple[Who, bool, Thing], bool] = {}

    def dependants(self) -> list[Thing]:
        """The views and routines that run as their definer. Any other needs the right on the table itself."""
        return [thing for thing in self._made_of if thing.definer is not None]

    def read_by(self, who: Who, thing: Thing, *, defining: bool = False) -> bool:
        """Whether ``who`` comes to the table by ``thing``. ``defining``: as the definer of what is being run."""
        key = who, defining, thing
        if key not in self._known:
            self._known[key] = False  # a routine may call itself
            self._known[key] = self._may(who, thing, defining=defining) and self._leads_on(who, thing, defining)
        return self._known[key]

    def _leads_on(self, who: Who, thing: Thing, defining: bool) -> bool:
        if thing.sort is Sort.table:
            return True
        if thing.definer is not None:
            # The server wants its definer to have EXECUTE, too.
            if thing.sort is Sort.routine and not self._may(thing.definer, thing, defining=True):
                return False
            who, defining = thing.definer, True
        return any(self.read_by(who, child, defining=defining) for child in self._made_of[thing])

    def _may(self, who: Who, thing: Thing, *, defining: bool) -> bool:
        if defining:
            return self._rights.definer_may(who, thing.right, thing.schema, thing.name)
        if who == PUBLIC:
            return bool(self._rights.everybody(thing.right, thing.schema, thing.name))
        return bool(self._rights.ways(who, thing.right, thing.schema, thing.name))


def _made_of(table: Thing, things: Sequence[Thing], folds: bool, *, guess: bool) -> dict[Thing, list[Thing]]:
    """What leads to the table, and to which others that do so each leads. Outwards from the table."""
    found: dict[Thing, list[Thing]] = {table: []}
    ahead = [table]
    while ahead:
        child = ahead.pop()
        for thing in things:
            if thing is not child and _mentions(thing, child, folds, guess):
                if thing not in found:
                    found[thing] = []
                    ahead.append(thing)
                found[thing].append(child)
    return found


def _mentions(thing: Thing, child: Thing, folds: bool, guess: bool) -> bool:
    if thing.text is None:
        return guess
    if thing.sort is Sort.view:
        name = ".".join(f"`{part.replace('`', '``')}`" for part in (child.schema, child.name))
        if folds or child.sort is Sort.routine:
            return name.lower() in thing.text.lower()
        return name in thing.text
    loose = folds or child.sort is Sort.routine
    same = thing.schema.lower() == child.schema.lower() if folds else thing.schema == child.schema
    words = [child.name] if same else [child.name, child.schema]
    return all(_word(word, loose).search(thing.text) for word in words)


@lru_cache(maxsize=4096)
def _word(word: str, loose: bool) -> re.Pattern[str]:
    quoted = re.escape(word.replace("`", "``"))
    return re.compile(rf"(?<![\w$]){quoted}(?![\w$])", re.IGNORECASE if loose else 0)
