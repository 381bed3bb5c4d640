"""What a benchmark leaves behind: one line of JSON for each figure, and one for each plot.

A figure is the median of its rounds. Its interval is that of the quantity the target is about, most often the ratio to
the peer taken round by round, and its verdict follows from the whole interval (`bench.spread`).
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.circumstances import command_line, minute_now, this_machine
from bench.spread import interval_of_median, verdict

MET = "met"
NO_TARGET = "-"
RESULTS, PLOTS = "results.jsonl", "plots.jsonl"


@dataclass(frozen=True, slots=True)
class Result:
    """One figure.

    Attributes:
        name: the target's in DESIGN section 10, with what tells its figures apart.
        question: what was measured.
        unit: of `ours` and `peer`.
        ours: the median of the rounds.
        peer: likewise, of what it is held against; None where there is no peer.
        peer_name: what that is.
        ratio: the median of the ratios, taken round by round; None where a ratio means nothing.
        interval: of the quantity that the target is about.
        target: in words; NO_TARGET where the figure is there for comparison.
        verdict: met, missed, not shown, or NO_TARGET.
        command: what was run.
        date: in UTC, to the minute.
        machine: on what.
    """

    name: str
    question: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str
    ratio: float | None
    interval: tuple[float, float] | None
    target: str
    verdict: str
    command: str = field(default_factory=command_line)
    date: str = field(default_factory=minute_now)
    machine: str = field(default_factory=this_machine)


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over one pair of axes.

    Attributes:
        name: of its file, without the ending.
        lines: points by the line's name.
        log_x: whether equal distances to the right mean equal factors.
        ticks: what stands at the x axis instead of numbers.
    """

    name: str
    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]
    log_x: bool = False
    ticks: tuple[tuple[float, str], ...] = ()


class Notebook:
    """Takes results and plots of one benchmark, prints them, and writes them down where a folder is given."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.is_all_met = True
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def compare(
        self,
        name: str,
        question: str,
        unit: str,
        ours: Sequence[float],
        peers: Sequence[float],
        *,
        peer_name: str,
        limit: float | None = None,
    ) -> Result:
        """Hold the rounds of ours against the peer's, pair by pair; `limit` is the greatest ratio that will do."""
        ratios = [one / other for one, other in zip(ours, peers, strict=True)]
        ratio = statistics.median(ratios)
        said = NO_TARGET if limit is None else f"<= {limit:g} x {peer_name}"
        found = NO_TARGET if limit is None else verdict(ratios, limit)
        middles = statistics.median(ours), statistics.median(peers)
        interval = interval_of_median(ratios)
        return self.keep(Result(name, question, unit, *middles, peer_name, ratio, interval, said, found))

    def hold(
        self, name: str, question: str, unit: str, values: Sequence[float], *, limit: float | None = None
    ) -> Result:
        """Hold the rounds against a limit in the figure's own unit."""
        said = NO_TARGET if limit is None else f"<= {limit:g} {unit}"
        found = NO_TARGET if limit is None else verdict(values, limit)
        middle = statistics.median(values)
        return self.keep(Result(name, question, unit, middle, None, "", None, interval_of_median(values), said, found))

    def keep(self, result: Result) -> Result:
        """Take one figure as it is."""
        self.is_all_met &= result.verdict in {MET, NO_TARGET}
        print(sentence(result), flush=True)
        self._append(RESULTS, asdict(result))
        return result

    def plot(self, plot: Plot) -> None:
        """Take one plot."""
        self._append(PLOTS, asdict(plot))

    def _append(self, name: str, entry: dict[str, Any]) -> None:
        if self._folder is not None:
            with (self._folder / name).open("a") as file:
                file.write(json.dumps(entry) + "\n")


def read_results(folder: Path) -> list[Result]:
    """Return what the benchmarks have written into `folder`."""
    found = []
    for entry in _lines(folder / RESULTS):
        interval = entry.pop("interval")
        found.append(Result(**entry, interval=None if interval is None else (interval[0], interval[1])))
    return found


def read_plots(folder: Path) -> list[Plot]:
    """Return the plots in `folder`; of several with one name, the last."""
    found = {}
    for entry in _lines(folder / PLOTS):
        lines = {name: [(x, y) for x, y in points] for name, points in entry.pop("lines").items()}
        ticks = tuple((at, label) for at, label in entry.pop("ticks"))
        found[entry["name"]] = Plot(**entry, lines=lines, ticks=ticks)
    return list(found.values())


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def sentence(result: Result) -> str:
    """Say a result in one line."""
    said = f"{result.name}: {result.question}: {figure(result.ours)} {result.unit}"
    if result.peer is not None:
        said += f"; {result.peer_name} {figure(result.peer)}"
    if result.ratio is not None:
        said += f"; ratio {result.ratio:.3g}"
    if result.interval is not None:
        said += f"; 95 %: {figure(result.interval[0])} to {figure(result.interval[1])}"
    return said if result.target == NO_TARGET else f"{said}; target {result.target}: {result.verdict}"


def figure(value: float) -> str:
    """Write a number with the three digits that may mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
