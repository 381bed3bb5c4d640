"""Every mistake of shape has a sentence of ours, whatever stands wherever."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from joingate.codecs.rule_problems import problem_lines, rule_label
from joingate.codecs.rule_schema import KEYS, RuleFile


def problems(document: dict[str, Any]) -> list[str]:
    try:
        RuleFile.model_validate(document)
    except ValidationError as refused:
        return list(problem_lines(refused, document))
    return []


POLICY = {"id": "h-1", "meetings": ["m-1"], "action": "reject"}


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ({"orders": 1}, ['unknown key "orders"; did you mean "order"?']),
        ({"x": 1}, ['unknown key "x"; write one of authority, order, host_policy']),
        (
            {"order": {"id": "o-1"}},
            ["order: a table stands where a list of tables is meant; write [[order]] and its keys below it"],
        ),
        (
            {"authority": []},
            ["authority: a list stands where a table is meant; write [authority.ID] and its keys below it"],
        ),
        (
            {"order": [None]},
            ["order number 1: null stands where a table is meant; write [[order]] and its keys below it"],
        ),
        (
            {"authority": {"a b": {"name": "N", "branch": "other", "territory": ["CN"]}}},
            ['authority "a b": "a b" cannot be an id; write 1 to 64 letters, digits, ".", "_" or "-" (A-Z, a-z, 0-9)'],
        ),
        (
            {"authority": {"a": {"name": "N", "branch": 1, "territory": ["CN"], "[key]": 1}}},
            [
                ('authority "a": branch: 1 is not known here; '
                'write one of "judicial", "executive", "police", "regulator", "other"'),
                'authority "a": unknown key "[key]"; write one of name, branch, territory',
            ],
        ),
        (
            {"order": [{**POLICY, "authority": "a", "legal_basis": "l", "reference": "r", "received": "2020-05-29",
                        "from": "2020-06-03T16:00:00Z", "until": "2020-06-04T16:00:00Z",
                        "asked": {"objects": ["house"], "what": 1}, "deny": ["US"]}]},
            [
                ('order "h-1": asked.objects: "house" is not known here; '
                'write one of "meeting", "account", "participants", "data", "other"'),
                'order "h-1": asked: unknown key "what"; write one of objects, territory',
                'order "h-1": unknown key "deny": only a host policy has it; an order names its territory',
            ],
        ),
        (
            {"host_policy": [{**POLICY, "until": 1, "alow": []}]},
            [
                ('host_policy "h-1": unknown key "until": '
                "only an order has it, and a host policy makes no legal claim; remove it"),
                'host_policy "h-1": unknown key "alow"; did you mean "allow"?',
            ],
        ),
        (
            {"host_policy": [{"meetings": "m" * 64, "id": 7, "action": "ban", "deny": [1], "shadow": "yes"}]},
            [
                'host_policy number 1: id: 7 is not text; write "7"',
                f'host_policy number 1: meetings: "{"m" * 64}" stands where a list is meant; write ["board-*"]',
                ('host_policy number 1: action: "ban" is no action; write "reject" (new joins only) or '
                '"eject" (those inside as well): a rule acts on participants, never on a meeting or an account'),
                'host_policy number 1: deny: 1 is not text; write text in quotes, such as "US"',
                'host_policy number 1: shadow: "yes" is neither true nor false; write true or false, without quotes',
            ],
        ),
        (
            {"host_policy": [{"id": "h-1", "meetings": "m-1"}]},
            [
                'host_policy "h-1": meetings: "m-1" stands where a list is meant; write ["m-1"]',
                ('host_policy "h-1": action: is missing; '
                'write "reject" (new joins only) or "eject" (those already inside as well)'),
            ],
        ),
        (
            {"order": [{**POLICY, "meetings": [["m-1"]], "authority": 1}]},
            [
                'order "h-1": authority: 1 is not text; write text in quotes, such as "cac"',
                'order "h-1": meetings: a list is not text; write text in quotes, such as "8412345678"',
                ('order "h-1": legal_basis: is missing; write the instrument and provision, '
                'such as "Cybersecurity Law, article 28"'),
                'order "h-1": reference: is missing; write the authority\'s own reference, such as "2020/0604"',
                'order "h-1": received: is missing; write the day the demand was received, such as "2020-05-29"',
                'order "h-1": from: is missing; write the moment it comes into force, such as "2020-06-03T16:00:00Z"',
                ('order "h-1": until: is missing; write the moment it ends, at most 90 days later '
                '(366 if service_wide), such as "2020-06-04T16:00:00Z"'),
            ],
        ),
    ],
)  # fmt: skip
def test_mistakes_of_shape(document: dict[str, Any], lines: list[str]) -> None:
    assert problems(document) == lines


@pytest.mark.parametrize(
    ("rule", "label"),
    [
        ({"id": "o-1"}, 'order "o-1"'),
        ({"id": "o 1"}, "order number 1"),
        ({"id": 1}, "order number 1"),
        (1, "order number 1"),
    ],
)
def test_a_rule_is_named_by_its_id_or_its_number(rule: Any, label: str) -> None:
    assert rule_label("order", 0, {"order": [rule]}) == label


def tables(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    keys = st.sampled_from(sorted({key for table in KEYS.values() for key in table} | {"[key]"})) | st.text(max_size=5)
    return st.dictionaries(keys, inner, max_size=6)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes() | st.times()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | tables(inner), max_leaves=8)
rules = st.lists(tables(values) | values, max_size=2)
documents = st.fixed_dictionaries(
    {}, optional={"authority": tables(tables(values) | values) | values, "order": rules | values, "host_policy": rules}
)


@given(document=documents | tables(values))
def test_whatever_stands_there_each_problem_is_one_line(document: dict[str, Any]) -> None:
    for line in problems(document):
        assert line.splitlines() == [line]
        assert "pydantic" not in line
