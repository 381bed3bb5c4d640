from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.decision import Decision, decide, reassess, without_record
from joingate.core.model import UNKNOWN, Cause, Join, Location, Reason, Verdict
from joingate.core.roster import Event, Participant, Roster, State
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, Authority, HostPolicy, Rule
from tests import strategies as some
from tests.core.made import order
from tests.paper_gate import Line

CN, HK, US, LOST = Location("CN"), Location("HK"), Location("US"), UNKNOWN[Cause.STALE]

ORDER = order("order")
LATER = order("later", opens=50.0)
ORDER_OF_HK = order(
    "hk", authority=Authority("hk", "A court", "judicial", frozenset(("HK",))), territory=frozenset(("HK",))
)
SHADOW = order("a-shadow", shadow=True)
ONLY_JOINS = order("only-joins", action=Action.REJECT)


def policy(id: str = "policy", **fields: Any) -> HostPolicy:  # noqa: A002 - the field's own name
    given: dict[str, Any] = {"meetings": ("m",), "action": Action.EJECT, "deny": frozenset(("CN",))}
    return HostPolicy(id, **(given | fields))


POLICY = policy()
STRICT = policy("strict", reject_unknown=True)
POLICY_IN_SHADOW = policy("b-shadow", shadow=True)

ADMIT, REJECT, EJECT, DEFER = Verdict.ADMIT, Verdict.REJECT, Verdict.EJECT, Verdict.DEFER


@pytest.mark.parametrize(
    ("rules", "location", "now", "decision"),
    [
        ([], CN, 1, Decision(ADMIT, Reason.NO_RULE)),
        ([order(meetings=("other",))], CN, 1, Decision(ADMIT, Reason.NO_RULE)),
        ([ORDER], CN, -1, Decision(ADMIT, Reason.NOT_IN_FORCE)),
        ([ORDER], CN, 100, Decision(ADMIT, Reason.NOT_IN_FORCE)),
        ([LATER], LOST, 1, Decision(ADMIT, Reason.NOT_IN_FORCE)),
        ([ORDER], HK, 1, Decision(ADMIT, Reason.NOT_IN_SCOPE)),
        ([LATER], HK, 1, Decision(ADMIT, Reason.NOT_IN_SCOPE)),
        ([ORDER, LATER], HK, 1, Decision(ADMIT, Reason.NOT_IN_SCOPE)),
        ([ORDER_OF_HK, LATER], CN, 1, Decision(ADMIT, Reason.NOT_IN_FORCE)),
        ([POLICY], HK, 1, Decision(ADMIT, Reason.NOT_IN_SCOPE)),
        ([ORDER], CN, 1, Decision(REJECT, Reason.ORDER, ORDER)),
        ([ONLY_JOINS], CN, 1, Decision(REJECT, Reason.ORDER, ONLY_JOINS)),
        ([POLICY], CN, 1, Decision(REJECT, Reason.HOST_POLICY, POLICY)),
        ([POLICY, ORDER], CN, 1, Decision(REJECT, Reason.ORDER, ORDER)),
        ([POLICY, LATER], CN, 1, Decision(REJECT, Reason.HOST_POLICY, POLICY)),
        ([order("z"), order("b")], CN, 1, Decision(REJECT, Reason.ORDER, order("b"))),
        # Doubt admits, and the order that would have been enforced is named.
        ([ORDER], LOST, 1, Decision(ADMIT, Reason.DOUBT, None, ORDER)),
        ([ORDER, order("z")], LOST, 1, Decision(ADMIT, Reason.DOUBT, None, ORDER)),
        ([ORDER, POLICY], LOST, 1, Decision(ADMIT, Reason.DOUBT, None, ORDER)),
        ([SHADOW], LOST, 1, Decision(ADMIT, Reason.NOT_IN_SCOPE)),
        ([POLICY], LOST, 1, Decision(ADMIT, Reason.NOT_IN_SCOPE)),
        # A host may choose otherwise for the own meeting.
        ([STRICT], LOST, 1, Decision(REJECT, Reason.HOST_POLICY, STRICT)),
        ([STRICT, ORDER], LOST, 1, Decision(REJECT, Reason.HOST_POLICY, STRICT, ORDER)),
        # Shadow counts and restricts nobody.
        ([SHADOW], CN, 1, Decision(ADMIT, Reason.SHADOW, shadowed=SHADOW)),
        ([POLICY_IN_SHADOW], CN, 1, Decision(ADMIT, Reason.SHADOW, shadowed=POLICY_IN_SHADOW)),
        ([POLICY_IN_SHADOW, SHADOW], CN, 1, Decision(ADMIT, Reason.SHADOW, shadowed=SHADOW)),
        ([SHADOW, ORDER], CN, 1, Decision(REJECT, Reason.ORDER, ORDER, None, SHADOW)),
        ([SHADOW, POLICY], CN, 1, Decision(REJECT, Reason.HOST_POLICY, POLICY, None, SHADOW)),
        ([policy("s", reject_unknown=True, shadow=True), ORDER], LOST, 1, None),
    ],
)
def test_decide(rules: list[Rule], location: Location, now: float, decision: Decision | None) -> None:
    if decision is None:  # doubt and shadow together: doubt is the reason, both are told
        shadow = rules[0]
        decision = Decision(ADMIT, Reason.DOUBT, None, ORDER, shadow)
    for given_order in (rules, rules[::-1]):
        assert decide(Join("m"), location, RuleSet(given_order), now) == decision


