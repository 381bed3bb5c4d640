"""G1 to G7, each as a property over generated rules, places and people; G8 is in edges/test_ledger_guarantee.py.

What is expected is worked out here by hand, with set operations on codes, and never asked of the code under test.
`test_guarantees_can_fail.py` breaks the guard of each and sees the property fall.
"""

from dataclasses import replace
from datetime import date
from enum import Enum

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from joingate.core import decision as judgement
from joingate.core import location as locating
from joingate.core import roster as attendance
from joingate.core.model import UNKNOWN, Cause, Join, Location, Verdict
from joingate.core.roster import TRANSITIONS, Event, Participant, State
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, Asked, Authority, HostPolicy, Order, Rule
from joingate.core.territory import Territory, expand
from tests import strategies as some
from tests.paper_gate import Line, PaperGate
from tests.vocabulary import account_words, meeting_words, read_package


def is_inside(location: Location, territory: Territory) -> bool:
    """Whether a location is positively in a territory, by its codes alone."""
    return location.country is not None and bool({location.country, location.subdivision} & territory)


def cannot_be_told(location: Location, territory: Territory) -> bool:
    """Whether a territory has a part of the country, and the part is unknown."""
    parts = {code for code in territory if code[2:] and code[:2] == location.country}
    return location.subdivision is None and bool(parts) and location.country not in territory


def names(one: Rule, meeting: str) -> bool:
    """Whether a rule names a meeting."""
    return any(meeting == p or (p.endswith("*") and meeting.startswith(p[:-1])) for p in one.meetings)


def is_open(one: Rule, now: float) -> bool:
    """Whether a rule is in force."""
    return isinstance(one, HostPolicy) or one.opens <= now < one.closes


def ejects(one: Rule, participant: Participant, now: float) -> bool:
    """Whether a rule means somebody who is inside."""
    if one.action is not Action.EJECT or one.shadow or not names(one, participant.meeting) or not is_open(one, now):
        return False
    where = participant.location
    if isinstance(one, Order):
        return is_inside(where, one.territory)
    if where.country is None or cannot_be_told(where, (one.allow or frozenset()) | (one.deny or frozenset())):
        return False
    return not is_inside(where, one.allow) if one.allow is not None else is_inside(where, one.deny or frozenset())


def simple_order(territory: Territory, authority: Territory | None = None) -> Order:
    """An order for every meeting, for ever, in `territory`."""
    return Order(
        "order-0",
        Authority("a", "An authority", "executive", territory if authority is None else authority),
        territory,
        ("*",),
        Action.EJECT,
        "Instrument, art. 1",
        "ref",
        date(2020, 5, 29),
        0.0,
        float(some.LAST_SECOND),
        service_wide=True,
    )


# G1, territorial


@given(order=some.orders(), others=some.rule_lists(), join=some.joins(), location=some.locations, now=some.moments)
def test_g1_territorial(order: Order, others: list[Rule], join: Join, location: Location, now: float) -> None:
    """For anyone not positively inside its territory an order might as well not exist."""
    assume(not is_inside(location, order.territory))
    event("unknown" if location.country is None else "elsewhere")
    with_it = judgement.decide(join, location, RuleSet([*others, order]), now)
    without = judgement.decide(join, location, RuleSet(others), now)
    assert (with_it.verdict, with_it.rule) == (without.verdict, without.rule)


@given(order=some.orders(), others=some.rule_lists(), people=some.populations, now=some.moments)
def test_g1_territorial_for_those_inside(
    order: Order, others: list[Rule], people: list[tuple[Join, Location]], now: float
) -> None:
    """The same for an ejection: the order is nobody's reason to go but theirs whom it places in its territory."""
    gate = PaperGate(RuleSet(), now)
    gate.admit(people)
    for meeting in some.MEETINGS:
        gate.rules = RuleSet(others)
        without = gate.denied_in(meeting)
        gate.rules = RuleSet([*others, order])
        with_it = gate.denied_in(meeting)
        mine = [pair for pair in with_it if is_inside(pair[0].location, order.territory)]
        assert [(who, one.rule) for who, one in with_it if (who, one) not in mine] == [
            (who, one.rule) for who, one in without if not is_inside(who.location, order.territory)
        ]


