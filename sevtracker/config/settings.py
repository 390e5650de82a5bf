"""Every section, and the settings that hold them all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator

from sevtracker.config.database import Database
from sevtracker.config.dialects import Dialect, dialect_names
from sevtracker.config.host_patterns import HostPatterns
from sevtracker.config.local_places import Command, PlainPaths
from sevtracker.config.policy import Policy
from sevtracker.config.references import SecretReference
from sevtracker.config.section import Section
from sevtracker.config.values import (
    MAX_PORT,
    Duration,
    HttpUrl,
    IdentityClassName,
    PositiveDuration,
    Size,
    json_when_text,
)

RoleName = Annotated[str, Field(min_length=1, max_length=200)]

#: Characters of a signing key. The one that embedded mode makes has 64.
MIN_KEY = 16


class Server(Section):
    """Where the web listens, and what it believes about the way in."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8000, ge=0, le=MAX_PORT)
    base_url: HttpUrl | None = None
    secret_key: SecretStr | None = None
    max_body: Size = 1_000_000
    threads: int = Field(default=8, ge=1, le=256)
    workers: int = Field(default=2, ge=1, le=64)
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    secure_cookies: bool | None = None

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, secret_key: SecretStr | None) -> SecretStr | None:
        if secret_key is not None and len(secret_key.get_secret_value()) < MIN_KEY:
            raise ValueError(f"expected at least {MIN_KEY} characters")
        return secret_key

    @field_validator("base_url")
    @classmethod
    def _no_path(cls, base_url: str | None) -> str | None:
        if base_url is None:
            return None
        parts = urlsplit(base_url)
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("expected scheme, host and port only, such as https://sev.corp.example")
        return base_url.rstrip("/")

    @property
    def public_url(self) -> str:
        """How people reach it, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.base_url or f"http://{host}:{self.port}"

    @property
    def cookies_are_secure(self) -> bool:
        """Whether cookies carry ``Secure``: as configured, else by the scheme of the public address."""
        return self.public_url.startswith("https://") if self.secure_cookies is None else self.secure_cookies


class Throttle(Section):
    """How many failed sign-ins within ``window`` before an account or address has to wait."""

    max_failures: int = Field(default=5, ge=1)
    window: PositiveDuration = timedelta(minutes=15)


class Auth(Section):
    """How people sign in."""

    mode: Literal["local"] = "local"
    session_hours: float = Field(default=12, gt=0, le=24 * 365)
    throttle: Throttle = Throttle()

    @field_validator("mode", mode="before")
    @classmethod
    def _reserved_modes(cls, mode: object) -> object:
        if mode in ("oidc", "proxy"):
            raise ValueError(f'"{mode}" is reserved and not available in this version; expected "local"')
        return mode


class Identity(Section):
    """Somebody a check can try the door as. Its secrets are references and go to its own ``hosts`` only."""

    cls: IdentityClassName = Field(alias="class")
    username: str | None = None
    password: SecretReference | None = None
    token: SecretReference | None = None
    #: Literal values or references. Left out of ``repr``: a literal may be a secret all the same.
    headers: Annotated[Mapping[str, str], BeforeValidator(json_when_text)] = Field(default={}, repr=False)
    hosts: HostPatterns = ()
    self_test_url: HttpUrl | None = None
    #: A text that the answer of ``self_test_url`` has to have: who the identity is there.
    self_test_marker: str | None = Field(default=None, min_length=1, max_length=1000)
    #: The roles that it has to have in databases, just these. Left out: whatever it has.
    roles: Annotated[tuple[RoleName, ...] | None, BeforeValidator(json_when_text)] = Field(default=None, max_length=200)
    description: str = ""

    @model_validator(mode="after")
    def _secrets_are_bound(self) -> Identity:
        if self.cls == "anonymous" and (self.username or self.has_secrets):
            raise ValueError("an identity of class anonymous carries no user name, password, token or headers")
        if self.self_test_marker and not self.self_test_url:
            raise ValueError("self_test_marker says what self_test_url has to answer, and that is missing")
        if self.roles is not None and not self.username:
            raise ValueError("roles are those that username has in a database, and that is missing")
        if self.has_secrets and not self.hosts:
            raise ValueError('hosts is missing: an identity with secrets needs the places they may go to, ["db1:5432"]')
        return self

    @property
    def has_secrets(self) -> bool:
        """Whether anything travels that must stay with ``hosts``. Every header counts; its name proves nothing."""
        return bool(self.password or self.token or self.headers)


class Targets(Section):
    """Where probes may go. Empty: nowhere. ``paths``: folders on the worker's own machine.

    ``dialects``: what ``load_settings`` read from the file that this key names.
    """

    allow: HostPatterns = ()
    paths: PlainPaths = ()
    dialects: Annotated[Mapping[str, Dialect], AfterValidator(dialect_names)] = {}


class Worker(Section):
    """How the clock and the probing threads work."""

    threads: int = Field(default=8, ge=1, le=256)
    lease: PositiveDuration = timedelta(seconds=30)
    tick: PositiveDuration = timedelta(milliseconds=250)
    run_deadline: PositiveDuration = timedelta(seconds=60)
    batch: int = Field(default=500, ge=1, le=10_000)
    grace: Duration = timedelta(seconds=10)
    resolve_wait: PositiveDuration = timedelta(seconds=30)


class Reserved(Section):
    """A section whose name is taken, for a version to come. A key that would do nothing is refused."""

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, given: Any) -> Any:
        if isinstance(given, dict) and given:
            raise ValueError("this version does not have this section yet; expected it to be empty or left out")
        return given


_BUILT_IN = {"anonymous": Identity(cls="anonymous", description="Anyone, without credentials")}


class Settings(Section):
    """All of it, frozen. See ``load_settings``."""

    server: Server = Server()
    database: Database = Database()
    auth: Auth = Auth()
    identities: Mapping[str, Identity] = _BUILT_IN
    targets: Targets = Targets()
    commands: Mapping[str, Command] = {}
    policy: Policy = Policy()
    worker: Worker = Worker()
    slack: Reserved = Field(default=Reserved(), repr=False)
    email: Reserved = Field(default=Reserved(), repr=False)
    webhooks: Reserved = Field(default=Reserved(), repr=False)
    ledger: Reserved = Field(default=Reserved(), repr=False)

    @field_validator("identities")
    @classmethod
    def _anonymous_is_built_in(cls, identities: Mapping[str, Identity]) -> Mapping[str, Identity]:
        named = identities.get("anonymous", _BUILT_IN["anonymous"])
        if named.cls != "anonymous":
            raise ValueError('"anonymous" is built in; expected class = "anonymous", or another name')
        return {**_BUILT_IN, **identities}

    @property
    def embedded(self) -> bool:
        """One process, one file, nothing else to run. True on SQLite."""
        return self.database.is_sqlite

    @property
    def var_dir(self) -> Path | None:
        """Where the embedded mode keeps its files: beside the database. None on PostgreSQL."""
        return self.database.sqlite_path.parent if self.database.sqlite_path else None
