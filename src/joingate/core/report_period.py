"""Days: which records a report is about, and the days, weeks, months or years that it counts by.

Days are ISO 8601 texts such as "2026-11-21", which sort as they follow each other; all are of UTC.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

MOST_BUCKETS: Final = 36
"""Bars that can be told apart on a phone."""

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included; None is no limit."""

    first: str | None = None
    last: str | None = None

    def covers(self, hour: str) -> bool:
        """Whether an hour such as "2026-11-21T04Z" lies within it."""
        return (self.first is None or hour[:10] >= self.first) and not self.is_over(hour)

    def is_over(self, hour: str) -> bool:
        """Whether it has ended before this hour."""
        return self.last is not None and hour[:10] > self.last


class Unit(StrEnum):
    """What the days of a report are gathered into."""

    DAY = "day"
    WEEK = "week"  # from Monday (ISO 8601)
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Days that are counted together, from `first` to `last`; at the ends of a period perhaps not all of a week."""

    first: str
    last: str


def divide(first: str, last: str) -> tuple[Unit, tuple[Bucket, ...]]:
    """Divide the days from `first` to `last` by the smallest unit that makes no more than MOST_BUCKETS of them."""
    for unit in Unit:
        firsts = _firsts(date.fromisoformat(first), date.fromisoformat(last), unit)
        if len(firsts) <= MOST_BUCKETS:
            break
    lasts = [_before(day) for day in firsts[1:]] + [last]
    return unit, tuple(map(Bucket, firsts, lasts))


def gather(counts: Iterable[tuple[str, int]], buckets: tuple[Bucket, ...]) -> list[int]:
    """Add up the counts of days within the buckets, for each bucket."""
    firsts = [bucket.first for bucket in buckets]
    sums = [0] * len(buckets)
    for day, count in counts:
        sums[bisect_right(firsts, day) - 1] += count
    return sums


def _firsts(first: date, last: date, unit: Unit) -> list[str]:
    """Return the first days of the units; more than MOST_BUCKETS + 1 of them are of no use."""
    found: list[str] = []
    while first <= last and len(found) <= (MOST_BUCKETS if unit is not Unit.YEAR else 10_000):
        found.append(first.isoformat())
        try:
            first = _next(first, unit)
        except (OverflowError, ValueError):  # after 9999-12-31
            break
    return found


def _next(day: date, unit: Unit) -> date:
    match unit:
        case Unit.DAY:
            return day + timedelta(1)
        case Unit.WEEK:
            return day + timedelta(7 - day.weekday())
        case Unit.MONTH:
            return date(day.year + day.month // 12, day.month % 12 + 1, 1)
        case _:
            return date(day.year + 1, 1, 1)


def _before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(1)).isoformat()


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours one after the other, from `first` to `last`, without a heartbeat."""

    first: str
    last: str
    hours: int


def gaps(beats: Iterable[int], first: int, last: int) -> Iterator[Gap]:
    """Yield the gaps among the hours from `first` to `last`.

    Args:
        beats: hours that have a heartbeat, in any order, as `hour_number` counts them.
        first: the first hour looked at.
        last: the last.
    """
    expected = first
    for beat in [*sorted(beat for beat in beats if first <= beat <= last), last + 1]:
        if beat > expected:
            yield Gap(_hour(expected), _hour(beat - 1), beat - expected)
        expected = beat + 1


def hour_number(hour: str) -> int:
    """Count the hours from the beginning of 1970 to an hour such as "2026-11-21T04Z".

    Raises:
        ValueError: it is in no calendar.
    """
    return (date.fromisoformat(hour[:10]) - _EPOCH).days * 24 + int(hour[11:13])


def _hour(number: int) -> str:
    days, hour = divmod(number, 24)
    return f"{(_EPOCH + timedelta(days)).isoformat()}T{hour:02}Z"