@given(
    orders=st.lists(some.orders(shadow=st.just(value=False)), min_size=1, max_size=1),
    cause=st.sampled_from(Cause),
    join=some.joins(),
    now=some.moments,
)
def test_g1_territorial_doubt_admits_and_is_counted(orders: list[Order], cause: Cause, join: Join, now: float) -> None:
    """Whatever the reason for not knowing, the person comes in, and the tally says what it cost."""
    gate = PaperGate(RuleSet(orders), now)
    assert gate.judge(join, UNKNOWN[cause]).state is State.ADMITTED
    meant = [one for one in orders if names(one, join.meeting) and is_open(one, now)]
    assert gate.tally.doubt == ({cause: 1} if meant else {})
    assert gate.reassess() == []


# G2, scoped


@given(authority=some.authorities(), territory=some.territories)
def test_g2_scoped(authority: Authority, territory: Territory) -> None:
    """No order with a code outside its authority's territory comes into being."""
    beyond = {code for code in territory if code not in authority.territory and code[:2] not in authority.territory}
    if beyond:
        with pytest.raises(ValueError, match=rf"^order order-0: \[.*\] lies outside the territory of {authority.id}$"):
            replace(simple_order(territory), authority=authority)
    else:
        assert replace(simple_order(territory), authority=authority).territory == territory


def _record(country: str, *subdivisions: str) -> dict[str, object]:
    return {"country": {"iso_code": country}, "subdivisions": [{"iso_code": code} for code in subdivisions]}


@given(own=st.sampled_from(("HK", "MO", "TW")), part=st.sampled_from(("CN", "CN-GD", "CN-XJ")), join=some.joins())
def test_g2_scoped_to_exact_codes(own: str, part: str, join: Join) -> None:
    """`CN` is never `HK`, `MO` or `TW`, however a database or an override writes them, nor the other way round."""
    readings = (
        locating.place(own),
        locating.place("CN", f"CN-{own}"),
        locating.read_record(_record(own)),
        locating.read_record(_record("CN", own)),
        locating.read_record(_record("CN", own, "GD")),
    )
    for location in readings:
        assert judgement.decide(join, location, RuleSet([simple_order(frozenset((part,)))]), 1).verdict is Verdict.ADMIT
        inside = Participant(join, None, Line())
        inside.state, inside.location = State.ADMITTED, location
        assert judgement.reassess([inside], RuleSet([simple_order(frozenset((part,)))]), 1) == []
        assert judgement.decide(join, location, RuleSet([simple_order(frozenset((own,)))]), 1).verdict is Verdict.REJECT
    mainland = locating.read_record(_record("CN", "GD"))
    assert judgement.decide(join, mainland, RuleSet([simple_order(frozenset((own,)))]), 1).verdict is Verdict.ADMIT
    with pytest.raises(ValueError, match=f'^"CN-{own}" has a country code of its own; write "{own}"$'):
        expand([f"CN-{own}"])


# G3, continuity


def _one_order(territory: Territory) -> RuleSet:
    return RuleSet([simple_order(territory)])


@given(
    people=some.gatherings,
    reloads=st.lists(
        # rules as they come seldom mean a host and nobody else
        st.tuples(some.rule_sets, some.moments) | st.tuples(some.territories.map(_one_order), st.just(1.0)),
        min_size=1,
        max_size=4,
    ),
)
def test_g3_continuity(people: list[tuple[Join, Location]], reloads: list[tuple[RuleSet, float]]) -> None:
    """Where the meeting ends with its last host, whoever stays keeps a host, through any number of changes."""
    gate = PaperGate(RuleSet(), 0, ends_without_host=True)
    gate.admit(people)
    for rules, now in reloads:
        before = {meeting: gate.roster.of_meeting(meeting) for meeting in gate.roster.meetings()}
        gate.reassess(rules, now)
        for meeting, present in before.items():
            stay = [one for one in present if not any(ejects(it, one, now) for it in rules.rules)]
            if stay and any(one.host for one in present):
                assert any(one.host for one in gate.roster.of_meeting(meeting))
                event("the host is meant" if not any(one.host for one in stay) else "a host stays anyway")