@given(rules=some.rule_lists(), join=some.joins(), location=some.locations, now=some.moments, extra=some.rule_lists())
def test_a_further_rule_never_admits_more(
    rules: list[Rule], join: Join, location: Location, now: float, extra: list[Rule]
) -> None:
    more = [*rules, *(rule for rule in extra if rule.id not in {known.id for known in rules})]
    if decide(join, location, RuleSet(rules), now).verdict is REJECT:
        assert decide(join, location, RuleSet(more), now).verdict is REJECT


@given(rules=some.rule_lists(), join=some.joins(), location=some.locations, now=some.moments)
def test_shadow_changes_no_outcome(rules: list[Rule], join: Join, location: Location, now: float) -> None:
    enforced = [rule for rule in rules if not rule.shadow]
    whole, without = (decide(join, location, RuleSet(some_rules), now) for some_rules in (rules, enforced))
    assert (whole.verdict, whole.rule, whole.doubted) == (without.verdict, without.rule, without.doubted)


@given(rules=some.rule_sets, join=some.joins(), location=some.locations, now=some.moments)
def test_a_join_is_admitted_or_rejected_and_a_rejection_names_its_rule(
    rules: RuleSet, join: Join, location: Location, now: float
) -> None:
    decision = decide(join, location, rules, now)
    assert decision.verdict in (ADMIT, REJECT)
    assert (decision.verdict is REJECT) is (decision.rule is not None)
    assert (decision.reason is Reason.DOUBT) <= (decision.doubted is not None)


def room(*people: str) -> tuple[Participant, ...]:
    """Seat people: `CN`, `HK`, `?` (unknown), `!` for a host, `+` registered, `-` ejecting, `~` deferred."""
    roster = Roster()
    for text in people:
        participant = roster.register(Join("m", text, host="!" in text), None, Line())
        country = text.strip("!+-~")
        participant.location = LOST if country == "?" else Location(country)
        if "+" not in text:
            roster.apply(participant, Event.ADMIT)
        if "-" in text:
            roster.apply(participant, Event.EJECT)
        if "~" in text:
            roster.apply(participant, Event.DEFER)
    return roster.of_meeting("m")


