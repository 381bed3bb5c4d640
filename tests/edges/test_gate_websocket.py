"""WebSockets through the gate: transparent to the byte, and begun only by a 101 that answers the handshake."""

import asyncio
import random

import pytest

from joingate.gate.options import GateOptions
from joingate.gate.tunnel import Tunnel
from tests.edges.gate_fixture import Wire, eventually, gate_bench, on_both_loops
from tests.edges.websocket_fixture import (
    KEY,
    SWITCHING,
    accept_and_hold,
    after_head,
    close_frame,
    handshake,
    join,
    read_close,
    server_frame,
)
from tests.ws_client import BINARY, CLOSE, PING, TEXT, _accept, build_frame


@pytest.mark.parametrize("seed", range(6))
@on_both_loops
async def test_a_tunnel_is_transparent_however_its_bytes_are_cut(seed: int) -> None:
    chosen = random.Random(seed)
    opcodes = (TEXT, BINARY, 0, PING, 10, 3, 11)
    sizes = (0, 1, 5, 125, 126, 500, 65_535, 65_536, 200_000)

    def stream(build: object) -> bytes:
        pieces = []
        for _ in range(30):
            opcode = chosen.choice(opcodes)
            size = chosen.choice(sizes[:4] if opcode > 7 else sizes)
            pieces.append(build(opcode, chosen.randbytes(size), fin=opcode > 7 or chosen.random() < 0.7))  # type: ignore[operator]
        return b"".join(pieces)

    down, up = stream(server_frame), stream(build_frame)
    cut = [chosen.choice((1, 2, 3, 7, 1000, 70_000)) for _ in range(4000)]

    async def pour(wire: Wire, data: bytes) -> None:
        at = 0
        for size in cut:
            wire.send(data[at : at + size])
            at += size
            await wire.writer.drain()
            if at >= len(data):
                return
            if size > 3:
                await asyncio.sleep(0)
        wire.send(data[at:])

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING)
        pouring = asyncio.get_running_loop().create_task(pour(wire, down))
        await wire.read(len(up))
        await pouring
        wire.send(close_frame(1000))

    async with gate_bench(script) as bench:
        client = await join(bench)
        pouring = asyncio.get_running_loop().create_task(pour(client, up))
        assert await client.read(len(down)) == down
        await pouring
        assert await client.rest() == close_frame(1000)
        assert after_head(bench.upstream.wires[0]) == up


@pytest.mark.parametrize("size", [10, 300_000])
@on_both_loops
async def test_what_is_right_behind_the_101_and_behind_the_handshake_arrives(size: int) -> None:
    down, up = server_frame(BINARY, bytes(size)), build_frame(BINARY, bytes(size))
    seen_before_101 = []

    async def script(wire: Wire) -> None:
        await wire.head()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                seen_before_101.append(await wire.read(1))
        wire.send(SWITCHING + down)
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(handshake() + up)
        await client.head()
        assert await client.read(len(down)) == down
        await eventually(lambda: len(bench.gate.roster) == 1)
        client.writer.write_eof()
        await client.rest()
        await eventually(lambda: not bench.upstream.open)
        assert after_head(bench.upstream.wires[0]) == up
        assert seen_before_101 == []


@on_both_loops
async def test_a_handshake_behind_pipelined_requests_waits_for_its_turn() -> None:
    async def script(wire: Wire) -> None:
        while True:
            first, _ = await wire.head()
            await asyncio.sleep(0.02)
            if b"/join" in first:
                break
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        wire.send(SWITCHING)
        wire.send(await wire.read(len(up)))
        await wire.rest()

    up = build_frame(TEXT, b"early")
    get = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(get + get + handshake() + up)
        assert [(await client.response()).status for _ in range(3)] == [200, 200, 101]
        assert await client.read(len(up)) == up