@given(people=some.gatherings, territory=some.territories)
def test_g3_continuity_spares_one_host_and_no_more(people: list[tuple[Join, Location]], territory: Territory) -> None:
    """Deferral is for the others' sake: never for a guest, never for two, never where another host or nobody stays."""
    gate = PaperGate(RuleSet(), 1, ends_without_host=True)
    present = gate.admit(people)
    gate.rules = RuleSet([simple_order(territory)])
    denied = gate.denied_in(some.MEETINGS[0])
    assert [who for who, _ in denied] == [who for who in present if is_inside(who.location, territory)]
    spared = [who for who, one in denied if one.verdict is Verdict.DEFER]
    hosts_stay = [who.host for who in present if not is_inside(who.location, territory)]
    needed = bool(hosts_stay) and not any(hosts_stay) and any(who.host for who, _ in denied)
    assert [who.host for who in spared] == [True] * needed


VOCABULARY: dict[type[Enum], set[str]] = {
    Verdict: {"admit", "reject", "eject", "defer"},
    Action: {"reject", "eject"},
    Event: {"admit", "reject", "defer", "eject", "leave"},
    State: {"registered", "admitted", "deferred", "ejecting", "gone"},
}
"""All there is to say of a participant. A new word is a new power: it is added here with open eyes, or not at all."""


def test_g3_continuity_has_no_word_for_ending_a_meeting() -> None:
    for vocabulary, words in VOCABULARY.items():
        assert {member.value for member in vocabulary} == words
    assert meeting_words(read_package()) == []


# G4, no accounts


@given(rules=some.rule_sets, who=st.sampled_from(("ann", "bao")), location=some.locations, now=some.moments)
def test_g4_no_accounts(rules: RuleSet, who: str, location: Location, now: float) -> None:
    """A person is judged for one meeting at a time: what happens to them in one changes nothing in any other."""
    expected = {
        meeting: PaperGate(rules, now).judge(Join(meeting, who, host=True), location).state for meeting in some.MEETINGS
    }
    gate = PaperGate(rules, now)
    for _ in range(2):
        for meeting in some.MEETINGS:
            assert gate.judge(Join(meeting, who, host=True), location).state is expected[meeting]
    untouched = {meeting for meeting in some.MEETINGS if not any(names(one, meeting) for one in rules.rules)}
    assert all(expected[meeting] is State.ADMITTED for meeting in untouched)


@given(order=some.orders(), join=some.joins(), location=some.locations, now=some.moments)
def test_g4_no_accounts_whatever_was_asked(order: Order, join: Join, location: Location, now: float) -> None:
    """That an authority asked for meetings and accounts is on record, and has no effect."""
    more = replace(order, asked=Asked(("meeting", "account"), ("CN", "HK")))
    granted, asked = (judgement.decide(join, location, RuleSet([one]), now) for one in (order, more))
    assert (granted.verdict, granted.reason) == (asked.verdict, asked.reason)


def test_g4_no_accounts_in_the_vocabulary() -> None:
    assert account_words(read_package()) == []


# G5, undisturbed


@given(
    people=some.populations,
    changes=st.lists(st.tuples(some.rule_sets, some.moments), min_size=1, max_size=3),
)
def test_g5_undisturbed(people: list[tuple[Join, Location]], changes: list[tuple[RuleSet, float]]) -> None:
    """A change returns those whom it newly denies and nobody else; the others are the same, in the same state."""
    gate = PaperGate(RuleSet(), 0)
    gate.admit(people)
    for rules, now in changes:
        present = list(gate.roster)
        meant = [one for one in present if any(ejects(it, one, now) for it in rules.rules)]
        gate.rules, gate.now = rules, now
        for meeting in some.MEETINGS:
            gate.denied_in(meeting)
        assert all(one.state is State.ADMITTED for one in present)  # judging is not yet doing
        denied = [one for one, _ in gate.reassess()]
        event("somebody is meant" if meant else "nobody is meant")
        assert denied == meant
        assert list(gate.roster) == [one for one in present if one not in meant]
        for one in gate.roster:
            assert isinstance(one.carrier, Line)
            assert (one.state, one.carrier.ejected) == (State.ADMITTED, [])


@given(people=some.populations, order=some.orders(), now=some.moments)
def test_g5_undisturbed_by_an_order_nobody_matches(
    people: list[tuple[Join, Location]], order: Order, now: float
) -> None:
    gate = PaperGate(RuleSet(), now)
    gate.admit((join, where) for join, where in people if not is_inside(where, order.territory))
    present = [(one, one.state) for one in gate.roster]
    assert gate.reassess(RuleSet([order])) == []
    assert [(one, one.state) for one in gate.roster] == present


# G6, visible


