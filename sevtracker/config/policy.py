"""The policy: what counts as closed, and how often to look."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from sevtracker.config.section import Section
from sevtracker.config.values import Duration, IdentityClassName, PositiveDuration, json_when_text


class WatchStep(Section):
    """Check every so often, for so long; without ``for``: for good."""

    every: PositiveDuration
    for_: PositiveDuration | None = Field(default=None, alias="for")


class LevelPolicy(Section):
    """What a SEV of this level owes before it may be resolved."""

    interval: PositiveDuration = timedelta(minutes=15)
    consecutive: int = Field(default=3, ge=1, le=1000)
    soak: Duration = timedelta(minutes=30)
    access_review: bool = False
    reporter_retest: bool = False
    sessions: bool = False
    identity_classes: Annotated[tuple[IdentityClassName, ...], BeforeValidator(json_when_text)] = ()


_GRAVE: dict[str, Any] = {
    "interval": timedelta(minutes=10),
    "consecutive": 6,
    "soak": timedelta(hours=24),
    "access_review": True,
    "reporter_retest": True,
    "sessions": True,
}
_SERIOUS: dict[str, Any] = {"consecutive": 4, "soak": timedelta(hours=4), "access_review": True, "sessions": True}
LEVEL_DEFAULTS: dict[str, dict[str, Any]] = {"SEV0": _GRAVE, "SEV1": _GRAVE, "SEV2": _SERIOUS, "SEV3": {}, "SEV4": {}}

Durations = Annotated[tuple[PositiveDuration, ...], BeforeValidator(json_when_text)]
WatchSteps = Annotated[tuple[WatchStep, ...], BeforeValidator(json_when_text), Field(min_length=1)]


class Policy(Section):
    """What counts as closed, and how often to look. ``level`` gives the part that depends on the level."""

    settle: Duration = timedelta(minutes=5)
    spacing_factor: float = Field(default=0.67, gt=0, le=1)
    max_gap_factor: float = Field(default=3, gt=1)
    freshness_factor: float = Field(default=2, gt=1)
    patch_unverified: PositiveDuration = timedelta(minutes=30)
    after_patch: Durations = tuple(timedelta(minutes=m) for m in (5, 10, 20, 40, 60))
    retry_first: PositiveDuration = timedelta(seconds=30)
    retry_max: PositiveDuration = timedelta(minutes=15)
    watch: WatchSteps = (
        WatchStep(every=timedelta(hours=1), for_=timedelta(days=7)),
        WatchStep(every=timedelta(days=1), for_=timedelta(days=90)),
        WatchStep(every=timedelta(days=7)),
    )
    watch_blind: PositiveDuration = timedelta(minutes=180)
    watch_lost: PositiveDuration = timedelta(hours=72)
    flapping_window: PositiveDuration = timedelta(hours=24)
    proof_valid: PositiveDuration = timedelta(days=7)
    prove_every: PositiveDuration = timedelta(days=1)
    standing: PositiveDuration = timedelta(hours=1)
    jitter: float = Field(default=0.1, ge=0, le=0.5)
    SEV0: LevelPolicy = LevelPolicy(**LEVEL_DEFAULTS["SEV0"])
    SEV1: LevelPolicy = LevelPolicy(**LEVEL_DEFAULTS["SEV1"])
    SEV2: LevelPolicy = LevelPolicy(**LEVEL_DEFAULTS["SEV2"])
    SEV3: LevelPolicy = LevelPolicy(**LEVEL_DEFAULTS["SEV3"])
    SEV4: LevelPolicy = LevelPolicy(**LEVEL_DEFAULTS["SEV4"])

    @model_validator(mode="before")
    @classmethod
    def _keep_the_other_defaults(cls, given: Any) -> Any:
        """``[policy.SEV1] interval = ...`` alone leaves the rest of SEV1 as it is, not as LevelPolicy has it."""
        if not isinstance(given, dict):
            return given
        return {
            key: {**LEVEL_DEFAULTS[key], **value} if key in LEVEL_DEFAULTS and isinstance(value, dict) else value
            for key, value in given.items()
        }

    @field_validator("after_patch")
    @classmethod
    def _rising(cls, after_patch: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        if list(after_patch) != sorted(set(after_patch)):
            raise ValueError("expected rising times after the patch, each once")
        return after_patch

    @field_validator("watch")
    @classmethod
    def _never_ends(cls, watch: tuple[WatchStep, ...]) -> tuple[WatchStep, ...]:
        if any(step.for_ is None for step in watch[:-1]):
            raise ValueError('expected "for" in every step but the last, which goes on for good')
        return watch

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Policy:
        if self.retry_max < self.retry_first:
            raise ValueError("retry_max: expected at least retry_first")
        if self.watch_lost < self.watch_blind:
            raise ValueError("watch_lost: expected at least watch_blind")
        return self

    @property
    def proving_every(self) -> timedelta:
        """How old a proof by canary twins may get: ``prove_every``, and early enough to be renewed before it ends."""
        return min(self.prove_every, self.proof_valid / 2)

    def level(self, name: str) -> LevelPolicy:
        """The policy of ``"SEV0"`` .. ``"SEV4"``. Raises KeyError for any other name."""
        return self.levels[str(name)]

    @property
    def levels(self) -> dict[str, LevelPolicy]:
        return {"SEV0": self.SEV0, "SEV1": self.SEV1, "SEV2": self.SEV2, "SEV3": self.SEV3, "SEV4": self.SEV4}
