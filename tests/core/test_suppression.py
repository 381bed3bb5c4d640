import random
from collections.abc import Hashable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.suppression import FEWEST, Arc, Mask, Shown, suppress
from tests.attacker import Sum, given_away, narrow

FEW, SOME, ANY = Mask.FEW, Mask.SOME, Mask.ANY


def column(counts: Sequence[int], *, also: Sequence[int] = ()) -> list[Arc]:
    """Numbers, their sum, and other numbers with the same sum."""
    arcs = [Arc(f"row {at}", "rows", "sum", count) for at, count in enumerate(counts)]
    arcs.append(Arc("total", "sum", "days" if also else "rows", sum(counts)))
    return arcs + [Arc(f"day {at}", "days", "rows", count) for at, count in enumerate(also)]


def table(cells: Sequence[Sequence[int]]) -> tuple[list[Arc], list[Sum]]:
    """A table with the sums of its rows and columns, and of everything; and what adds up to what."""
    rows, columns = range(len(cells)), range(len(cells[0]))
    arcs = [Arc("total", "columns", "rows", sum(map(sum, cells)))]
    arcs += [Arc(("row", r), "rows", f"row {r}", sum(cells[r])) for r in rows]
    arcs += [Arc((r, c), f"row {r}", f"column {c}", cells[r][c]) for r in rows for c in columns]
    arcs += [Arc(("column", c), f"column {c}", "columns", sum(row[c] for row in cells)) for c in columns]
    sums: list[Sum] = [(("row", r), [(r, c) for c in columns]) for r in rows]
    sums += [(("column", c), [(r, c) for r in rows]) for c in columns]
    sums += [("total", [("row", r) for r in rows]), ("total", [("column", c) for c in columns])]
    return arcs, sums


# The rows of a column, and what is shown of them and of their sum.
COLUMNS: list[tuple[list[int], list[Shown]]] = [
    ([], [0]),
    ([0, 0], [0, 0, 0]),
    ([12, 0, 500], [12, 0, 500, 512]),
    ([3], [FEW, FEW]),
    ([3, 0], [FEW, 0, FEW]),
    ([3, 500, 40], [FEW, 500, SOME, 543]),
    ([3, 500], [FEW, SOME, 503]),
    ([3, 4, 500], [FEW, FEW, 500, 507]),
    ([5, 5], [FEW, FEW, 10]),
    ([9, 9], [FEW, FEW, SOME]),  # 18 can only be 9 and 9
    ([9, 8], [FEW, FEW, SOME]),  # 17 would leave two numbers for each
    ([1, 1], [FEW, FEW, FEW]),
    ([1] * 9, [*[FEW] * 9, ANY]),  # nine of them under a sum below 10 can only be 1 each
    ([3, 10, 10], [FEW, 10, 10, SOME]),  # if a 10 is 10 or more, 3 is 3 or less: that leaves too little
    ([1, 10], [FEW, 10, SOME]),  # there 10 would be no help at all
]


@pytest.mark.parametrize(("counts", "shown"), COLUMNS)
def test_a_column_with_its_sum(counts: list[int], shown: list[Shown]) -> None:
    assert list(suppress(column(counts)).values()) == shown


def test_a_number_on_its_own_is_hidden_only_if_it_is_small() -> None:
    for count, shown in ((0, 0), (1, FEW), (9, FEW), (10, 10)):
        assert suppress([Arc("x", "x", "x", count)]) == {"x": shown}


def test_two_tables_that_share_a_sum_do_not_give_each_other_away() -> None:
    """Of the days only one is small, and of the rows none: without the sum both tables would be safe apart."""
    arcs = column([40, 60], also=[3, 97])
    assert suppress(arcs) == {"row 0": 40, "row 1": 60, "total": 100, "day 0": FEW, "day 1": SOME}
    assert suppress(column([100], also=[3, 97])) == {"row 0": 100, "total": 100, "day 0": FEW, "day 1": SOME}


def test_wrong_sums_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^the sums are wrong at a, b$"):
        suppress([Arc("x", "a", "b", 3), Arc("y", "b", "a", 4)])


def test_the_attacker_is_one() -> None:
    """Hiding small numbers alone is not enough: the sums give them away, and the attacker finds them."""
    numbers: dict[Hashable, int] = {"a": 3, "b": 500, "total": 503}
    sums: list[Sum] = [("total", ["a", "b"])]
    shown: dict[Hashable, object] = {"a": FEW, "b": 500, "total": 503}
    assert narrow(shown, sums)["a"] == (3, 3)
    assert given_away(shown, numbers, sums) == ["a"]
    assert given_away({**shown, "b": SOME}, numbers, sums) == []
    # In these rows and columns each sum alone leaves room, and together they do not.
    arcs, sums = table([[9, 9], [9, 9]])
    numbers = {arc.key: arc.count for arc in arcs}
    shown = {key: FEW if number < FEWEST else number for key, number in numbers.items()}
    assert set(given_away(shown, numbers, sums)) == {(0, 0), (0, 1), (1, 0), (1, 1)}


counts = st.one_of(st.integers(0, 12), st.sampled_from((0, 1, 9, 10, 11, 200)), st.integers(0, 5000))
tables = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.lists(counts, min_size=columns, max_size=columns), min_size=1, max_size=4)
)


@given(tables)
def test_no_hidden_number_of_a_table_can_be_worked_out(cells: list[list[int]]) -> None:
    arcs, sums = table(cells)
    numbers = {arc.key: arc.count for arc in arcs}
    shown = suppress(arcs)
    for key, number in numbers.items():
        possible = (number, SOME, ANY) if number >= FEWEST else (FEW, ANY) if number else (0,)
        assert shown[key] in possible
    assert given_away({**shown}, numbers, sums) == []


@given(st.lists(counts, min_size=1, max_size=6), st.integers(1, 6), st.randoms(use_true_random=False))
def test_no_hidden_number_of_two_columns_with_one_sum_can_be_worked_out(
    rows: list[int], days: int, chance: random.Random
) -> None:
    left, also = sum(rows), []
    for _ in range(days - 1):
        also.append(chance.randint(0, left))
        left -= also[-1]
    also.append(left)
    arcs = column(rows, also=also)
    numbers = {arc.key: arc.count for arc in arcs}
    sums: list[Sum] = [
        ("total", [f"row {at}" for at in range(len(rows))]),
        ("total", [f"day {at}" for at in range(days)]),
    ]
    assert given_away({**suppress(arcs)}, numbers, sums) == []


@given(tables)
def test_a_small_number_keeps_five_possible_values(cells: list[list[int]]) -> None:
    """As the report's method says; looked for by moving one small number up and down as far as it goes."""
    arcs, sums = table(cells)
    shown = suppress(arcs)
    ranges = narrow({**shown}, sums)
    for arc in arcs:
        if 0 < arc.count < FEWEST:
            low, high = ranges[arc.key]
            assert high - low >= 4


@given(tables)
def test_the_same_numbers_are_shown_the_same_way(cells: list[list[int]]) -> None:
    arcs, _ = table(cells)
    assert suppress(arcs) == suppress(list(arcs))
