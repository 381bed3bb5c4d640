"""What a process judges by: what is replaced is let go of, and windows open in due time though the clock is set."""

import asyncio
from typing import cast

import pytest

from joingate import replacing
from joingate.core.rule_set import RuleSet
from joingate.gate.gate import Gate
from joingate.geodb.atlas import Atlas
from joingate.loading import Part
from joingate.replacing import Replacing
from tests.core.made import order
from tests.edges.gate_fixture import CN, Bench, eventually, gate_bench, on_both_loops
from tests.edges.websocket_fixture import accept_and_hold, join, read_close


def watching(bench: Bench) -> asyncio.Task[None]:
    judging = Replacing(bench.gate, cast("Atlas", None))
    return asyncio.get_running_loop().create_task(judging.watch_windows())


@on_both_loops
async def test_who_joined_after_the_clock_was_set_back_is_ejected_in_due_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replacing, "LONGEST_SLEEP", 0.01)
    looked: list[tuple[float, float]] = []
    reassess = Gate.reassess_opened

    async def noted(self: Gate, since: float, until: float) -> object:
        looked.append((since, until))
        return await reassess(self, since, until)

    monkeypatch.setattr(Gate, "reassess_opened", noted)
    now = [50.0]
    async with gate_bench(accept_and_hold) as bench:
        asked: list[float] = []

        def look() -> float:
            asked.append(now[0])
            return now[0]

        bench.gate.now = look
        await bench.gate.swap_rules(RuleSet((order(opens=1000.0, closes=2000.0),)))
        asked.clear()
        task = watching(bench)
        await eventually(lambda: asked)
        now[0] = 1500.0  # too far ahead: the order opens
        await eventually(lambda: (50.0, 1500.0) in looked)
        now[0] = 60.0  # and back: it is closed again
        await eventually(lambda: (60.0, 1500.0) in looked)
        client = await join(bench, local=CN)
        assert len(bench.gate.roster) == 1
        now[0] = 1001.0  # and now it is time
        assert (await read_close(client))[0] == 4451
        client.abort()
        task.cancel()


@on_both_loops
async def test_rules_that_were_replaced_are_let_go_of_once_nobody_judges_by_them() -> None:
    async with gate_bench(accept_and_hold, rules=(order("before", meetings=("elsewhere",)),)) as bench:
        client = await join(bench, local=CN)
        before, after = bench.gate.rules, RuleSet((order("after"),))
        judging = Replacing(bench.gate, cast("Atlas", None))
        await judging.prepare({Part.RULES: after})
        assert (len(before), await judging.preview()) == (1, 1)
        effect = await judging.take(Part.RULES)
        assert (effect.ejected, len(before), len(after), bench.gate.rules) == (1, 0, 1, after)
        assert (await read_close(client))[0] == 4451
        client.abort()
