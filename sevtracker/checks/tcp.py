"""The kind ``tcp``: does this place accept connections from where the worker is? See docs/checks/tcp.md."""

from __future__ import annotations

import errno
import socket
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sevtracker.checks.guard import NameUnknown
from sevtracker.checks.hosts import normal_host
from sevtracker.checks.interface import (
    Access,
    Attempt,
    CheckKind,
    CheckParams,
    Endpoint,
    Locator,
    Pinned,
    Result,
    Step,
)
from sevtracker.domain.vocabulary import Phase, Reason, Weight
from sevtracker.errors import TargetRefused

Host = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(normal_host)]
Port = Annotated[int, Field(ge=1, le=65535)]

#: What a network, or the other end, does to keep somebody out. Anything else is this machine's own trouble.
_NO_CONNECTION = {
    errno.ECONNREFUSED: "refused",
    errno.ETIMEDOUT: "no answer",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "aborted",
}
_NO_CONTROL = (
    "no control place is configured (control_host, control_port), so a closed port cannot be told from a broken network"
)


class TcpParams(CheckParams):
    """The control place has to accept in the same run: another port there, or the same one from the allowed network."""

    host: Host = Field(description="Host name or address of the door")
    port: Port = Field(description="Its port")
    control_host: Host | None = Field(
        default=None, description="A host that must accept connections in the same run; without it, the same host"
    )
    control_port: Port | None = Field(
        default=None, description="The port that must accept connections there; without it, the same port"
    )

    @model_validator(mode="after")
    def _control_is_elsewhere(self) -> TcpParams:
        if _control(self) == Endpoint(self.host, self.port):
            raise ValueError("control_host and control_port have to name another place than host and port")
        return self


def _control(params: TcpParams) -> Endpoint | None:
    if params.control_host is None and params.control_port is None:
        return None
    return Endpoint(params.control_host or params.host, params.control_port or params.port)


class TcpKind(CheckKind[TcpParams]):
    """A handshake is open. None is closed only if the control place accepted. Nothing is sent or read."""

    name = "tcp"
    own_control = True
    weight = Weight.supports
    bounded = True
    params = TcpParams

    def locate(self, params: TcpParams) -> Locator:
        door, control = Endpoint(params.host, params.port), _control(params)
        named = "control_host" if params.control_host is not None else "control_port"
        return Locator(f"tcp://{door}", (door,), further=((named, control),) if control else ())

    def attempt(self, params: TcpParams, access: Access) -> Attempt:
        """1. The door. 2. Unless it opened, the control place, by the same family. Each gets half of the time."""
        control = _control(params)
        patience = access.timeout / 2 if control else access.timeout
        result, reason, step = _knock(access.pins[0], patience, access, Phase.target)
        if result is not Result.denied:
            return Attempt(result, reason, Phase.target, (step,))
        accepted, told = _control_accepts(control, patience, access)
        return Attempt(result, reason, Phase.target, (step, told), control=accepted)


def _knock(pin: Pinned, patience: float, access: Access, phase: Phase) -> tuple[Result, Reason, Step]:
    """One handshake with ``pin``, which is let go of at once."""
    began = access.clock.monotonic()

    def ended(result: Result, reason: Reason, note: str) -> tuple[Result, Reason, Step]:
        ok = result is Result.got_in if phase is Phase.control else result is not Result.trouble
        return result, reason, Step(phase, ok, note, (access.clock.monotonic() - began) * 1000)

    try:
        with socket.socket(pin.family, socket.SOCK_STREAM) as line:
            line.settimeout(max(patience, 0.001))
            line.connect((pin.address, pin.port))
            itself = line.getsockname() == line.getpeername()
    except OSError as error:
        code = errno.ETIMEDOUT if isinstance(error, TimeoutError) else error.errno or 0
        if code in _NO_CONNECTION:
            return ended(Result.denied, Reason.no_connection, f"no connection: {_NO_CONNECTION[code]}")
        reason = Reason.not_permitted if code in (errno.EACCES, errno.EPERM) else Reason.unreachable
        return ended(Result.trouble, reason, f"this machine could not try: {errno.errorcode.get(code, 'unknown')}")
    if itself:  # nobody listens; by chance our own end was given that very port
        return ended(Result.denied, Reason.no_connection, "no connection: only with ourselves")
    return ended(Result.got_in, Reason.connected, "connected")


def _control_accepts(control: Endpoint | None, patience: float, access: Access) -> tuple[Result, Step]:
    """Only an address of the door's own family shows that the way there works."""
    if control is None:
        return Result.trouble, Step(Phase.control, False, _NO_CONTROL, 0.0)
    try:
        pins = access.admit(control)
    except (TargetRefused, NameUnknown):
        return Result.trouble, Step(Phase.control, False, "the control place is refused, or has no address", 0.0)
    same = [pin for pin in pins if pin.family == access.pins[0].family]
    if not same:
        return Result.trouble, Step(Phase.control, False, "the control place has no address of the same family", 0.0)
    result, _, step = _knock(same[0], patience, access, Phase.control)
    note = "the control place accepted" if result is Result.got_in else f"the control place did not accept: {step.note}"
    return result, Step(Phase.control, step.ok, note, step.ms)
