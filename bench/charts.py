"""Plots as SVG, by hand: lines over two axes, in the colours of the page they stand in, readable without it.

The same plot gives the same bytes on every machine. Beside each plot the page has a table of its points.
"""

import math
from collections.abc import Iterator
from html import escape

from bench.record import Plot, figure

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 48
DASHES = ("", "6 4", "2 3", "10 3 2 3")
COLOURS = ("#0b6e99", "#b3541e", "#4b7f2a", "#6b4fa0")


def draw(plot: Plot) -> str:
    """Return the plot as one SVG document."""
    points = [point for line in plot.lines.values() for point in line]
    if not points:
        raise ValueError(f"{plot.name} has no points")
    across = _Axis([x for x, _ in points], LEFT, WIDTH - RIGHT, log=plot.log_x, from_zero=not plot.ticks)
    up = _Axis([y for _, y in points], HEIGHT - BOTTOM, TOP, log=False, from_zero=True)
    parts = [*_frame(plot, across, up), *_lines(plot, across, up)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(plot.title)}" font-family="system-ui, sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


class _Axis:
    """From a number to a place on the page."""

    def __init__(self, values: list[float], first: float, last: float, *, log: bool, from_zero: bool) -> None:
        self.log = log
        self._first, self._last = first, last
        if log:
            self.low = math.log10(min(values))
            self.high = max(math.log10(max(values)), self.low + 1)
        else:
            self.low = min(0.0, *values) if from_zero else min(values)
            self.high = _round_up(max(values) - self.low) + self.low if from_zero else max(values)
            if self.high <= self.low:
                self.high = self.low + 1

    def at(self, value: float) -> float:
        share = ((math.log10(value) if self.log else value) - self.low) / (self.high - self.low)
        return self._first + (self._last - self._first) * share

    def marks(self) -> list[float]:
        """Return where the axis has numbers."""
        if self.log:
            return [10.0**power for power in range(math.ceil(self.low), math.floor(self.high) + 1)]
        return [self.low + (self.high - self.low) * step / 4 for step in range(5)]


def _round_up(value: float) -> float:
    """Return a number that quarters well and is not less than `value`."""
    if value <= 0:
        return 1.0
    scale = 10.0 ** math.floor(math.log10(value))
    return next(leading * scale for leading in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if leading * scale >= value)


def _frame(plot: Plot, across: _Axis, up: _Axis) -> Iterator[str]:
    yield f'<text x="{LEFT}" y="18" font-size="14" font-weight="600">{escape(plot.title)}</text>'
    for mark in up.marks():
        y = _short(up.at(mark))
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y}" dy="4" text-anchor="end">{figure(mark)}</text>'
    ticks = plot.ticks or tuple((mark, figure(mark)) for mark in across.marks())
    for at, label in ticks:
        x = _short(across.at(at))
        yield f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{escape(label)}</text>'
    middle = (LEFT + WIDTH - RIGHT) // 2
    yield f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(plot.x)}</text>'
    yield f'<text x="4" y="{TOP - 8}">{escape(plot.y)}</text>'


def _lines(plot: Plot, across: _Axis, up: _Axis) -> Iterator[str]:
    """Draw each line with a colour and a dash of its own, and its name at the top."""
    for at, (name, points) in enumerate(plot.lines.items()):
        style = f'stroke="{COLOURS[at % len(COLOURS)]}" stroke-dasharray="{DASHES[at % len(DASHES)]}"'
        path = " ".join(f"{_short(across.at(x))},{_short(up.at(y))}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke-width="2" {style}/>'
        x = WIDTH - RIGHT - 130 * (len(plot.lines) - at)
        yield f'<line x1="{x}" x2="{x + 24}" y1="{TOP - 12}" y2="{TOP - 12}" stroke-width="2" {style}/>'
        yield f'<text x="{x + 30}" y="{TOP - 8}">{escape(name)}</text>'


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
