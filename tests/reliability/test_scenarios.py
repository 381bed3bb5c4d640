"""Every scenario of docs/reliability.md, a few times each; and that the page tells of these scenarios."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.reliability.elsewhere import ELSEWHERE, ROOT
from tests.reliability.families import FAMILIES
from tests.reliability.page import render, verdict_of
from tests.reliability.scenario import Result, Scenario
from tests.reliability.stage import carry_out

SCENARIOS = [each for family in FAMILIES.values() for each in family]
PAGE = ROOT / "docs" / "reliability.md"


def _id(scenario: Scenario) -> str:
    return re.sub(r"[^a-z0-9]+", "_", scenario.name.lower()).strip("_")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=_id)
async def test_it_is_as_promised(scenario: Scenario, tmp_path: Path, demo_mmdb: Path) -> None:
    result = await carry_out(scenario, scenario.small, tmp_path, demo_mmdb)
    if result.skipped is not None:
        pytest.skip(result.skipped)
    assert result.verdict == "held", (result, (tmp_path / "log").read_text())


def test_the_page_tells_of_every_scenario_and_every_promise_is_held() -> None:
    text = PAGE.read_text()
    nothing = {family: [(each, Result()) for each in scenarios] for family, scenarios in FAMILIES.items()}
    expected = render(nothing, [(each, Counter()) for each in ELSEWHERE])
    assert _told(text) == _told(expected)
    assert "BROKEN" not in text
    for scenario in SCENARIOS:
        tried = re.search(rf"^\| {re.escape(scenario.name)} \| (\d+) \|.* \| (.*) \|$", text, re.MULTILINE)
        assert tried is not None, scenario.name
        assert int(tried[1]) == scenario.full or tried[2].startswith("skipped: "), scenario.name


def _told(text: str) -> list[list[str]]:
    """Return what is not of one run alone: everything but the cells that are counted or measured."""
    lines = (line.split(" | ") for line in text.splitlines())
    return [[*line[:1], *line[2:3]] if len(line) == 6 else line[:3] for line in lines]


def test_what_is_held_elsewhere_is_there() -> None:
    for held in ELSEWHERE:
        for test in held.tests:
            assert (ROOT / test).is_file(), test


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (Result(3, Counter(a=3)), "held"),
        (Result(3, Counter()), "BROKEN: nothing was seen"),
        (Result(0, Counter(a=3)), "BROKEN: nothing was seen"),
        (Result(3, Counter(a=3), ["it broke", "it broke", "twice"]), "BROKEN: it broke; twice"),
        (Result(skipped="no tool"), "skipped: no tool"),
    ],
)
def test_a_verdict_is_computed(result: Result, verdict: str) -> None:
    assert result.verdict == verdict


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        (Counter(passed=3), "held"),
        (Counter(passed=3, skipped=1), "held; 1 skipped"),
        (Counter(passed=3, failed=1), "BROKEN: 1 of 4 failed"),
        (Counter(skipped=1), "BROKEN: 0 of 1 failed"),
        (Counter(), "BROKEN: no tests"),
    ],
)
def test_so_is_one_of_tests_elsewhere(outcomes: Counter[str], verdict: str) -> None:
    assert verdict_of(outcomes) == verdict
