from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.report_period import MOST_BUCKETS, Bucket, Gap, Period, Unit, divide, gaps, gather, hour_number


@pytest.mark.parametrize(
    ("period", "hour", "covers", "is_over"),
    [
        (Period(), "2026-09-03T04Z", True, False),
        (Period("2026-09-03", "2026-09-03"), "2026-09-03T00Z", True, False),
        (Period("2026-09-03", "2026-09-03"), "2026-09-03T23Z", True, False),
        (Period("2026-09-03", "2026-09-03"), "2026-09-02T23Z", False, False),
        (Period("2026-09-03", "2026-09-03"), "2026-09-04T00Z", False, True),
        (Period("2026-09-03"), "2026-10-01T00Z", True, False),
        (Period(None, "2026-09-03"), "2020-10-01T00Z", True, False),
    ],
)
def test_a_period_includes_both_its_days(period: Period, hour: str, covers: bool, is_over: bool) -> None:
    assert (period.covers(hour), period.is_over(hour)) == (covers, is_over)


@pytest.mark.parametrize(
    ("first", "last", "unit", "number", "second"),
    [
        ("2026-09-03", "2026-09-03", Unit.DAY, 1, None),
        ("2026-08-27", "2026-10-01", Unit.DAY, 36, "2026-08-28"),
        ("2026-08-27", "2026-10-02", Unit.WEEK, 6, "2026-08-31"),  # a Thursday to a Friday
        ("2026-07-01", "2026-09-30", Unit.WEEK, 14, "2026-07-06"),
        ("2026-01-15", "2026-12-31", Unit.MONTH, 12, "2026-02-01"),
        ("2024-01-01", "2026-12-31", Unit.MONTH, 36, "2024-02-01"),
        ("2023-12-31", "2026-12-31", Unit.YEAR, 4, "2024-01-01"),
        ("9990-05-01", "9999-12-31", Unit.YEAR, 10, "9991-01-01"),
        ("9999-12-31", "9999-12-31", Unit.DAY, 1, None),
        ("9999-11-01", "9999-12-31", Unit.WEEK, 9, "9999-11-08"),
        ("0001-01-01", "9999-12-31", Unit.YEAR, 9999, "0002-01-01"),
    ],
)
def test_days_are_gathered_by_the_smallest_unit_that_fits(
    first: str, last: str, unit: Unit, number: int, second: str | None
) -> None:
    found, buckets = divide(first, last)
    assert (found, len(buckets)) == (unit, number)
    assert (buckets[0].first, buckets[-1].last) == (first, last)
    assert second is None or buckets[1].first == second


days = st.dates(date(2019, 1, 1), date(2030, 12, 31))


@given(days, st.integers(0, 4000))
def test_every_day_is_in_one_bucket(first: date, length: int) -> None:
    last = first + timedelta(length)
    unit, buckets = divide(first.isoformat(), last.isoformat())
    assert len(buckets) <= MOST_BUCKETS
    assert unit is not Unit.DAY or length < MOST_BUCKETS
    assert buckets[0].first == first.isoformat()
    assert buckets[-1].last == last.isoformat()
    for before, after in pairwise(buckets):
        assert date.fromisoformat(before.last) + timedelta(1) == date.fromisoformat(after.first)
    each = [((first + timedelta(day)).isoformat(), 1) for day in range(length + 1)]
    lengths = [(date.fromisoformat(b.last) - date.fromisoformat(b.first)).days + 1 for b in buckets]
    assert gather(each, buckets) == lengths


def test_counts_of_the_same_day_are_added() -> None:
    buckets = (Bucket("2026-09-01", "2026-09-02"), Bucket("2026-09-03", "2026-09-03"))
    assert gather([("2026-09-02", 3), ("2026-09-03", 4), ("2026-09-01", 5), ("2026-09-03", 1)], buckets) == [8, 5]


def hours(*numbers: int) -> list[int]:
    return [hour_number("2026-09-03T00Z") + number for number in numbers]


@pytest.mark.parametrize(
    ("beats", "found"),
    [
        (range(24), []),
        ([], [Gap("2026-09-03T00Z", "2026-09-03T23Z", 24)]),
        (range(1, 24), [Gap("2026-09-03T00Z", "2026-09-03T00Z", 1)]),
        (range(22), [Gap("2026-09-03T22Z", "2026-09-03T23Z", 2)]),
        ([-1, *range(4), *range(20, 30)], [Gap("2026-09-03T04Z", "2026-09-03T19Z", 16)]),
        ([23, 0, 12], [Gap("2026-09-03T01Z", "2026-09-03T11Z", 11), Gap("2026-09-03T13Z", "2026-09-03T22Z", 10)]),
    ],
)
def test_gaps(beats: list[int], found: list[Gap]) -> None:
    first, last = hours(0, 23)
    assert list(gaps(hours(*beats), first, last)) == found


def test_hours_are_counted_across_days() -> None:
    assert hour_number("1970-01-01T00Z") == 0
    assert hour_number("1969-12-31T23Z") == -1
    assert hour_number("2026-09-04T00Z") - hour_number("2026-09-03T23Z") == 1
    with pytest.raises(ValueError, match="day is out of range"):
        hour_number("2026-02-30T00Z")
