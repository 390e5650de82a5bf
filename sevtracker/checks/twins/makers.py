"""Which targets we can make canary twins at. For all others two places are named by hand."""

from __future__ import annotations

from collections.abc import Mapping

from sevtracker.checks.sql.twins import SqlTwins
from sevtracker.checks.twins.making import Maker, NotMade
from sevtracker.checks.twins.s3 import S3Twins

MAKERS: Mapping[str, Maker] = {"sql_read": SqlTwins(), "sql_grants": SqlTwins(), "s3": S3Twins()}


def maker_for(kind: str) -> Maker:
    """Raises NotMade for a kind whose targets take nothing from us."""
    if kind in MAKERS:
        return MAKERS[kind]
    raise NotMade(
        f"sevtracker can't make twins for a check of the kind {kind}. Name two places on the same server by hand, in"
        " the check's twins: one that its identity may see, and one that it may not."
    )
