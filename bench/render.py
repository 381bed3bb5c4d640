"""From the records of a run to what people read: a table in Markdown, the plots as SVG, and one HTML page with both.

    python -m bench.render FOLDER

Reads `results.jsonl` and `plots.jsonl` in FOLDER; writes `table.md`, an SVG for each plot and `index.html` beside them.
"""

import argparse
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

from bench.charts import draw
from bench.record import NO_TARGET, Plot, Result, figure, read_plots, read_results

HEAD = ("", "question", "ours", "peer", "ratio", "interval, 95 %", "target", "verdict")

METHOD = (
    "Medians of rounds that alternate between the subjects; ratios are taken round by round. The interval is of what "
    "the target is about, and the verdict follows from the whole of it: where it lies on both sides of the target, "
    "nothing is shown. With fewer than 6 rounds it is the least and the greatest."
)

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
svg { max-width: 40rem; width: 100%; height: auto; }
"""


def main() -> int:
    """Render one folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    results = read_results(folder)
    if not results:
        print(f"{folder}: holds no results; make some with: python -m bench --results {folder}", file=sys.stderr)
        return 2
    render(folder, results, read_plots(folder))
    print(f"{folder}/index.html")
    return 0


def render(folder: Path, results: Sequence[Result], plots: Sequence[Plot]) -> None:
    """Write the table, the plots and the page."""
    (folder / "table.md").write_text(markdown(results))
    drawn = {plot.name: draw(plot) for plot in plots}
    for name, svg in drawn.items():
        (folder / f"{name}.svg").write_text(svg)
    (folder / "index.html").write_text(page(results, plots, drawn))


def markdown(results: Sequence[Result]) -> str:
    """Return the table and what it needs to be understood."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(_cells(result) for result in results)]
    table = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
    about = "\n".join(f"- {line}" for line in _about(results))
    commands = "\n".join(f"- `{command}`" for command in _commands(results))
    return f"{table}\n\n{METHOD}\n\n{about}\n\nCommands:\n{commands}\n"


def page(results: Sequence[Result], plots: Sequence[Plot], drawn: dict[str, str]) -> str:
    """Return one page that needs nothing else."""
    head = "".join(f"<th>{escape(name)}</th>" for name in HEAD)
    body = "\n".join(f"<tr>{_row(_cells(result))}</tr>" for result in results)
    figures = "\n".join(f"<figure>{drawn[plot.name]}{_points(plot)}</figure>" for plot in plots)
    about = "".join(f"<li>{escape(line)}</li>" for line in _about(results))
    commands = "".join(f"<li><code>{escape(command)}</code></li>" for command in _commands(results))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>joingate: benchmarks</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>\n'
        f"<h1>joingate: benchmarks</h1>\n<p>{escape(METHOD)}</p>\n<ul>{about}</ul>\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>\n"
        f"{figures}\n<h2>Commands</h2>\n<ul>{commands}</ul>\n</body></html>\n"
    )


def _cells(result: Result) -> tuple[str, ...]:
    peer = "" if result.peer is None else f"{figure(result.peer)} {result.unit} ({result.peer_name})"
    ratio = "" if result.ratio is None else figure(result.ratio)
    interval = "" if result.interval is None else f"{figure(result.interval[0])} to {figure(result.interval[1])}"
    ours = f"{figure(result.ours)} {result.unit}"
    target = "" if result.target == NO_TARGET else result.target
    verdict = "" if result.verdict == NO_TARGET else result.verdict
    return result.name, result.question, ours, peer, ratio, interval, target, verdict


def _row(cells: Sequence[str]) -> str:
    """Mark up one row; numbers stand in the columns from the third to the sixth."""
    return "".join(
        f'<td class="number">{escape(cell)}</td>' if 2 <= at <= 5 else f"<td>{escape(cell)}</td>"
        for at, cell in enumerate(cells)
    )


def _points(plot: Plot) -> str:
    """Return the plot's numbers for readers who cannot see it, at most 20 of a line."""
    lines = []
    for name, points in plot.lines.items():
        some = points[:: max(1, len(points) // 20)]
        said = "; ".join(f"{figure(x)}: {figure(y)}" for x, y in some)
        lines.append(f"<li>{escape(name)}: {said}</li>")
    return f"<details><summary>{escape(plot.y)} by {escape(plot.x)}</summary><ul>{''.join(lines)}</ul></details>"


def _about(results: Sequence[Result]) -> list[str]:
    """Say when and where, as often as that differs."""
    dates = sorted(result.date for result in results)
    machines = dict.fromkeys(result.machine.rpartition(", load")[0] for result in results)
    loads = [float(result.machine.rpartition(" ")[2]) for result in results]
    busy = f"load averages {min(loads):.1f} to {max(loads):.1f}, the benchmarks' own included"
    return [f"{dates[0]} to {dates[-1]}", *machines, busy]


def _commands(results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(result.command for result in results))


if __name__ == "__main__":
    sys.exit(main())