@pytest.mark.parametrize(
    ("people", "rules", "ends_without_host", "denied"),
    [
        ("", [ORDER], False, ""),
        ("CN+ CN-", [ORDER], False, ""),
        ("CN HK", [], False, ""),
        ("CN HK", [ONLY_JOINS], False, ""),
        ("CN HK", [LATER], False, ""),
        ("CN HK", [SHADOW], False, ""),
        ("HK US ?", [ORDER], False, ""),
        ("CN HK", [ORDER], False, "CN:eject"),
        ("CN HK CN+ CN- CN", [ORDER], False, "CN:eject CN:eject"),
        ("HK CN", [POLICY], False, "CN:eject"),
        ("HK ?", [STRICT], False, ""),  # an ageing database must not empty the room
        ("CN! HK", [ORDER], False, "CN!:eject"),
        ("HK US", [ORDER], True, ""),
        ("CN! HK", [ORDER], True, "CN!:defer"),
        ("CN!~ HK", [ORDER], True, "CN!~:defer"),
        ("CN CN! HK", [ORDER], True, "CN:eject CN!:defer"),
        ("CN! CN! CN HK", [ORDER], True, "CN!:defer CN!:eject CN:eject"),
        ("CN! HK!", [ORDER], True, "CN!:eject"),
        ("CN! HK HK!~", [ORDER], True, "CN!:eject"),
        ("CN! HK HK!+", [ORDER], True, "CN!:defer"),  # who is not yet inside cannot keep the meeting going
        ("CN! HK HK!-", [ORDER], True, "CN!:defer"),  # nor who is about to leave
        ("CN! CN", [ORDER], True, "CN!:eject CN:eject"),  # nobody stays to be spared the end
        ("CN HK", [ORDER], True, "CN:eject"),  # there was no host
    ],
)
def test_reassess(people: str, rules: list[Rule], ends_without_host: bool, denied: str) -> None:
    present = room(*people.split())
    found = reassess(present, RuleSet(rules), 1, ends_without_host=ends_without_host)
    assert [f"{who.id}:{decision.verdict}" for who, decision in found] == denied.split()
    assert all(any(who is one for one in present) for who, _ in found)


def test_a_deferral_says_which_rule_it_puts_off() -> None:
    present = room("CN!", "HK")
    [(who, decision)] = reassess(present, RuleSet([ORDER, order("a", shadow=True)]), 1, ends_without_host=True)
    assert who is present[0]
    assert decision == Decision(DEFER, Reason.HOST_CONTINUITY, ORDER, None, order("a", shadow=True))


def test_judging_again_changes_nobody() -> None:
    present = room("CN!", "HK", "CN~", "CN-", "CN+")
    states = [one.state for one in present]
    reassess(present, RuleSet([ORDER]), 1, ends_without_host=True)
    assert [one.state for one in present] == states
    assert {State.GONE} & set(states) == set()


@given(people=some.gatherings, rules=some.rule_sets, now=some.moments, pick=st.integers(0, 5))
def test_one_person_is_judged_without_regard_to_the_others(
    people: list[tuple[Join, Location]], rules: RuleSet, now: float, pick: int
) -> None:
    roster = Roster()
    for join, location in people:
        roster.register(join, None, Line()).location = location
    present = roster.of_meeting(some.MEETINGS[0])
    for one in present:
        roster.apply(one, Event.ADMIT)
    one = present[pick % len(present)]
    together = [pair for pair in reassess(present, rules, now) if pair[0] is one]
    assert together == reassess([one], rules, now)


def test_without_a_record_a_restriction_is_an_admission_that_names_its_rule() -> None:
    restricting = Decision(Verdict.REJECT, Reason.ORDER, order("a"), order("b"), order("c", shadow=True))
    admitted = without_record(restricting)
    assert (admitted.verdict, admitted.reason, admitted.rule) == (Verdict.ADMIT, Reason.UNRECORDED, None)
    assert (admitted.unrecorded, admitted.doubted, admitted.shadowed) == (
        restricting.rule,
        restricting.doubted,
        restricting.shadowed,
    )
