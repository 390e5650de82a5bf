"""The kind ``command``: a program that an administrator registered looks. See docs/checks/command.md."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from sevtracker.checks.interface import (
    MAX_LANE,
    Access,
    Attempt,
    CheckKind,
    CheckParams,
    Credentials,
    Locator,
    Result,
    Step,
)
from sevtracker.checks.local import LocalRules
from sevtracker.checks.processes import Ended, run_bounded
from sevtracker.domain.vocabulary import Phase, Reason

#: What the program says by its exit code. All others are trouble.
EXIT_CLOSED = 0
EXIT_OPEN = 10
#: Bytes of its output that are looked at.
OUTPUT_CAP = 16_384

_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
#: Characters of the place that is shown. All of the arguments are among the parameters.
_MAX_TEXT = 1000
_NOT_IN_AN_ARGUMENT = re.compile("[\x00\ud800-\udfff]")


def _argument(text: str) -> str:
    if _NOT_IN_AN_ARGUMENT.search(text):
        raise ValueError("an argument has no NUL character, and is valid Unicode")
    return text


class CommandParams(CheckParams):
    """``name`` is one of the configuration's ``[commands.NAME]``."""

    name: str = Field(min_length=1, max_length=100, description="Name of a command that an administrator registered")
    args: tuple[Annotated[str, Field(max_length=200), AfterValidator(_argument)], ...] = Field(
        default=(), max_length=20, description="Arguments to add, as far as the command's registration takes them"
    )


class CommandKind(CheckKind[CommandParams]):
    """Exit 10 is open. Exit 0 with this run's nonce, a working control and the word is closed. The rest is trouble."""

    name = "command"
    own_control = True
    bounded = True
    params = CommandParams

    def locate(self, params: CommandParams) -> Locator:
        text = " ".join((f"command:{params.name}", *params.args))
        return Locator(
            text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…",
            (),
            lane=f"local:command:{params.name}"[:MAX_LANE],
        )

    def refuse(self, params: CommandParams, local: LocalRules) -> Iterator[tuple[str, str]]:
        command = local.commands.get(params.name)
        if command is None:
            known = ", ".join(sorted(local.commands)) or "none yet; an administrator adds one as [commands.NAME]"
            yield "name", f"No command of that name is registered. There are: {known}."
            return
        for number, arg in enumerate(params.args):
            if command.args is None:
                yield f"args.{number}", f"The command {params.name} takes no arguments."
            elif not command.takes(arg):
                yield f"args.{number}", f"The command {params.name} takes arguments that match {command.args} only."

    def attempt(self, params: CommandParams, access: Access) -> Attempt:
        command = access.local.commands[params.name]  # ``refuse`` was asked
        nonce = secrets.token_hex(16)
        environment = {
            **_ENVIRONMENT,
            "SEVTRACKER_NONCE": nonce,
            "SEVTRACKER_IDENTITY": access.identity,
            "SEVTRACKER_TIMEOUT": f"{access.timeout:.1f}",
        }
        given = _told(access.credentials) if command.credentials else b""
        began = access.clock.monotonic()

        def done(result: Result, reason: Reason, note: str, control: Result | None = None) -> Attempt:
            ms = (access.clock.monotonic() - began) * 1000
            step = Step(Phase.target, result is not Result.trouble, note, ms)
            return Attempt(result, reason, Phase.target, (step,), control=control)

        try:
            ended = run_bounded(
                (*command.argv, *params.args),
                timeout=access.timeout,
                cap=OUTPUT_CAP,
                env=environment,
                given=given,
            )
        except OSError as error:
            return done(Result.trouble, Reason.plugin_error, f"could not be started: {type(error).__name__}")
        return done(*_meaning(ended, nonce))


def _meaning(ended: Ended, nonce: str) -> tuple[Result, Reason, str, Result | None]:
    """What a program's end says. The table of docs/checks/command.md."""
    if ended.too_much:
        return Result.trouble, Reason.plugin_error, f"wrote more than {OUTPUT_CAP} bytes", None
    if ended.code is None:
        return Result.trouble, Reason.timeout, "did not end in time, and was killed", None
    if ended.code == EXIT_OPEN:
        return Result.got_in, Reason.command_open, "ended with 10: open", None
    if ended.code != EXIT_CLOSED:
        how = f"ended with {ended.code}" if ended.code > 0 else f"was ended by signal {-ended.code}"
        return Result.trouble, Reason.plugin_error, f"{how}, which says nothing", None
    told = _object(ended.output)
    if told.get("nonce") != nonce or told.get("verdict") != "closed":
        return Result.trouble, Reason.plugin_error, "ended with 0, without the nonce and verdict of a closed door", None
    if told.get("control_ok") is not True:
        return Result.denied, Reason.command_closed, "ended with 0: closed, but its control failed", Result.trouble
    return Result.denied, Reason.command_closed, "ended with 0: closed, and its control got in", Result.got_in


def _object(output: bytes) -> dict[str, Any]:
    try:
        told = json.loads(output)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _told(credentials: Credentials) -> bytes:
    """The identity as JSON, for a standard input."""
    told = {
        "username": credentials.username,
        "password": credentials.password,
        "token": credentials.token,
        "headers": dict(credentials.headers),
    }
    return json.dumps(told).encode()
