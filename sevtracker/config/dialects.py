"""Dialects of SQL that a company adds: what each error code of a driver means, in a file of its own.

docs/checks/sql_read.md tells how to write one, docs/checks/dialects.example.toml has some.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from sevtracker.config.section import Section

#: What sevtracker knows by itself, by files of its own.
BUILT_IN_DIALECTS = ("postgresql", "mysql", "mariadb")
#: Drivers that open files: there is no address that anybody could judge.
_FILES = ("sqlite", "duckdb", "access")
#: Where to go and who signs in: that is the check's, the guard's and the identity's to say.
_TAKEN = frozenset(
    {"host", "hostaddr", "hostname", "server", "server_name", "address", "port", "unix_socket", "socket", "sock"}
    | {"user", "username", "uid", "account", "password", "passwd", "pwd", "token", "passfile", "read_default_file"}
    | {"database", "dbname", "db", "sid", "dsn", "conninfo", "service", "servicefile"}
    | {"proxy", "http_proxy", "https_proxy"}
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_DRIVER = re.compile(r"[a-z0-9_]+(\+[a-z0-9_]+)?")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,32}")
_CODE_PATH = re.compile(r"orig(\.([A-Za-z][A-Za-z0-9_]*|\d{1,2})){1,5}")


def _code(value: object) -> object:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _CODE.fullmatch(text):
        raise ValueError('expected a code of letters, digits, - and _, such as "229", 229 or "42501"')
    return text


def _driver(text: str) -> str:
    if not _DRIVER.fullmatch(text):
        raise ValueError('expected a drivername of SQLAlchemy, such as "mssql+pymssql"')
    if text.startswith(_FILES):
        raise ValueError("expected the driver of a server: this one opens files")
    return text


def _code_path(text: str) -> str:
    if not _CODE_PATH.fullmatch(text):
        raise ValueError('expected attributes and indexes, such as "orig.sqlstate" or "orig.args.0"')
    return text


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Codes = tuple[Annotated[str, BeforeValidator(_code)], ...]
Statement = Annotated[str, Field(min_length=1, max_length=1000)]


class Dialect(Section):
    """One table of the file. Its name is the scheme in a check's ``url``."""

    driver: Annotated[str, AfterValidator(_driver)]
    #: What to install for it, where that is named otherwise than the module.
    package: str | None = Field(default=None, min_length=1, max_length=100)
    #: Where the driver's exception has its code; the first place that has one counts.
    code: Annotated[tuple[Annotated[str, AfterValidator(_code_path)], ...], BeforeValidator(_listed)] = Field(
        min_length=1, max_length=5
    )
    denied: Codes = Field(min_length=1)
    absent: Codes = ()
    auth_failed: Codes = ()
    not_ready: Codes = ()
    timeout: Codes = ()
    self_test: Statement
    begin: tuple[Statement, ...] = Field(default=(), max_length=10)
    clock: Statement | None = None
    roles: Statement | None = None
    #: Further arguments of the driver's ``connect``.
    connect_args: Mapping[str, bool | int | float | str] = {}
    #: The query of SQLAlchemy's URL. "{database}" is the URL's database, which then stands nowhere else.
    query: Mapping[str, str] = {}

    @field_validator("connect_args", "query")
    @classmethod
    def _nothing_taken(cls, given: Mapping[str, object]) -> Mapping[str, object]:
        taken = sorted(name for name in given if name.lower() in _TAKEN)
        if taken:
            raise ValueError(
                f"expected no {taken[0]}: the place is the check's to say, and who signs in the identity's"
            )
        return given

    @model_validator(mode="after")
    def _one_meaning(self) -> Dialect:
        meant: dict[str, str] = {}
        for name in ("denied", "absent", "auth_failed", "not_ready", "timeout"):
            for code in getattr(self, name):
                if meant.setdefault(code, name) != name:
                    raise ValueError(f"expected one meaning for each code: {code} is in {meant[code]} and in {name}")
        return self


def dialect_names(dialects: Mapping[str, Dialect]) -> Mapping[str, Dialect]:
    """``dialects`` if each has a name that it may have. Raises ValueError."""
    for name in dialects:
        if name in BUILT_IN_DIALECTS:
            raise ValueError(f"expected another name than {name}, which is built in and can't be redefined")
        if not _NAME.fullmatch(name):
            raise ValueError(
                f'expected small letters, digits and _ in a dialect\'s name, such as "mssql", not {name!r}'
            )
    return dialects
