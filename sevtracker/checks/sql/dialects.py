"""The dialects of SQL that the configuration adds: which of them can be used, and by what URLs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from sqlalchemy import make_url
from sqlalchemy.exc import NoSuchModuleError

from sevtracker.checks.local import LocalRules
from sevtracker.checks.sql.places import SqlPlace, schemes
from sevtracker.config import Dialect

log = logging.getLogger(__name__)


def broken_dialects(dialects: Mapping[str, Dialect]) -> dict[str, str]:
    """The dialects whose driver can't be loaded, each with a sentence that says what to do. Never raises for one.

    As with plugins: each is logged, its checks are refused, and all else goes on.
    """
    broken = {name: why for name, dialect in dialects.items() if (why := _why_not(dialect)) is not None}
    for name, why in broken.items():
        log.error("dialect %s can't be used: %s", name, why)
    return broken


def _why_not(dialect: Dialect) -> str | None:
    url = f"{dialect.driver}://"
    try:
        entry = make_url(url).get_dialect()
    except NoSuchModuleError:
        what = f"install {dialect.package}" if dialect.package else "install the package that has it"
        return f"SQLAlchemy knows no {dialect.driver}; {what} where the tracker runs"
    except (Exception, SystemExit) as error:
        return f"{dialect.driver} could not be loaded ({type(error).__name__})"  # no text: it may quote a file
    try:
        entry.import_dbapi()
    except ModuleNotFoundError as error:
        what = dialect.package or (error.name or "its driver").partition(".")[0]
        return f"the driver of {dialect.driver} is not there; install {what} where the tracker runs"
    except (Exception, SystemExit) as error:
        return f"the driver of {dialect.driver} could not be loaded ({type(error).__name__})"
    return None


def refusals(place: SqlPlace, local: LocalRules) -> Iterator[str]:
    """Why no check can look at ``place``, for want of a dialect. Pure."""
    if place.built_in:
        return
    if place.backend not in local.dialects:
        yield f"The configuration has no dialect {place.backend}: expected {schemes(local.dialects)}."
    elif place.backend in local.broken:
        yield f"The dialect {place.backend} can't be used: {local.broken[place.backend]}."
