"""Who can act as whom on PostgreSQL. Pure: no question is asked here.

A set of roles (``RoleSet``) is a whole number with one bit a role: with 10,000 roles, to join two sets takes a
microsecond. PUBLIC is a role here that nobody is a member of: what its bit is in, everybody may.

- *Having* a role's privileges: by memberships that inherit, one after another.
- *Becoming* a role: ``SET ROLE`` along memberships that allow it. Before PostgreSQL 16 all do, also NOINHERIT ones.
- *Taking* a role: who has the privileges of one with ADMIN OPTION on it, grants it to himself.

Sources: PostgreSQL manual, "Role Membership"; ``roles_is_member_of`` in acl.c. Each was tried on 15, 16 and 18.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

RoleSet = int

#: The oid that stands for PUBLIC in access control lists.
PUBLIC = 0
#: The superuser that initdb made: every installation has one, and it is always 10.
BOOTSTRAP = 10


@dataclass(frozen=True, slots=True)
class Role:
    """A row of ``pg_roles``. ``inherits`` decides before PostgreSQL 16, where memberships say nothing of it."""

    oid: int
    name: str
    is_super: bool
    inherits: bool
    signs_in: bool
    creates_roles: bool
    replicates: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """``member`` is in ``group``: with its privileges, with ``SET ROLE`` to it, with the right to grant it."""

    group: int
    member: int
    inherits: bool
    sets: bool
    admin: bool


class Roles:
    """All roles of a server and who is in which."""

    def __init__(self, roles: Sequence[Role], memberships: Sequence[Membership]) -> None:
        self._roles = roles
        self._memberships = memberships
        self._bits = {oid: 1 << at for at, oid in enumerate((PUBLIC, *(role.oid for role in roles)))}
        self.everybody: RoleSet = (1 << len(self._bits)) - 1
        self._inheriting = self._members(one for one in memberships if one.inherits)
        self._setting = self._members(one for one in memberships if one.sets)
        self._granting = self._members(one for one in memberships if one.admin)
        self._known: dict[tuple[RoleSet, str], RoleSet] = {}

    def without(self, groups: RoleSet) -> Roles:
        """The same roles, none of them in ``groups`` any more."""
        return Roles(self._roles, [one for one in self._memberships if not self.of([one.group]) & groups])

    def of(self, oids: Iterable[int]) -> RoleSet:
        """The roles with these oids; with PUBLIC among them, everybody."""
        found = 0
        for oid in oids:
            if oid == PUBLIC:
                return self.everybody
            found |= self._bits.get(oid, 0)
        return found

    def named(self, names: Collection[str]) -> RoleSet:
        return self.of(self.oids(names))

    def oids(self, names: Collection[str]) -> list[int]:
        return [role.oid for role in self._roles if role.name in names]

    def that(self, **told: bool) -> RoleSet:
        """The roles of which all of this is so: ``that(is_super=True)``."""
        return self.of(role.oid for role in self._roles if all(getattr(role, name) is so for name, so in told.items()))

    @property
    def public(self) -> RoleSet:
        """Somebody with PUBLIC's rights and no others."""
        return self._bits[PUBLIC]

    def having(self, roles: RoleSet) -> RoleSet:
        """Who has the privileges of any of them without further ado, themselves included."""
        return self._once(roles, "having", lambda: _closure(roles, self._inheriting))

    def becoming(self, roles: RoleSet) -> RoleSet:
        """Who can act as any of them by SET ROLE, themselves included."""
        return self._once(roles, "becoming", lambda: _closure(roles, self._setting))

    def taking(self, roles: RoleSet) -> RoleSet:
        """Who can act as any of them once he has used every ADMIN OPTION that he can come by."""
        taken, before = self.becoming(roles), 0
        while taken != before:
            before = taken
            taken |= self.becoming(self.having(_step(taken, self._granting)))
        return taken

    def as_members(self, roles: RoleSet) -> RoleSet:
        """Who acts as any of them, or has their privileges, by a membership: one step at least."""
        having = self.having(roles)
        return _step(having, self._inheriting) | _step(self.becoming(having), self._setting)

    def _members(self, memberships: Iterable[Membership]) -> _Members:
        found: dict[int, RoleSet] = defaultdict(int)
        groups = 0
        for one in memberships:
            if one.group in self._bits:
                groups |= self._bits[one.group]
                found[self._bits[one.group].bit_length()] |= self._bits.get(one.member, 0)
        return _Members(groups, found)

    def _once(self, roles: RoleSet, what: str, find: Callable[[], RoleSet]) -> RoleSet:
        key = roles, what
        if key not in self._known:
            self._known[key] = find()
        return self._known[key]


@dataclass(frozen=True, slots=True)
class _Members:
    """``groups`` has anybody in it; ``of`` has each one's direct members, by the place of its bit (from 1)."""

    groups: RoleSet
    of: Mapping[int, RoleSet]


def _closure(roles: RoleSet, members: _Members) -> RoleSet:
    """``roles``, their members, the members of those, and so on."""
    reached, new = roles, roles
    while new:
        new = _step(new, members) & ~reached
        reached |= new
    return reached


def _step(roles: RoleSet, members: _Members) -> RoleSet:
    """The direct members of ``roles``."""
    found, left = 0, roles & members.groups
    while left:
        at = left.bit_length()
        found |= members.of[at]
        left ^= 1 << (at - 1)
    return found
