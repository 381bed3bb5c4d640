import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.report_chart import MOST_BARS, PATTERNS, Bars, bars_chart, columns_chart, legend
from joingate.core.suppression import Mask, Shown

SERIES = ("Rejected", "Ejected")
FEW, SOME, ANY = Mask.FEW, Mask.SOME, Mask.ANY


class Chart(HTMLParser):
    """Every element is closed; bars with what they say, and texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.bars: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "rect":
            self.bars.append(dict(attrs))
        if tag != "line":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "line":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] == "title":
            self.bars[-1]["said"] = data
        elif self.open[-1] in {"text", "span", "li"}:
            self.texts.append(data)


def groups(*numbers: tuple[Shown, Shown]) -> list[Bars]:
    return [Bars(f"Day {at}", f"D{at}", each) for at, each in enumerate(numbers)]


def boxes(chart: Chart, *names: str) -> list[tuple[str, ...]]:
    return [tuple(bar[name] for name in ("class", *names)) for bar in chart.bars]


def test_columns_are_as_tall_as_their_numbers() -> None:
    chart = Chart(columns_chart("A title", SERIES, groups((10, 20), (0, 40), (FEW, SOME), (ANY, 0))))
    assert boxes(chart, "height", "y") == [
        ("first", "48", "158"),
        ("second", "96", "110"),
        ("second", "192", "14"),
        ("masked", "8", "198"),
        ("masked", "16", "190"),
        ("masked", "16", "190"),
    ]
    assert [bar["said"] for bar in chart.bars] == [
        "Day 0, rejected: 10",
        "Day 0, ejected: 20",
        "Day 1, ejected: 40",
        "Day 2, rejected: <10",
        "Day 2, ejected: 10+",
        "Day 3, rejected: 1+",
    ]
    assert chart.texts == ["0", "10", "20", "30", "40", "D0", "D1", "D2", "D3"]


@pytest.mark.parametrize(
    ("most", "scale"),
    [(0, 12), (10, 12), (12, 12), (13, 16), (37, 40), (40, 40), (41, 80), (202, 240), (1_000_000, 1_200_000)],
)
def test_the_scale_is_a_short_number(most: int, scale: int) -> None:
    chart = Chart(columns_chart("A title", SERIES, groups((most, most)) if most else groups((FEW, SOME))))
    assert chart.texts[:5] == [f"{scale * quarter // 4:,}" for quarter in range(5)]


@pytest.mark.parametrize("number", [1, 5, 6, 10, 11, 36])
def test_no_more_than_five_columns_are_labelled(number: int) -> None:
    chart = Chart(columns_chart("A title", SERIES, groups(*[(10, 10)] * number)))
    labels = chart.texts[5:]
    assert 1 <= len(labels) <= 5
    assert labels[0] == "D0"


def test_columns_stand_side_by_side_within_the_chart() -> None:
    chart = Chart(columns_chart("A title", SERIES, groups(*[(10, 20)] * 36)))
    ends = [(float(bar["x"].rstrip("%")), float(bar["width"].rstrip("%"))) for bar in chart.bars]
    assert ends[0][0] >= 11
    assert all(left + width <= right for (left, width), (right, _) in pairwise(ends))
    assert sum(ends[-1]) <= 100


def test_lying_bars_with_their_names_and_numbers() -> None:
    chart = Chart(bars_chart(SERIES, groups((10, 40), (0, FEW), (SOME, ANY))))
    assert boxes(chart, "width") == [
        ("first", "21%"),
        ("second", "84%"),
        ("masked", "8"),
        ("masked", "16"),
        ("masked", "16"),
    ]
    assert chart.texts == ["Day 0", "10", "40", "Day 1", "0", "<10", "Day 2", "10+", "1+"]
    assert 'aria-label="Rejected 0, ejected &lt;10"' in bars_chart(SERIES, groups((0, FEW)))


def test_no_more_bars_than_can_be_looked_at() -> None:
    chart = Chart(bars_chart(SERIES, groups(*[(10, 10)] * (MOST_BARS + 5))))
    assert len(chart.bars) == 2 * MOST_BARS


@pytest.mark.parametrize(
    ("numbers", "explained"),
    [
        ((10, 0), ["Rejected", "Ejected"]),
        ((FEW, 0), ["Rejected", "Ejected", "<10, not to scale"]),
        ((10, SOME), ["Rejected", "Ejected", "hidden, not to scale"]),
        ((ANY, FEW), ["Rejected", "Ejected", "<10, not to scale", "hidden, not to scale"]),
    ],
)
def test_the_legend_explains_what_is_there(numbers: tuple[Shown, Shown], explained: list[str]) -> None:
    chart = Chart(legend(SERIES, groups(numbers)))
    assert chart.texts == explained
    assert [bar["class"] for bar in chart.bars[:2]] == ["first", "second"]


shown = st.one_of(st.just(0), st.integers(10, 5000), st.sampled_from(Mask))


@given(st.lists(st.tuples(shown, shown), min_size=1, max_size=36))
def test_a_stub_is_as_large_whatever_it_hides(numbers: list[tuple[Shown, Shown]]) -> None:
    for html, length in (
        (columns_chart("T", SERIES, groups(*numbers)), "height"),
        (bars_chart(SERIES, groups(*numbers)), "width"),
    ):
        for bar in Chart(html).bars:
            said = bar["said"].rpartition(" ")[2]
            assert (bar["class"] == "masked") is (said in set(Mask))
            assert bar["class"] != "masked" or bar[length] == {"<10": "8", "10+": "16", "1+": "16"}[said]


def test_names_are_escaped() -> None:
    hostile = [Bars("<script>\"'&", "<b>", (10, FEW))]
    for html in (columns_chart("<i>", SERIES, hostile), bars_chart(SERIES, hostile)):
        assert not re.search(r"<(script|b>|i>)", html)


def test_the_patterns_are_there_once_each() -> None:
    assert re.findall(r'id="(\w+)"', PATTERNS) == ["second", "masked"]
