"""Small frames by the thousand in one read: others have their turn, and nothing is lost, late or out of order."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from joingate.codecs.close_codes import LEGAL_ORDER
from joingate.codecs.websocket import Chunk
from joingate.core.rule_set import RuleSet
from joingate.gate.options import GateOptions
from joingate.gate.tunnel import FRAMES, Side
from joingate.gate.upstream import LARGE_READ
from tests.core.made import order
from tests.edges.gate_fixture import CN, Wire, eventually, gate_bench, on_both_loops
from tests.edges.websocket_fixture import (
    SWITCHING,
    accept_and_hold,
    after_head,
    join,
    read_close,
    server_frame,
)
from tests.ws_client import BINARY, CLOSE, PING, TEXT, build_frame

EJECT = RuleSet([order()])
SMALLEST = build_frame(PING, b"")


@contextmanager
def turns_of_reading() -> Iterator[list[int]]:
    """List the bytes that each reading passes on, and a 0 for every turn that others have had meanwhile."""
    turns: list[int] = []
    read = Side.read

    def counted(self: Side, data: Chunk) -> int:
        used = read(self, data)
        turns.append(used)
        asyncio.get_running_loop().call_soon(turns.append, 0)
        return used

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Side, "read", counted)
        yield turns


@pytest.mark.interpreted
@on_both_loops
async def test_a_turn_follows_so_many_frames_and_no_more() -> None:
    flood = SMALLEST * 100_000
    with turns_of_reading() as turns:
        async with gate_bench(accept_and_hold) as bench:
            greedy, other = await join(bench), await bench.open()
            greedy.send(flood)
            await eventually(lambda: turns)
            other.send(b"GET /.well-known/joingate HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await other.response()).status == 200
            assert 0 < sum(turns) < len(flood)
            await eventually(lambda: sum(turns) == len(flood))
    assert FRAMES <= 1000
    assert max(turns) <= (FRAMES + 1) * len(SMALLEST)  # and the end of a frame that a read has cut
    assert not any(first >= FRAMES * len(SMALLEST) <= second for first, second in pairwise(turns))


@pytest.mark.interpreted
@on_both_loops
async def test_large_reads_of_large_frames_leave_others_their_turn_as_well() -> None:
    flood = build_frame(BINARY, bytes(60_000)) * 100
    with turns_of_reading() as turns:
        async with gate_bench(accept_and_hold) as bench:
            client = await join(bench)
            client.send(flood)
            await eventually(lambda: sum(turns) == len(flood))
    assert max(turns) >= LARGE_READ
    assert not any(first >= LARGE_READ <= second for first, second in pairwise(turns))


@on_both_loops
async def test_what_came_at_once_goes_on_whole_and_in_order_both_ways() -> None:
    said = [b"%d " % number + b"x" * (number % 300) for number in range(5000)]
    from_client = b"".join(build_frame(TEXT, message) for message in said)
    from_server = b"".join(server_frame(TEXT, message) for message in said)

    async def answer_all_at_once(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING)
        await wire.read(len(from_client))
        wire.send(from_server)
        await wire.rest()

    async with gate_bench(answer_all_at_once) as bench:
        client = await join(bench)
        client.send(from_client)
        assert await client.read(len(from_server)) == from_server
        assert after_head(bench.upstream.wires[0]) == from_client


@on_both_loops
async def test_the_last_words_before_the_end_of_a_connection_arrive() -> None:
    """Whoever says much at once, closes and goes is heard to the end."""
    words = SMALLEST * 20_000 + build_frame(CLOSE, b"\x03\xe8")
    async with gate_bench(accept_and_hold) as bench:
        client = await join(bench)
        client.send(words)
        client.writer.write_eof()
        await eventually(lambda: after_head(bench.upstream.wires[0]) == words)


@on_both_loops
async def test_an_ejection_in_the_middle_stands_between_two_frames_of_the_server() -> None:
    frame = server_frame(TEXT, b"word")

    async def talk(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING + frame * 200_000)
        await wire.rest()

    async with gate_bench(talk) as bench:
        client = await join(bench, local=CN)
        await client.read(len(frame))
        await bench.gate.swap_rules(EJECT)
        heard = await client.rest()
        words, _, end = heard.partition(b"\x88")
        assert words == frame * (len(words) // len(frame))
        assert len(words) < len(frame) * 199_999
        assert int.from_bytes(end[1:3], "big") == LEGAL_ORDER
        assert len(end) == 1 + end[0]  # nothing follows


@pytest.mark.interpreted
@on_both_loops
async def test_an_ejected_one_s_close_is_seen_behind_all_that_they_had_said() -> None:
    with turns_of_reading() as turns:
        async with gate_bench(accept_and_hold, options=GateOptions(close_timeout=600)) as bench:
            client = await join(bench, local=CN)
            client.send(SMALLEST * 40_000 + build_frame(CLOSE, b"\x03\xe8"))
            await eventually(lambda: turns)
            await bench.gate.swap_rules(EJECT)
            assert (await read_close(client))[0] == LEGAL_ORDER
            assert await client.rest() == b""  # long before the time limit
            await eventually(lambda: not bench.gate.connections)
            (wire,) = bench.upstream.wires
            assert len(after_head(wire)) < 40_000 * len(SMALLEST)
