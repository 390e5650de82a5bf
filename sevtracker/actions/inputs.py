"""What may be sent to us, shared by every door: validated, unknown fields refused, every bad field named.

A door calls ``parse(Model, raw)``; what comes back is clean, NFC-normalised and in UTC.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from sevtracker.clock import as_utc
from sevtracker.domain.vocabulary import Level, Role
from sevtracker.errors import FieldError, InputError

M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], raw: Mapping[str, Any]) -> M:
    """``raw`` as ``model``. Raises InputError naming every bad field, dotted: ``copies.0.slug``."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise InputError(*field_errors(error)) from None


def field_errors(error: ValidationError) -> list[FieldError]:
    """Pydantic's complaints as ours. What was sent is not repeated: it may be a secret put in the wrong field."""
    found = []
    for item in error.errors(include_url=False, include_input=False):
        field = ".".join(str(part) for part in item["loc"]) or "body"
        found.append(FieldError(field, _MESSAGES.get(item["type"], item["msg"].removeprefix("Value error, "))))
    return found


_MESSAGES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field.",
    "timezone_aware": "A time needs its UTC offset, for example 2026-06-18T09:10:00Z.",
}


def _clean(text: str) -> str:
    """NFC, no control characters (but line ends and tabs), no lone surrogates: what databases and JSON can keep."""
    composed = unicodedata.normalize("NFC", text)
    for character in composed:
        if (character < " " and character not in "\n\r\t") or character == "\x7f" or "\ud800" <= character <= "\udfff":
            raise ValueError("has characters that no text can contain (control characters or lone surrogates)")
    return composed.replace("\r\n", "\n").strip()


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text or "\r" in text:
        raise ValueError("has to be a single line")
    return text


def _link(text: str) -> str:
    if text and not text.lower().startswith(("https://", "http://")):
        raise ValueError("has to be a link that starts with https:// or http://")
    return text


def _secure(text: str) -> str:
    if not text.lower().startswith("https://"):
        raise ValueError("has to be a link that starts with https://")
    return text


