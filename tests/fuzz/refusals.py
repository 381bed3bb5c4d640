"""What every refusal keeps to, whoever it is meant for."""

from collections.abc import Sequence


def are_lines(problems: Sequence[str]) -> None:
    """Check what an operator is told: at least something, each in a line of its own."""
    assert problems, "nothing is said"
    assert all(len(problem.splitlines()) == 1 for problem in problems), "a problem is no single line"


def fits_a_close_frame(why: str) -> None:
    """Check what a client is told."""
    assert 0 < len(why.encode()) <= 123, "the text does not fit into a Close frame"
