"""Canary twins of a check, made and dropped at its target by a keeper: a configured identity that may create there.

The work at the target comes first, with no transaction open; then the check is changed, as anybody would change it.
What is made has fixed names and carries our mark, so that asking again mends whatever broke off in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sevtracker.actions import checks as acts
from sevtracker.actions.enforce import May, require
from sevtracker.actions.guarding import Refused
from sevtracker.actions.inputs import ChangeCheck, GivenTwins
from sevtracker.actions.runtime import Runtime
from sevtracker.checks.twins.makers import maker_for
from sevtracker.checks.twins.making import Order
from sevtracker.domain.vocabulary import Trigger
from sevtracker.errors import Conflict, InputError, NotFound
from sevtracker.store import checks, jobs, vantages
from sevtracker.store.tables import Check, Dataset
from sevtracker.store.work import Person, Work


@dataclass(frozen=True, slots=True)
class Done:
    """What was done at the target, and how the check is to be changed for it. ``revision``: which one that was for."""

    kind: str
    revision: int
    keeper: str
    change: ChangeCheck
    vetted: acts.Vetted
    made: Mapping[str, Any]


def make_at_target(runtime: Runtime, person: Person | None, check_id: int, keeper: str) -> Done:
    """Make the twins, in place of those that the same keeper made before. Then ``save``.

    Raises NotFound, NotPermitted, InputError for the keeper, and Conflict (NotMade) with what stood in the way.
    """
    check = _allowed(runtime, person, check_id)
    if check.twins is not None and check.twins_made is None:
        raise Conflict("The check has twins that were named by hand. Take those away first, by editing it.")
    maker, order = maker_for(check.kind), _order(runtime, check, keeper)
    if check.twins_made is not None:
        if check.twins_made["keeper"] != keeper:
            raise Conflict(
                f"{check.twins_made['keeper']} made this check's twins. Drop them before another makes some."
            )
        maker.drop(order, tuple(check.twins_made["readers"]), runtime.probes)
    made = maker.make(order, runtime.probes)
    change = ChangeCheck(twins=GivenTwins(open=dict(made.twins.open), locked=dict(made.twins.locked)))
    vetted = acts.vet(runtime.probes, acts.redefined(check, change))
    kept = {"keeper": keeper, "readers": list(made.readers)}
    return Done("twins:made", check.revision, keeper, change, vetted, kept)


def drop_at_target(runtime: Runtime, person: Person | None, check_id: int) -> Done:
    """Remove what was made, by the keeper who made it. Then ``save``. Raises as ``make_at_target``."""
    check = _allowed(runtime, person, check_id)
    if check.twins_made is None:
        raise Conflict("No twins of this check were made by sevtracker. Those named by hand go by editing it.")
    keeper = str(check.twins_made["keeper"])
    maker_for(check.kind).drop(_order(runtime, check, keeper), tuple(check.twins_made["readers"]), runtime.probes)
    change = ChangeCheck(twins=None)
    return Done(
        "twins:dropped", check.revision, keeper, change, acts.vet(runtime.probes, acts.redefined(check, change)), {}
    )


def save(work: Work, runtime: Runtime, check_id: int, done: Done) -> Check:
    """Change the check accordingly; it runs at once. Raises Conflict if somebody else changed it meanwhile."""
    check = acts.locked(work, check_id)
    if check.revision != done.revision:
        raise Conflict("The check was changed meanwhile. What was done at its target stands; ask for it again.")
    changed = acts.change(
        work, runtime.settings, runtime.probes, check_id, done.change, done.vetted, twins_made=done.made
    )
    if isinstance(changed, Refused):
        raise Conflict(f"{changed.why} What was done at its target stands.")
    check = changed
    dataset = work.session.get_one(Dataset, check.dataset_id).slug
    numbers: list[int | None] = [*vantages.sevs_of_checks(work.session, [check_id])]
    for number in numbers or [None]:
        work.record(done.kind, sev=number, dataset=dataset, facts={"check": check_id, "keeper": done.keeper})
    if check.enabled:
        jobs.enqueue(work.session, [(check_id, check.target)], Trigger.manual, work.now)
    return check


def _allowed(runtime: Runtime, person: Person | None, check_id: int) -> Check:
    """The check, for somebody who may keep checks: who can open the database (on the command line) may."""
    if person is not None:
        require(person, May.keep_checks)
    with runtime.read() as session:
        check = checks.by_id(session, check_id)
    if check is None:
        raise NotFound(f"There is no check {check_id}.")
    return check


def _order(runtime: Runtime, check: Check, keeper: str) -> Order:
    probes = runtime.probes
    kind = probes.kinds.get(check.kind)
    if kind is None:
        raise Conflict(f"The kind {check.kind} is not installed.")
    if keeper not in probes.identities:
        raise InputError.of("keeper", "No identity of that name is configured.")
    if keeper == check.identity:
        raise InputError.of("keeper", "The keeper has to be somebody else: who makes a twin can always read it.")
    try:
        params = kind.params.model_validate(check.params)
        locator = kind.locate(params)
    except ValueError:  # pydantic's ValidationError is one, and its text quotes the input
        raise Conflict(
            "The kind does not accept the check's saved parameters any more. Edit the check first."
        ) from None
    with runtime.read() as session:
        mark = f"canary twin of check {check.id}, sevtracker {runtime.database.log(session)}"
    return Order(check.id or 0, mark, check.kind, params, locator, check.identity, check.control, keeper)
