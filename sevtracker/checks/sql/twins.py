"""Canary twins for checks of a table: two tables beside it in the same server, made by a keeper.

Each has one row with a random marker, and the columns that the check calls sensitive. The open one is granted to the
check's identity, both to its control.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sevtracker.checks.environment import ProbeEnvironment
from sevtracker.checks.interface import Access, Twins
from sevtracker.checks.sql.doors import NotIn
from sevtracker.checks.sql.places import SqlPlace, sql_place
from sevtracker.checks.sql.twins_family import CANARY, SCHEMA, Family, Tables
from sevtracker.checks.sql.twins_mysql import MySqlTwins
from sevtracker.checks.sql.twins_postgres import PostgresTwins
from sevtracker.checks.twins.making import Made, NotMade, Order, access_of


def _family(place: SqlPlace) -> Family:
    return PostgresTwins() if place.backend == "postgresql" else MySqlTwins()


class SqlTwins:
    """For ``sql_read`` and ``sql_grants``."""

    def make(self, order: Order, environment: ProbeEnvironment) -> Made:
        place, tables = _what(order)
        family = _family(place)
        lists_roles = "allowed_roles" in type(order.params).model_fields
        if order.control is None and not lists_roles:
            raise NotMade("The check has no control, so it can never say closed, and twins can prove nothing.")
        keeper = access_of(order.keeper, order, environment)
        people = [order.identity, *([order.control] if order.control else [])]
        accounts = [_signed_in(name, family, place, access_of(name, order, environment)) for name in people]
        owner = _signed_in(order.keeper, family, place, keeper)
        if owner == accounts[0]:
            raise NotMade(f"{order.keeper} is the same account there as {order.identity}: what it makes is its own.")
        try:
            family.make(place, keeper, tables, accounts[0], accounts[1] if len(accounts) > 1 else None)
        except NotIn as failed:
            raise NotMade(f"{order.keeper} could not sign in at the target: {failed.note}.") from None
        more = _roles(order, environment) if lists_roles else {}
        twins = Twins({"table": f"{SCHEMA}.{tables.open}", **more}, {"table": f"{SCHEMA}.{tables.locked}", **more})
        return Made(twins, tuple(accounts))

    def drop(self, order: Order, readers: tuple[str, ...], environment: ProbeEnvironment) -> None:
        place, tables = _what(order)
        try:
            _family(place).drop(place, access_of(order.keeper, order, environment), tables, readers)
        except NotIn as failed:
            raise NotMade(f"{order.keeper} could not sign in at the target: {failed.note}.") from None


def _what(order: Order) -> tuple[SqlPlace, Tables]:
    sensitive: Sequence[str] = getattr(order.params, "sensitive_columns", ())
    columns = dict.fromkeys((CANARY, *(name for name in sensitive if name.lower() != CANARY)))
    place = sql_place(str(getattr(order.params, "url", "")))
    if not place.built_in:
        raise NotMade(
            "Twins are made in PostgreSQL, MySQL and MariaDB only. Elsewhere, make them and name them yourself."
        )
    return place, Tables(SCHEMA, f"open_{order.check}", f"locked_{order.check}", tuple(columns), order.mark)


def _signed_in(name: str, family: Family, place: SqlPlace, access: Access) -> str:
    try:
        return family.account(place, access)
    except NotIn as failed:
        raise NotMade(f"{name} could not sign in at the target: {failed.note}.") from None


def _roles(order: Order, environment: ProbeEnvironment) -> dict[str, Any]:
    """Who may read a twin, for a check of grants: whoever may read its target, the control, and the keeper who owns it.

    The identity is to be the one too many.
    """
    names = [order.keeper, *([order.control] if order.control else [])]
    users = [environment.identities.get(name).username or "" for name in names]
    listed: list[str] = list(getattr(order.params, "allowed_roles", ()))
    if environment.identities.get(order.identity).username in (*listed, *users):
        raise NotMade(f"{order.identity} is among those who may read, so nothing that it reads is a leak.")
    return {"allowed_roles": list(dict.fromkeys((*listed, *users)))}
