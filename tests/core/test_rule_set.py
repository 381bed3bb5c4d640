import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.model import Location
from joingate.core.reach import Reach
from joingate.core.rule_set import RuleSet
from joingate.core.rules import SERVICE_WIDE, Action, HostPolicy, Match, Rule
from tests import strategies as some
from tests.core.made import order


def policy(id: str = "p", **fields: Any) -> HostPolicy:  # noqa: A002 - the field's own name
    """A host policy for meeting `m` that denies US."""
    given: dict[str, Any] = {"meetings": ("m",), "action": Action.REJECT, "deny": frozenset(("US",))}
    return HostPolicy(id, **(given | fields))


def test_two_rules_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^two rules have the id x$"):
        RuleSet([order("x"), policy("x")])


def test_an_empty_set_names_no_meeting() -> None:
    rules = RuleSet()
    assert (len(rules), rules.rules, rules.for_meeting("m"), rules.next_boundary(0)) == (0, (), (), None)


EXACT, OTHER = order("exact", meetings=("m",)), order("other", meetings=("n", "m2", "n"))
PREFIX, SHORT, LONG = (
    order("prefix", meetings=("all-*", "all-hands-*")),
    policy("short", meetings=("a*",)),
    policy("long", meetings=("all-hands-2020-*",)),
)
WIDE = order("wide", meetings=(SERVICE_WIDE,), service_wide=True)
EVERY = policy("every", meetings=("*",))


@pytest.mark.parametrize(
    ("rules", "meeting", "found"),
    [
        ([EXACT, OTHER], "m", "exact"),
        ([EXACT, OTHER], "n", "other"),
        ([EXACT, OTHER], "m2", "other"),
        ([EXACT, OTHER], "M", ""),
        ([EXACT, OTHER], "", ""),
        ([EXACT, OTHER], "m*", ""),
        ([EXACT, policy("b"), policy("a")], "m", "exact a b"),
        ([policy("a"), order("z")], "m", "z a"),
        ([PREFIX], "all-hands-1", "prefix"),
        ([PREFIX], "all-", "prefix"),
        ([PREFIX], "all", ""),
        ([PREFIX], "ball-1", ""),
        ([PREFIX, SHORT, LONG], "all-hands-2020-06", "prefix long short"),
        ([PREFIX, SHORT, LONG], "a", "short"),
        ([PREFIX, SHORT, LONG], "m", ""),
        ([EXACT, SHORT], "m", "exact"),
        ([order("e", meetings=("all-1",)), PREFIX], "all-1", "e prefix"),
        ([WIDE], "m", "wide"),
        ([WIDE], "", "wide"),
        ([WIDE, EVERY, EXACT], "m", "exact wide every"),
        ([order("both", meetings=("m", "m*", "*"))], "m", "both"),
        ([order("literal", meetings=("a*b",))], "a*b", "literal"),
        ([order("literal", meetings=("a*b",))], "aXb", ""),
    ],
)
def test_the_rules_of_a_meeting(rules: list[Rule], meeting: str, found: str) -> None:
    for given_order in (rules, rules[::-1]):
        assert [rule.id for rule in RuleSet(given_order).for_meeting(meeting)] == found.split()


@pytest.mark.parametrize(
    ("fold", "meeting", "found"),
    [(str.lower, "board-7", 1), (str.lower, "Board-7", 0), (str, "Board-7", 1), (str, "board-7", 0)],
)
def test_patterns_are_folded_as_the_meeting_server_folds_ids(
    fold: Callable[[str], str], meeting: str, found: int
) -> None:
    """The meeting looked up is folded already; that is the join's business."""
    for pattern in ("Board-7", "Board-*"):
        assert len(RuleSet([order(meetings=(pattern,))], fold=fold).for_meeting(meeting)) == found


@given(rules=some.rule_lists(), meeting=some.meetings | st.text(max_size=4))
def test_the_index_finds_what_reading_every_rule_finds(rules: list[Rule], meeting: str) -> None:
    read = [
        rule
        for rule in sorted(rules, key=lambda rule: (isinstance(rule, HostPolicy), rule.id))
        if any(p == meeting or (p.endswith("*") and meeting.startswith(p[:-1])) for p in rule.meetings)
    ]
    assert list(RuleSet(rules).for_meeting(meeting)) == read


def test_boundaries() -> None:
    rules = RuleSet(
        [
            order("a", opens=10.0, closes=20.0),
            order("b", opens=20.0, closes=30.0, meetings=("n*",)),
            policy(meetings=("m", "n*")),
        ]
    )
    assert [rules.next_boundary(after) for after in (0, 9.9, 10, 15, 20, 30)] == [10, 10, 20, 20, 30, None]
    assert [list(rules.boundaries_of(meeting)) for meeting in ("m", "n1", "x")] == [[10, 20], [20, 30], []]


@given(rules=some.rule_lists(), meeting=some.meetings | st.text(max_size=4), location=some.known_locations())
def test_nobody_is_meant_outside_of_the_reach(rules: list[Rule], meeting: str, location: Location) -> None:
    """Whatever the time: the rules of a meeting are not asked about anybody whom they cannot mean (G1)."""
    found = RuleSet(rules)
    assert location.country is not None
    may_mean = found.reach.may_mean(meeting, location.country)
    named = found.for_meeting(meeting)
    assert (may_mean is None) is (not named)
    if any(rule.match(location) is not Match.NO for rule in named):
        assert may_mean


@given(rules=some.rule_lists(), meeting=some.meetings, location=some.known_locations())
def test_a_set_is_the_same_in_another_process(rules: list[Rule], meeting: str, location: Location) -> None:
    found = RuleSet(rules)
    handed_on = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own
    assert location.country is not None
    assert handed_on.for_meeting(meeting) == found.for_meeting(meeting)
    assert (handed_on.revision, handed_on.digests, len(handed_on)) == (found.revision, found.digests, len(found))
    assert handed_on.reach.may_mean(meeting, location.country) == found.reach.may_mean(meeting, location.country)


def test_equal_reaches_are_one_object() -> None:
    rules = RuleSet([order("a", meetings=("m1", "p*")), order("b", meetings=("m2",)), order("c", meetings=("m2",))])
    if isinstance(rules.reach, Reach):
        by_meeting, by_prefix = rules.reach.indexes
        assert by_meeting["m1"] is by_prefix["p"]
        assert by_meeting == {"m1": {"CN"}, "m2": {"CN"}}


def test_a_set_that_is_taken_apart_holds_no_rule() -> None:
    rules = RuleSet([order(f"o{number}", meetings=(f"m{number}", "p*")) for number in range(200)])
    assert len(rules.for_meeting("p1")) == 200
    revision, digests = rules.revision, dict(rules.digests)
    rules.take_apart()
    assert (len(rules), rules.for_meeting("m1"), rules.for_meeting("p1")) == (0, (), ())
    assert not isinstance(rules.reach, Reach) or rules.reach.indexes == ({}, {})
    assert (rules.revision, rules.digests) == (revision, digests)
