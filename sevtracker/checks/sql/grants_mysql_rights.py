"""Who may do what on MySQL and MariaDB, by the rows of the server's grant tables. Pure: no question is asked here.

Each rule was tried on a MariaDB; sources: MariaDB's manual, "GRANT", "Roles"; MySQL's manual, "Access Control".

- An entry for ``'bob'@'%'`` in ``mysql.db`` or ``mysql.tables_priv`` is for every account of bob's, whatever its host.
- Of a user's entries in ``mysql.db`` that fit, the most specific one decides, alone: ``GRANT INSERT ON hr.*`` hides
  ``GRANT SELECT ON `h%`.*``. A table's REVOKE hides nothing: what the database's entry gives stays.
- An entry in ``mysql.db`` without a user name is for everybody.
- A role counts whether or not it is a default: ``SET ROLE`` asks nobody. PUBLIC is a role that everybody has.
- What runs as its definer has the definer's own rights and PUBLIC's, and none of the definer's roles.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

#: User and host, as in ``'user'@'host'``. A role of MariaDB has the host "".
Who = tuple[str, str]
PUBLIC: Who = ("PUBLIC", "")


class Right(StrEnum):
    """What may be done with a table, view or routine."""

    select = "select"
    execute = "execute"
    write = "write"


class Way(StrEnum):
    """How an account came by a right, in the words of a leak."""

    server = "granted on the whole server"
    database = "granted on its database"
    table = "granted on it"
    column = "granted on a column of it"
    role = "through a role"
    proxy = "as a proxy for an account that may"
    everybody = "granted on its database to everybody, by an entry without a user name"
    public = "granted to PUBLIC"


#: Ways that are everybody's: one leak, however many accounts there are.
FOR_ALL = (Way.everybody, Way.public)


@dataclass(frozen=True, slots=True)
class Account:
    """An account or a role. ``rights`` are on the whole server; ``powers`` are rights by which others can be taken."""

    who: Who
    is_role: bool = False
    rights: frozenset[Right] = frozenset()
    powers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DatabaseGrant:
    """A row of ``mysql.db``, also one that gives none of the rights: it may hide another."""

    who: Who
    pattern: str
    rights: frozenset[Right]


@dataclass(frozen=True, slots=True)
class ThingGrant:
    """A right on one table, column or routine."""

    who: Who
    schema: str
    name: str
    right: Right
    way: Way = Way.table


@dataclass(frozen=True)
class Rights:
    """The grant tables together. ``folds``: the server ignores the case of names. ``literal``: no wildcards there."""

    accounts: Mapping[Who, Account]
    databases: Iterable[DatabaseGrant] = ()
    things: Iterable[ThingGrant] = ()
    #: who has it -> the role
    roles: Mapping[Who, frozenset[Who]] = field(default_factory=dict)
    #: who may stand in -> for whom; a user "" on either side is anybody
    proxies: Iterable[tuple[Who, Who]] = ()
    folds: bool = False
    literal: bool = False

    def __post_init__(self) -> None:
        databases: dict[str, list[DatabaseGrant]] = defaultdict(list)
        for grant in self.databases:
            databases[grant.who[0]].append(grant)
        things: dict[tuple[str, str, Right], list[ThingGrant]] = defaultdict(list)
        for each in self.things:
            things[self._key(each.schema, each.name, each.right)].append(each)
        object.__setattr__(self, "_databases", databases)
        object.__setattr__(self, "_things", things)

    _databases: Mapping[str, list[DatabaseGrant]] = field(init=False, repr=False)
    _things: Mapping[tuple[str, str, Right], list[ThingGrant]] = field(init=False, repr=False)

    def ways(self, who: Who, right: Right, schema: str, name: str) -> frozenset[Way]:
        """How an account may: by itself, by any role that it may set, as everybody, or for another."""
        met = self._own(who, right, schema, name)
        for held, way in ((self.roles_of(who), Way.role), (self._public(), Way.public)):
            if any(self._own(role, right, schema, name) for role in held):
                met.add(way)
        if any(self._own(one, right, schema, name) for stood in self._stands_for(who) for one in self._with(stood)):
            met.add(Way.proxy)
        return frozenset(met)

    def definer_may(self, who: Who, right: Right, schema: str, name: str) -> bool:
        """Whether what runs as ``who`` may. Nothing runs as somebody who is no longer there."""
        account = self.accounts.get(who)
        if account is None:
            return False
        acting = {who, *self._public()} | (self.roles_of(who) if account.is_role else frozenset())
        return any(self._own(one, right, schema, name) for one in acting)

    def everybody(self, right: Right, schema: str, name: str) -> frozenset[Way]:
        """The ways that are open to every account."""
        met = {Way.public} if any(self._own(role, right, schema, name) for role in self._public()) else set()
        entries = [grant for grant in self._databases.get("", ()) if right in grant.rights]
        if any(self._fits(grant.pattern, schema) for grant in entries):
            met.add(Way.everybody)
        return frozenset(met)

    def powers(self, who: Who) -> frozenset[str]:
        """The powers of an account, its roles, PUBLIC, and those that it may stand in for."""
        acting = {
            *self._with(who),
            *self._public(),
            *(one for stood in self._stands_for(who) for one in self._with(stood)),
        }
        return frozenset(power for one in acting if one in self.accounts for power in self.accounts[one].powers)

    def roles_of(self, who: Who) -> frozenset[Who]:
        """Every role that ``who`` has, also by way of another."""
        seen: set[Who] = set()
        ahead = [who]
        while ahead:
            for role in self.roles.get(ahead.pop(), frozenset()) - seen:
                seen.add(role)
                ahead.append(role)
        return frozenset(seen)

    def _public(self) -> frozenset[Who]:
        return self.roles_of(PUBLIC) | {PUBLIC}

    def _with(self, who: Who) -> frozenset[Who]:
        return self.roles_of(who) | {who}

    def _stands_for(self, who: Who) -> Iterator[Who]:
        if who[1] == "":
            return
        for (user, host), (for_user, for_host) in self.proxies:
            if user in ("", who[0]) and hosts_meet(host or "%", who[1]):
                for one in self.accounts:
                    if for_user in ("", one[0]) and hosts_meet(for_host or "%", one[1]) and one != who:
                        yield one

    def _own(self, who: Who, right: Right, schema: str, name: str) -> set[Way]:
        met = set(self._by_database(who, right, schema))
        if who in self.accounts and right in self.accounts[who].rights:
            met.add(Way.server)
        grants = self._things.get(self._key(schema, name, right), ())
        return met | {one.way for one in grants if one.who[0] == who[0] and hosts_meet(one.who[1], who[1])}

    def _by_database(self, who: Who, right: Right, schema: str) -> Iterator[Way]:
        users = {who[0]} if who[1] == "" else {who[0], ""}
        fitting = [
            grant
            for user in users
            for grant in self._databases.get(user, ())
            if hosts_meet(grant.who[1], who[1]) and self._fits(grant.pattern, schema)
        ]
        without = [grant for grant in fitting if right not in grant.rights]
        for grant in fitting:
            if right in grant.rights and not any(_hides(other, grant, who) for other in without):
                yield Way.everybody if grant.who[0] == "" and who[0] != "" else Way.database

    def _fits(self, pattern: str, schema: str) -> bool:
        if self.folds:
            pattern, schema = pattern.lower(), schema.lower()
        return pattern == schema if self.literal else database_pattern(pattern).fullmatch(schema) is not None

    def _key(self, schema: str, name: str, right: Right) -> tuple[str, str, Right]:
        """As the server compares names. A routine's name has no case anywhere."""
        if self.folds:
            return schema.lower(), name.lower(), right
        return schema, name.lower() if right is Right.execute else name, right


