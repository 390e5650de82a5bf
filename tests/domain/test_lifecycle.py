"""What people may say about a SEV, and when."""

from __future__ import annotations

import pytest

from sevtracker.domain.lifecycle import ACTS, after
from sevtracker.domain.vocabulary import Status
from sevtracker.errors import Conflict

S = Status

ALLOWED = {
    ("investigate", S.reported): S.investigating,
    ("investigate", S.patched): S.investigating,
    ("patch", S.reported): S.patched,
    ("patch", S.investigating): S.patched,
    ("patch", S.patched): S.patched,
    ("resolve", S.reported): S.resolved,
    ("resolve", S.investigating): S.resolved,
    ("resolve", S.patched): S.resolved,
    ("reopen", S.resolved): S.investigating,
    ("reopen", S.closed): S.investigating,
    ("reopen", S.dismissed): S.investigating,
    ("close", S.resolved): S.closed,
    ("dismiss", S.reported): S.dismissed,
    ("dismiss", S.investigating): S.dismissed,
    ("dismiss", S.patched): S.dismissed,
}


@pytest.mark.parametrize("act", sorted(ACTS))
@pytest.mark.parametrize("status", list(Status))
def test_an_act_leads_on_or_is_refused_in_words(act: str, status: Status) -> None:
    if (act, status) in ALLOWED:
        assert after(act, status) is ALLOWED[act, status]
    else:
        with pytest.raises(Conflict, match=rf"This SEV is {status}; to {act} it, it has to be "):
            after(act, status)
