"""What can be said of the locked packages without asking anybody: pinned, hashed, complete, and above the known faults.

A service that knows every advisory is not to be had everywhere; this runs in `make check`, offline. Whoever learns of a
fault in a package enters the first version without it in `FLOORS`, and the lock files must follow.
"""

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

FLOORS: Final = {
    "aiohttp": ("3.14.4", "PYSEC-2026-4371, CVE-2026-123817: ambiguous framing, memory"),
}
"""The first version of a package without its known faults, and which they are."""

IMPORTED_AS: Final = {"mmdb_writer": "mmdb-writer", "prometheus_client": "prometheus-client"}
"""Packages that are imported by another name than they are installed by."""

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<marker>[^\\]*)\\")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def read_lock(text: str) -> tuple[dict[str, set[Version]], list[str]]:
    """Return the versions of each package in a lock file, and what is wrong with its lines."""
    locked: dict[str, set[Version]] = {}
    problems: list[str] = []
    current, hashes = "", 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if _HASH.fullmatch(line):
            hashes += 1
            continue
        if line.startswith(("    #", "#")):
            continue
        if current and not hashes:
            problems.append(f"{current}: has no hash")
        current, hashes = "", 0
        if pin := _PIN.fullmatch(line):
            current = str(canonicalize_name(pin["name"]))
            locked.setdefault(current, set()).add(Version(pin["version"]))
        elif line.strip():
            problems.append(f"line {number}: is no pinned requirement with hashes")
    return locked, problems


def audit(locked: Mapping[str, set[Version]], wanted: Iterable[str]) -> list[str]:
    """Say which wanted requirements a lock file does not meet, and which packages have known faults."""
    problems = []
    for requirement in map(Requirement, wanted):
        name = str(canonicalize_name(requirement.name))
        if name not in locked:
            problems.append(f"{name}: is wanted and not locked")
        problems += [f"{name}: {each} is not {requirement.specifier}" for each in _beyond(locked, name, requirement)]
    for name, (floor, why) in FLOORS.items():
        problems += [
            f"{name}: {each} has known faults ({why})" for each in locked.get(name, ()) if each < Version(floor)
        ]
    return problems


def _beyond(locked: Mapping[str, set[Version]], name: str, requirement: Requirement) -> list[Version]:
    return [each for each in locked.get(name, ()) if not requirement.specifier.contains(each)]


def imports(folder: Path) -> dict[str, str]:
    """Return the packages that a folder's modules import from elsewhere, each with a module that does."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for top in {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {folder.name}:
                found.setdefault(str(canonicalize_name(IMPORTED_AS.get(top, top))), path.name)
    return found


def undeclared(found: Mapping[str, str], wanted: Iterable[str]) -> list[str]:
    """Say what is imported without being a dependency of one's own: it might go with the package that brings it."""
    declared = {str(canonicalize_name(Requirement(each).name)) for each in wanted}
    # pydantic-core is pydantic's own other half, and has its version.
    return [
        f"{name}: {where} imports it, and pyproject.toml does not name it"
        for name, where in found.items()
        if name not in declared | {"pydantic-core"}
    ]