def _hides(other: DatabaseGrant, grant: DatabaseGrant, who: Who) -> bool:
    """Whether ``other`` is found before ``grant`` from wherever ``who`` may sign in. In doubt it is not.

    Host, then database, then user: what is spelt out comes before what has wildcards. Of two with wildcards, servers
    and versions differ on which comes first (``get_sort`` of MySQL, ``get_magic_sort`` of MariaDB), so neither hides
    the other.
    """
    if other.who[1] not in (grant.who[1], who[1]) and not _comes_from(who[1], other.who[1]):
        return False
    for one, than in ((other.who[1], grant.who[1]), (other.pattern, grant.pattern)):
        if one != than:
            return not _is_wild(one) and _is_wild(than)
    return other.who[0] != "" and grant.who[0] == ""


def _is_wild(pattern: str) -> bool:
    return re.search(r"[%_]", re.sub(r"\\.", "", pattern)) is not None


def _comes_from(host: str, pattern: str) -> bool:
    """Whether ``host`` is one place, and fits ``pattern``."""
    return not _is_wild(host) and "/" not in host + pattern and hosts_meet(host, pattern)


@lru_cache(maxsize=4096)
def database_pattern(pattern: str) -> re.Pattern[str]:
    r"""A pattern of ``mysql.db``: ``%`` any text, ``_`` any character, ``\_`` the character itself."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)


@lru_cache(maxsize=4096)
def hosts_meet(one: str, other: str) -> bool:
    """Whether somebody may come from a host that fits both. A network with a mask may meet any; "" is a role's."""
    one, other = one.lower(), other.lower()
    if one == other or not one or not other:
        return one == other
    return "/" in one + other or _meet(one, other)


def _meet(one: str, other: str) -> bool:
    """Whether some text fits both patterns, letter by letter: the places in ``one`` and ``other`` reached so far."""
    ahead, seen = [(0, 0)], set()
    while ahead:
        at = i, j = ahead.pop()
        if at in seen:
            continue
        seen.add(at)
        if at == (len(one), len(other)):
            return True
        left, right = one[i : i + 1], other[j : j + 1]
        if left == "%":
            ahead += [(i + 1, j), *([(i, j + 1)] if right else [])]
        if right == "%":
            ahead += [(i, j + 1), *([(i + 1, j)] if left else [])]
        if left and right and "%" not in (left, right) and (left == right or "_" in (left, right)):
            ahead.append((i + 1, j + 1))
    return False
