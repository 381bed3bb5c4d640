import sys

from hypothesis import given
from hypothesis import strategies as st

from joingate.core.audit_ejections import Ejections, SeqSet
from joingate.core.audit_findings import Finding
from joingate.core.record import Ending, Outcome

STILL, GONE = Ending.STILL_PRESENT, Ending.CONFIRMED
seqs = st.integers(0, 20_000) | st.sampled_from((0, 4095, 4096, 8191, 2**53 - 1))


@given(st.lists(st.tuples(st.booleans(), seqs)))
def test_it_is_a_set(steps: list[tuple[bool, int]]) -> None:
    compact, plain = SeqSet(), set[int]()
    for adds, seq in steps:
        (compact.add if adds else compact.discard)(seq)
        (plain.add if adds else plain.discard)(seq)
        assert len(compact) == len(plain)
        assert (seq in compact) == (seq in plain) == adds
    assert all(seq in compact for seq in plain)
    assert 12_345_678 not in compact


def test_it_takes_a_bit_for_each_and_nothing_when_it_is_empty() -> None:
    compact = SeqSet()
    for seq in range(100_000):
        compact.add(seq)
    assert sum(map(sys.getsizeof, compact._blocks.values())) < 20_000
    for seq in range(100_000):
        compact.discard(seq)
    assert not compact._blocks


def told(*steps: int | Outcome) -> Finding:
    """Take ejections, as their seqs, and outcomes, as records 100, 101, ..."""
    ejections = Ejections()
    for at, step in enumerate(steps, 100):
        if isinstance(step, int):
            ejections.eject(step)
        else:
            ejections.resolve(at, step)
    return ejections.finding()


def test_ejections_are_counted_by_what_became_of_them() -> None:
    found = told(1, 2, 3, 4, Outcome(STILL, (1, 2)), Outcome(GONE, (2, 3)), Outcome(STILL, (1,)))
    assert found.holds
    assert found.counts == {"ejections": 4, "confirmed": 2, "still_present": 1, "unresolved": 1}
    assert found.sentence == (
        "every outcome is that of an ejection before it: 4 ejections, 2 confirmed, 1 still present, "
        "1 without an outcome yet"
    )


def test_an_outcome_of_no_ejection_is_a_violation() -> None:
    for outcome in (Outcome(GONE, (7,)), Outcome(STILL, (7,))):
        found = told(1, outcome)
        assert [str(each) for each in found.violations] == [
            "record 101: record 7 is no ejection before it that is not yet confirmed"
        ]


def test_an_ejection_is_confirmed_once() -> None:
    assert told(1, Outcome(GONE, (1,)), Outcome(GONE, (1,))).violated == 1
    assert told(1, Outcome(GONE, (1, 1))).violated == 1
    assert told(1, Outcome(GONE, (1,)), Outcome(STILL, (1,))).violated == 1
