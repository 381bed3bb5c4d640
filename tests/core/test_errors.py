import pytest

from joingate.core.errors import JoingateError, RefusedInputError


@pytest.mark.parametrize(
    ("problems", "kept", "text"),
    [
        ("a.toml:3: no such key", ("a.toml:3: no such key",), "a.toml:3: no such key"),
        (["a: one", "b: two"], ("a: one", "b: two"), "a: one\nb: two"),
        (("a: one",), ("a: one",), "a: one"),
        ([], (), ""),
    ],
)
def test_each_problem_is_a_line(problems: list[str] | str, kept: tuple[str, ...], text: str) -> None:
    error = RefusedInputError(problems)
    assert error.problems == kept
    assert str(error) == text


def test_what_an_operator_can_mend_is_caught_as_one_kind() -> None:
    with pytest.raises(JoingateError, match=r"^rules/: empty; write an order$"):
        raise RefusedInputError("rules/: empty; write an order")
    assert JoingateError.__bases__ == (Exception,)
