"""How sure is a median? An interval that holds the true one whatever the distribution, from order statistics.

The least and the greatest of many rounds only tell how bad the worst moment of the machine was; the interval narrows as
rounds are added (Conover, Practical Nonparametric Statistics, 3.2).
"""

import math
from collections.abc import Iterable

CONFIDENCE = 0.95

LEAST = 5
"""Rounds without which nothing is called met or missed."""


def interval_of_median(values: Iterable[float]) -> tuple[float, float]:
    """Return the interval that holds the median of what `values` were drawn from, with CONFIDENCE or more.

    With fewer than 6 values, which cannot give that confidence, the least and the greatest.
    """
    ordered = sorted(values)
    count = len(ordered)
    below, rank = 0.0, 0
    while (below := below + math.comb(count, rank) / 2**count) <= (1 - CONFIDENCE) / 2:
        rank += 1
    rank = max(rank, 1)
    return ordered[rank - 1], ordered[-rank]


def verdict(values: Iterable[float], limit: float) -> str:
    """Return "met", "missed", or why that is not shown: too few rounds, or they differ too much to tell."""
    values = tuple(values)
    if len(values) < LEAST:
        return f"not shown: fewer than {LEAST} rounds"
    low, high = interval_of_median(values)
    if high <= limit:
        return "met"
    return "missed" if low > limit else "not shown: the rounds differ too much to tell"
