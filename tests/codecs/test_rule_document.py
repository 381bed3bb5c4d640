"""Rule files as notation: what parses, and where what does not parse is said to stand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.rule_document import parse_document
from joingate.core.errors import RefusedInputError


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(RefusedInputError) as refused:
        parse_document(name, content)
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "document"),
    [
        ("a.toml", b"", {}),
        ("a.toml", b"a = 1 # \xc3\xa9\n[b]\nc = '\xc3\xa9'", {"a": 1, "b": {"c": "é"}}),
        ("a.json", b" {} ", {}),
        ("a.json", b'{"a": {"b": 1}, "c": {"b": 2}}', {"a": {"b": 1}, "c": {"b": 2}}),
        ("a.json", rb'{"a": "\ud83d\ude00"}', {"a": "\U0001f600"}),
    ],
)
def test_what_parses(name: str, content: bytes, document: dict[str, object]) -> None:
    assert parse_document(name, content) == document


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", b"", "a.yaml: is neither .toml nor .json; rename it, or move it elsewhere"),
        ("a.toml", b"# 1\n# 2 \xff", "a.toml: line 2: is not UTF-8; save the file as UTF-8"),
        ("a.json", "{}".encode("utf-16"), "a.json: line 1: is not UTF-8; save the file as UTF-8"),
        ("a.toml", b"\xef\xbb\xbf", "a.toml: begins with a byte order mark; save the file as UTF-8 without one"),
        ("a.toml", b"a = 1\nb = ?", "a.toml: line 2, column 5: is not TOML: invalid value"),
        ("a.toml", b"a = 1\nb = '", 'a.toml: line 2, at the end: is not TOML: expected "\'"'),
        ("a.toml", b"a = " + b"[" * 3000, "a.toml: is nested too deeply; write it as the examples are written"),
        ("a.toml", b"a = " + b"9" * 5000, "a.toml: holds a number of thousands of digits; write an id in quotes"),
        ("a.json", b'{"a":\n1 2}', "a.json: line 2, column 3: is not JSON: expecting ',' delimiter"),
        ("a.json", b"", "a.json: line 1, column 1: is not JSON: expecting value"),
        ("a.json", b"[" * 99_999, "a.json: is nested too deeply; write it as the examples are written"),
        ("a.json", b'{"a":' + b"9" * 5000, "a.json: holds a number of thousands of digits; write an id in quotes"),
        ("a.json", b'{"a": NaN}', "a.json: NaN is not JSON; remove it"),
        ("a.json", b"[]", 'a.json: is no JSON object; write one, such as {"order": []}'),
        ("a.json", rb'{"a": "\ud83d"}', "a.json: holds half of a surrogate pair; write the character itself"),
        ("a.json", rb'{"\uDE00": 1}', "a.json: holds half of a surrogate pair; write the character itself"),
        ("a.json", b'{"a": {"b": 1, "c": 2, "b": 1}}', 'a.json: key "b" stands twice in one object; remove one'),
    ],
)
def test_what_does_not(name: str, content: bytes, message: str) -> None:
    assert refusal(name, content) == message


texts = st.text(max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)


@given(document=st.dictionaries(texts, values, max_size=3))
def test_any_json_object_without_equal_keys_parses_to_itself(document: dict[str, object]) -> None:
    assert parse_document("a.json", json.dumps(document).encode()) == document


@given(content=st.binary() | st.text().map(str.encode), name=st.sampled_from(["a.toml", "a.json", "a"]))
def test_arbitrary_bytes_are_parsed_or_refused_on_one_line(content: bytes, name: str) -> None:
    problems: tuple[str, ...] = ()
    try:
        assert isinstance(parse_document(name, content), dict)
    except RefusedInputError as refused:
        problems = refused.problems
    assert [line for problem in problems for line in problem.splitlines()] == list(problems)
    assert len(problems) <= 1
