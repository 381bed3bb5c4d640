"""Databases that go bad under the gate: the last good one serves on, and no byte of a bad one reaches a judgement."""

import os
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from tests.edges.served import CN
from tests.reliability.scenario import Scenario
from tests.reliability.stage import ROOT, Stage

MAXMIND: Final = Path(os.environ.get("JOINGATE_MMDB_TEST_DATA", ROOT.parent / "shared" / "mmdb")) / "bad"


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(path)


def _write_over(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.write(content)


DAMAGE: Final[dict[str, Callable[[Path, bytes], object]]] = {
    "truncated to nothing": lambda path, _: os.truncate(path, 0),
    "truncated to a page": lambda path, _: os.truncate(path, 4096),
    "truncated by a byte": lambda path, good: os.truncate(path, len(good) - 1),
    "zeroed at the beginning": lambda path, _: _write_over(path, bytes(4096)),
    "overwritten with text": lambda path, good: _write_over(path, b"no database\n" * (len(good) // 12)),
    "replaced by nothing": lambda path, _: _replace(path, b""),
    "removed": lambda path, _: path.unlink(),
}


async def _is_as_before(stage: Stage, what: str, *, failed: int) -> None:
    """See that a reload was refused and that everybody is judged as before."""
    status = await stage.status()
    stage.expect(status["reloads"]["failed"] == failed, f"{what}: it was taken")
    stage.expect(status["state"] == "degraded", f"{what}: nobody is told")
    stage.expect(await stage.gate.rejected("ordered", CN) == 451, f"{what}: judged otherwise")
    stage.saw("refused, 451 as before")


async def damaged(stage: Stage, times: int) -> None:
    """Damage the file in its place while it is in use, and have it loaded."""
    path = stage.gate.folder.database
    good = path.read_bytes()
    for number, (what, damage) in enumerate(islice(cycle(DAMAGE.items()), times), 1):
        _replace(path, good)
        damage(path, good)
        stage.expect(await stage.gate.rejected("ordered", CN) == 451, f"{what}: judged otherwise before a reload")
        await stage.gate.reloaded()
        await _is_as_before(stage, what, failed=number)
    _replace(path, good)
    await stage.gate.reloaded()


async def bad_data(stage: Stage, times: int) -> None:
    """Put one after the other of MaxMind's bad databases in its place, and have it loaded."""
    path = stage.gate.folder.database
    good = path.read_bytes()
    for number, bad in enumerate(islice(cycle(sorted(MAXMIND.glob("*.mmdb"))), times), 1):
        _replace(path, bad.read_bytes())
        await stage.gate.reloaded()
        await _is_as_before(stage, bad.stem, failed=number)
    _replace(path, good)
    await stage.gate.reloaded()


async def swaps(stage: Stage, times: int) -> None:
    """Replace the file by a copy of the same, again and again."""
    path = stage.gate.folder.database
    good = path.read_bytes()
    for _ in range(times):
        _replace(path, good)
        status = await stage.gate.reloaded()
        stage.expect(status["reloads"]["failed"] == 0, "a good database was refused")
        stage.saw("taken")


DATABASES: Final = (
    Scenario(
        "the database damaged while in use: truncated, overwritten, emptied, removed; then a reload",
        "refused by a child process and told; the copy in memory serves on; whom an order means is rejected as before",
        damaged,
        len(DAMAGE),
        5 * len(DAMAGE),
    ),
    Scenario(
        "MaxMind's bad databases, one after the other, each with a reload",
        "refused by a child process and told; the last good one serves on",
        bad_data,
        13,
        52,
        unmet=lambda: None if MAXMIND.is_dir() else "MaxMind's test databases are not here",
    ),
    Scenario("the database replaced, each time with a reload", "in use at once; nobody inside notices", swaps, 5, 100),
)
