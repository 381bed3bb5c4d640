"""The table, the plots and the page say what the records say, and nothing in a record can break out of them."""

import dataclasses
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from bench.charts import HEIGHT, LEFT, WIDTH, draw
from bench.record import Plot, Result
from bench.render import markdown, page, render

MET = Result(
    name="B4",
    question="memory",
    unit="KB",
    ours=2.6,
    peer=17.0,
    peer_name="nginx",
    ratio=0.153,
    interval=(0.15, 0.16),
    target="<= 0.25 x nginx",
    verdict="met",
    command="python -m bench.memory",
    date="2026-01-02T03:04Z",
    machine="2 x P, Linux 6, CPython 3.11.7, load 1.5",
)
BARE = dataclasses.replace(MET, name="took", peer=None, ratio=None, interval=None, target="-", verdict="-")
LINES = {"a": [(10.0, 1.0), (100.0, 3.0)], "b": [(10.0, 2.0), (100.0, 2.5)]}
SVG = "{http://www.w3.org/2000/svg}"


def _polylines(svg: str) -> list[list[tuple[float, float]]]:
    found = []
    for line in ET.fromstring(svg).iter(f"{SVG}polyline"):  # noqa: S314 - our own
        pairs = [point.split(",") for point in line.attrib["points"].split()]
        found.append([(float(x), float(y)) for x, y in pairs])
    return found


def test_the_table_has_a_row_for_each_result_with_all_there_is() -> None:
    rows = [line for line in markdown([MET, BARE]).splitlines() if line.startswith("| ")]
    assert len(rows) == 4
    assert rows[2] == ("| B4 | memory | 2.6 KB | 17 KB (nginx) | 0.153 | 0.15 to 0.16 | <= 0.25 x nginx | met |")
    assert rows[3] == "| took | memory | 2.6 KB |  |  |  |  |  |"


def test_the_table_says_what_is_not_built_and_under_what_load() -> None:
    busier = dataclasses.replace(MET, machine=MET.machine.replace("1.5", "3.0"))
    said = markdown([MET, busier])
    assert "load averages 1.5 to 3.0" in said
    assert said.count("2 x P, Linux 6, CPython 3.11.7") == 1
    assert said.count("python -m bench.memory") == 1


def test_a_bar_in_a_record_makes_no_column() -> None:
    rows = markdown([dataclasses.replace(MET, question="a | b")]).splitlines()
    assert rows[2].count("|") == rows[0].count("|")


def test_the_page_escapes_what_records_say() -> None:
    plot = Plot("p", "<script>", "x", "y", {"<b>": [(0.0, 1.0)]})
    said = page([dataclasses.replace(MET, question="<script>alert()</script>")], [plot], {"p": draw(plot)})
    assert "<script>" not in said
    assert "<b>" not in said
    assert "&lt;script&gt;" in said


def test_a_plot_is_xml_and_higher_is_more() -> None:
    svg = draw(Plot("p", "Title", "x", "y", LINES))
    first, second = _polylines(svg)
    assert first[1][1] < second[1][1] < second[0][1] < first[0][1]
    assert all(LEFT <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in first + second)
    texts = [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own
    assert {"Title", "x", "y", "a", "b"} <= set(texts)


def test_on_a_logarithmic_axis_equal_factors_are_equally_far() -> None:
    (line,) = _polylines(draw(Plot("p", "t", "x", "y", {"a": [(10.0, 1), (100.0, 1), (1000.0, 1)]}, log_x=True)))
    assert line[1][0] - line[0][0] == pytest.approx(line[2][0] - line[1][0], abs=0.2)


def test_ticks_stand_in_for_numbers() -> None:
    svg = draw(Plot("p", "t", "x", "y", {"a": [(0.0, 1.0), (1.0, 2.0)]}, ticks=((0.0, "p50"), (1.0, "p99"))))
    assert ">p50</text>" in svg
    assert ">p99</text>" in svg


@pytest.mark.parametrize("points", [[(0.0, 0.0)], [(5.0, 0.0), (5.0, 0.0)], [(1.0, -2.0), (2.0, 3.0)]])
def test_degenerate_lines_can_be_drawn(points: list[tuple[float, float]]) -> None:
    for log_x in (False, points[0][0] > 0):
        ((x, y), *_) = _polylines(draw(Plot("p", "t", "x", "y", {"a": points}, log_x=log_x)))[0]
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT


def test_a_plot_without_points_is_refused() -> None:
    with pytest.raises(ValueError, match="p has no points"):
        draw(Plot("p", "t", "x", "y", {"a": []}))


def test_rendering_writes_all_files_and_the_same_bytes_again(tmp_path: Path) -> None:
    plots = [Plot("one", "t", "x", "y", LINES, log_x=True), Plot("two", "t", "x", "y", LINES)]
    render(tmp_path, [MET], plots)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written.keys() == {"table.md", "index.html", "one.svg", "two.svg"}
    html = written["index.html"].decode()
    assert len(re.findall("<svg ", html)) == 2
    assert not re.search(r'(src|href)="', html)  # it needs nothing else
    render(tmp_path, [MET], plots)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == written
