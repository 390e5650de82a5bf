"""Which functions mention a name. Pure.

PostgreSQL writes down what a function reads only where its body is of SQL's standard form (``BEGIN ATOMIC``). Any other
body is text: one that has the name as a word is taken to read it, also in a comment. A name with a schema before it
counts when it is the thing's own schema, or no schema at all (an alias, a ``%I``). A name that is put together when the
function runs is not seen.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

_WORDS = re.compile(r"[\w$]+")


class Texts:
    """Bodies of functions by oid, to be searched for many names."""

    def __init__(self, bodies: Mapping[int, str], schemas: Collection[str]) -> None:
        self._bodies = {oid: body.lower() for oid, body in bodies.items()}
        self._schemas = {schema.lower() for schema in schemas}
        self._having: dict[str, set[int]] = defaultdict(set)
        for oid, body in self._bodies.items():
            for word in set(_WORDS.findall(body)):
                self._having[word].add(oid)

    def mentioning(self, schema: str, name: str) -> Iterator[int]:
        """The functions that mention ``schema.name``. Names are compared without regard to case."""
        schema, name = schema.lower(), name.lower().replace('"', '""')
        words = _WORDS.findall(name)
        # Each word of the name is one of the body: that narrows it down without a search.
        oids = set.intersection(*(self._having[word] for word in words)) if words else set(self._bodies)
        for oid in oids:
            if any(self._is_meant(found[1], schema) for found in _mention(name).finditer(self._bodies[oid])):
                yield oid

    def _is_meant(self, before: str | None, schema: str) -> bool:
        return before is None or before == schema or before not in self._schemas


@lru_cache(maxsize=4096)
def _mention(name: str) -> re.Pattern[str]:
    """The name as a word, and the word with a dot before it, if any."""
    return re.compile(rf'(?:(?<![\w$])([\w$]+)"?\s*\.\s*"?)?(?<![\w$]){re.escape(name)}(?![\w$])')
