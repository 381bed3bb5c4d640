"""The demo's count of what was lost: it has to be able to say no."""

import pytest

from joingate.demo.hearing import Hearing, Stretch, compare


@pytest.mark.parametrize(
    ("heard", "said", "expected"),
    [
        pytest.param([], [], Hearing(0, 0, 0, 0), id="nothing said"),
        pytest.param([], [Stretch(1, 0)], Hearing(0, 0, 0, 0), id="nothing said yet"),
        pytest.param([1, 2, 3], [Stretch(1, 3)], Hearing(3, 0, 0, 0), id="all"),
        pytest.param([], [Stretch(1, 3)], Hearing(0, 3, 0, 0), id="none"),
        pytest.param([1, 3], [Stretch(1, 3)], Hearing(2, 1, 0, 0), id="a gap"),
        pytest.param([1, 2], [Stretch(1, 3)], Hearing(2, 1, 0, 0), id="the last one missing"),
        pytest.param([1, 2, 2, 3], [Stretch(1, 3)], Hearing(4, 0, 1, 0), id="twice"),
        pytest.param([1, 3, 2], [Stretch(1, 3)], Hearing(3, 0, 0, 1), id="out of order"),
        pytest.param([1, 2, 3], [Stretch(1, 2)], Hearing(3, 0, 1, 0), id="never sent"),
        pytest.param([1, 2], [Stretch(1, 4, cut=True)], Hearing(2, 0, 0, 0), id="cut: the end may not have left"),
        pytest.param([1, 3], [Stretch(1, 4, cut=True)], Hearing(2, 1, 0, 0), id="cut: a gap is a gap"),
        pytest.param([], [Stretch(1, 4, cut=True)], Hearing(0, 0, 0, 0), id="cut before anything arrived"),
        pytest.param([1, 2, 5, 6], [Stretch(1, 4, cut=True), Stretch(5, 6)], Hearing(4, 0, 0, 0), id="came back"),
        pytest.param([1, 2, 6], [Stretch(1, 4, cut=True), Stretch(5, 6)], Hearing(3, 1, 0, 0), id="lost after that"),
        pytest.param([2, 3, 4], [Stretch(1, 2, cut=True), Stretch(3, 4)], Hearing(3, 1, 0, 0), id="lost before that"),
    ],
)
def test_what_arrived_is_compared_with_what_was_sent(heard: list[int], said: list[Stretch], expected: Hearing) -> None:
    hearing = compare(heard, said)
    assert hearing == expected
    assert hearing.is_whole is not any((expected.lost, expected.repeated, expected.disordered))
