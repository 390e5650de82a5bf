"""The whole error tree. Doors map it to HTTP status or exit code in one place each.

SevtrackerError
├── ConfigError            the operator's configuration is wrong              exit 2
├── InputError             what was sent is wrong, field by field             422
├── NotSignedIn            no valid session or token                          401
├── NotPermitted           signed in, but this role or person may not         403
├── NotFound               no such thing, or none that you may know of        404
├── Conflict               the thing's state does not allow it                409
├── TooLarge               the body is over the cap                           413
├── Throttled              too many tries; ``retry_after`` seconds            429
├── Unavailable            a part we depend on did not answer in time         503
├── TargetRefused          the guard does not let a probe go there            422 on save, a verdict on run
└── LedgerBroken           the chain or its projections do not verify         exit 1
"""

from __future__ import annotations

from dataclasses import dataclass


class SevtrackerError(Exception):
    """Base of everything this package raises on purpose. ``str(error)`` is safe to show to a user."""


class ConfigError(SevtrackerError):
    """A key of the configuration is unknown, missing or bad. The message names file, key and expectation."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field. ``field`` is dotted for nested input: ``params.url``."""

    field: str
    message: str


class InputError(SevtrackerError):
    """What was sent is wrong; ``errors`` names every bad field."""

    def __init__(self, *errors: FieldError) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{e.field}: {e.message}" for e in errors) or "The input is not valid.")

    @classmethod
    def of(cls, field: str, message: str) -> InputError:
        return cls(FieldError(field, message))


class NotSignedIn(SevtrackerError):
    """No valid session or token came with the request."""


class NotPermitted(SevtrackerError):
    """The actor is known, but may not do this."""


class NotFound(SevtrackerError):
    """There is no such thing, or none that the actor may know of. Both read the same on purpose."""


class Conflict(SevtrackerError):
    """The thing's present state does not allow this."""


class TooLarge(SevtrackerError):
    """The body is larger than the cap."""


class Throttled(SevtrackerError):
    """Too many tries. ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Unavailable(SevtrackerError):
    """A part that this depends on did not answer in time."""


class TargetRefused(SevtrackerError):
    """The guard does not let a probe go to this place."""


class LedgerBroken(SevtrackerError):
    """The ledger does not verify. ``seq`` is the first bad record, ``damage`` its class."""

    def __init__(self, message: str, seq: int | None, damage: str) -> None:
        self.seq = seq
        self.damage = damage
        super().__init__(message)
