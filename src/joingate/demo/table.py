"""Plain aligned tables for a terminal, with colour only where somebody looks."""

import re
from collections.abc import Collection, Sequence

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")


class Paint:
    """Writes text in a style, or leaves it as it is when colour is off."""

    __slots__ = ("_on",)

    def __init__(self, *, color: bool) -> None:
        self._on = color

    def __call__(self, text: object, *styles: str) -> str:
        """Return `text` in `styles`, of bold, dim, red, green, yellow, cyan."""
        if not self._on or not styles:
            return str(text)
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"


def width(text: str) -> int:
    """Columns that `text` takes, colour not counted."""
    return len(_SEQUENCE.sub("", text))


def table(
    paint: Paint, header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = ()
) -> list[str]:
    """Lay out rows under a header, columns two spaces apart.

    Args:
        paint: for the header.
        header: one word or two for each column.
        rows: cells, painted or not; each row as long as the header.
        right: names from `header` of the columns that hold numbers.

    Returns:
        Lines without trailing spaces.
    """
    numbers = {at for at, name in enumerate(header) if name in right}
    widths = [max(width(row[at]) for row in (header, *rows)) for at in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = []
        for at, cell in enumerate(cells):
            space = " " * (widths[at] - width(cell))
            padded.append(space + cell if at in numbers else cell + space)
        return "  ".join(padded).rstrip()

    return [line([paint(name, "dim") for name in header]).rstrip(), *(line(row) for row in rows)]