class RosterAgainstModel(RuleBasedStateMachine):
    """The roster beside a plain list of (participant, state): every live participant is in the count exactly once."""

    people = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        self.roster = attendance.Roster()
        self.live: dict[Participant, State] = {}

    @rule(target=people, join=some.joins())
    def register(self, join: Join) -> Participant:
        participant = self.roster.register(join, None, Line())
        self.live[participant] = State.REGISTERED
        return participant

    @rule(who=people, what=st.sampled_from(Event))
    def happen(self, who: Participant, what: Event) -> None:
        self._move(who, what)

    @rule(who=consumes(people))
    def leave(self, who: Participant) -> None:
        self._move(who, Event.LEAVE)

    def _move(self, who: Participant, what: Event) -> None:
        step = TRANSITIONS.get((self.live.get(who, State.GONE), what))
        if step is None:
            with pytest.raises(KeyError):
                self.roster.apply(who, what)
            return
        assert self.roster.apply(who, what) is step
        self.live[who] = step
        if step is State.GONE:
            del self.live[who]

    @invariant()
    def everyone_is_counted_once(self) -> None:
        assert len(self.roster) == len(self.live)
        assert sorted(map(id, self.roster)) == sorted(map(id, self.live))
        assert all(one.state is state for one, state in self.live.items())
        assert set(self.roster.meetings()) == {one.meeting for one in self.live}
        for meeting in some.MEETINGS:
            assert list(self.roster.of_meeting(meeting)) == [one for one in self.live if one.meeting == meeting]


STEPS = settings(stateful_step_count=25)


def test_g6_visible() -> None:
    run_state_machine_as_test(RosterAgainstModel, settings=STEPS)


@given(people=some.populations, rules=some.rule_sets, now=some.moments)
def test_g6_visible_from_the_first_moment(people: list[tuple[Join, Location]], rules: RuleSet, now: float) -> None:
    """Nobody is inside without being in the roster; nobody stays there who was turned away."""
    gate = PaperGate(rules, now)
    inside = gate.admit(people)
    assert sorted(map(id, gate.roster)) == sorted(map(id, inside))
    assert (
        len(gate.roster)
        == len(inside)
        == gate.tally.decisions.total()
        - sum(count for (verdict, _), count in gate.tally.decisions.items() if verdict is Verdict.REJECT)
    )


# G7, reversible


@given(order=some.orders(), others=some.rule_lists(), join=some.joins(), location=some.locations, now=some.moments)
def test_g7_reversible(order: Order, others: list[Rule], join: Join, location: Location, now: float) -> None:
    """Lifted, over, or the person elsewhere: the next join is judged as if the order had never been."""
    never = judgement.decide(join, location, RuleSet(others), now)
    in_force = judgement.decide(join, location, RuleSet([order, *others]), now)
    event(in_force.verdict.value)
    lifted = judgement.decide(join, location, RuleSet(others), now)
    assert lifted == never
    over = judgement.decide(join, location, RuleSet([order, *others]), order.closes)
    assert over.verdict is judgement.decide(join, location, RuleSet(others), order.closes).verdict
    assert judgement.decide(join, location, RuleSet([order]), order.closes).verdict is Verdict.ADMIT
    elsewhere = Location("IS")
    assert judgement.decide(join, elsewhere, RuleSet([order]), now).verdict is Verdict.ADMIT


@given(people=some.populations, order=some.orders())
def test_g7_reversible_for_the_ejected(people: list[tuple[Join, Location]], order: Order) -> None:
    """Everyone who was rejected or ejected comes back in by joining again once the window has closed."""
    gate = PaperGate(RuleSet([order]), order.opens)
    gate.admit(people)
    gate.reassess()
    gate.now = order.closes
    assert len(gate.admit(people)) == len(people)


@given(
    rules=some.rule_sets,
    one=st.tuples(some.joins(), some.locations),
    people=some.populations,
    places=st.lists(some.locations, max_size=6),
    now=some.moments,
)
def test_g7_reversible_since_nothing_is_remembered(
    rules: RuleSet,
    one: tuple[Join, Location],
    people: list[tuple[Join, Location]],
    places: list[Location],
    now: float,
) -> None:
    """A judgement is a function of join, location, rules and time: earlier ones are no input to it."""
    first = judgement.decide(*one, rules, now)
    for other, where in (*people, *((one[0], place) for place in places)):
        judgement.decide(other, where, rules, now)
    assert judgement.decide(*one, rules, now) == first