def _no_credentials(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme and "@" in rest.partition("/")[0]:
        raise ValueError("has to be without user name and password: everybody reads it")
    return text


def _in_range(moment: datetime) -> datetime:
    try:
        moment = as_utc(moment)
    except OverflowError:
        raise ValueError("has to be between the years 1990 and 2200") from None
    if not 1990 <= moment.year <= 2200:
        raise ValueError("has to be between the years 1990 and 2200")
    return moment


def _slug_hint(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Text = Annotated[str, AfterValidator(_clean)]
Line = Annotated[Text, AfterValidator(_one_line)]
Slug = Annotated[
    str, BeforeValidator(_slug_hint), Field(pattern=r"^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$", min_length=1, max_length=64)
]
Prose = Annotated[Text, Field(max_length=20_000)]
Reason = Annotated[Text, Field(min_length=1, max_length=20_000)]
Link = Annotated[Line, Field(max_length=500), AfterValidator(_link)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_range)]
Email = Annotated[Line, Field(pattern=r"^[^@\s<>,;\"]+@[^@\s<>,;\"]+$", max_length=254), AfterValidator(str.lower)]


class Input(BaseModel):
    """Base of everything that is sent to us."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=200_000)


# ---- SEVs --------------------------------------------------------------------------------------------------------


class FileSev(Input):
    """File a SEV. Incomplete is all right; title, level and what is exposed are what it takes."""

    title: Annotated[Line, Field(min_length=1, max_length=200)]
    level: Level
    datasets: Annotated[list[Slug], Field(min_length=1, max_length=50)]
    summary: Prose = ""
    exposed_from: Moment | None = None
    detected_at: Moment | None = None
    restricted: bool = False


class ChangeSev(Input):
    """Change some fields of a SEV; those that are left out stay."""

    title: Annotated[Line, Field(min_length=1, max_length=200)] | None = None
    level: Level | None = None
    summary: Prose | None = None
    status: Annotated[str, Field(pattern="^investigating$")] | None = None
    commander: Annotated[Email | None, BeforeValidator(_blank_is_none)] = None
    restricted: bool | None = None
    exposed_from: Moment | None = None
    detected_at: Moment | None = None
    aware_at: Moment | None = None
    datasets: Annotated[list[Slug], Field(min_length=1, max_length=50)] | None = None
    members: Annotated[list[Email], Field(max_length=200)] | None = None


class Note(Input):
    """A note on the timeline, at its own time if it tells of something earlier."""

    text: Reason
    at: Moment | None = None


class ReviseNote(Input):
    """Another text for a note; the earlier one stays on the record."""

    text: Reason


class LogPatch(Input):
    """Claim that the access was closed. ``datasets`` left out: all of the SEV's."""

    summary: Reason
    url: Link = ""
    applied_at: Moment | None = None
    datasets: Annotated[list[Slug], Field(max_length=50)] = []


class Resolve(Input):
    """Ask to resolve."""

    summary: Reason


class WithReason(Input):
    """An act that takes a reason."""

    reason: Reason


class Dismiss(Input):
    """Say that it is none, or the same as another SEV."""

    reason: Reason
    duplicate_of: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class Act(Input):
    """Record something owed before resolving: what was done and found, with a link to the evidence if there is one."""

    reason: Prose = ""
    evidence: Annotated[Text, Field(max_length=2000)] = ""

    @model_validator(mode="after")
    def _says_something(self) -> Act:
        if not self.reason and not self.evidence:
            raise ValueError("say what was done and found (reason), or link the evidence")
        return self


Days = Annotated[int, Field(ge=1, le=30)]
CheckId = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Waive(Input):
    """Let one check pass for a while, as an executive. ``open``: what the giver knows of its door; left out: whatever
    is so."""

    check: CheckId
    reason: Reason
    evidence: Annotated[Text, Field(max_length=2000)] = ""
    expires_at: Moment | None = None
    days: Days | None = None
    open: bool | None = None

    @property
    def said(self) -> str:
        """The reason, with the evidence if there is any."""
        return f"{self.reason}\n\n{self.evidence}" if self.evidence else self.reason


class Attest(Input):
    """People's word on a copy where no probe can exist. ``reason`` is another name for ``statement``."""

    dataset: Slug
    copy_: Annotated[Slug, Field(alias="copy")] = "primary"
    statement: Prose = ""
    reason: Prose = ""
    evidence: Annotated[Link, Field(min_length=1)]
    expires_at: Moment | None = None
    days: Days | None = None
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    def said(self) -> str:
        return "\n\n".join(part for part in (self.statement, self.reason) if part)


class AcceptDefinition(Input):
    """Accept what a check judges by now, as an executive. ``revision``: the one that the giver saw; left out: whatever
    it is."""

    reason: Reason
    evidence_url: Annotated[Link, Field(min_length=1), AfterValidator(_secure)]
    revision: CheckId | None = None

    @property
    def told(self) -> str:
        """The reason, with the link to the evidence."""
        return f"{self.reason}\n\n{self.evidence_url}"


class Sign(Input):
    """Stand for an attestation that somebody else made."""

    reason: Prose = ""


# ---- datasets and checks -----------------------------------------------------------------------------------------


class NewCopy(Input):
    """One place where the dataset lies."""

    slug: Slug
    kind: Annotated[Line, Field(min_length=1, max_length=64)] = "primary"
    location: Annotated[Line, Field(max_length=500), AfterValidator(_no_credentials)] = ""


class ChangeCopy(Input):
    """Change what is said of a copy; what is left out stays. Its slug is for ever."""

    kind: Annotated[Line, Field(min_length=1, max_length=64)] | None = None
    location: Annotated[Line, Field(max_length=500), AfterValidator(_no_credentials)] | None = None


class NewDataset(Input):
    """Register a dataset. Without copies it gets one: ``primary``."""

    slug: Slug
    name: Annotated[Line, Field(min_length=1, max_length=200)]
    owner: Annotated[Line, Field(max_length=200)] = ""
    programme: Annotated[Slug | None, BeforeValidator(_blank_is_none)] = None
    classification: Annotated[Line, Field(max_length=64)] = ""
    description: Prose = ""
    disclosed_fields: Annotated[list[Annotated[Line, Field(max_length=200)]], Field(max_length=2000)] | None = None
    copies: Annotated[list[NewCopy], Field(max_length=100)] = []


class ChangeDataset(Input):
    """Change a dataset; what is left out stays. Its slug is for ever: scripts and the record rely on it."""

    name: Annotated[Line, Field(min_length=1, max_length=200)] | None = None
    owner: Annotated[Line, Field(max_length=200)] | None = None
    programme: Annotated[Slug | None, BeforeValidator(_blank_is_none)] = None
    classification: Annotated[Line, Field(max_length=64)] | None = None
    description: Prose | None = None
    disclosed_fields: Annotated[list[Annotated[Line, Field(max_length=200)]], Field(max_length=2000)] | None = None


class GivenTwins(Input):
    """Canary twins: the parameters in which each differs from the check's own. They are checked by the kind."""

    open: Annotated[dict[str, Any], Field(min_length=1)]
    locked: Annotated[dict[str, Any], Field(min_length=1)]


class NewCheck(Input):
    """Point a check at a copy. ``params`` are checked by the kind."""

    dataset: Slug
    copy_: Annotated[Slug, Field(alias="copy")] = "primary"
    kind: Annotated[str, Field(min_length=1, max_length=64)]
    identity: Annotated[str, Field(min_length=1, max_length=64)]
    control: Annotated[str | None, Field(max_length=64), BeforeValidator(_blank_is_none)] = None
    params: dict[str, Any] = {}
    twins: GivenTwins | None = None
    required: bool = True
    name: Annotated[Line, Field(max_length=200)] = ""
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class MakeTwins(Input):
    """Make canary twins at a check's target. ``keeper``: a configured identity that may create things there."""

    keeper: Annotated[str, Field(min_length=1, max_length=64)]


class ChangeCheck(Input):
    """Change a check; what is left out stays."""

    identity: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    control: Annotated[str | None, Field(max_length=64)] = None
    params: dict[str, Any] | None = None
    twins: GivenTwins | None = None
    required: bool | None = None
    enabled: bool | None = None
    name: Annotated[Line, Field(max_length=200)] | None = None
    reason: Prose = ""


class AcceptSuggestion(Input):
    """Make a suggestion a check: as it was suggested, but for what is given here."""

    identity: Annotated[str | None, Field(min_length=1, max_length=64), BeforeValidator(_blank_is_none)] = None
    control: Annotated[str | None, Field(max_length=64), BeforeValidator(_blank_is_none)] = None
    required: bool = True
    name: Annotated[Line, Field(max_length=200)] = ""


class MayReason(Input):
    """An act that takes a reason, if there is one to give."""

    reason: Prose = ""


# ---- people ------------------------------------------------------------------------------------------------------

PASSWORD_MIN = 10
Password = Annotated[str, Field(min_length=PASSWORD_MIN, max_length=1000)]


class NewPerson(Input):
    """Somebody new. Without a password they get a one-time link."""

    email: Email
    name: Annotated[Line, Field(min_length=1, max_length=200)]
    role: Role
    password: Password | None = None


class NewPassword(Input):
    """A password that replaces another, or is the first."""

    password: Password


class ChangePerson(Input):
    """Change somebody's role, or whether they can sign in."""

    role: Role | None = None
    active: bool | None = None


class NewToken(Input):
    """A bearer token for scripts."""

    name: Annotated[Line, Field(min_length=1, max_length=100)]
