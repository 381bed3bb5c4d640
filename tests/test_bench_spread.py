"""The statistics that the benchmarks' verdicts rest on, and the percentiles."""

import itertools
import math

import pytest
from bench.open_loop import percentile
from bench.spread import CONFIDENCE, LEAST, interval_of_median, verdict


def test_few_rounds_give_the_least_and_the_greatest() -> None:
    assert interval_of_median([3.0, 1.0, 2.0]) == (1.0, 3.0)
    assert interval_of_median([5.0]) == (5.0, 5.0)


@pytest.mark.parametrize("count", [6, 7, 15, 41])
def test_the_interval_is_the_narrowest_that_is_sure_enough(count: int) -> None:
    low, high = interval_of_median([float(number) for number in range(count)])
    rank = int(low) + 1
    assert high == count - rank

    def confidence(of: int) -> float:
        return 1.0 - sum(math.comb(count, k) for k in range(of)) / 2.0 ** (count - 1)

    assert confidence(rank) >= CONFIDENCE > confidence(rank + 1)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0.8, 0.9, 0.95, 0.97, 0.98, 1.0], "met"),
        ([1.01, 1.2, 1.3, 1.4, 1.5, 1.6], "missed"),
        ([0.9, 0.95, 0.99, 1.01, 1.02, 1.1], "not shown: the rounds differ too much to tell"),
    ],
)
def test_a_verdict_needs_the_whole_interval_on_one_side(values: list[float], found: str) -> None:
    assert verdict(values, 1.0) == found
    assert all(verdict(order, 1.0) == found for order in itertools.islice(itertools.permutations(values), 30))


@pytest.mark.parametrize("values", [[0.5], [0.5] * (LEAST - 1), [9.0], [9.0] * (LEAST - 1)])
def test_a_few_rounds_show_nothing(values: list[float]) -> None:
    assert verdict(values, 1.0) == f"not shown: fewer than {LEAST} rounds"


def test_one_wild_round_among_many_does_not_decide() -> None:
    assert verdict([0.9] * 40 + [50.0], 1.0) == "met"


@pytest.mark.parametrize(("share", "value"), [(0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1000), (0.0001, 1)])
def test_a_percentile_is_a_value_that_occurred(share: float, value: int) -> None:
    assert percentile([float(number) for number in range(1, 1001)], share) == value


def test_a_percentile_between_two_values_is_the_greater() -> None:
    assert percentile([1.0, 2.0, 3.0], 0.5) == 2
    assert percentile([1.0, 2.0, 3.0], 0.99) == 3


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 0.5) == percentile([7.0], 0.999) == 7.0
