"""The kinds of checks in the new-check form, whom it begins with, and what is said of kinds that bring their own
control."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from sevtracker.checks.registry import load_kinds
from sevtracker.config import Identity, Settings
from sevtracker.domain.vocabulary import Reason, Verdict
from sevtracker.store.tables import Check, table
from sevtracker.web import explain
from sevtracker.web.contexts import Form
from sevtracker.web.pages import kinds, who
from tests.web.pages.conftest import Cast, text_of
from tests.web.world import World

KINDS = load_kinds()
LOOKING = ["sql_grants", "encryption", "disclosure", "collection_stopped", "access_log"]


def settings(**classes: str) -> Settings:
    """One identity of each name, with its class, that signs in by its name."""
    named = {name.replace("_", "-"): {"class": cls, "username": name} for name, cls in classes.items()}
    return Settings(identities={name: Identity.model_validate(given) for name, given in named.items()})


def begun(settings: Settings, kind: str, **values: str) -> Form:
    return who.preset(settings, KINDS[kind], Form(values))


# ---- choosing a kind ---------------------------------------------------------------------------------------------


def test_kinds_that_decide_come_first_and_each_group_says_what_it_is_worth(cast: Cast) -> None:
    page = cast.dana.open("/checks/new")
    offered = re.findall(r"data-row><strong>(\w+)</strong>", page)
    assert offered[0] == "sql_read"
    assert offered[-1] == "access_log"
    assert offered.index("command") < offered.index("collection_stopped")
    assert sorted(offered) == sorted(cast.world.runtime.probes.kinds)
    said = text_of(page)
    assert said.index("They decide") < said.index("They support") < said.index("They inform")


def test_every_kind_says_what_it_is_for() -> None:
    for group in kinds.choices(KINDS):
        assert group.means.endswith(".")
        assert all(option.hint.endswith((".", "?")) for option in group.kinds)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_example_of_an_address_is_one_of_that_kind(kind: str) -> None:
    if "url" in KINDS[kind].params.model_fields:
        sql = "table" in KINDS[kind].params.model_fields
        assert kinds.example(KINDS[kind], "url").startswith("postgresql://" if sql else "https://")


def test_parameters_have_plain_names(cast: Cast) -> None:
    page = cast.dana.open("/checks/new", kind="sql_read")
    said = text_of(page)
    assert "Row-level security is what closed the door" in said
    assert "Keep one session open" in said
    assert "RLS is fix" not in said
    assert 'placeholder="postgresql://' in page
    assert 'placeholder="https://' in cast.dana.open("/checks/new", kind="http")


# ---- whom it begins with -----------------------------------------------------------------------------------------


def test_a_kind_that_signs_in_begins_with_somebody_who_can() -> None:
    given = settings(any_employee="staff", temp="contractor", privacy_team="control")
    assert begun(given, "sql_read").value("identity") == "any-employee"
    assert begun(given, "http").value("identity") == "anonymous"
    assert "anonymous" not in [o.value for o in who.choices(given, KINDS["sql_read"], "")]
    assert "anonymous" in [o.value for o in who.choices(given, KINDS["http"], "")]


def test_a_kind_that_looks_begins_with_an_account_for_that() -> None:
    given = settings(any_employee="staff", auditor="service", privacy_team="control")
    assert begun(given, "sql_grants").value("identity") == "auditor"
    assert begun(given, "sql_grants").value("control") == ""


def test_an_address_may_name_somebody_or_a_class() -> None:
    given = settings(any_employee="staff", temp="contractor", privacy_team="control")
    assert begun(given, "sql_read", identity="contractor").value("identity") == "temp"
    assert begun(given, "sql_read", identity="any-employee").value("identity") == "any-employee"


def test_the_only_control_there_is_is_chosen() -> None:
    one = settings(any_employee="staff", privacy_team="control")
    assert begun(one, "sql_read").value("control") == "privacy-team"
    two = settings(any_employee="staff", privacy_team="control", board="control")
    assert begun(two, "sql_read").value("control") == ""


def test_what_was_typed_stays_as_it_was() -> None:
    typed = Form({"kind": "sql_read", "identity": "", "control": ""})
    assert who.preset(settings(any_employee="staff", owner="control"), KINDS["sql_read"], typed) == typed


# ---- kinds that bring their own control --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LOOKING)
def test_a_kind_that_looks_asks_for_no_control(cast: Cast, kind: str) -> None:
    page = cast.dana.open("/checks/new", kind=kind)
    assert "Signs in as" in page
    assert "must not get in" not in page
    assert 'name="control"' not in page


@pytest.fixture
def grants(world: World) -> int:
    """A SEV whose one check says that a grant was found."""
    world.dataset()
    world.check()
    number = world.sev()
    world.drain()
    with world.runtime.work(None) as work:
        k = table(Check)
        found = {"kind": "sql_grants", "last_reason": Reason.grant_found, "last_verdict": Verdict.open}
        work.session.connection().execute(sa.update(k).values(**found))
    return number


def test_a_headline_does_not_say_that_who_looks_got_in(cast: Cast, grants: int) -> None:
    said = text_of(cast.dana.open(f"/sevs/{grants}"))
    assert "Grants let others than those on the list read events/primary, seen " in said
    assert "last got in" not in said


def test_a_check_page_says_what_the_reason_says(cast: Cast, grants: int) -> None:
    said = text_of(cast.dana.open("/checks/1"))
    assert "The grants let somebody read who is not on the list." in said
    assert "got in" not in said
    assert "signs in as anonymous" in said
    assert "its own: no other identity is asked" in said


def test_a_control_of_its_own_that_failed_names_nobody() -> None:
    why = explain.why(Reason.control_failed, "auditor", None, own_control=True)
    assert "nobody (no control is set)" not in why.says
    assert "auditor" not in why.says
    assert "privacy-team" in explain.why(Reason.control_failed, "any-employee", "privacy-team").says
