"""The one place that turns attempts into a verdict, for every kind.

``probe`` takes these steps, within one deadline:
1. kind and parameters (parsed once, then remembered); 2. the guard resolves and judges each endpoint, once,
and the kind what it needs of this machine;
3. for each address: the identity's attempt, and unless it got in or met trouble, the control's at the same address;
4. the first address that let the identity in ends it as ``open``; 5. else all addresses are judged together;
6. after a closed of a check whose proof by canary twins is missing, or grows old, its twins are looked at in the same
way (``twins/looking.py``). What comes of that changes no verdict.

Nothing that a target or a driver said leaves this room: reasons are ours, notes are ours, logs name exception types.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from sevtracker.checks.deadline import within
from sevtracker.checks.environment import ProbeEnvironment, environment_from
from sevtracker.checks.guard import NameUnknown
from sevtracker.checks.interface import (
    Access,
    Attempt,
    CheckKind,
    CheckParams,
    Credentials,
    Definition,
    Endpoint,
    Impact,
    Locator,
    Observation,
    Pinned,
    Result,
    Step,
    Suggestion,
)
from sevtracker.checks.twins.looking import is_due, look_at
from sevtracker.checks.validation import Validated, validate
from sevtracker.checks.verdicts import NEEDS_CONTROL, Judgement, judge, sound, together
from sevtracker.domain.schedule import AUTH_FAILURES_TO_HALT
from sevtracker.domain.vocabulary import Phase, Reason, Verdict
from sevtracker.errors import ConfigError, NotFound, TargetRefused

__all__ = ["ProbeEnvironment", "Validated", "environment_from", "probe", "validate"]

log = logging.getLogger(__name__)

#: For looking parsed parameters up: fast, and the same text for the same parameters.
_CANONICAL = json.JSONEncoder(sort_keys=True)
_NO_CONTROL = "no control identity is configured, so a denial cannot be told from a broken door"


def probe(definition: Definition, environment: ProbeEnvironment) -> Observation:
    """Run one check now. Never raises for anything that a target, a secret, a name or a plugin does."""
    seen = _look(definition, environment)
    if not is_due(definition, seen, environment):
        return seen
    twins, steps = look_at(definition, environment, _look)
    return replace(seen, twins=twins, steps=(*seen.steps, *steps))


def _look(definition: Definition, environment: ProbeEnvironment) -> Observation:
    clock = environment.clock
    started_at, began = clock.now(), clock.monotonic()
    run = _Run(definition, environment, began + environment.deadline)
    try:
        judgement = run.judgement()
    except _Stopped as stopped:
        run.steps.append(Step(stopped.phase, False, stopped.note, 0.0))
        judgement = Judgement(Verdict.inconclusive, stopped.reason)
    except Exception as error:
        log.error("a %s probe failed with %s", definition.kind, type(error).__name__)  # no text: it may quote data
        judgement = Judgement(Verdict.inconclusive, Reason.plugin_error)
    return Observation(
        verdict=judgement.verdict,
        reason=judgement.reason,
        started_at=started_at,
        duration_ms=(clock.monotonic() - began) * 1000,
        control=run.control,
        steps=tuple(run.steps),
        retry_after_s=judgement.retry_after_s,
        suggestions=tuple(run.suggestions),
        memory=run.memory,
        impact=run.impact,
        failed_sign_ins=run.sign_ins,
    )


class _Stopped(Exception):
    """The probe ends here, inconclusive."""

    def __init__(self, reason: Reason, phase: Phase, note: str) -> None:
        self.reason, self.phase, self.note = reason, phase, note
        super().__init__(reason)


class _Run:
    """One run. Keeps what the observation tells at the end."""

    __slots__ = (
        "_credentials",
        "_definition",
        "_ends",
        "_environment",
        "_kind",
        "_locator",
        "_params",
        "control",
        "impact",
        "memory",
        "sign_ins",
        "steps",
        "suggestions",
    )

    def __init__(self, definition: Definition, environment: ProbeEnvironment, ends: float) -> None:
        self._definition = definition
        self._environment = environment
        self._ends = ends
        self._credentials: dict[str, Credentials] = {}
        self.control: Result | None = None
        self.steps: list[Step] = []
        self.suggestions: list[Suggestion] = []
        self.memory: Mapping[str, Any] | None = None
        self.impact: Impact | None = None
        self.sign_ins: dict[str, int] = {}

    def judgement(self) -> Judgement:
        kind = self._environment.kinds.get(self._definition.kind)
        if kind is None:
            raise _Stopped(Reason.plugin_error, Phase.connect, "no kind of that name is installed")
        self._kind = kind
        self._params, self._locator = _prepared(kind, _CANONICAL.encode(self._definition.params))
        for _field, sentence in kind.refuse(self._params, self._environment.local):
            raise _Stopped(Reason.blocked_by_policy, Phase.connect, sentence)
        rounds = list(_rounds([self._admitted(endpoint) for endpoint in self._locator.endpoints]))
        judgements = []
        for pins in rounds:
            judgements.append(self._round(pins, f"{pins[0].address}: " if len(rounds) > 1 else ""))
            if judgements[-1].verdict is Verdict.open:
                break
        return together(judgements)

    def _admitted(self, endpoint: Endpoint) -> tuple[Pinned, ...]:
        try:
            return self._environment.guard.admit(endpoint)
        except TargetRefused as refused:
            raise _Stopped(Reason.blocked_by_policy, Phase.connect, str(refused)) from None
        except NameUnknown:
            raise _Stopped(Reason.dns, Phase.connect, f"{endpoint} has no address, or no answer came") from None

    def _round(self, pins: tuple[Pinned, ...], where: str) -> Judgement:
        attempt = self._attempt(self._definition.identity, pins, is_control=False)
        self.steps += [replace(step, note=where + step.note) for step in attempt.steps] if where else attempt.steps
        self._keep(attempt)
        if attempt.result not in NEEDS_CONTROL:
            return judge(attempt, None)
        if attempt.control is not None:
            self.control = attempt.control if self.control in (None, Result.got_in) else self.control
            return judge(attempt, Attempt(attempt.control, Reason.control_failed, Phase.control))
        if self._definition.control is None:
            self.steps.append(Step(Phase.control, False, where + _NO_CONTROL, 0.0))
            return judge(attempt, None)
        control = self._attempt(self._definition.control, pins, is_control=True)
        self.control = control.result if self.control in (None, Result.got_in) else self.control
        note = "the control got in" if control.result is Result.got_in else _control_note(control)
        self.steps.append(
            Step(Phase.control, control.result is Result.got_in, where + note, sum(step.ms for step in control.steps))
        )
        return judge(attempt, control)

    def _keep(self, attempt: Attempt) -> None:
        """What an attempt brought home beside its result."""
        for suggestion in filter(None, map(self._located, attempt.suggestions)):
            here = suggestion.locator == self._locator.text and suggestion.kind == self._kind.name
            mine = suggestion.identity in (None, self._definition.identity)
            if suggestion not in self.suggestions and not (here and mine):
                self.suggestions.append(suggestion)
        self.memory = attempt.memory if attempt.memory is not None else self.memory
        self.impact = attempt.impact or self.impact

    def _located(self, suggestion: Suggestion) -> Suggestion | None:
        """The suggestion with the place that it is about; None if it is no check that could be saved."""
        try:
            kind = self._environment.kinds[suggestion.kind]
            params = kind.params.model_validate(dict(suggestion.params))
            return replace(suggestion, locator=kind.locate(params).text)
        except (KeyError, ValueError):
            log.error("a %s check suggested a %s check that can't be saved", self._kind.name, suggestion.kind)
            return None

    def _attempt(self, name: str, pins: tuple[Pinned, ...], *, is_control: bool) -> Attempt:
        """Unless too many of its sign-ins failed here already, in this run and in those before."""
        failed = self.sign_ins.get(name, self._definition.failed_sign_ins.get(name, 0))
        if failed >= AUTH_FAILURES_TO_HALT:
            return _trouble(Reason.auth_failed, Phase.connect, f"{name} is not tried: its last sign-ins failed here")
        attempt = self._try(name, pins, is_control=is_control)
        if attempt.reason is Reason.auth_failed:
            if name in self._credentials and self._credentials[name].has_secrets:  # else nobody can be locked out
                self.sign_ins[name] = failed + 1
        elif failed and _signed_in(attempt):
            self.sign_ins[name] = 0
        return attempt

    def _try(self, name: str, pins: tuple[Pinned, ...], *, is_control: bool) -> Attempt:
        timeout = min(self._params.timeout, self._ends - self._environment.clock.monotonic())
        if timeout <= 0:
            return _trouble(Reason.timeout, Phase.connect, "the run's deadline was over")
        try:
            access = Access(
                credentials=self._secrets_of(name, pins),
                pins=pins,
                timeout=timeout,
                clock=self._environment.clock,
                is_control=is_control,
                admit=partial(self._admit_for, name),
                secret=self._environment.identities.secret,
                memory=self._definition.memory if self.memory is None else self.memory,
                window=self._definition.window,
                local=self._environment.local,
                identity=name,
                keeper=self._environment.keeper,
                sealer=self._environment.sealer,
            )
            if self._kind.bounded:
                return sound(self._kind.attempt(self._params, access))
            return sound(within(timeout, lambda: self._kind.attempt(self._params, access)))
        except _Unusable as unusable:
            return _trouble(unusable.reason, Phase.connect, unusable.note)
        except TimeoutError:
            return _trouble(Reason.timeout, Phase.target, "no answer in time")
        except Exception as error:
            log.error("a %s attempt failed with %s", self._kind.name, type(error).__name__)
            return _trouble(Reason.plugin_error, Phase.target, f"the kind failed with {type(error).__name__}")

    def _secrets_of(self, name: str, pins: tuple[Pinned, ...]) -> Credentials:
        """The secrets of ``name``, read at most once a run, after its bound hosts were seen to hold every endpoint."""
        identities = self._environment.identities
        try:
            for endpoint, pin in zip(self._locator.endpoints, pins, strict=True):
                if not identities.bound(name, endpoint, (pin,)):
                    raise _Unusable(Reason.blocked_by_policy, f"{name}'s hosts do not hold {endpoint}")
            if name not in self._credentials:
                self._credentials[name] = identities.credentials(name)
        except NotFound:
            raise _Unusable(Reason.auth_failed, f"{name} is not configured any more") from None
        except ConfigError as error:
            raise _Unusable(Reason.auth_failed, f"a secret of {name} could not be read: {error}") from None
        return self._credentials[name]

    def _admit_for(self, name: str, endpoint: Endpoint) -> tuple[Pinned, ...]:
        pins = self._environment.guard.admit(endpoint)
        if not self._environment.identities.bound(name, endpoint, pins):
            raise TargetRefused(f"{name}'s hosts do not hold {endpoint}.")
        return pins


class _Unusable(Exception):
    """An identity cannot be used here and now."""

    def __init__(self, reason: Reason, note: str) -> None:
        self.reason, self.note = reason, note
        super().__init__(reason)


def _signed_in(attempt: Attempt) -> bool:
    """Is it certain that the identity is alive? Trouble at the target says nothing either way."""
    return attempt.result is not Result.trouble or any(s.ok and s.phase is Phase.self_test for s in attempt.steps)


def _trouble(reason: Reason, phase: Phase, note: str) -> Attempt:
    return Attempt(Result.trouble, reason, phase, (Step(phase, False, note, 0.0),))


def _control_note(control: Attempt) -> str:
    last = f" ({control.steps[-1].note})" if control.steps else ""
    return f"the control did not get in: {control.result}, {control.reason}{last}"


def _rounds(admitted: list[tuple[Pinned, ...]]) -> Iterator[tuple[Pinned, ...]]:
    """Every address of every endpoint at least once. A kind without endpoints gets one round."""
    for turn in range(max((len(pins) for pins in admitted), default=1)):
        yield tuple(pins[turn % len(pins)] for pins in admitted)


@lru_cache(maxsize=4096)
def _prepared(kind: CheckKind[Any], params_json: str) -> tuple[CheckParams, Locator]:
    """Parse stored parameters once: they were validated when they were saved, and a kind may have changed since."""
    try:
        params: CheckParams = kind.params.model_validate_json(params_json)
        return params, kind.locate(params)
    except ValueError:  # pydantic's ValidationError is one, and its text quotes the input
        raise _Stopped(Reason.plugin_error, Phase.connect, "the kind does not accept the saved parameters") from None
