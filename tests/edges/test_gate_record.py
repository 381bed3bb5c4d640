"""No restriction without a record (G8): what is recorded, when, and what becomes of whom nothing can be recorded of."""

import asyncio
from collections.abc import Sequence

import orjson
import pytest

from joingate.codecs.close_codes import LEGAL_ORDER
from joingate.core.model import Reason, Verdict
from joingate.core.record import Told
from joingate.core.recording import Recorded, Restricting
from joingate.core.roster import State
from joingate.core.rule_set import RuleSet
from joingate.gate.gate import FEW_AT_ONCE
from joingate.gate.options import GateOptions
from tests.core.made import order
from tests.edges.gate_fixture import CN, JOIN, Bench, Wire, eventually, gate_bench, on_both_loops
from tests.edges.websocket_fixture import SWITCHING, accept_and_hold, handshake, join, read_close
from tests.recorders import FreeRecorder, a_receipt
from tests.ws_client import CLOSE, build_frame

EJECT = RuleSet([order()])
NO_RULES = RuleSet([])
CODE = a_receipt().code
GET = f"GET {JOIN}?user=u HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def recorded(bench: Bench) -> list[tuple[Verdict, str, Told]]:
    return [(each.decision.verdict, each.meeting, each.told) for each in bench.recorder.recorded]


@on_both_loops
async def test_an_admission_leaves_no_record() -> None:
    async with gate_bench(rules=(order(),)) as bench:
        assert (await bench.ask(GET)).status == 200
        await eventually(lambda: not len(bench.gate.roster))
        recorder = bench.recorder
        assert (recorder.recorded, recorder.counted, recorder.confirmed) == ([], [], [])


@on_both_loops
async def test_a_rejection_is_recorded_and_its_receipt_handed_out() -> None:
    async with gate_bench(rules=(order(),)) as bench:
        response = await bench.ask(GET, CN)
        problem = orjson.loads(response.body)
        assert (response.status, problem["receipt"]) == (451, CODE)
        assert problem["receipt_promise"] == a_receipt().promise.members()
        assert recorded(bench) == [(Verdict.REJECT, "m", Told.HTTP)]
        (record,) = bench.recorder.recorded
        assert (record.location.country, record.decision.rule) == ("CN", order())


@on_both_loops
async def test_a_rejection_by_close_is_told_by_close() -> None:
    async with gate_bench(rules=(order(),), options=GateOptions(websocket_reject="close")) as bench:
        client = await bench.open(CN)
        client.send(handshake())
        await client.head()
        assert CODE.encode() in (await read_close(client))[1]
        assert (await bench.ask(GET, CN)).status == 451
        assert [told for *_, told in recorded(bench)] == [Told.CLOSE, Told.HTTP]


