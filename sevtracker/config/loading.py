"""From a TOML file and the environment to ``Settings``, or to one error that tells every problem."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sevtracker.config.policy import LEVEL_DEFAULTS
from sevtracker.config.problems import KeyPath, dotted, expectation
from sevtracker.config.settings import Settings
from sevtracker.config.signing_key import NO_SECRET_KEY
from sevtracker.errors import ConfigError

PREFIX = "SEVTRACKER_"
CONFIG_VARIABLE = "SEVTRACKER_CONFIG"
DEFAULT_FILE = Path("config.toml")
_DIALECTS = ("targets", "dialects")


def load_settings(environ: Mapping[str, str] | None = None, path: Path | None = None) -> Settings:
    """Read the configuration. Nothing is created or connected to.

    1. The file: ``path``, else the one that ``SEVTRACKER_CONFIG`` names (either has to exist), else ``./config.toml``
       when there is one.
    2. Over it the environment: ``PORT``, then ``SEVTRACKER_<SECTION>__<KEY>``. Lists and tables are written as JSON.
       A name's ``-`` may be written ``_``: ``SEVTRACKER_IDENTITIES__ANY_EMPLOYEE__PASSWORD``.
    3. What neither says has its default.
    4. ``targets.dialects`` names one more file, beside this one; what is in it takes the key's place.

    Raises ConfigError with one line for each problem.
    """
    environ = os.environ if environ is None else environ
    file = find_file(environ, path)
    sources = _Sources(file, _read_toml(file) if file else {})
    sources.overlay(environ)
    sources.open_dialects()
    problems = sources.problems
    settings = None
    try:
        settings = Settings.model_validate(sources.merged)
    except ValidationError as error:
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            where = sources.name(found["loc"])
            problems.append(f"{where}: {expectation(found['type'], found['msg'], found['loc'])}")
    if _lacks_secret_key(sources.merged):
        problems.append(f"{file or 'configuration'}: {NO_SECRET_KEY}")
    if problems or settings is None:
        raise ConfigError("\n".join(problems))
    return settings


def find_file(environ: Mapping[str, str], path: Path | None = None) -> Path | None:
    """The configuration file that applies, or None. Raises ConfigError when a named one does not exist."""
    named = path or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    if named is None:
        return DEFAULT_FILE if DEFAULT_FILE.exists() else None
    if not named.is_file():
        by = "" if path else f", named by {CONFIG_VARIABLE}"
        raise ConfigError(f"{named}: expected a configuration file{by}, but there is none")
    return named


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: expected TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from None


class _Sources:
    """What the file says, with the environment over it, and which of the two said what."""

    def __init__(self, file: Path | None, data: dict[str, Any]) -> None:
        self.file = file
        self.data = data
        self.merged = _copy(data)
        self.variables: dict[KeyPath, str] = {}
        self.problems: list[str] = []
        self.dialects: Path | None = None

    def overlay(self, environ: Mapping[str, str]) -> None:
        if environ.get("PORT"):
            self._put(("server", "port"), "PORT", environ["PORT"])
        for variable in sorted(v for v in environ if v.startswith(PREFIX) and v != CONFIG_VARIABLE):
            section, *rest = variable.removeprefix(PREFIX).split("__")
            if rest:
                self._put(self._place(section, rest), variable, environ[variable])
            elif meant := _meant(section.lower()):
                self.problems.append(f"environment: {variable}: unknown; expected two underscores, {meant}")

    def open_dialects(self) -> None:
        """Put what the file of dialects says in place of its name. Relative is to the configuration file's folder."""
        targets = _table(self.merged.get(_DIALECTS[0]))
        named = targets.pop(_DIALECTS[1], None)
        if named is None:
            return
        if not isinstance(named, str) or not named:
            self.problems.append(f"{self.name(_DIALECTS)}: expected the name of a TOML file")
            return
        path = (self.file.parent if self.file else Path()) / named
        if not path.is_file():
            self.problems.append(f"{self.name(_DIALECTS)}: expected a TOML file, but there is no {path}")
            return
        try:
            targets[_DIALECTS[1]] = _read_toml(path)
        except ConfigError as error:
            self.problems.append(f"{self.name(_DIALECTS)}: {error}")
            return
        self.dialects = path

    def _place(self, section: str, rest: list[str]) -> tuple[str, ...]:
        """Where in the TOML a variable's words point: lower case, save for levels and for names people gave."""
        words = [section.lower(), *(w.upper() if w.upper() in LEVEL_DEFAULTS else w.lower() for w in rest)]
        if words[0] in {"identities", "commands"}:
            known = {name.lower().replace("-", "_"): name for name in _table(self.data.get(words[0]))}
            words[1] = known.get(words[1], words[1].replace("_", "-"))
        return tuple(words)

    def _put(self, place: tuple[str, ...], variable: str, text: str) -> None:
        table = self.merged
        for depth, word in enumerate(place[:-1], start=1):
            table = table.setdefault(word, {})
            if not isinstance(table, dict):
                self.problems.append(f"environment: {variable}: {dotted(place[:depth])} is not a table")
                return
        table[place[-1]] = text
        self.variables[place] = variable

    def name(self, loc: KeyPath) -> str:
        """Who said it, and its key: ``config.toml: policy.SEV1.interval`` or ``environment: SEVTRACKER_...``."""
        if self.dialects and loc[:2] == _DIALECTS:
            return f"{self.dialects}: {dotted(loc[2:])}" if loc[2:] else str(self.dialects)
        for length in range(len(loc), 0, -1):
            if variable := self.variables.get(loc[:length]):
                return f"environment: {variable}{dotted(loc[length:], inside=True)}"
        if not _holds(self.data, loc):
            for place, variable in self.variables.items():
                if place[: len(loc)] == loc:
                    return f"environment: {variable}: {dotted(loc)}"
        return f"{self.file or 'configuration'}: {dotted(loc)}"


def _meant(words: str) -> str | None:
    """``server_port`` -> ``SEVTRACKER_SERVER__PORT``: a single underscore would be ignored without a word."""
    for section in Settings.model_fields:
        if words == section or words.startswith(f"{section}_"):
            return f"{PREFIX}{section.upper()}__{words.removeprefix(section).strip('_').upper() or '<KEY>'}"
    return None


def _holds(data: object, loc: KeyPath) -> bool:
    for word in loc:
        if not isinstance(data, dict) or word not in data:
            return False
        data = data[word]
    return True


def _copy(table: dict[str, Any]) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in table.items()}


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _lacks_secret_key(merged: dict[str, Any]) -> bool:
    """Asked of the raw values, so that this is told together with whatever else is wrong."""
    url = _table(merged.get("database")).get("url")
    key = _table(merged.get("server")).get("secret_key")
    return isinstance(url, str) and url.startswith("postgresql") and not key
