"""The lock files are what they should be, and the audit would say so if they were not."""

import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

from tests.lock_audit import FLOORS, audit, imports, read_lock, undeclared

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WANTED = PROJECT["project"]["dependencies"]
GROUPS = {
    name: [each for each in group if isinstance(each, str)] for name, group in PROJECT["dependency-groups"].items()
}
LOCKS = {
    "requirements.lock": WANTED,
    "requirements-dev.lock": WANTED + GROUPS["dev"],
    "tests/integration/requirements.lock": WANTED + GROUPS["dev"] + GROUPS["integration"],
}
HASHED = "    --hash=sha256:" + "0" * 64 + "\n"


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_hashed_wanted_and_above_known_faults(name: str) -> None:
    locked, problems = read_lock((ROOT / name).read_text())
    assert len(locked) >= 12
    assert problems + audit(locked, LOCKS[name]) == []


def test_what_is_imported_is_declared() -> None:
    found = imports(ROOT / "src" / "joingate")
    assert {"aiohttp", "uvloop", "httptools"} <= set(found)
    assert undeclared(found, WANTED) == []


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a==1.0 \\\n" + HASHED, []),
        ("a==1.0 ; python_version < '3.12' \\\n" + HASHED + "    # via b\n", []),
        ("a==1.0 \\\n    # via b\n", ["a: has no hash"]),
        ("a==1.0 \\\n    --hash=md5:0\n", ["a: has no hash", "line 2: is no pinned requirement with hashes"]),
        ("a>=1.0 \\\n" + HASHED, ["line 1: is no pinned requirement with hashes"]),
        ("--index-url https://example.org\n", ["line 1: is no pinned requirement with hashes"]),
        ("a @ https://example.org/a.whl \\\n" + HASHED, ["line 1: is no pinned requirement with hashes"]),
    ],
)
def test_what_is_wrong_with_a_line(text: str, problems: list[str]) -> None:
    assert read_lock(text)[1] == problems


def test_what_is_wrong_with_a_lock() -> None:
    locked = {"aiohttp": {Version("3.14.3")}, "b": {Version("1")}}
    assert audit(locked, ["aiohttp>=3", "B>=2", "c"]) == [
        "b: 1 is not >=2",
        "c: is wanted and not locked",
        f"aiohttp: 3.14.3 has known faults ({FLOORS['aiohttp'][1]})",
    ]


def test_what_is_imported_and_not_declared(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("import os, aiohttp.web\nfrom stray.sub import x\nfrom . import y\n")
    assert undeclared(imports(tmp_path), ["AioHTTP>=3"]) == [
        "stray: m.py imports it, and pyproject.toml does not name it"
    ]