class _Watching(FreeRecorder):
    """Notes what has been done by the time something is recorded."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.bench = bench
        self.states: list[list[State]] = []

    def record(self, restricting: Sequence[Restricting], now: float) -> Sequence[Recorded] | None:
        self.states.append([each.state for each in self.bench.gate.roster])
        return super().record(restricting, now)


@on_both_loops
async def test_the_record_comes_first() -> None:
    async with gate_bench(accept_and_hold) as bench:
        bench.gate.recorder = watching = _Watching(bench)
        out = await join(bench, "out", CN)
        await bench.gate.swap_rules(EJECT)
        assert watching.states == [[State.ADMITTED]]
        assert CODE.encode() in (await read_close(out))[1]
        assert (await bench.ask(GET, CN)).status == 451
        assert watching.states[1][-1] is State.REGISTERED


@on_both_loops
async def test_nobody_is_rejected_without_a_record() -> None:
    async with gate_bench(rules=(order(),)) as bench:
        bench.recorder.is_failing = True
        assert (await bench.ask(GET, CN)).status == 200
        assert bench.gate.tally.unrecorded == {"o": 1}
        assert bench.gate.tally.decisions == {(Verdict.ADMIT, Reason.UNRECORDED): 1}
        ((decision, _),) = bench.recorder.counted
        assert decision.unrecorded == order()
        bench.recorder.is_failing = False
        assert (await bench.ask(GET, CN)).status == 451


@on_both_loops
async def test_nobody_is_ejected_without_a_record_and_everybody_once_there_can_be_one() -> None:
    async with gate_bench(accept_and_hold) as bench:
        out, other = await join(bench, "out", CN), await join(bench, "other")
        bench.recorder.is_failing = True
        effect = await bench.gate.swap_rules(EJECT)
        assert (effect.reassessed, effect.ejected) == (2, 0)
        assert [each.state for each in bench.gate.roster] == [State.ADMITTED] * 2
        bench.recorder.is_failing = False
        effect = await bench.gate.reassess_all()
        assert (effect.reassessed, effect.ejected) == (2, 1)
        assert (await read_close(out))[0] == LEGAL_ORDER
        assert not other.writer.transport.is_closing()
        assert recorded(bench) == [(Verdict.EJECT, "m", Told.CLOSE)]


@on_both_loops
async def test_an_ejection_is_confirmed_when_the_participant_is_gone() -> None:
    async with gate_bench(accept_and_hold) as bench:
        await join(bench, "other")
        out = await join(bench, "out", CN)
        await bench.gate.swap_rules(EJECT)
        await read_close(out)
        assert bench.recorder.confirmed == []
        out.send(build_frame(CLOSE, LEGAL_ORDER.to_bytes(2, "big")))
        await out.rest()
        await eventually(lambda: len(bench.gate.roster) == 1)
        assert bench.recorder.confirmed == [0]


@pytest.mark.parametrize(
    ("sent", "told"), [(b"", Told.HTTP), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1", Told.NOT)]
)
@on_both_loops
async def test_who_waits_for_an_answer_is_told_by_it_and_who_has_half_of_one_is_cut(sent: bytes, told: Told) -> None:
    async def half(wire: Wire) -> None:
        await wire.head()
        wire.send(sent)
        await wire.rest()

    async with gate_bench(half) as bench:
        client = await bench.open(CN)
        client.send(GET)
        await eventually(lambda: bench.upstream.wires and len(bench.gate.roster) == 1)
        if sent:
            await client.until(b"\r\n\r\n1")
        else:
            await asyncio.sleep(0.02)
        await bench.gate.swap_rules(EJECT)
        assert recorded(bench) == [(Verdict.EJECT, "m", told)]
        rest = await (client.rest() if sent else client.until(b"\r\n"))
        assert rest == (b"" if sent else b"HTTP/1.1 451 Unavailable For Legal Reasons\r\n")
        await eventually(lambda: bench.recorder.confirmed == [0])


@on_both_loops
async def test_a_deferral_is_recorded_once_and_each_ejection_once() -> None:
    """The last connections end at once (HTTP), each making the gate look at its deferred host anew."""

    async def hold(wire: Wire) -> None:
        _, headers = await wire.head()
        if (b"upgrade", b"websocket") in headers:
            wire.send(SWITCHING)
        await wire.rest()

    async with gate_bench(hold, options=GateOptions(ends_without_host=True)) as bench:
        await join(bench, "host&role=host", CN)
        staying = await join(bench, "staying")
        waiting = []
        for number in range(3):
            client = await bench.open(CN)
            client.send(GET.replace(b"user=u", b"user=%d" % number))
            waiting.append(client)
        await eventually(lambda: len(bench.gate.roster) == 5)
        await bench.gate.swap_rules(EJECT)
        await bench.gate.reassess_all()
        verdicts = [verdict for verdict, *_ in recorded(bench)]
        assert sorted(verdicts) == [Verdict.DEFER, *[Verdict.EJECT] * 3]
        for client in waiting:
            assert (await client.response()).status == 451
        staying.abort()
        await eventually(lambda: len(recorded(bench)) == 5)
        assert recorded(bench)[-1][0] is Verdict.EJECT


@on_both_loops
async def test_an_order_that_ends_between_two_slices_ejects_nobody_any_more() -> None:
    async with gate_bench(accept_and_hold) as bench:
        for number in range(FEW_AT_ONCE + 4):
            await join(bench, f"n{number}", CN)
        clock = [99.0]
        bench.gate.now = lambda: clock[0]
        swapping = asyncio.get_running_loop().create_task(bench.gate.swap_rules(EJECT))
        await asyncio.sleep(0)  # one slice
        clock[0] = 100.0
        assert (await swapping).ejected == len(bench.recorder.recorded) == FEW_AT_ONCE


class _Overtaken(FreeRecorder):
    """Refuses one record, because what it rests on has been replaced meanwhile."""

    def __init__(self, bench: Bench, successor: RuleSet) -> None:
        super().__init__()
        self.bench = bench
        self.successor = successor
        self.refused: list[str] = []

    def record(self, restricting: Sequence[Restricting], now: float) -> Sequence[Recorded] | None:
        if self.bench.gate.rules is not self.successor:
            self.refused += [each.decision.rule.id for each in restricting if each.decision.rule is not None]
            self.bench.gate.use_rules(self.successor)
            return None
        return super().record(restricting, now)


@pytest.mark.parametrize(("successor", "status"), [(RuleSet([order("newer")]), 451), (NO_RULES, 200)])
@on_both_loops
async def test_a_rejection_by_what_is_in_use_no_more_is_judged_again(successor: RuleSet, status: int) -> None:
    async with gate_bench(rules=(order(),)) as bench:
        bench.gate.recorder = recorder = _Overtaken(bench, successor)
        assert (await bench.ask(GET, CN)).status == status
        assert recorder.refused == ["o"]
        by = [each.decision.rule.id for each in recorder.recorded if each.decision.rule is not None]
        assert by == (["newer"] if status == 451 else [])
        assert not bench.gate.tally.unrecorded
        assert bench.gate.tally.decisions.total() == 1


@on_both_loops
async def test_an_ejection_by_what_is_in_use_no_more_is_judged_again() -> None:
    newer = RuleSet([order("newer")])
    async with gate_bench(accept_and_hold) as bench:
        out = await join(bench, "out", CN)
        bench.gate.recorder = recorder = _Overtaken(bench, newer)
        effect = await bench.gate.swap_rules(EJECT)
        assert (effect.ejected, recorder.refused) == (1, ["o"])
        assert (await read_close(out))[0] == LEGAL_ORDER
        (record,) = recorder.recorded
        assert record.decision.rule == order("newer")
        assert not bench.gate.tally.unrecorded


@on_both_loops
async def test_one_that_lifts_it_leaves_them_inside() -> None:
    async with gate_bench(accept_and_hold) as bench:
        inside = await join(bench, "inside", CN)
        bench.gate.recorder = recorder = _Overtaken(bench, NO_RULES)
        assert (await bench.gate.swap_rules(EJECT)).ejected == 0
        assert (recorder.refused, recorder.recorded) == (["o"], [])
        assert [each.state for each in bench.gate.roster] == [State.ADMITTED]
        assert not inside.writer.transport.is_closing()
