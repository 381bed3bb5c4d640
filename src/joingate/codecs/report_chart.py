"""The report's charts: inline SVG of bars, as wide as there is room, with texts that stay as large as they are.

Widths are percentages and heights are pixels, so nothing is scaled. A bar stands for a number that is shown; a mask is
a stub of one fixed size, whatever it hides, and no scale is drawn from hidden numbers. Beside each chart the page has a
table of the same numbers, so a reader who cannot see the chart loses nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from joingate.codecs.page import text
from joingate.codecs.report_tables import number
from joingate.core.suppression import Mask, Shown

MOST_BARS: Final = 24
"""Pairs of bars, one below the other, that a chart draws."""

FIRST, SECOND, MASKED = "first", "second", "masked"

_STUB = {Mask.FEW: 8, Mask.SOME: 16, Mask.ANY: 16}  # pixels
_AXIS = 11  # per cent of the width, for the numbers of a scale
_TOP, _TALL = 14, 192  # pixels

PATTERNS: Final = (
    '<svg class="patterns" aria-hidden="true"><defs>'
    '<pattern id="second" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path class="stripe" d="M1.5 0v6"/></pattern>'
    '<pattern id="masked" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<circle class="dot" cx="1.5" cy="1.5" r="1"/></pattern>'
    "</defs></svg>"
)
"""What bars are filled with; stands once in the page, before the first chart."""


@dataclass(frozen=True, slots=True)
class Bars:
    """One group of bars: its name in full, a short one for an axis, and a number for each series."""

    name: str
    short: str
    numbers: tuple[Shown, Shown]


def columns_chart(title: str, series: tuple[str, str], groups: Sequence[Bars]) -> str:
    """Draw groups of two upright bars side by side, from left to right."""
    most = _nice(_most(groups))
    width = (100 - _AXIS) / len(groups)
    labelled = -(-len(groups) // 5)  # as many as fit beside each other on a phone
    parts = list(_scale(most))
    for at, group in enumerate(groups):
        left = _AXIS + at * width
        for which, shown in enumerate(group.numbers):
            tall = _TALL * shown / most if isinstance(shown, int) else _STUB[shown]
            if tall:
                x = left + width * (0.12 + 0.4 * which)
                box = f'x="{_short(x)}%" y="{_short(_TOP + _TALL - tall)}" width="{_short(width * 0.36)}%"'
                parts.append(_bar(group, series, which, f'{box} height="{_short(tall)}"'))
        if at % labelled == 0:
            place = f'x="{_short(left + width / 2)}%" y="{_TOP + _TALL + 18}" text-anchor="middle"'
            parts.append(f"<text {place}>{text(group.short)}</text>")
    return _svg(title, _TOP + _TALL + 24, parts)


def _scale(most: int) -> Iterator[str]:
    """Draw five lines across, from 0 to `most`."""
    for step in range(5):
        y = _TOP + _TALL * (4 - step) / 4
        is_base = "" if step else ' class="base"'
        yield f'<line{is_base} x1="{_AXIS}%" x2="100%" y1="{_short(y)}" y2="{_short(y)}"/>'
        place = f'x="{_AXIS - 1.5}%" y="{_short(y + 4)}" text-anchor="end"'
        yield f"<text {place}>{most * step // 4:,}</text>"


def bars_chart(series: tuple[str, str], groups: Sequence[Bars]) -> str:
    """Draw groups of two lying bars, each group under its name; at most MOST_BARS of them."""
    most = _most(groups)
    items = []
    for group in groups[:MOST_BARS]:
        parts = []
        for which, shown in enumerate(group.numbers):
            y = 16 * which
            end, gap = (f"{_short(84 * shown / most)}%", 6) if isinstance(shown, int) else ("0", _STUB[shown] + 6)
            if shown:
                width = end if isinstance(shown, int) else _STUB[shown]
                parts.append(_bar(group, series, which, f'x="0" y="{y + 1}" width="{width}" height="12"'))
            parts.append(f'<text x="{end}" dx="{gap}" y="{y + 11}">{text(number(shown))}</text>')
        first, second = map(number, group.numbers)
        said = f"{series[0]} {first}, {series[1].lower()} {second}"
        items.append(f"<li><span>{text(group.name)}</span>{_svg(said, 31, parts)}</li>")
    return f'<ol class="bars">{"".join(items)}</ol>'


def legend(series: tuple[str, str], groups: Iterable[Bars]) -> str:
    """Explain the fills that a chart uses."""
    masks = {shown for group in groups for shown in group.numbers if isinstance(shown, Mask)}
    entries = [(FIRST, series[0], 12), (SECOND, series[1], 12)]
    if Mask.FEW in masks:
        entries.append((MASKED, "<10, not to scale", _STUB[Mask.FEW]))
    if masks & {Mask.SOME, Mask.ANY}:
        entries.append((MASKED, "hidden, not to scale", _STUB[Mask.SOME]))
    items = (
        f'<li><svg width="18" height="18" aria-hidden="true">'
        f'<rect class="{fill}" x="2" y="{17 - tall}" width="14" height="{tall}"/></svg>{text(name)}</li>'
        for fill, name, tall in entries
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def _svg(title: str, height: int, parts: Iterable[str]) -> str:
    return f'<svg class="chart" height="{height}" role="img" aria-label="{text(title)}">{"".join(parts)}</svg>'


def _bar(group: Bars, series: tuple[str, str], which: int, box: str) -> str:
    """Draw one bar; pointing at it shows its number."""
    shown = group.numbers[which]
    fill = MASKED if isinstance(shown, Mask) else (FIRST, SECOND)[which]
    said = f"{group.name}, {series[which].lower()}: {number(shown)}"
    return f'<rect class="{fill}" {box}><title>{text(said)}</title></rect>'


def _most(groups: Sequence[Bars]) -> int:
    return max((shown for group in groups for shown in group.numbers if isinstance(shown, int)), default=0) or 10


def _nice(most: int) -> int:
    """Return a short number that quarters well, with zeros behind it, and not less than `most`."""
    scale = 1
    while True:
        for leading in (4, 8, 12, 16, 20, 24, 28, 32, 36):
            if leading * scale >= most:
                return leading * scale
        scale *= 10


def _short(value: float) -> str:
    """Write a length with two decimals at most: the same bytes on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
