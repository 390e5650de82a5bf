"""What became of a patch."""

from __future__ import annotations

import pytest

from sevtracker.domain.patches import Seen, outcome
from sevtracker.domain.vocabulary import Exposure, PatchOutcome

E, P = Exposure, PatchOutcome


def seen(exposure: Exposure, *, in_scope: bool = True, failed: bool = False) -> Seen:
    return Seen(in_scope, failed, exposure)


@pytest.mark.parametrize(
    ("vantages", "is_last", "before", "after"),
    [
        ([], True, P.untested, P.untested),
        ([seen(E.verifying)], True, P.untested, P.untested),
        ([seen(E.verified)], True, P.untested, P.held),
        ([seen(E.watching)], True, P.untested, P.held),
        ([seen(E.verified), seen(E.verifying)], True, P.untested, P.untested),
        ([seen(E.verified), seen(E.exposed, in_scope=False)], True, P.untested, P.partial),
        ([seen(E.verified), seen(E.verified, in_scope=False)], True, P.partial, P.held),
        ([seen(E.verified, in_scope=False)], True, P.untested, P.untested),
        ([seen(E.exposed, failed=True)], True, P.untested, P.failed),
        ([seen(E.exposed, failed=True)], False, P.superseded, P.failed),
        ([seen(E.verified)], True, P.failed, P.failed),
        ([seen(E.exposed, failed=True)], True, P.held, P.failed),
        ([seen(E.verified)], False, P.untested, P.superseded),
        ([seen(E.verified)], False, P.held, P.held),
        ([seen(E.stale)], True, P.held, P.held),
    ],
)
def test_a_patch_comes_to_its_outcome(vantages: list[Seen], is_last: bool, before: P, after: P) -> None:
    assert outcome(vantages, is_last=is_last, before=before) is after
