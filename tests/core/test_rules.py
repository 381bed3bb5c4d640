import math
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from joingate.core.model import UNKNOWN, Cause, Location
from joingate.core.rule_set import RuleSet
from joingate.core.rules import (
    Action,
    Asked,
    Authority,
    HostPolicy,
    Match,
    Order,
    Rule,
    codes_of,
    digest_of,
    reach_of,
)
from joingate.core.territory import COUNTRIES
from tests.core.made import CAC, order

CN, HK, GD, LOST = Location("CN"), Location("HK"), Location("CN", "CN-GD"), UNKNOWN[Cause.NOT_FOUND]


def policy(id: str = "p", **fields: Any) -> HostPolicy:  # noqa: A002 - the field's own name
    """A host policy for meeting `m` that denies US."""
    given: dict[str, Any] = {"meetings": ("m",), "action": Action.REJECT, "deny": frozenset(("US",))}
    return HostPolicy(id, **(given | fields))


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"territory": frozenset(("HK",))}, "order o: ['HK'] lies outside the territory of cac"),
        ({"territory": frozenset(("US", "CN", "HK"))}, "order o: ['HK', 'US'] lies outside the territory of cac"),
        ({"territory": frozenset(("UA-43",))}, "order o: ['UA-43'] lies outside the territory of cac"),
        ({"opens": 100.0}, "order o: ends before it begins"),
        ({"opens": 101.0}, "order o: ends before it begins"),
        ({"opens": math.nan}, "order o: ends before it begins"),
        ({"closes": math.nan}, "order o: ends before it begins"),
    ],
)
def test_an_order_that_over_reaches_cannot_be_made(fields: dict[str, Any], refusal: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole text is compared below
        order(**fields)
    assert str(raised.value) == refusal


@pytest.mark.parametrize(
    ("now", "in_force"), [(-1, False), (0, True), (99.9, True), (100, False), (math.inf, False), (math.nan, False)]
)
def test_an_order_is_in_force_from_its_opening_until_its_close(now: float, in_force: bool) -> None:
    assert order().in_force(now) is in_force


@pytest.mark.parametrize("now", [-1.0, 0.0, 1e12])
def test_a_host_policy_is_always_in_force(now: float) -> None:
    assert policy().in_force(now)


@pytest.mark.parametrize(
    ("allow", "deny"), [(None, None), (frozenset(("CN",)), frozenset(("US",))), (frozenset(), frozenset())]
)
def test_a_host_policy_allows_or_denies(allow: frozenset[str] | None, deny: frozenset[str] | None) -> None:
    with pytest.raises(ValueError, match=r"^host policy p: exactly one of allow and deny$"):
        policy(allow=allow, deny=deny)


@pytest.mark.parametrize(
    ("rule", "location", "match"),
    [
        (order(), CN, Match.YES),
        (order(), GD, Match.YES),
        (order(), HK, Match.NO),
        (order(), LOST, Match.DOUBT),
        (order(territory=frozenset(("CN-GD",))), GD, Match.YES),
        (order(territory=frozenset(("CN-GD",))), HK, Match.NO),
        (order(territory=frozenset()), CN, Match.NO),
        (policy(allow=frozenset(("CN",)), deny=None), CN, Match.NO),
        (policy(allow=frozenset(("CN",)), deny=None), HK, Match.YES),
        (policy(allow=frozenset(("CN",)), deny=None), LOST, Match.DOUBT),
        (policy(allow=frozenset(), deny=None), CN, Match.YES),
        (policy(deny=frozenset(("CN",))), CN, Match.YES),
        (policy(deny=frozenset(("CN",))), HK, Match.NO),
        (policy(deny=frozenset(("CN",))), LOST, Match.DOUBT),
        (policy(deny=frozenset()), CN, Match.NO),
    ],
)
def test_match(rule: Rule, location: Location, match: Match) -> None:
    assert rule.match(location) is match


BASE = order(asked=Asked(("meeting", "account"), ("CN", "HK")), notice_url="https://example.org/o")


def test_a_revision_is_the_digest_of_the_content_whatever_the_order() -> None:
    rules: list[Rule] = [BASE, order("b"), policy()]
    revision = RuleSet(rules).revision
    assert len(revision) == 16
    assert int(revision, 16) >= 0
    assert RuleSet(rules[::-1]).revision == revision
    assert RuleSet([order("b"), policy(), replace(BASE)]).revision == revision


ORDER_CHANGES: dict[str, Any] = {
    "id": "o2",
    "authority": Authority("cac", CAC.name, CAC.branch, frozenset(("CN", "HK"))),
    "territory": frozenset(("CN-GD",)),
    "meetings": ("m", "n"),
    "action": Action.REJECT,
    "legal_basis": "Instrument, art. 2",
    "reference": "ref 2",
    "received": date(2020, 5, 30),
    "opens": 1.0,
    "closes": 99.0,
    "service_wide": True,
    "asked": None,
    "notice_url": None,
    "shadow": True,
}
POLICY_CHANGES: dict[str, Any] = {
    "id": "p2",
    "meetings": ("m", "n"),
    "action": Action.EJECT,
    "allow": frozenset(("US",)),
    "deny": frozenset(("CN",)),
    "reject_unknown": True,
    "shadow": True,
}


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        *((BASE, replace(BASE, **{field: value})) for field, value in ORDER_CHANGES.items()),
        *(
            (policy(), replace(policy(), **{"deny": None if field == "allow" else policy().deny, field: value}))
            for field, value in POLICY_CHANGES.items()
        ),
        (BASE, replace(BASE, authority=Authority("cac", "Another name", CAC.branch, CAC.territory))),
        (BASE, replace(BASE, authority=Authority("cac", CAC.name, "police", CAC.territory))),
        (BASE, replace(BASE, authority=Authority("cac2", CAC.name, CAC.branch, CAC.territory))),
        (BASE, replace(BASE, asked=Asked(("meeting",), ("CN", "HK")))),
        (BASE, replace(BASE, asked=Asked(("meeting", "account"), ("CN",)))),
        (order("x"), policy("x")),
    ],
)
def test_a_revision_changes_with_every_field(rule: Rule, other: Rule) -> None:
    assert RuleSet([rule]).revision != RuleSet([other]).revision


