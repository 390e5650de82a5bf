"""The kind ``filesystem``, with real users, modes, ACLs and links."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sevtracker.checks import filesystem, opening
from sevtracker.checks.environment import environment_from
from sevtracker.checks.interface import Definition, Observation, Result
from sevtracker.checks.local import LocalRules
from sevtracker.checks.probing import validate
from sevtracker.clock import SystemClock
from sevtracker.config import Settings
from sevtracker.errors import InputError
from tests.checks.machine import FRIEND, STRANGER, accounts, file_of, let_read, needs_root, people, reachable_folder
from tests.checks.sites import World, outcome

pytestmark = needs_root

OPEN = ("open", "file_opened")
CLOSED = ("closed", "denied")


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as path:
        yield path


def look(
    folder: Path, path: Path | str, control: str | None = "owner", who: str = "employee", **params: Any
) -> Observation:
    world = World(identities=dict(people()), local=LocalRules(paths=(str(folder),)))
    return world.look("filesystem", {"path": str(path), **params}, who, control)


def wrong(
    folder: Path | str, identity: str = "employee", control: str | None = "owner", **params: Any
) -> dict[str, str]:
    world = World(identities=dict(people()), local=LocalRules(paths=(str(folder),), own=("/srv/own.db",)))
    with pytest.raises(InputError) as caught:
        validate(world.kinds, world.environment, Definition("filesystem", identity, control, params))
    return {error.field: error.message for error in caught.value.errors}


def owner() -> str:
    return accounts()[1]


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_a_mode_decides(folder: Path) -> None:
    file = file_of(folder, owner())
    assert outcome(look(folder, file, uid=STRANGER)) == CLOSED
    file.chmod(0o604)
    assert outcome(look(folder, file, uid=STRANGER)) == OPEN


def test_a_group_lets_its_members_in_and_nobody_else(folder: Path) -> None:
    staff = pwd.getpwnam(accounts()[0])
    file = file_of(folder, owner())
    os.chown(file, -1, staff.pw_gid)
    file.chmod(0o640)
    for params in ({}, {"user": staff.pw_name}, {"uid": staff.pw_uid}):
        assert outcome(look(folder, file, **params)) == OPEN
    assert outcome(look(folder, file, uid=STRANGER)) == CLOSED


def test_a_mode_is_not_all_an_acl_lets_another_user_in(folder: Path) -> None:
    file = file_of(folder, owner())
    let_read(file, FRIEND)
    assert file.stat().st_mode & 0o007 == 0
    assert outcome(look(folder, file, uid=FRIEND)) == OPEN
    assert outcome(look(folder, file, uid=STRANGER)) == CLOSED


def test_a_folder_above_can_be_what_is_closed(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    file = file_of(inner, owner(), mode=0o644)
    os.chown(inner, file.stat().st_uid, 0)
    inner.chmod(0o700)
    assert outcome(look(folder, file, uid=STRANGER)) == CLOSED
    inner.chmod(0o711)
    assert outcome(look(folder, file, uid=STRANGER)) == OPEN


def test_a_denial_is_worth_nothing_when_the_control_is_denied_too_or_there_is_none(folder: Path) -> None:
    file = file_of(folder, "root")
    assert outcome(look(folder, file, uid=STRANGER)) == ("inconclusive", "control_failed")
    assert outcome(look(folder, file, uid=STRANGER, control=None)) == ("inconclusive", "control_failed")


def test_nothing_there_is_no_denial(folder: Path) -> None:
    file = file_of(folder, owner())
    for path in (folder / "rows-old.csv", file / "below-a-file"):
        assert outcome(look(folder, path, uid=STRANGER)) == ("inconclusive", "control_failed")


def test_uid_and_user_are_about_the_identity_and_never_about_the_control(folder: Path) -> None:
    file = file_of(folder, owner())
    seen = look(folder, file, user=accounts()[0])
    assert (outcome(seen), seen.control) == (CLOSED, Result.got_in)


def test_an_account_that_is_gone_is_no_denial(folder: Path) -> None:
    file = file_of(folder, owner())
    assert outcome(look(folder, file, who="ghost")) == ("inconclusive", "auth_failed")
    assert outcome(look(folder, file, user="no-such-account")) == ("inconclusive", "auth_failed")
    assert outcome(look(folder, file, who="nameless")) == ("inconclusive", "auth_failed")
    assert outcome(look(folder, file, control="ghost")) == ("inconclusive", "control_failed")


# --- Ways around -----------------------------------------------------------------------------------------------------


def test_another_name_in_the_same_folder_is_suggested(folder: Path) -> None:
    file = file_of(folder, owner(), mode=0o644)
    (folder / "rows-copy.csv").hardlink_to(file)
    (folder / "other.csv").write_text("not the same")
    seen = look(folder, file, uid=STRANGER)
    assert outcome(seen) == OPEN
    assert "2 names (hard links)" in seen.steps[-1].note
    params = {"path": str(folder / "rows-copy.csv"), "uid": STRANGER}
    [found] = seen.suggestions
    assert (found.kind, found.params, found.why) == ("filesystem", params, f"Another name (hard link) of {file}.")
    assert outcome(look(folder, params["path"], uid=STRANGER)) == OPEN


def test_another_name_elsewhere_is_told_of_though_not_found(folder: Path) -> None:
    inner, public = folder / "inner", folder / "public"
    inner.mkdir(mode=0o700)
    public.mkdir()
    file = file_of(inner, owner(), mode=0o644)
    os.chown(inner, file.stat().st_uid, 0)
    (public / "rows.csv").hardlink_to(file)
    seen = look(folder, file, uid=STRANGER)
    assert (outcome(seen), seen.suggestions) == (CLOSED, ())
    assert any("2 names (hard links)" in step.note for step in seen.steps)
    assert outcome(look(folder, public / "rows.csv", uid=STRANGER)) == OPEN


def test_a_symbolic_link_is_followed_as_the_user_would(folder: Path) -> None:
    file, link = file_of(folder, owner()), folder / "link"
    link.symlink_to(file.name)
    assert outcome(look(folder, link, uid=STRANGER)) == CLOSED
    file.chmod(0o644)
    assert outcome(look(folder, link, uid=STRANGER)) == OPEN


def test_a_closed_folder_with_a_link_in_it_does_not_close_what_the_link_leads_to(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir(mode=0o700)
    os.chown(inner, *(file_of(folder, owner(), mode=0o644).stat().st_uid, 0))
    (inner / "link").symlink_to(folder / "rows.csv")
    seen = look(folder, inner / "link", uid=STRANGER)
    assert outcome(seen) == OPEN
    assert "by the one that it leads to" in seen.steps[-1].note


def test_a_folder_is_open_when_it_can_be_listed(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    file = file_of(inner, owner())
    os.chown(inner, file.stat().st_uid, 0)
    assert outcome(look(folder, inner, uid=STRANGER)) == OPEN
    inner.chmod(0o700)
    assert outcome(look(folder, inner, uid=STRANGER)) == CLOSED
    inner.chmod(0o711)
    assert outcome(look(folder, inner, uid=STRANGER)) == CLOSED
    file.chmod(0o644)  # the folder still can't be listed, and whoever knows the name gets in
    seen = look(folder, inner, uid=STRANGER)
    assert outcome(seen) == OPEN
    assert "by name" in seen.steps[-1].note
    assert "rows.csv" not in repr(seen)


def test_a_control_has_to_list_the_folder(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    inner.chmod(0o711)
    file_of(inner, owner(), mode=0o600)
    assert outcome(look(folder, inner, uid=STRANGER)) == ("inconclusive", "control_failed")


def test_an_empty_folder_is_no_proof_of_anything(folder: Path) -> None:
    inner = folder / "mount-point"  # what is left when the volume is not mounted
    inner.mkdir(mode=0o755)
    assert outcome(look(folder, inner, uid=STRANGER)) == ("inconclusive", "empty")


# --- What is not opened ----------------------------------------------------------------------------------------------


def test_a_fifo_a_socket_and_a_device_are_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "fifo", 0o666)
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(folder / "socket"))
        (folder / "socket").chmod(0o666)
        began = time.monotonic()
        for name in ("fifo", "socket"):
            (folder / name).chmod(0o666)
            assert outcome(look(folder, folder / name, uid=STRANGER)) == ("inconclusive", "target_changed")
        assert time.monotonic() - began < 5
    try:
        os.mknod(folder / "null", 0o666 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        return  # a container without CAP_MKNOD; the FIFO has shown it
    assert outcome(look(folder, folder / "null", uid=STRANGER)) == ("inconclusive", "target_changed")


def test_circles_of_links_are_trouble(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    assert outcome(look(folder, folder / "a", uid=STRANGER)) == ("inconclusive", "unreachable")


def test_a_file_system_that_hangs_is_a_timeout_and_leaves_no_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = folder / "pids"
    hang = f"sleep 60 & echo $! >> {pids}; echo $$ >> {pids}; wait"
    monkeypatch.setattr(filesystem, "_PROGRAM", ("/bin/sh", "-c", hang))
    began = time.monotonic()
    assert outcome(look(folder, folder / "rows.csv", uid=STRANGER, timeout=0.5)) == ("inconclusive", "timeout")
    assert time.monotonic() - began < 5
    for pid in pids.read_text().split():
        assert _gone(int(pid))


def _gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *(("EACCES", CLOSED), ("EPERM", CLOSED), ("ENOENT", ("closed", "hidden")), ("ENOTDIR", ("closed", "hidden"))),
        *((name, ("inconclusive", "unreachable")) for name in ("EIO", "ESTALE", "ENXIO", "EMFILE", "ENAMETOOLONG")),
        ("ETIMEDOUT", ("inconclusive", "timeout")),
    ],
)
def test_only_a_denial_is_a_denial(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: str, expected: tuple[str, str]
) -> None:
    answer = """case $0 in *'"is_control": true'*) e=opened;; *) e=error;; esac"""
    answer += f"""; printf '{{"ended": "%s", "error": "{error}"}}' $e"""
    monkeypatch.setattr(filesystem, "_PROGRAM", ("/bin/sh", "-c", answer))
    assert outcome(look(folder, folder / "rows.csv", uid=STRANGER)) == expected


@pytest.mark.parametrize("says", ["exit 1", "echo nonsense", "kill -9 $$", ":"])
def test_a_program_that_fails_is_trouble(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    monkeypatch.setattr(filesystem, "_PROGRAM", ("/bin/sh", "-c", says))
    assert outcome(look(folder, folder / "rows.csv", uid=STRANGER)) == ("inconclusive", "plugin_error")


# --- Where it may look -----------------------------------------------------------------------------------------------


def test_a_path_outside_the_list_is_refused_on_saving_and_on_every_run(folder: Path) -> None:
    file = file_of(folder, owner())
    inner = folder / "inner"
    inner.mkdir()
    for rules in (inner, folder / "rows"):
        told = wrong(rules, path=str(file), uid=STRANGER)
        assert told == {"params.path": f"{file} is refused: it is in none of the folders of targets.paths, which an"
                        " administrator configures."}  # fmt: skip
        seen = look(rules, file, uid=STRANGER)
        assert outcome(seen) == ("inconclusive", "blocked_by_policy")
        assert "targets.paths" in seen.steps[-1].note


def test_a_link_that_leads_out_is_not_followed(folder: Path) -> None:
    inside, outside = folder / "inside", folder / "outside"
    inside.mkdir()
    outside.mkdir()
    secret = file_of(outside, owner(), "canary-name.csv", mode=0o644)
    (inside / "link").symlink_to(secret)
    (inside / "way").symlink_to(outside)
    for path in (inside / "link", inside / "way" / secret.name):
        seen = look(inside, path, uid=STRANGER)
        assert outcome(seen) == ("inconclusive", "blocked_by_policy")
        assert str(outside) not in repr(seen)
    outside.chmod(0o700)  # not even whether the user is denied there is told
    assert outcome(look(inside, inside / "link", uid=STRANGER)) == ("inconclusive", "blocked_by_policy")


def test_a_link_that_is_turned_outwards_meanwhile_is_not_followed(folder: Path) -> None:
    inside = folder / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(file_of(folder, owner(), mode=0o644))
    first = "opening.os.path.realpath = lambda path: path"
    assert as_worker(inside, inside / "link", FRIEND, *_CAPABILITIES, first=first)["ended"] == "refused"


def test_a_list_may_name_a_folder_by_a_link(folder: Path) -> None:
    real = folder / "real"
    real.mkdir()
    file_of(real, owner(), mode=0o644)
    (folder / "data").symlink_to(real)
    assert outcome(look(folder / "data", folder / "data" / "rows.csv", uid=STRANGER)) == OPEN


@pytest.mark.parametrize("path", ["/proc/self/environ", "/sys/kernel", "/dev/sda", "/dev", "/srv/own.db"])
def test_some_places_are_refused_whatever_is_listed(path: str) -> None:
    assert set(wrong("/", path=path, uid=STRANGER)) == {"params.path"}


def test_the_trackers_own_files_are_known(folder: Path) -> None:
    settings = Settings.model_validate(
        {"database": {"url": f"sqlite:///{folder}/sev.db"}, "targets": {"paths": [str(folder)]}}
    )
    local = environment_from(settings, SystemClock()).local
    for name in ("sev.db", "sev.db-wal", "sev.db-shm", "secret_key"):
        assert "own files" in (local.refusal(f"{folder}/{name}") or "")
    assert local.refusal(f"{folder}/rows.csv") is None
    (folder / "link").symlink_to("sev.db")
    (folder / "sev.db").write_text("")
    world = World(identities=dict(people()), local=local)
    seen = world.look("filesystem", {"path": f"{folder}/link", "uid": STRANGER}, "employee", "owner")
    assert outcome(seen) == ("inconclusive", "blocked_by_policy")


@pytest.mark.parametrize(
    "path", ["", "rows.csv", "/srv/../etc/passwd", "/srv//a", "//srv/a", "/srv/a/", "/srv/./a", "/a\0b", "/a\nb"]
)
def test_a_path_is_written_in_one_way(path: str) -> None:
    assert set(wrong("/", path=path)) == {"params.path"}


def test_whom_to_try_is_said_once(folder: Path) -> None:
    assert "not both" in wrong(folder, path=f"{folder}/a", uid=1, user="x")["params"]
    assert set(wrong(folder, path=f"{folder}/a", uid=-1)) == {"params.uid"}
    assert set(wrong(folder, path=f"{folder}/a", user="a:b")) == {"params.user"}
    assert "username" in wrong(folder, "nameless", path=f"{folder}/a")["identity"]
    assert set(wrong(folder, "employee", "nameless", path=f"{folder}/a", uid=1)) == {"control"}


def test_a_saved_check_has_a_lane_of_its_folder(folder: Path) -> None:
    world = World(identities=dict(people()), local=LocalRules(paths=("/srv",)))
    given = {"path": "/srv/hr/events/rows.csv", "uid": STRANGER}
    saved = validate(world.kinds, world.environment, Definition("filesystem", "anonymous", "owner", given))
    assert (saved.locator.text, saved.target_key) == ("file:///srv/hr/events/rows.csv", "local:/srv/hr")
    assert saved.params == given | {"timeout": 10.0}


# --- What the worker may ---------------------------------------------------------------------------------------------

#: The program, run by a worker that is not root. ``keep`` capabilities, as a service may be given them.
_AS_WORKER = """
import ctypes, os, sys
sys.path.append(sys.argv.pop(1))
import opening
exec(sys.argv.pop(1))
libc, keep = ctypes.CDLL(None), int(sys.argv.pop(1))
libc.prctl(8, 1, 0, 0, 0)
os.setgroups([]); os.setresgid(12345, 12345, 12345); os.setresuid(12345, 12345, 12345)
libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(keep, keep, keep, 0, 0, 0))
opening.main()
"""
_CAPABILITIES = {"CAP_DAC_OVERRIDE": 1, "CAP_DAC_READ_SEARCH": 2, "CAP_SETGID": 6, "CAP_SETUID": 7}


def as_worker(
    folder: Path, path: Path, uid: int, *capabilities: str, first: str = "", seconds: float = 10
) -> opening.Found:
    job = {"path": str(path), "uid": uid, "user": None, "roots": [str(folder)], "own": [], "seconds": seconds}
    keep = sum(1 << _CAPABILITIES[name] for name in capabilities)
    home = str(Path(opening.__file__).parent)
    told = json.dumps(job | {"is_control": False})
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _AS_WORKER, home, first, str(keep), told], capture_output=True, check=True
    )
    found: opening.Found = json.loads(done.stdout)
    return found


def test_a_worker_without_the_right_to_become_others_says_so(folder: Path) -> None:
    file = file_of(folder, owner(), mode=0o644)
    assert as_worker(folder, file, FRIEND)["ended"] == "not_permitted"
    assert as_worker(folder, file, FRIEND, "CAP_SETUID")["ended"] == "not_permitted"
    assert as_worker(folder, file, FRIEND, "CAP_SETUID", "CAP_SETGID")["ended"] == "opened"


def test_a_worker_may_always_try_its_own_user(folder: Path) -> None:
    file = file_of(folder, owner(), mode=0o604)
    first = "opening._account = lambda uid, user: (uid, 12345, [12345])"
    assert as_worker(folder, file, STRANGER, first=first)["ended"] == "opened"
    file.chmod(0o600)
    assert as_worker(folder, file, STRANGER, first=first)["error"] == "EACCES"


def test_what_not_permitted_needs_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.dumps({"ended": "not_permitted"})
    monkeypatch.setattr(filesystem, "_PROGRAM", ("/bin/echo", "-n", told, "#"))
    monkeypatch.setattr(filesystem.json, "loads", lambda text: json.JSONDecoder().raw_decode(text.decode())[0])
    seen = look(folder, folder / "rows.csv", uid=STRANGER)
    assert outcome(seen) == ("inconclusive", "not_permitted")
    assert "CAP_SETUID and CAP_SETGID" in seen.steps[-1].note


def test_further_groups_of_an_account_count(folder: Path) -> None:
    file = file_of(folder, "root", mode=0o640)
    for gid, ended in ((4242, "opened"), (4243, "error")):
        os.chown(file, 0, gid)
        first = "opening._account = lambda uid, user: (uid, 65534, [65534, 4242])"
        assert as_worker(folder, file, FRIEND, "CAP_SETUID", "CAP_SETGID", first=first)["ended"] == ended


def test_no_capability_of_the_worker_opens_a_door(folder: Path) -> None:
    file = file_of(folder, owner())
    every = as_worker(folder, file, FRIEND, *_CAPABILITIES)
    assert (every["ended"], every["error"]) == ("error", "EACCES")


def test_a_program_that_nobody_may_kill_ends_by_its_own_alarm(folder: Path) -> None:
    first = "import time; opening.tried = lambda job: time.sleep(60)"
    with pytest.raises(subprocess.CalledProcessError) as died:
        as_worker(folder, folder / "rows.csv", FRIEND, first=first, seconds=0.3)
    assert died.value.returncode == -signal.SIGALRM


def test_names_are_utf_8_whatever_the_locale(folder: Path) -> None:
    file = file_of(folder, owner(), "Gehälter 2026 – €.csv", mode=0o644)
    assert outcome(look(folder, file, uid=STRANGER)) == OPEN


def test_nothing_of_a_file_is_kept(folder: Path) -> None:
    file = file_of(folder, owner(), mode=0o644)
    assert "078-05-1120" not in repr(look(folder, file, uid=STRANGER))
