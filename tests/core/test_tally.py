import pytest

from joingate.core.decision import Decision, without_record
from joingate.core.model import UNKNOWN, Cause, Location, Reason, Verdict
from joingate.core.rules import Action, HostPolicy
from joingate.core.tally import Tally
from tests.core.made import order

ORDER = order("o")
POLICY = HostPolicy("p", ("m",), Action.REJECT, deny=frozenset(("US",)))
SHADOW = order("s", shadow=True)
CN = Location("CN")

ROWS = [
    (Decision(Verdict.ADMIT, Reason.NO_RULE), CN, {}, {}, {}),
    (Decision(Verdict.REJECT, Reason.ORDER, ORDER), CN, {("o", Verdict.REJECT): 1}, {}, {}),
    (Decision(Verdict.EJECT, Reason.ORDER, ORDER), CN, {("o", Verdict.EJECT): 1}, {}, {}),
    (Decision(Verdict.DEFER, Reason.HOST_CONTINUITY, ORDER), CN, {("o", Verdict.DEFER): 1}, {}, {}),
    (Decision(Verdict.ADMIT, Reason.SHADOW, shadowed=SHADOW), CN, {}, {"s": 1}, {}),
    (Decision(Verdict.ADMIT, Reason.DOUBT, doubted=ORDER), UNKNOWN[Cause.STALE], {}, {}, {Cause.STALE: 1}),
    # Turned away by a host's own choice: no doubt was resolved in anybody's favour.
    (
        Decision(Verdict.REJECT, Reason.HOST_POLICY, POLICY, doubted=ORDER),
        UNKNOWN[Cause.STALE],
        {("p", Verdict.REJECT): 1},
        {},
        {},
    ),
    (
        Decision(Verdict.REJECT, Reason.ORDER, ORDER, shadowed=SHADOW),
        CN,
        {("o", Verdict.REJECT): 1},
        {"s": 1},
        {},
    ),
]


@pytest.mark.parametrize(("decision", "location", "by_rule", "shadowed", "doubt"), ROWS)
def test_a_decision_is_counted_where_it_belongs(
    decision: Decision,
    location: Location,
    by_rule: dict[tuple[str, Verdict], int],
    shadowed: dict[str, int],
    doubt: dict[Cause, int],
) -> None:
    tally = Tally()
    tally.count(decision, location)
    assert tally.decisions == {(decision.verdict, decision.reason): 1}
    assert (tally.by_rule, tally.shadowed, tally.doubt, tally.left) == (by_rule, shadowed, doubt, 0)


def test_counts_add_up_and_two_tallies_share_nothing() -> None:
    tally, other = Tally(), Tally()
    for decision, location, *_ in ROWS * 2:
        tally.count(decision, location)
    assert tally.decisions.total() == 2 * len(ROWS)
    assert tally.by_rule["o", Verdict.REJECT] == 4
    assert other == Tally()


def test_a_part_that_is_not_known_is_counted_as_doubt() -> None:
    tally = Tally()
    tally.count(Decision(Verdict.ADMIT, Reason.DOUBT, doubted=order()), Location("CN"))
    assert tally.doubt == {Cause.SUBDIVISION_MISSING: 1}


def test_what_could_not_be_recorded_is_counted_by_rule_and_as_an_admission() -> None:
    tally = Tally()
    tally.count(without_record(Decision(Verdict.REJECT, Reason.ORDER, ORDER)), CN)
    assert tally.unrecorded == {"o": 1}
    assert tally.decisions == {(Verdict.ADMIT, Reason.UNRECORDED): 1}
    assert not tally.by_rule
