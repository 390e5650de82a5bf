"""The kind ``filesystem``: can this user of the worker's machine open a file? See docs/checks/filesystem.md."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from sevtracker.checks import opening
from sevtracker.checks.interface import (
    MAX_LANE,
    Access,
    Attempt,
    CheckKind,
    CheckParams,
    Locator,
    Result,
    Step,
    Suggestion,
)
from sevtracker.checks.local import LocalRules
from sevtracker.checks.opening import Found, Job
from sevtracker.checks.processes import run_bounded
from sevtracker.config import plain_path
from sevtracker.domain.vocabulary import Phase, Reason

#: ``-I -S``: no environment, no site packages. ``-X utf8``: names are bytes of UTF-8, whatever the locale.
_PROGRAM = (sys.executable, "-I", "-S", "-B", "-X", "utf8", opening.__file__)
_CAP = 1_000_000
#: The program's own alarm rings so much later than its deadline here.
_GRACE = 1.0

Meaning = tuple[Result, Reason, str]
_MEANINGS: dict[str, Meaning] = {
    "opened": (Result.got_in, Reason.file_opened, "opened for reading"),
    "listed": (Result.got_in, Reason.file_opened, "the folder can be listed"),
    "by_real_path": (Result.got_in, Reason.file_opened, "denied by this path, and opened by the one that it leads to"),
    "by_name": (
        Result.got_in,
        Reason.file_opened,
        "the folder cannot be listed, and files in it can be opened by name",
    ),
    "empty": (Result.empty, Reason.empty, "the folder can be listed, and is empty"),
    "special": (Result.trouble, Reason.target_changed, "neither a file nor a folder; it was not opened"),
    "refused": (
        Result.trouble,
        Reason.blocked_by_policy,
        "a symbolic link leads to a place that is not in targets.paths",
    ),
}
_ERRORS: dict[str, Meaning] = {
    **dict.fromkeys(("EACCES", "EPERM"), (Result.denied, Reason.denied, "denied")),
    **dict.fromkeys(("ENOENT", "ENOTDIR"), (Result.absent, Reason.hidden, "there is nothing of that name")),
    "ETIMEDOUT": (Result.trouble, Reason.timeout, "the file system did not answer in time"),
}
_NOT_TRIED: dict[str, tuple[Reason, str]] = {
    "nobody": (Reason.auth_failed, "this machine has no such user"),
    "not_permitted": (
        Reason.not_permitted,
        "the worker may not become another user: run it as root, or with CAP_SETUID and CAP_SETGID",
    ),
    "not_become": (Reason.not_permitted, "the worker could not become that user"),
}


class FilesystemParams(CheckParams):
    """Whose door it is: ``uid`` or ``user``; without either, the one whose name is the identity's user name."""

    path: Annotated[str, Field(max_length=900), AfterValidator(plain_path)] = Field(
        description="The file or folder, as an absolute path on the worker's machine, inside one of targets.paths"
    )
    uid: int | None = Field(default=None, ge=0, lt=2**32 - 1, description="Number of the user to try it as")
    user: str | None = Field(
        default=None,
        pattern=r"^[^\x00-\x20:/]{1,256}$",
        description="Name of the user to try it as; without it and uid: the identity's user name",
    )

    twins_fixed: ClassVar[frozenset[str]] = frozenset({"uid", "user"})

    @model_validator(mode="after")
    def _one_of_both(self) -> FilesystemParams:
        if self.uid is not None and self.user is not None:
            raise ValueError("give uid or user, not both")
        return self


class FilesystemKind(CheckKind[FilesystemParams]):
    """A process becomes the user and opens the path, so that mode, ACL, folders above and mount all have their say."""

    name = "filesystem"
    bounded = True
    params = FilesystemParams

    def locate(self, params: FilesystemParams) -> Locator:
        """One lane for the first two folders: about what is mounted, and hangs, as one."""
        lane = "local:" + "/".join(params.path.split("/")[:3])
        return Locator(f"file://{params.path}", (), lane=lane[:MAX_LANE])

    def refuse(self, params: FilesystemParams, local: LocalRules) -> Iterator[tuple[str, str]]:
        if reason := local.refusal(params.path):
            yield "path", f"{params.path} is refused: {reason}."

    def needs_user_name(self, params: FilesystemParams, *, is_control: bool) -> bool:
        return is_control or (params.uid is None and params.user is None)

    def attempt(self, params: FilesystemParams, access: Access) -> Attempt:
        """1. self-test: become the user. 2. target: open the path as them."""
        job = _job(params, access)
        if job["uid"] is None and job["user"] is None:
            return _not_tried(Reason.auth_failed, "the identity has no username, so there is nobody to become", 0.0)
        began = access.clock.monotonic()
        ended = run_bounded([*_PROGRAM, json.dumps(job)], timeout=access.timeout, cap=_CAP, env={})
        ms = (access.clock.monotonic() - began) * 1000
        if ended.code in (None, -signal.SIGALRM):
            step = Step(Phase.target, False, "the file system did not answer in time", ms)
            return Attempt(Result.trouble, Reason.timeout, Phase.target, (step,))
        try:
            found: Found = json.loads(ended.output if ended.code == 0 else b"")
        except ValueError:
            return _not_tried(Reason.plugin_error, "the program that opens files failed", ms)
        if found["ended"] in _NOT_TRIED:
            return _not_tried(*_NOT_TRIED[found["ended"]], ms)
        result, reason, note = _meaning(found)
        steps = (
            Step(Phase.self_test, True, "became the user, with its groups and no more", 0.0),
            Step(Phase.target, result is not Result.trouble, note + _names(found), ms),
        )
        return Attempt(result, reason, Phase.target, steps, suggestions=tuple(_suggestions(params, found)))


def _job(params: FilesystemParams, access: Access) -> Job:
    """The control is always who it says it is: ``uid`` and ``user`` are about the one who must not get in."""
    named = params.uid is not None or params.user is not None
    theirs = access.is_control or not named
    return {
        "path": params.path,
        "uid": None if theirs else params.uid,
        "user": access.credentials.username if theirs else params.user,
        "roots": access.local.paths,
        "own": access.local.own,
        "seconds": access.timeout + _GRACE,
        "is_control": access.is_control,
    }


def _meaning(found: Found) -> Meaning:
    if found["ended"] in _MEANINGS:
        return _MEANINGS[found["ended"]]
    error = found.get("error", "")
    return _ERRORS.get(error, (Result.trouble, Reason.unreachable, f"the file system failed with {error}"))


def _names(found: Found) -> str:
    if found.get("names", 1) < 2:
        return ""
    return f". The file has {found['names']} names (hard links): a way in by another one is a check of its own"


def _suggestions(params: FilesystemParams, found: Found) -> Iterator[Suggestion]:
    who = {"uid": params.uid} if params.uid is not None else {"user": params.user} if params.user is not None else {}
    for path in found.get("also", ()):
        yield Suggestion("filesystem", {"path": path, **who}, f"Another name (hard link) of {params.path}.")


def _not_tried(reason: Reason, note: str, ms: float) -> Attempt:
    return Attempt(Result.trouble, reason, Phase.self_test, (Step(Phase.self_test, False, note, ms),))
