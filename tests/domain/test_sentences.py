"""Every record says what happened in one sentence, whatever wrote it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sevtracker
from sevtracker.domain.sentences import _SENTENCES, sentence
from sevtracker.domain.vocabulary import PatchOutcome, Verdict

PACKAGE = Path(sevtracker.__file__).parent


def _texts(node: ast.expr) -> Iterator[str]:
    """The kinds that an expression can be, as far as they are written out."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from _texts(one)
            yield from _texts(other)


def recorded() -> set[str]:
    """The first argument of every call of ``record`` in the package, where it is written out."""
    found: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "record" and node.args:
                found.update(_texts(node.args[0]))
    return found


#: Those that are put together: of a verdict, an outcome, an act.
COMPOSED = {
    *(f"check:{word}" for word in ("opened", "closed", "blind")),
    *(f"patch:{outcome}" for outcome in PatchOutcome if outcome is not PatchOutcome.untested),
    *(f"act:{act}" for act in ("retest", "access_review", "sessions_handled")),
}


def test_the_package_is_searched_at_all() -> None:
    assert {"sev:filed", "gate:refused", "person:restored"} <= recorded()
    assert len(Verdict) == 3


@pytest.mark.parametrize("kind", sorted(recorded() | COMPOSED))
def test_every_kind_that_is_recorded_has_a_sentence(kind: str) -> None:
    assert kind in _SENTENCES


def test_an_unknown_kind_is_shown_by_its_name() -> None:
    assert sentence("waiver:granted_late", {}) == "waiver: granted late"


def test_sentences_name_what_counts() -> None:
    said = {"check": 1, "dataset": "mci", "copy": "primary", "identity": "any-employee", "reason": "row_read"}
    assert sentence("check:opened", said) == "any-employee at mci/primary, check 1: open (row read)."
    two = {"blockers": [{"code": "open", "check": 1}, {"code": "no_patch", "check": None}]}
    assert sentence("gate:refused", two) == "Resolving refused: 2 blockers (open, no patch)."
    changed = {"level": {"old": "SEV3", "new": "SEV1"}, "title": "changed"}
    assert sentence("sev:changed", changed) == "Changed level from SEV3 to SEV1, title."
