"""What processes say of themselves adds up to one gate, in whatever order, and counts outlive those who counted."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from joingate.core.share import Share, add_up, part_of

ONE = Share(
    participants=3,
    meetings=("a", "b"),
    connections=5,
    idle_upstream_connections=1,
    sessions=2,
    ejections_under_way=1,
    still_present=1,
    unrecorded=1,
    lookup_errors=1,
    decisions={"admit": {"no_rule": 3}, "reject": {"order": 2}},
    by_rule={"o-1": {"reject": 2}},
    shadowed={"s": 1},
    doubt_admitted={"stale": 2},
    left=4,
)
OTHER = Share(
    participants=1,
    meetings=("b",),
    connections=1,
    ledger_problem="no space",
    server_problem="refused",
    decisions={"admit": {"no_rule": 1, "doubt": 1}},
    by_rule={"o-1": {"eject": 1}, "o-2": {"reject": 1}},
    doubt_admitted={"stale": 1, "not_found": 1},
)


def test_two_processes_are_one_gate() -> None:
    assert add_up([ONE, OTHER]) == Share(
        participants=4,
        meetings=("a", "b"),
        connections=6,
        idle_upstream_connections=1,
        sessions=2,
        ejections_under_way=1,
        still_present=1,
        server_problem="refused",
        ledger_problem="no space",
        unrecorded=1,
        lookup_errors=1,
        decisions={"admit": {"no_rule": 4, "doubt": 1}, "reject": {"order": 2}},
        by_rule={"o-1": {"reject": 2, "eject": 1}, "o-2": {"reject": 1}},
        shadowed={"s": 1},
        doubt_admitted={"stale": 3, "not_found": 1},
        left=4,
    )


def test_none_of_them_are_nobody() -> None:
    assert add_up([]) == Share()
    assert add_up([ONE]) == ONE


def test_of_a_process_that_is_gone_its_counts_remain() -> None:
    assert ONE.gone() == replace(
        ONE,
        participants=0,
        meetings=(),
        connections=0,
        idle_upstream_connections=0,
        sessions=0,
        ejections_under_way=0,
        still_present=0,
    )
    assert OTHER.gone().ledger_problem is None
    assert add_up([ONE.gone(), OTHER]).by_rule == add_up([ONE, OTHER]).by_rule


@given(st.integers(0, 10_000), st.integers(1, 64))
def test_a_limit_is_divided_whole_and_evenly(total: int, places: int) -> None:
    parts = [part_of(total, place, places) for place in range(places)]
    assert sum(parts) == total
    assert max(parts) - min(parts) <= 1
