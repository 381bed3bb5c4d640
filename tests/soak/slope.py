"""Does memory grow? The definition, fixed before any run, of what counts as growth and what as noise.

Looked at is the second half of a run: in the first, pools, caches and tables fill. Resident memory is no smooth line.
It rises by steps, as the allocator takes pages that it seldom gives back, and neighbouring samples are far from
independent, so a plain regression over samples would claim far too small an error. Therefore:

1. The second half is cut into BLOCKS of equal length and each is represented by its median, in which a reload's parsing
   or a burst of slow readers does not show. Blocks are taken as independent.
2. The slope is that of least squares over the blocks, its error the standard one, its interval Student's at 95 %.
   Theil and Sen's median of all pairwise slopes is reported beside it, for whoever trusts no mean.
3. Memory grows if even the lower end of the interval, over the whole half, amounts to more than ONE_ARENA. Python takes
   memory by arenas of 1 MiB (Objects/obmalloc.c, since 3.10): a process that needs nothing more may still come to touch
   the rest of an arena, and from outside that cannot be told from a leak. What is less than an arena is within noise.
   The upper end is reported too: a run shows no more than that memory does not grow faster than this.

So the least leak that a run can show shrinks with its length: of 15 measured minutes at 120 joins a second, 10 bytes a
join, which is less than any Python object.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

BLOCKS = 12
ONE_ARENA = 1024.0  # KB
STUDENT = 2.228  # 0.975 quantile at BLOCKS - 2 degrees of freedom
FEWEST = 2 * BLOCKS
"""Samples of the second half below which nothing is said."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Slope:
    """How a series behaves in the second half of a run.

    Attributes:
        value: of least squares, in KB/min.
        error: its standard error.
        theil_sen: the median of the slopes of all pairs of blocks.
        minutes: the length of that half.
    """

    value: float
    error: float
    theil_sen: float
    minutes: float

    @property
    def interval(self) -> tuple[float, float]:
        """At 95 %, in KB/min."""
        return self.value - STUDENT * self.error, self.value + STUDENT * self.error

    @property
    def is_growing(self) -> bool:
        """Whether memory grows, as the module defines it."""
        return self.interval[0] * self.minutes > ONE_ARENA

    def __str__(self) -> str:
        low, high = self.interval
        rises = "rises, by less than an arena: within noise" if low > 0 else "within noise"
        said = "grows" if self.is_growing else rises
        return (
            f"{self.value:+.1f} KB/min, standard error {self.error:.1f}, 95 %: {low:+.1f} to {high:+.1f}; "
            f"Theil-Sen {self.theil_sen:+.1f}; over {self.minutes:.1f} min: {said}"
        )


def slope_of(samples: Sequence[Point]) -> Slope | None:
    """Return the slope of (seconds, KB) over the second half; None where there is too little of it."""
    if not samples:
        return None
    began, ended = samples[0][0], samples[-1][0]
    middle = (began + ended) / 2
    half = [(at, value) for at, value in samples if at >= middle]
    if len(half) < FEWEST:
        return None
    blocks = _blocks(half, middle, ended)
    minutes, values = [at / 60 for at, _ in blocks], [value for _, value in blocks]
    slope, intercept = statistics.linear_regression(minutes, values)
    left_over = sum((value - intercept - slope * at) ** 2 for at, value in zip(minutes, values, strict=True))
    mean = statistics.fmean(minutes)
    spread = sum((at - mean) ** 2 for at in minutes)
    error = math.sqrt(left_over / (len(blocks) - 2) / spread)
    pairs = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(zip(minutes, values, strict=True), 2)]
    return Slope(slope, error, statistics.median(pairs), (ended - middle) / 60)


def _blocks(half: Sequence[Point], began: float, ended: float) -> list[Point]:
    """Return the middle and the median of each block."""
    width = (ended - began) / BLOCKS
    found: list[list[Point]] = [[] for _ in range(BLOCKS)]
    for at, value in half:
        found[min(BLOCKS - 1, int((at - began) / width))].append((at, value))
    return [
        (statistics.fmean(at for at, _ in block), statistics.median(value for _, value in block))
        for block in found
        if block
    ]
