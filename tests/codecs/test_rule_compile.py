"""How the values of one rule must fit together: territory, meetings, window, what was asked."""

from typing import Any

import pytest

from joingate.codecs.rule_compile import (
    compile_authority,
    compile_host_policy,
    compile_order,
    host_policy_problems,
    order_problems,
)
from joingate.codecs.rule_schema import AuthorityTable, HostPolicyTable, OrderTable
from joingate.core.rules import Action, Authority
from joingate.core.territory import GROUPS

CN = Authority("cac", "Administration", "regulator", frozenset({"CN"}))
EU = Authority("eu", "Council", "executive", GROUPS["EU"].members)
ORDER = {
    "id": "o-1",
    "authority": "cac",
    "meetings": ["m-1"],
    "action": "eject",
    "legal_basis": "Law, article 1",
    "reference": "R 1",
    "received": "2020-05-29",
    "from": "2020-06-03T16:00:00Z",
    "until": "2020-06-04T16:00:00Z",
}
SERVICE_WIDE = {"meetings": ["*"], "service_wide": True}


def order(**changes: Any) -> OrderTable:
    return OrderTable.model_validate(ORDER | {key.rstrip("_"): value for key, value in changes.items()})


TOO_LONG = "days after from; write an earlier moment, and a new order for the renewal"
REACH = "an order reaches no further than its authority: remove it"


@pytest.mark.parametrize(
    ("table", "authority", "problems"),
    [
        # territory (G2): exact codes, a subdivision inside its country and never the other way round
        (order(), CN, []),
        (order(territory=["CN-GD", "CN"]), CN, []),
        (
            order(territory=["HK"]),
            CN,
            [f'territory: "HK" lies outside the territory of authority "cac" (CN); {REACH}'],
        ),
        (
            order(territory=["TW", "CN", "MO"]),
            CN,
            [f'territory: "MO", "TW" lie outside the territory of authority "cac" (CN); {REACH}'],
        ),
        (
            order(territory=["EU+"]),
            EU,
            [
                ('territory: "AX", "GF", "GP", "MF", "MQ" and 2 more lie outside the territory of authority "eu" '
                f"(AT, BE, BG, CY, CZ, ...); {REACH}")
            ],
        ),
        (order(territory=["HK"]), None, []),
        # meetings: every meeting only when that is said twice
        (order(**SERVICE_WIDE), CN, []),
        (order(meetings=["m-*"]), CN, []),
        (
            order(meetings=["m-1", "*"]),
            CN,
            [
                ('meetings: "*" is every meeting; write the ids of the meetings, or service_wide = true '
                "where a sanction on the whole service demands it")
            ],
        ),
        (
            order(service_wide=True),
            CN,
            ['service_wide: is true, and meetings names some; write meetings = ["*"], or remove service_wide'],
        ),
        # the window
        (order(until="2020-09-01T16:00:00Z"), CN, []),
        (order(until="2020-09-01T16:00:00.000001Z"), CN, [f"until: is more than 90 {TOO_LONG}"]),
        (order(until="2021-06-04T16:00:00Z", **SERVICE_WIDE), CN, []),
        (order(until="2021-06-04T16:00:01Z", **SERVICE_WIDE), CN, [f"until: is more than 366 {TOO_LONG}"]),
        (
            order(until="2020-06-03T18:00:00+02:00"),
            CN,
            ["until: 2020-06-03T18:00:00+02:00 is not after from; write a later moment"],
        ),
        (order(until="0001-01-01T00:00:00+23:59"), None, [
            "until: 0001-01-01T00:00:00+23:59 is not after from; write a later moment"
        ]),
        # received: a day begins 14 hours before UTC's, and no order takes effect earlier
        (order(received="2020-06-04"), CN, []),
        (order(received="2020-06-04", from_="2020-06-03T10:00:00Z"), CN, []),
        (
            order(received="2020-06-04", from_="2020-06-03T09:59:59Z"),
            CN,
            [
                ("from: 2020-06-03T09:59:59Z is before the order was received (2020-06-04); "
                "write a moment on that day or later")
            ],
        ),
        # asked
        (order(asked={"objects": ["account"]}), CN, []),
        (order(asked={"territory": ["CN", "HK"]}), CN, []),
        (order(asked={}), CN, ["asked: says nothing; write its objects or its territory, or remove it"]),
        (
            order(asked={"territory": ["HK"]}),
            CN,
            ['asked.territory: "CN" lies outside it, yet granted; write all that was asked for'],
        ),
        (order(territory=["CN-GD"], asked={"territory": ["CN-GD"]}), CN, []),
        (order(asked={"territory": ["HK"]}), None, []),
    ],
)  # fmt: skip
def test_orders(table: OrderTable, authority: Authority | None, problems: list[str]) -> None:
    assert list(order_problems(table, authority)) == problems
    if authority is not None and not problems:
        assert compile_order(table, authority).authority is authority


def test_equal_territories_are_one_object() -> None:
    first, second = (compile_order(order(id=rule_id, territory=["CN"]), CN) for rule_id in ("o-1", "o-2"))
    assert first.territory is second.territory


def test_an_authority_is_compiled_with_its_groups_expanded() -> None:
    table = AuthorityTable(name="Council", branch="executive", territory=["EU"])
    assert compile_authority("eu", table) == EU


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"allow": ["EU"]}, []),
        ({"deny": ["US"], "meetings": ["board-*"]}, []),
        ({"allow": ["EU"], "deny": ["US"]}, ["allow: stands beside deny; keep one of the two"]),
        ({}, ['allow: is missing, and so is deny; write one of the two, such as allow = ["EU"]']),
        (
            {"allow": ["EU"], "meetings": ["*"]},
            [
                ('meetings: "*" is every meeting, and a host speaks for their own; '
                'write ids, or a prefix: "board-*"')
            ],
        ),
    ],
)  # fmt: skip
def test_host_policies(changes: dict[str, Any], problems: list[str]) -> None:
    table = HostPolicyTable.model_validate({"id": "h-1", "meetings": ["m-1"], "action": "eject", **changes})
    assert list(host_policy_problems(table)) == problems
    if not problems:
        policy = compile_host_policy(table)
        assert (policy.action, policy.reject_unknown) == (Action.EJECT, False)
        assert policy.deny == ({"US"} if "deny" in changes else None)
