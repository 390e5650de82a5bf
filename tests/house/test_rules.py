"""The rules of the house that no linter knows. That each key of the configuration is explained: test_config.py."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _files(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")


def test_every_template_ships_in_the_wheel(shipped: set[str]) -> None:
    assert {f"sevtracker/{path.relative_to(ROOT)}" for path in _files(ROOT / "templates")} <= shipped


def test_every_file_of_the_package_ships_in_the_wheel(shipped: set[str]) -> None:
    assert {str(path.relative_to(ROOT)) for path in _files(ROOT / "sevtracker")} <= shipped


def test_nothing_else_ships_in_the_wheel(shipped: set[str]) -> None:
    assert {name.split("/")[0].partition("-")[0] for name in shipped} == {"sevtracker"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_is_pinned_by_hash_and_no_lock_names_a_registry(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "--index" not in text
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_the_test_lock_holds_the_same_versions_as_the_run_time_lock() -> None:
    run, test = (
        set(re.findall(r"^([a-z0-9-]+==[^ ;]+)", (ROOT / name).read_text(), flags=re.MULTILINE))
        for name in ("requirements.lock", "requirements-test.lock")
    )
    assert run <= test


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[<>=!~; ]", line)[0] for line in project["dependencies"]}
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE))
    assert wanted <= locked


_OPT_OUT = re.compile(r"#\s*(?:noqa|type: ignore)\b:?\s*(?:\[[\w\-, ]+\]|[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?(?P<reason>.*)$")


def test_every_lint_opt_out_carries_its_reason() -> None:
    """``# noqa: B018 - reading it validates it``: the next reader should not have to guess."""
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("sevtracker", "tests", "bench")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if (found := _OPT_OUT.search(line)) and len(re.findall(r"\w+", found["reason"])) < 2
    ]
    assert bare == []
