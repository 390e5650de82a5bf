"""The configuration: a TOML file, then the environment, into frozen settings.

``load_settings`` is the only way in. Anything wrong is a ``ConfigError`` that names the file (or the environment
variable), the key, and what was expected, for every problem at once. A secret's value is never part of a message, and
``repr()`` of no model here shows one. Every key is explained in ``config.example.toml``; a test fails when one is not.

    settings.py   the sections          policy.py, database.py   two that are rooms of their own
    loading.py    file + environment    problems.py              how an error is told
    values.py     durations, sizes      dialects.py, host_patterns.py, local_places.py, references.py, signing_key.py
"""

from sevtracker.config.database import Database
from sevtracker.config.dialects import BUILT_IN_DIALECTS, Dialect
from sevtracker.config.host_patterns import HostPattern, parse_host_pattern
from sevtracker.config.loading import CONFIG_VARIABLE, find_file, load_settings
from sevtracker.config.local_places import Command, plain_path
from sevtracker.config.policy import LevelPolicy, Policy, WatchStep
from sevtracker.config.references import is_secret_reference, resolve_secret
from sevtracker.config.settings import Auth, Identity, Server, Settings, Targets, Throttle, Worker
from sevtracker.config.signing_key import known_secret_key, require_secret_key
from sevtracker.config.values import IdentityClassName, LevelName, format_duration, parse_duration

__all__ = [
    "BUILT_IN_DIALECTS",
    "CONFIG_VARIABLE",
    "Auth",
    "Command",
    "Database",
    "Dialect",
    "HostPattern",
    "Identity",
    "IdentityClassName",
    "LevelName",
    "LevelPolicy",
    "Policy",
    "Server",
    "Settings",
    "Targets",
    "Throttle",
    "WatchStep",
    "Worker",
    "find_file",
    "format_duration",
    "is_secret_reference",
    "known_secret_key",
    "load_settings",
    "parse_duration",
    "parse_host_pattern",
    "plain_path",
    "require_secret_key",
    "resolve_secret",
]
