"""Rounds that alternate: A B A B in one session, because machines are shared and their speed drifts.

Also what every benchmark's command line has in common, and what its exit status says: 0 where every target is met, 1
where one is missed or not shown, 2 where something could not be measured. A quick run shows nothing and misses nothing.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from bench.processes import NotMeasuredError
from bench.record import Notebook

Subject = TypeVar("Subject")
Measured = TypeVar("Measured")

ALL_MET, NOT_ALL_MET, NOT_MEASURED = 0, 1, 2


def alternate(
    subjects: dict[str, Subject], rounds: int, once: Callable[[Subject], Measured]
) -> dict[str, list[Measured]]:
    """Measure each subject once in every round. Who goes first alternates too: a slow moment then slows both."""
    found: dict[str, list[Measured]] = {name: [] for name in subjects}
    for number in range(rounds):
        names = list(subjects) if number % 2 == 0 else list(reversed(subjects))
        for name in names:
            say(f"round {number + 1} of {rounds}: {name}")
            found[name].append(once(subjects[name]))
    return found


def say(what: str) -> None:
    """Tell whoever waits how far it is."""
    print(f"  {what}", file=sys.stderr, flush=True)


def parser_of(doc: str | None, *, rounds: int) -> argparse.ArgumentParser:
    """Return a parser with the options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--quick", action="store_true", help="a run to see that it works; its figures mean little")
    parser.add_argument("--results", type=Path, help="folder that takes the results as JSON lines")
    return parser


def run(parser: argparse.ArgumentParser, measure: Callable[[argparse.Namespace, Notebook], None]) -> int:
    """Read the command line, measure, and return the exit status."""
    chosen = parser.parse_args()
    notebook = Notebook(chosen.results)
    try:
        measure(chosen, notebook)
    except (NotMeasuredError, OSError, subprocess.CalledProcessError) as error:
        print(f"not measured: {error}", file=sys.stderr)
        return NOT_MEASURED
    return ALL_MET if notebook.is_all_met or chosen.quick else NOT_ALL_MET


def quickly(chosen: argparse.Namespace, **values: float) -> None:
    """Replace options by smaller ones for --quick, except those that were given."""
    if chosen.quick:
        given = {word.split("=")[0].removeprefix("--") for word in sys.argv[1:] if word.startswith("--")}
        for name, value in values.items():
            if name not in given:
                setattr(chosen, name, value)


def column(rows: Sequence[Sequence[float]], at: int) -> list[float]:
    """Return one column of a table."""
    return [row[at] for row in rows]