WRONG = {
    "accept": SWITCHING.replace(_accept(KEY).encode(), b"AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    "no accept": b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "two accepts": SWITCHING.replace(b"Sec-WebSocket-Protocol: chat", f"Sec-WebSocket-Accept: {_accept(KEY)}".encode()),
    "protocol": SWITCHING.replace(b"Upgrade: websocket", b"Upgrade: h2c"),
}


@pytest.mark.parametrize("name", WRONG)
@on_both_loops
async def test_a_101_that_does_not_answer_the_handshake_is_no_tunnel(name: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(WRONG[name] + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(handshake())
        assert (await client.response()).status == 502
        assert len(bench.gate.roster) == 0
        await eventually(lambda: not bench.upstream.open)
        client.send(b"GET /.well-known/joingate HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.response()).status == 200


@on_both_loops
async def test_a_refused_handshake_is_relayed_and_the_connection_stays_usable() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        await wire.head()
        wire.send(b"HTTP/1.1 426 U\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n")
        await wire.head()
        wire.send(SWITCHING)
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await bench.open()
        for status in (403, 426, 101):
            client.send(handshake())
            assert (await client.response()).status == status
        assert len(bench.gate.roster) == 1
        pushy = await bench.open()
        pushy.send(handshake() + build_frame(TEXT, b"x"))
        assert (await pushy.response()).status == 403
        assert await pushy.rest() == b""  # frames behind a refused handshake are no HTTP


@pytest.mark.parametrize("who", ["client", "server"])
@pytest.mark.parametrize("how", ["close", "abort"])
@on_both_loops
async def test_either_end_may_go_and_the_other_follows(who: str, how: str) -> None:
    go = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING)
        if who == "server":
            await go.wait()
            wire.send(close_frame(1000))
            if how == "abort":
                await wire.writer.drain()
                wire.abort()
            return
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await join(bench)
        if who == "server":
            go.set()
            assert await client.rest() in {close_frame(1000), b""}
            client.writer.close()
        elif how == "abort":
            client.abort()
        else:
            client.send(build_frame(CLOSE, b"\x03\xe8"))
            client.writer.close()
        await eventually(lambda: not bench.gate.connections and not len(bench.gate.roster))
        await eventually(lambda: not bench.upstream.open)
        assert bench.gate.tally.left == 1


@on_both_loops
async def test_a_slow_reader_holds_the_meeting_server_back_from_the_first_byte_behind_the_101() -> None:
    size, sent = 20_000_000, [0]

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
        await wire.head()
        wire.send(SWITCHING + server_frame(BINARY, bytes(240_000)))
        while sent[0] < 300:
            await wire.writer.drain()
            wire.send(server_frame(BINARY, bytes(100_000)))
            sent[0] += 1
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n" + handshake())
        await client.head()
        left = size
        while b"Sec-WebSocket-Key" not in bench.upstream.received:  # what the kernel holds for the client stays full
            left -= len(await client.read(20_000))
            await asyncio.sleep(0.001)  # it reads more slowly than the gate does
        client.stop_reading()
        last = -1
        while sent[0] != last or not last:
            last = sent[0]
            await asyncio.sleep(0.1)
        assert last < 300
        (tunnel,) = (each for each in bench.gate.connections if isinstance(each, Tunnel))
        assert 0 < tunnel.down.transport.get_write_buffer_size() < 1_000_000  # how much is the kernel's own affair
        client.go_on_reading()
        await client.read(left)
        await client.head()
        assert (await client.read(240_010 + 300 * 100_010)).endswith(server_frame(BINARY, bytes(100_000)))


@on_both_loops
async def test_a_silent_websocket_is_closed_where_a_limit_is_set_and_all_are_when_the_gate_goes() -> None:
    async with gate_bench(accept_and_hold, options=GateOptions(websocket_idle_timeout=0.05)) as bench:
        client = await join(bench)
        assert (await read_close(client))[0] == 1001
        client.send(build_frame(CLOSE, b""))
        assert await client.rest() == b""
    async with gate_bench(accept_and_hold) as bench:
        client = await join(bench)
        draining = asyncio.get_running_loop().create_task(bench.drain(0.02))
        assert (await read_close(client))[0] == 1001
        client.send(build_frame(CLOSE, b""))
        assert await client.rest() == b""
        await draining


@on_both_loops
async def test_a_client_cannot_fill_the_gate_while_its_handshake_is_pending() -> None:
    answer, sent = asyncio.Event(), [0]

    async def script(wire: Wire) -> None:
        await wire.head()
        await answer.wait()
        wire.send(b"HTTP/1.1 403 F\r\nContent-Length: 0\r\n\r\n")
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(handshake())

        async def pour() -> None:
            while sent[0] < 60:
                client.send(bytes(1_000_000))
                await client.writer.drain()
                sent[0] += 1

        pouring = asyncio.get_running_loop().create_task(pour())
        last = -1
        while sent[0] != last or not last:
            last = sent[0]
            await asyncio.sleep(0.2)
        assert last < 60
        answer.set()
        assert (await client.response()).status == 403
        client.abort()
        await asyncio.wait([pouring])
        assert pouring.exception() is not None
        assert after_head(bench.upstream.wires[0]) == b""


@pytest.mark.parametrize("early", [b"", b"\x81\x80abcd"])
@on_both_loops
async def test_a_client_that_goes_away_while_its_handshake_is_pending_is_missed_at_once(early: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(handshake() + early)
        await eventually(lambda: bench.upstream.received)
        client.abort()
        await eventually(lambda: not len(bench.gate.roster) and not bench.upstream.open)
