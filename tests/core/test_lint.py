from typing import Any

import pytest

from joingate.core.lint import remarks
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, HostPolicy
from tests.core.made import order

POLICY = HostPolicy("p", ("a*",), Action.EJECT, deny=frozenset({"CN"}))


@pytest.mark.parametrize(
    ("fields", "now", "said"),
    [
        ({}, 99.0, []),
        ({}, 100.0, ["order o: has ended, and restricts nobody; remove it"]),
        (
            {"meetings": ("*",)},
            0.0,
            ["order o: means every meeting of the service; make sure that its legal basis demands no less"],
        ),
        (
            {"meetings": ("abc*", "abcd*", "b")},
            0.0,
            ['order o: "abc*" means every meeting whose id begins so; name the meetings, or write a longer prefix'],
        ),
    ],
)
def test_an_order_to_be_looked_at_twice_is_named(fields: dict[str, Any], now: float, said: list[str]) -> None:
    assert list(remarks(RuleSet([order(**fields), POLICY]), now)) == said
