"""``joined(column)``: a group's texts as one, with commas between, on both databases.

SQLAlchemy's own ``aggregate_strings`` renders its separator anew for every execution, which costs a list more than the
texts do.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class joined(FunctionElement[str]):  # written as the function that it is
    """NULL for an empty group. Nothing says in which order."""

    name = "joined"
    type = sa.Text()
    inherit_cache = True


@compiles(joined, "sqlite")
def _sqlite(element: joined, compiler: SQLCompiler, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)})"


@compiles(joined, "postgresql")
def _postgresql(element: joined, compiler: SQLCompiler, **options: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **options)}, ',')"
