"""The questions to PostgreSQL's catalogs about what is made of a table, asked outwards from it until nothing is new."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sevtracker.checks.sql.grants_postgres_book import SCHEMAS, Book
from sevtracker.checks.sql.grants_postgres_things import Family, Key, Sort, Thing
from sevtracker.checks.sql.grants_postgres_words import Texts
from sevtracker.checks.sql.places import place_text

#: What depends on these relations and functions: rules (a view is one), and functions with a body of standard SQL.
#: A rule that is no view's comes with its tree, which says for what it needs its rights.
DEPENDING = """SELECT CASE WHEN r.ev_type = '1' THEN 'relation' ELSE 'rule' END,
      CASE WHEN r.ev_type = '1' THEN r.ev_class ELSE r.oid END,
      CASE WHEN d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass THEN 'relation' ELSE 'function' END,
      d.refobjid, CASE WHEN r.ev_type <> '1' THEN r.ev_action::pg_catalog.text END
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
      AND (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.ev_class <> d.refobjid
          AND d.refobjid = ANY (CAST(:relations AS pg_catalog.oid[]))
        OR d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
          AND d.refobjid = ANY (CAST(:functions AS pg_catalog.oid[])))
  UNION
    SELECT 'function', d.objid,
      CASE WHEN d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass THEN 'relation' ELSE 'function' END,
      d.refobjid, NULL
    FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      AND (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND d.refobjid = ANY (CAST(:relations AS pg_catalog.oid[]))
        OR d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
          AND d.refobjid = ANY (CAST(:functions AS pg_catalog.oid[])))"""
#: Partitions are children, too. The table's own and its children's parents show its rows, and those of others.
CHILDREN = """WITH RECURSIVE below (oid) AS (
      SELECT CAST(:table AS pg_catalog.oid)
      UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below ON i.inhparent = below.oid)
    SELECT oid FROM below"""
PARENTS = """WITH RECURSIVE above (oid) AS (
      SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = ANY (CAST(:tables AS pg_catalog.oid[]))
      UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN above ON i.inhrelid = above.oid)
    SELECT oid FROM above"""

RELATIONS = """SELECT c.oid, n.oid, n.nspname, c.relname, c.relowner, c.relkind::pg_catalog.text, c.relispartition,
      c.relrowsecurity, coalesce((SELECT o.option_value::pg_catalog.bool
        FROM pg_catalog.pg_options_to_table(c.reloptions) o WHERE o.option_name = 'security_invoker'), false),
      ARRAY(SELECT a.grantee FROM pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
        WHERE a.privilege_type = 'SELECT'),
      ARRAY(SELECT DISTINCT a.grantee FROM pg_catalog.pg_attribute t, pg_catalog.aclexplode(t.attacl) a
        WHERE t.attrelid = c.oid AND NOT t.attisdropped AND a.privilege_type = 'SELECT')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = ANY (CAST(:oids AS pg_catalog.oid[]))"""
#: A rule runs for whoever may do what it waits for, with its relation or a column of it.
RULES = """SELECT r.oid, n.oid, n.nspname, c.relname, c.relowner, ARRAY(
      SELECT a.grantee FROM pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
      WHERE a.privilege_type = e.what
      UNION SELECT a.grantee FROM pg_catalog.pg_attribute t, pg_catalog.aclexplode(t.attacl) a
      WHERE t.attrelid = c.oid AND NOT t.attisdropped AND a.privilege_type = e.what)
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
      LATERAL (SELECT CASE r.ev_type WHEN '2' THEN 'UPDATE' WHEN '3' THEN 'INSERT' ELSE 'DELETE' END AS what) e
    WHERE r.oid = ANY (CAST(:oids AS pg_catalog.oid[])) AND r.ev_enabled <> 'D'"""
#: Not the server's own, nor those in C; what returns a trigger cannot be called.
FUNCTIONS = """SELECT p.oid, n.oid, n.nspname, p.proname, p.proowner, p.prosecdef, p.prosrc, ARRAY(
      SELECT a.grantee FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
      WHERE a.privilege_type = 'EXECUTE')
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE p.oid >= 16384 AND l.lanname NOT IN ('internal', 'c') AND p.prorettype NOT IN
      ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)"""

#: In a rule's tree, PostgreSQL 12 to 18: the relations with the rights that the rule needs on each.
_NEEDS = re.compile(r":relid (\d+) [^{}]*?:requiredPerms (\d+)")
#: Bits of them. Source: parsenodes.h, ACL_INSERT, ACL_SELECT, ACL_UPDATE, ACL_DELETE.
_SELECT, _WRITE = 2, 1 | 4 | 8


class Finder:
    """Finds the family of one table."""

    def __init__(self, book: Book, table: int, reads_all: frozenset[int]) -> None:
        self._book = book
        self._table: Key = ("relation", table)
        schemas = book.rows(SCHEMAS)
        self._usage = {oid: frozenset({owner, *users}) for oid, _, owner, users in schemas}
        self._reads_all = reads_all
        self._functions = {row[0]: row for row in book.rows(FUNCTIONS)}
        self._texts = Texts({oid: row[6] for oid, row in self._functions.items()}, [row[1] for row in schemas])
        self._made_of: dict[Key, dict[Key, bool]] = defaultdict(dict)
        self._things: dict[Key, Thing] = {}
        self._names: dict[Key, tuple[str, str]] = {}

    def family(self) -> Family:
        """1. The table, its children, their parents. 2. What is made of those. 3. What is made of what was found."""
        table = self._table[1]
        below = [oid for (oid,) in self._book.rows(CHILDREN, table=table)] or [table]
        above = {oid for (oid,) in self._book.rows(PARENTS, tables=below)} - set(below)
        kinds = dict.fromkeys((("relation", oid) for oid in above), Sort.whole)
        kinds |= dict.fromkeys((("relation", oid) for oid in below), Sort.child)
        kinds[self._table] = Sort.table
        ahead = list(self._looked_up(kinds, kinds))
        while ahead:
            found = dict.fromkeys(self._beyond(ahead))
            ahead = list(self._looked_up([key for key in found if key not in self._things], {}))
        return Family(self._things, self._made_of, self._usage, self._reads_all)

    def _beyond(self, keys: Iterable[Key]) -> Iterator[Key]:
        """What is made of these, also by a mention."""
        relations = [oid for what, oid in keys if what == "relation"]
        functions = [oid for what, oid in keys if what == "function"]
        for what, oid, of, of_oid, tree in self._book.rows(DEPENDING, relations=relations, functions=functions):
            if what == "function" and oid not in self._functions:
                continue
            if tree is None or of == "function" or _reads(tree, of_oid):
                self._made_of[what, oid][of, of_oid] = False
                yield what, oid
        for key in keys:
            for oid in self._texts.mentioning(*self._names[key]) if key in self._names else ():
                if ("function", oid) != key:
                    self._made_of["function", oid].setdefault(key, True)
                    yield "function", oid

    def _looked_up(self, keys: Iterable[Key], sorts: dict[Key, Sort]) -> Iterator[Key]:
        """What these are. A key of which nothing is known any more is left out."""
        oids: dict[str, list[int]] = defaultdict(list)
        for what, oid in keys:
            oids[what].append(oid)
        for row in self._book.rows(RELATIONS, oids=oids["relation"]):
            key: Key = ("relation", row[0])
            yield self._add(_relation(key, row, sorts.get(key)), row[2:4])
        for oid, schema, *name, owner, users in self._book.rows(RULES, oids=oids["rule"]) if oids["rule"] else ():
            thing = Thing(("rule", oid), Sort.rule, schema, place_text(*name), owner, frozenset(users))
            yield self._add(thing, None)
        for oid in oids["function"]:
            _, schema, *name, owner, definer, _text, users = self._functions[oid]
            sort = Sort.definer if definer else Sort.invoker
            thing = Thing(("function", oid), sort, schema, place_text(*name), owner, frozenset(users))
            yield self._add(thing, name)

    def _add(self, thing: Thing, name: Any) -> Key:
        self._things[thing.key] = thing
        if name is not None:
            self._names[thing.key] = (name[0], name[1])
        return thing.key


def _relation(key: Key, row: tuple[Any, ...], sort: Sort | None) -> Thing:
    _, schema, *name, owner, kind, is_partition, filtered, asks_invoker, users, columns = row
    if sort is Sort.child and is_partition:
        sort = Sort.part
    if sort is None:
        sort = Sort.matview if kind == "m" else Sort.invoker_view if asks_invoker else Sort.view
    place = place_text(*name)
    return Thing(key, sort, schema, place, owner, frozenset(users), frozenset(columns), filtered)


def _reads(tree: str, relation: int) -> bool:
    """Whether a rule reads from a relation; one that writes to it may have to look for rows, and shows none."""
    needed = [int(bits) for oid, bits in _NEEDS.findall(tree) if int(oid) == relation]
    return any(bits & _SELECT and not bits & _WRITE for bits in needed)
