"""What an open door means, for each kind of check."""

from __future__ import annotations

import pytest

from sevtracker.domain.openings import special, stands_open
from sevtracker.domain.vocabulary import Reason


def test_an_identity_that_reads_can_still_read() -> None:
    said = stands_open("sql_read", Reason.row_read, "any-employee", "mci/primary")
    assert said == "any-employee can still read mci/primary."
    assert special("sql_read", Reason.row_read) is None


def test_who_looks_at_grants_is_not_said_to_have_got_in() -> None:
    said = stands_open("sql_grants", Reason.grant_found, "grants-auditor", "mci/primary")
    assert said == "Grants let others than those on the list read mci/primary."


@pytest.mark.parametrize("kind", ["sql_grants", "encryption", "disclosure", "collection_stopped", "access_log"])
def test_a_later_run_that_could_not_tell_changes_nothing_about_that(kind: str) -> None:
    said = stands_open(kind, Reason.timeout, "grants-auditor", "mci/primary")
    assert "grants-auditor" not in said
    assert "mci/primary" in said


def test_a_kind_from_outside_says_what_every_kind_says() -> None:
    assert stands_open("shelf", None, "reader", "books/primary") == "reader can still read books/primary."
