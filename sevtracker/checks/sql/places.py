"""Database URLs and table names as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from sevtracker.checks.hosts import normal_host
from sevtracker.checks.interface import Endpoint
from sevtracker.checks.sql.denials import DENIALS

#: Driver names that are accepted, the backend of each, and its port.
DRIVERS: dict[str, tuple[str, int]] = {
    "postgresql": ("postgresql", 5432),
    "postgresql+psycopg": ("postgresql", 5432),
    "mysql": ("mysql", 3306),
    "mysql+pymysql": ("mysql", 3306),
    "mariadb": ("mariadb", 3306),
    "mariadb+pymysql": ("mariadb", 3306),
}
SSL_MODES = frozenset({"disable", "prefer", "require", "verify-full"})
_PART = r'"(?:[^"]|"")+"|[^".]+'
_TABLE = re.compile(rf"({_PART})\.({_PART})")
_PLAIN = re.compile(r'[^".\s]+')
#: What a dialect of the configuration can be called, and what a database may be called there: drivers put it into
#: connection strings of their own.
_DIALECT = re.compile(r"[a-z][a-z0-9_]{0,30}")
_DATABASE = re.compile(r"[A-Za-z0-9_$#.-]{1,128}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class SqlPlace:
    """A database server, and a database on it. ``url`` has neither user nor password.

    ``backend`` is one of ``DENIALS``, or else the name of a dialect that the configuration may have.
    """

    backend: str
    endpoint: Endpoint
    database: str | None
    sslmode: str

    @property
    def built_in(self) -> bool:
        """Whether the server is of a family that sevtracker knows by itself."""
        return self.backend in DENIALS

    @property
    def url(self) -> str:
        mode = "" if self.sslmode == "prefer" else f"?sslmode={self.sslmode}"
        return f"{self.backend}://{self.endpoint}/{self.database or ''}{mode}"


@lru_cache(maxsize=4096)
def sql_place(text: str) -> SqlPlace:
    """Take a SQLAlchemy URL apart. Raises ValueError; the message never quotes the URL.

    A query may hold ``sslmode`` only: drivers take ``host=`` and the like from there, past any guard. Whether the
    configuration has the dialect of a scheme that is not ours is not asked here.
    """
    if _UNPRINTABLE.search(text) or "\\" in text:
        raise ValueError("a URL has no control characters or backslashes")
    try:
        url = make_url(text)
        query = dict(url.query)
    except (ArgumentError, ValueError):
        raise ValueError("expected a SQLAlchemy URL, such as postgresql://db1:5432/hr") from None
    built_in = url.drivername in DRIVERS
    if not built_in and not (_DIALECT.fullmatch(url.drivername) and url.host and url.port):
        raise ValueError(
            f"expected a URL that starts with one of {schemes()}, or with the name of a dialect that the configuration"
            " adds, then with a host and a port: mssql://db1:1433/hr"
        )
    if url.username is not None or url.password is not None or "@" in text:
        raise ValueError("a URL here has no user name or password: credentials belong to the identity")
    if not url.host:
        raise ValueError("the URL names no host")
    backend, port = DRIVERS.get(url.drivername, (url.drivername, url.port or 0))
    if not built_in and (query or (url.database and not _DATABASE.fullmatch(url.database))):
        raise ValueError("the URL of an added dialect has no query, and a plain name for its database")
    mode = query.pop("sslmode", "prefer")
    if query or mode not in SSL_MODES:
        raise ValueError(f"the URL's query may hold only sslmode, one of {', '.join(sorted(SSL_MODES))}")
    if backend == "postgresql" and not url.database:
        raise ValueError("the URL names no database, as in postgresql://db1:5432/hr")
    chosen = port if url.port is None else url.port
    if not 0 < chosen < 65_536:
        raise ValueError("expected a port from 1 to 65535")
    only = url.database or "" if backend == "postgresql" else ""
    return SqlPlace(backend, Endpoint(normal_host(url.host), chosen, only), url.database, str(mode))


def table_name(text: str) -> tuple[str, str]:
    """``tracking.events`` -> ("tracking", "events"). Exactly as the database spells it; quote a part that has a dot.

    Raises ValueError.
    """
    match = _TABLE.fullmatch(text)
    if match is None or _UNPRINTABLE.search(text):
        raise ValueError('expected schema.table, such as tracking.events, or "odd.schema"."odd.table"')
    schema, table = (part[1:-1].replace('""', '"') if part.startswith('"') else part.strip() for part in match.groups())
    if not schema or not table:
        raise ValueError("expected schema.table, such as tracking.events")
    return schema, table


def place_text(schema: str, name: str) -> str:
    """As ``table_name`` reads it, with quotes where it needs them."""
    parts = (part if _PLAIN.fullmatch(part) else '"' + part.replace('"', '""') + '"' for part in (schema, name))
    return ".".join(parts)


def column_name(text: str) -> str:
    """A column's name as the database spells it. Raises ValueError."""
    if not text.strip() or _UNPRINTABLE.search(text):
        raise ValueError("expected the name of a column")
    return text


def schemes(more: Iterable[str] = ()) -> str:
    """How a URL may start, with the dialects ``more``."""
    return ", ".join(f"{name}://" for name in (*DRIVERS, *sorted(more)))


def _url(text: str) -> str:
    place = sql_place(text)
    if not place.built_in:
        raise ValueError(f"this kind knows PostgreSQL, MySQL and MariaDB only: expected {schemes()}")
    return place.url


def _any_url(text: str) -> str:
    return sql_place(text).url


def _table(text: str) -> str:
    table_name(text)
    return text


#: Parameters that kinds share.
Url = Annotated[str, Field(max_length=2000), AfterValidator(_url)]
#: Also of a dialect that the configuration adds; the kind has to ask whether it does.
AnyUrl = Annotated[str, Field(max_length=2000), AfterValidator(_any_url)]
Table = Annotated[str, Field(max_length=300), AfterValidator(_table)]
Column = Annotated[str, Field(max_length=200), AfterValidator(column_name)]
