"""A bar for what takes longer than a second, on stderr and only where that is a terminal."""

import sys
import time
from typing import Final, Self

_WIDTH: Final = 40
_FIRST: Final = 1.0  # seconds without a bar
_EACH: Final = 0.1


class ProgressBar:
    """Called with what is done and with all there is to do; gone when its `with` block ends."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _FIRST
        self._is_wanted = sys.stderr.isatty()
        self._is_shown = False

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._is_wanted and now >= self._next and total:
            self._next = now + _EACH
            self._is_shown = True
            full = _WIDTH * done // total
            sys.stderr.write(f"\r[{'#' * full}{' ' * (_WIDTH - full)}] {100 * done // total:3} %")
            sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            sys.stderr.write(f"\r{' ' * (_WIDTH + 8)}\r")
            sys.stderr.flush()
