"""The cost of a join in calls: the same on every run, and not more than the committed baseline allows."""

import json

import pytest
from bench.calls import BASELINE, CASES, count_calls, growth, totals
from bench.in_process import Line

COUNTS = {"direct": {"python": 100, "c": 50}}


@pytest.mark.parametrize(("case", "behind_proxy"), CASES.items())
def test_a_join_calls_no_more_than_ten_per_cent_above_the_baseline(case: str, behind_proxy: bool) -> None:
    found = {case: totals(count_calls(behind_proxy=behind_proxy))}
    assert growth(json.loads(BASELINE.read_text()), found) == [], "if this is wanted: python -m bench.calls --update"


def test_the_count_is_the_same_every_time() -> None:
    assert count_calls(behind_proxy=True) == count_calls(behind_proxy=True)


def test_what_is_counted_is_the_gate() -> None:
    """The phases are in the count, once each; a join that leaves one out is not a join."""
    found = count_calls(behind_proxy=True)
    for name in ("client_address.resolve_client", "decision.decide", "gate.Gate.judge", "gate.Gate.leave"):
        assert found["python", name] == 1, name


def test_one_more_function_for_each_step_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = totals(count_calls(behind_proxy=False))["python"]
    judge = Line.join

    def twice(line: Line) -> None:
        judge(line)
        judge(line)

    monkeypatch.setattr(Line, "join", twice)
    after = totals(count_calls(behind_proxy=False))
    assert after["python"] > 1.9 * before
    assert growth({"direct": {"python": before, "c": 10**6}}, {"direct": after})


@pytest.mark.parametrize(
    ("found", "complaints"),
    [({"python": 110, "c": 55}, 0), ({"python": 111, "c": 55}, 1), ({"python": 9, "c": 56}, 1)],
)
def test_growth_by_more_than_ten_per_cent_is_refused(found: dict[str, int], complaints: int) -> None:
    assert len(growth(COUNTS, {"direct": found})) == complaints


def test_what_is_in_no_baseline_is_refused() -> None:
    (line,) = growth({}, {"new": {"python": 1}})
    assert "--update" in line
