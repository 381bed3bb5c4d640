"""What a benchmark writes down is what is read back and what its exit status says."""

from pathlib import Path

import pytest
from bench import side_by_side
from bench.processes import NotMeasuredError
from bench.record import PLOTS, RESULTS, Notebook, Plot, figure, read_plots, read_results, sentence
from bench.side_by_side import alternate


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "new")
    first = notebook.compare("B1", "CPU", "us", [20.0] * 6, [10.0] * 6, peer_name="nginx", limit=1.0)
    second = notebook.hold("B5", "cost", "us", [1.0, 1.5, 1.2], limit=2.0)
    plot = Plot("p", "Title", "x", "y", {"a": [(1.0, 2.0), (2.0, 3.0)]}, log_x=True, ticks=((1.0, "one"),))
    notebook.plot(plot)
    assert read_results(tmp_path / "new") == [first, second]
    assert read_plots(tmp_path / "new") == [plot]


def test_of_two_plots_with_one_name_the_last_stands(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path)
    for height in (1.0, 2.0):
        notebook.plot(Plot("p", "Title", "x", "y", {"a": [(1.0, height)]}))
    (found,) = read_plots(tmp_path)
    assert found.lines == {"a": [(1.0, 2.0)]}


def test_ratios_are_taken_round_by_round() -> None:
    """A machine that is ten times slower in one round is so for both."""
    result = Notebook(None).compare(
        "n", "q", "us", [2.0, 20.0, 2.2, 2.2, 2.2], [1.0, 10.0, 1.1, 1.1, 1.1], peer_name="p", limit=1.9
    )
    assert result.ratio == pytest.approx(2.0)
    assert result.interval == pytest.approx((2.0, 2.0))
    assert (result.ours, result.peer, result.verdict) == (2.2, 1.1, "missed")
    assert result.target == "<= 1.9 x p"


@pytest.mark.parametrize(("values", "is_met"), [([1.0] * 6, True), ([3.0] * 6, False), ([1.0, 3.0] * 3, False)])
def test_missed_and_not_shown_are_both_not_met(values: list[float], is_met: bool) -> None:
    notebook = Notebook(None)
    notebook.hold("n", "q", "us", values, limit=2.0)
    assert notebook.is_all_met is is_met


def test_a_figure_without_a_target_decides_nothing() -> None:
    notebook = Notebook(None)
    result = notebook.hold("n", "q", "us", [1e9])
    assert notebook.is_all_met
    assert "target" not in sentence(result)


def test_a_folder_without_records_has_no_results(tmp_path: Path) -> None:
    assert (read_results(tmp_path), read_plots(tmp_path)) == ([], [])
    assert {RESULTS, PLOTS}.isdisjoint(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "said"), [(1234.5, "1,234"), (99.96, "100"), (12.345, "12.3"), (0.01234, "0.0123"), (0, "0")]
)
def test_figures_have_three_digits(value: float, said: str) -> None:
    assert figure(value) == said


def test_rounds_alternate_and_so_does_who_begins() -> None:
    asked: list[str] = []

    def once(subject: str) -> int:
        asked.append(subject)
        return len(asked)

    found = alternate({"a": "A", "b": "B"}, 3, once)
    assert asked == ["A", "B", "B", "A", "A", "B"]
    assert found == {"a": [1, 4, 5], "b": [2, 3, 6]}


def _status(monkeypatch: pytest.MonkeyPatch, value: float | None, *options: str) -> int:
    monkeypatch.setattr("sys.argv", ["bench", *options])

    def measure(_: object, notebook: Notebook) -> None:
        if value is None:
            raise NotMeasuredError("nothing there")
        notebook.hold("n", "q", "us", [value] * 5, limit=1.0)

    return side_by_side.run(side_by_side.parser_of("A doc.", rounds=1), measure)


@pytest.mark.parametrize(("value", "status"), [(0.5, 0), (2.0, 1), (None, 2)])
def test_the_exit_status_tells_missed_from_not_measured(
    monkeypatch: pytest.MonkeyPatch, value: float | None, status: int
) -> None:
    assert _status(monkeypatch, value) == status


@pytest.mark.parametrize(("value", "status"), [(0.5, 0), (2.0, 0), (None, 2)])
def test_a_quick_run_misses_nothing(monkeypatch: pytest.MonkeyPatch, value: float | None, status: int) -> None:
    assert _status(monkeypatch, value, "--quick") == status


def test_quick_leaves_alone_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--quick", "--rounds=9"])
    parser = side_by_side.parser_of("A doc.", rounds=6)
    parser.add_argument("--rules", type=int, default=100)
    chosen = parser.parse_args()
    side_by_side.quickly(chosen, rounds=1, rules=5)
    assert (chosen.rounds, chosen.rules) == (9, 5)