def test_no_field_is_without_a_row_above() -> None:
    assert [field.name for field in fields(Order)] == list(ORDER_CHANGES)
    assert [field.name for field in fields(HostPolicy)] == list(POLICY_CHANGES)


def test_a_revision_is_the_same_in_every_process() -> None:
    """Pinned: a set's own order differs from process to process, and a digest must not."""
    codes = frozenset(("US", "CN", "HK", "UA-43"))
    rules: list[Rule] = [policy(deny=codes), order(authority=Authority("a", "A", "police", codes), territory=codes)]
    assert RuleSet(rules).revision == "99b788bbc3521f36"


@pytest.mark.parametrize("vocabulary", [Action, Match])
def test_words_are_written_in_small_letters(vocabulary: type[Action] | type[Match]) -> None:
    assert all(member.value == member.name.lower() for member in vocabulary)


def test_an_order_asks_for_nothing_more_unless_it_does() -> None:
    assert Order.__dataclass_fields__["asked"].default is None
    assert Asked() == Asked((), ())


UKRAINE = Authority("ua", "A court", "judicial", frozenset(("UA",)))
PARTLY = Location("UA")


@pytest.mark.parametrize(
    ("rule", "location", "match"),
    [
        (order(territory=frozenset(("UA-43",)), authority=UKRAINE), PARTLY, Match.DOUBT),
        (order(territory=frozenset(("UA-43",)), authority=UKRAINE), Location("UA", "UA-30"), Match.NO),
        (order(territory=frozenset(("UA-43",)), authority=UKRAINE), Location("PL"), Match.NO),
        (order(territory=frozenset(("UA-43", "UA")), authority=UKRAINE), PARTLY, Match.YES),
        (policy(allow=frozenset(("UA-30",)), deny=None), PARTLY, Match.DOUBT),
        (policy(deny=frozenset(("UA-30",))), PARTLY, Match.DOUBT),
        (policy(allow=frozenset(("UA-30", "PL")), deny=None), Location("PL"), Match.NO),
    ],
)
def test_a_part_that_is_not_known_is_doubt(rule: Rule, location: Location, match: Match) -> None:
    assert rule.match(location) is match


@pytest.mark.parametrize("code", ["CN-HK", "CNX", "cn-44", "EU"])
def test_an_order_has_no_code_that_is_none(code: str) -> None:
    anywhere = Authority("a", "A", "other", frozenset((code, "CN")))
    with pytest.raises(ValueError, match="is no code of a country or a part of one"):
        order(territory=frozenset((code,)), authority=anywhere)


def test_all_meetings_need_the_word_for_it() -> None:
    with pytest.raises(ValueError, match="all meetings, without service_wide"):
        order(meetings=("m", "*"), service_wide=False)


def test_the_codes_of_a_rule_are_those_it_speaks_of() -> None:
    assert codes_of(order()) == {"CN"}
    assert codes_of(HostPolicy("p", ("m",), Action.REJECT, allow=frozenset({"DE"}))) == {"DE"}
    assert codes_of(HostPolicy("p", ("m",), Action.REJECT, deny=frozenset({"US"}))) == {"US"}
    assert codes_of(HostPolicy("p", ("m",), Action.REJECT, allow=frozenset())) == set()


def test_a_digest_is_of_all_that_one_rule_says() -> None:
    assert digest_of(order()) == digest_of(order()) == RuleSet([order()]).revision
    assert digest_of(order()) != digest_of(order(reference="another"))


EVERYWHERE = sorted(COUNTRIES)


@pytest.mark.parametrize(
    ("rule", "reach"),
    [
        (order(territory=frozenset(("CN",))), "CN"),
        (order(territory=frozenset(("CN", "CN-GD"))), "CN"),
        (order(territory=frozenset(("CN-GD",)), opens=1.0), "CN"),
        (policy(deny=frozenset(("US-NJ", "HK"))), "HK US"),
        (policy(deny=None, allow=frozenset(("CN", "US-NJ"))), " ".join(code for code in EVERYWHERE if code != "CN")),
        (policy(deny=None, allow=frozenset()), " ".join(EVERYWHERE)),
    ],
)
def test_the_reach_of_a_rule_is_where_it_may_mean_somebody(rule: Rule, reach: str) -> None:
    assert sorted(reach_of(rule)) == reach.split()
    assert reach_of(rule) is reach_of(replace(rule, id="another"))
