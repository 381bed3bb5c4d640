from datetime import date

import pytest

from joingate.codecs.quoted import quoted, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ('with "quotes" and \\', '"with \\"quotes\\" and \\\\"'),
        ("two\nlines", '"two\\nlines"'),
        ("é 会", '"é 会"'),
        ("\u2028\x7f\udcff", '"\\u2028\\u007f\\udcff"'),
        ("x" * 120, f'"{"x" * 120}"'),
        ("x" * 121, f'"{"x" * 120}..."'),
    ],
)
def test_text_stays_on_one_line_and_short(text: str, expected: str) -> None:
    assert quoted(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", '"a"'),
        (None, "null"),
        (True, "true"),
        (5, "5"),
        (-(10**18) + 1, "-999999999999999999"),
        (-(10**18), "a number this large"),
        (0.5, "0.5"),
        (float("nan"), "nan"),
        (["secret"], "a list"),
        ({"secret": 1}, "a table"),
        (date(2020, 6, 4), "2020-06-04"),
    ],
)
def test_any_value_is_shown_as_it_is_written(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_a_number_that_python_itself_will_not_print_is_named() -> None:
    assert shown(16**5000) == "a number this large"
