"""Those inside are judged again a slice at a time: the same as all at once, and others have their turn between."""

import asyncio
import gc
import itertools
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.join_request import JoinMatcher
from joingate.core.decision import Decision, reassess
from joingate.core.location import place
from joingate.core.model import Address, Join, Location
from joingate.core.receipt import Receipt
from joingate.core.record import Told
from joingate.core.roster import Participant
from joingate.core.rule_set import RuleSet
from joingate.gate.gate import FEW, FEW_AT_ONCE, LOOKS, SLICE, Gate
from joingate.gate.options import GateOptions
from tests.core.made import order
from tests.recorders import FreeRecorder

NOW = 50.0
EJECT = RuleSet([order()])
NO_RULES = RuleSet()
IN_CN, ELSEWHERE = IPv4Address("10.86.0.1"), IPv4Address("10.49.0.1")

people = st.lists(st.tuples(st.sampled_from((IN_CN, ELSEWHERE)), st.booleans()), max_size=FEW + 2 * SLICE + 2)
"""Where each is, and whether they are a host."""


class Line:
    """A connection that notes whom it was to end, and is not ended."""

    telling = Told.CLOSE

    def __init__(self) -> None:
        self.ended: list[Participant] = []

    def eject(self, participant: Participant, decision: Decision, receipt: Receipt) -> None:  # noqa: ARG002 - Carrier's
        self.ended.append(participant)


def _locate(address: Address | None, now: float) -> Location:  # noqa: ARG001 - Locate's signature
    return place("CN" if address == IN_CN else "DE")


def _nowhere_near(address: Address | None, now: float) -> Location:  # noqa: ARG001 - Locate's signature
    return place("DE")


def _gate(*, ends_without_host: bool = False) -> Gate:
    options = GateOptions(ends_without_host=ends_without_host)
    return Gate(options, JoinMatcher([], fold=str), NO_RULES, _locate, FreeRecorder(), now=lambda: NOW)


def _fill(gate: Gate, line: Line, size: int, address: Address = IN_CN, meeting: str = "m") -> None:
    for number in range(size):
        gate.judge(Join(meeting, str(number)), address, line)


@given(people, st.booleans())
def test_it_is_the_same_as_all_at_once(present: list[tuple[IPv4Address, bool]], ends_without_host: bool) -> None:
    async def run() -> None:
        gate, line = _gate(ends_without_host=ends_without_host), Line()
        inside = [gate.judge(Join("m", str(at), host), address, line)[0] for at, (address, host) in enumerate(present)]
        whole = reassess(inside, EJECT, NOW, ends_without_host=ends_without_host)
        previewed = await gate.preview(EJECT)
        effect = await gate.swap_rules(EJECT)
        out = [participant for participant, decision in whole if decision.verdict == "eject"]
        assert line.ended == out
        assert (effect.ejected, effect.deferred, previewed) == (len(out), len(whole) - len(out), len(out))

    asyncio.run(run())


@pytest.mark.parametrize("of_one_meeting", [True, False])
async def test_everybody_else_has_their_turn(of_one_meeting: bool) -> None:
    gate, line = _gate(), Line()
    for number in range(10 * LOOKS):
        gate.judge(Join("m" if of_one_meeting else f"m{number}", None), ELSEWHERE, line)
    rules = RuleSet([order(meetings=tuple(gate.roster.meetings()))])
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(others())
    for change in (gate.swap_rules(rules), gate.swap_locate(_locate), gate.preview(rules)):
        turns = 0
        await change
        assert turns >= 9
    beside.cancel()


async def test_whoever_waits_is_served_before_each_ejection() -> None:
    gate, line = _gate(), Line()
    _fill(gate, line, 4)
    present = gate.roster.of_meeting("m")
    served: list[int] = []

    def serve() -> None:
        served.append(len(line.ended))
        if served.count(2) == 1 and len(line.ended) == 2:
            gate.leave(present[3])  # who is on record by now, and leaves of their own accord

    gate.serve_waiting = serve
    await gate.swap_rules(EJECT)
    assert served == [0, 0, 1, 2, 3]  # before they are looked at, too
    assert line.ended == list(present[:3])
    assert gate.roster.of_meeting("m") == present[:3]


async def _after_one_slice(change: asyncio.Task[object], turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    assert not change.done()


@pytest.mark.parametrize("lifted_by", ["rules", "databases"])
async def test_what_changes_while_they_are_looked_at_counts_for_all(lifted_by: str) -> None:
    gate, line = _gate(), Line()
    _fill(gate, line, 3 * LOOKS)
    swapping: asyncio.Task[object] = asyncio.create_task(gate.swap_rules(EJECT))
    await _after_one_slice(swapping, turns=2)
    assert line.ended == []  # nobody is ejected before all have been looked at
    if lifted_by == "rules":
        gate.use_rules(NO_RULES)
    else:
        gate.use_locate(_nowhere_near)
    await swapping
    assert line.ended == []


async def test_whoever_leaves_while_others_are_looked_at_is_not_ejected() -> None:
    gate, line = _gate(), Line()
    _fill(gate, line, 2 * LOOKS)
    swapping: asyncio.Task[object] = asyncio.create_task(gate.swap_rules(EJECT))
    await _after_one_slice(swapping, turns=2)
    first, *others = gate.roster.of_meeting("m")
    gate.leave(first)
    await swapping
    assert line.ended == others


async def test_whoever_moves_with_the_databases_is_found_and_nobody_else_is_judged_again() -> None:
    gate, line = _gate(), Line()
    gate.use_locate(_nowhere_near)
    await gate.swap_rules(EJECT)
    _fill(gate, line, LOOKS + 1)
    _fill(gate, line, 1, ELSEWHERE, "n")
    effect = await gate.swap_locate(_locate)
    assert (effect.reassessed, effect.ejected) == (LOOKS + 1, LOOKS + 1)


@pytest.mark.parametrize("meetings", [1, 2])
async def test_the_first_ejections_of_a_change_leave_others_more_turns_than_the_rest(meetings: int) -> None:
    gate, line = _gate(), Line()
    for number in range(2 * FEW):
        gate.judge(Join(f"m{number % meetings}", str(number)), IN_CN, line)
    ended: list[int] = []

    async def others() -> None:
        while True:
            ended.append(len(line.ended))
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await gate.swap_rules(RuleSet([order(meetings=tuple(gate.roster.meetings()))]))
    beside.cancel()
    in_a_turn = [after - before for before, after in itertools.pairwise(ended)]
    assert max(in_a_turn[: ended.index(FEW)]) == FEW_AT_ONCE
    assert max(in_a_turn) == SLICE
    assert len(line.ended) == 2 * FEW


async def test_those_ejected_are_not_kept_until_the_last_is() -> None:
    """Or thousands of connections would go at once, and everybody would wait for that."""
    gate, line = _gate(), Line()
    _fill(gate, line, 4 * FEW_AT_ONCE)
    swapping: asyncio.Task[object] = asyncio.create_task(gate.swap_rules(EJECT))
    await _after_one_slice(swapping, turns=1)
    there = _people()
    for each in line.ended:
        gate.leave(each)
    del each
    line.ended.clear()
    assert there - _people() == FEW_AT_ONCE
    await swapping


def _people() -> int:
    return sum(isinstance(each, Participant) for each in gc.get_objects())
