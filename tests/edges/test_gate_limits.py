"""Time limits, back-pressure and overload: nothing waits for ever, and nobody makes the gate hold more than a bit."""

import asyncio
import socket

import pytest

from joingate.gate.downstream import Downstream
from joingate.gate.options import GateOptions
from tests.core.made import order
from tests.edges.gate_fixture import CN, HK, JOIN, Bench, Wire, eventually, gate_bench, on_both_loops, rejected

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
REJECTED = f"GET {JOIN}?user=u HTTP/1.1\r\nHost: a\r\n\r\n".encode()
"""What the gate answers by itself, and at once, where an order is in force."""
MANY = 30_000_000
BOUND = 1_000_000
"""Bytes: what the gate may hold for one connection; one read (256 KiB on both loops) and two write buffers are less."""


async def slow_client(bench: Bench) -> Wire:
    """Connect a client that takes little from the kernel and nothing from it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    held.bind((HK, 0))
    held.setblocking(False)
    await asyncio.get_running_loop().sock_connect(held, ("127.0.0.1", bench.port))
    reader, writer = await asyncio.open_connection(sock=held)
    wire = Wire(reader, writer)
    wire.stop_reading()
    bench.clients.append(wire)
    return wire


def held_downstream(bench: Bench) -> int:
    return max(
        (each.transport.get_write_buffer_size() for each in bench.gate.connections if isinstance(each, Downstream)),
        default=0,
    )


async def settled(count: list[int]) -> int:
    """Wait until a count stands still."""
    last = -1
    while last != count[0] or not last:
        last = count[0]
        await asyncio.sleep(0.1)
    return last


@on_both_loops
async def test_a_client_that_does_not_read_stops_the_meeting_server() -> None:
    sent = [0]

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MANY)
        while sent[0] < MANY:
            wire.send(bytes(80_000))
            sent[0] += 80_000
            await wire.writer.drain()
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await slow_client(bench)
        client.send(GET)
        assert await settled(sent) < MANY
        assert 0 < held_downstream(bench) < BOUND
        client.go_on_reading()
        response = await client.response()
        assert len(response.body) == MANY
        await eventually(lambda: len(bench.pool) == 1)


@on_both_loops
async def test_a_meeting_server_that_does_not_read_stops_the_client() -> None:
    sent = [0]
    go_on = asyncio.Event()

    async def script(wire: Wire) -> None:
        _, headers = await wire.head()
        wire.stop_reading()
        await go_on.wait()
        wire.go_on_reading()
        body, _ = await wire.body(headers)
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n%d" % len(body))
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (MANY))

        async def pour() -> None:
            while sent[0] < MANY:
                client.send(bytes(80_000))
                sent[0] += 80_000
                await client.writer.drain()

        pouring = asyncio.get_running_loop().create_task(pour())
        assert await settled(sent) < MANY
        assert not pouring.done()
        go_on.set()
        await pouring
        assert (await client.response()).status == 200


@on_both_loops
async def test_a_client_that_asks_and_asks_and_never_reads_is_not_answered_without_bound() -> None:
    body = bytes(100_000)

    async def script(wire: Wire) -> None:
        while True:
            await wire.head()
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + body)

    async with gate_bench(script) as bench:
        client = await slow_client(bench)
        client.send(GET * 200)
        asked = [0]

        async def watch() -> None:
            while True:
                asked[0] = bench.upstream.received.count(b"GET")
                await asyncio.sleep(0.01)

        watching = asyncio.get_running_loop().create_task(watch())
        assert await settled(asked) < 200
        assert held_downstream(bench) < BOUND
        client.go_on_reading()
        for _ in range(200):
            assert len((await client.response()).body) == 100_000
        watching.cancel()


@on_both_loops
async def test_neither_are_the_gates_own_answers() -> None:
    async with gate_bench() as bench:
        client = await slow_client(bench)
        client.send(b"GET /.well-known/joingate HTTP/1.1\r\nHost: a\r\n\r\n" * 3000)
        await eventually(lambda: held_downstream(bench))
        await asyncio.sleep(0.1)
        assert held_downstream(bench) < BOUND
        client.go_on_reading()
        for _ in range(3000):
            assert (await client.response()).status == 200


@pytest.mark.parametrize("count", [60, 1000])  # of one piece that is parsed, and of many
@on_both_loops
async def test_requests_that_came_at_once_are_answered_while_others_are_too(count: int) -> None:
    async with gate_bench(rules=(order(),)) as bench:
        greedy, other = await bench.open(CN), await bench.open()
        greedy.send(REJECTED * count)
        await greedy.writer.drain()
        other.send(GET)
        assert (await other.response()).status == 200
        assert 0 < rejected(bench.gate) < count
        for _ in range(count):
            assert (await greedy.response()).status == 451
        assert rejected(bench.gate) == count


@on_both_loops
async def test_a_gate_that_goes_away_answers_a_request_that_waits_for_its_turn_and_no_more() -> None:
    async with gate_bench(rules=(order(),)) as bench:
        client = await bench.open(CN)
        client.send(REJECTED * 400)
        await eventually(lambda: rejected(bench.gate))
        before = rejected(bench.gate)
        draining = asyncio.get_running_loop().create_task(bench.drain(5))
        answers = [await client.response()]
        while answers[-1]["connection"] is None:
            answers.append(await client.response())
        assert {each.status for each in answers} == {451}
        assert await client.rest() == b""
        assert before < len(answers) < 400
        client.writer.close()
        await draining


@pytest.mark.parametrize("raw", [b"G", GET[:-2], GET + GET[:-2]])
@on_both_loops
async def test_a_head_that_does_not_end_in_time_is_a_408(raw: bytes) -> None:
    async with gate_bench(options=GateOptions(head_timeout=0.05)) as bench:
        client = await bench.open()
        client.send(raw)
        if raw.startswith(GET):
            assert (await client.response()).status == 200
        response = await client.response()
        assert (response.status, response["connection"]) == (408, b"close")
        assert await client.rest() == b""


@on_both_loops
async def test_an_idle_connection_is_closed_without_a_word() -> None:
    async with gate_bench(options=GateOptions(head_timeout=0.05, idle_timeout=0.05)) as bench:
        silent, done = await bench.open(), await bench.open()
        done.send(GET)
        assert (await done.response()).status == 200
        assert (await silent.rest(), await done.rest()) == (b"", b"")


@on_both_loops
async def test_a_body_that_does_not_come_in_time_is_a_408_and_the_meeting_server_is_not_kept_waiting() -> None:
    async with gate_bench(options=GateOptions(body_timeout=0.1)) as bench:
        client = await bench.open()
        client.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n")
        for _ in range(10):  # slow, but not too slow
            client.send(b"x")
            await asyncio.sleep(0.02)
        response = await client.response()
        assert (response.status, response["connection"]) == (408, b"close")
        await eventually(lambda: not bench.upstream.open)


@on_both_loops
async def test_a_client_that_ignores_the_end_is_cut() -> None:
    async with gate_bench(options=GateOptions(close_timeout=0.05)) as bench:
        client = await bench.open()
        client.send(b"nonsense\r\n\r\n")
        assert (await client.response()).status == 400
        assert len(bench.gate.connections) == 1
        await eventually(lambda: not bench.gate.connections)


@on_both_loops
async def test_the_refusal_reaches_a_client_that_is_still_sending() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: b\r\n" * 400_000)
        assert (await client.response()).status == 431
        assert await client.rest() == b""
        client.writer.close()


@on_both_loops
async def test_a_connection_too_many_is_a_503_and_there_is_room_again_later() -> None:
    async with gate_bench(options=GateOptions(max_connections=2)) as bench:
        first, second, third = await bench.open(), await bench.open(), await bench.open()
        response = await third.response()
        assert (response.status, response["retry-after"], response["connection"]) == (503, b"5", b"close")
        for client in (first, second):
            client.send(GET)
            assert (await client.response()).status == 200
        first.abort()
        await eventually(lambda: len(bench.gate.connections) == 1)
        assert (await bench.ask(GET)).status == 200


@on_both_loops
async def test_a_gate_that_goes_away_ends_what_is_idle_and_finishes_what_is_not() -> None:
    """A connection on which nothing has come yet is not idle: its first request may be under way."""
    go_on = asyncio.Event()
    go_on.set()

    async def script(wire: Wire) -> None:
        while True:
            await wire.head()
            await go_on.wait()
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with gate_bench(script) as bench:
        idle, busy, fresh = await bench.open(), await bench.open(), await bench.open()
        idle.send(GET)
        assert (await idle.response()).body == b"ok"
        go_on.clear()
        busy.send(GET)
        await eventually(lambda: bench.upstream.received.count(b"GET") == 2 and len(bench.gate.connections) == 3)
        draining = asyncio.get_running_loop().create_task(bench.drain(5))
        assert await idle.rest() == b""
        fresh.send(GET)
        go_on.set()
        for client in (busy, fresh):
            response = await client.response()
            assert (response.body, response["connection"]) == (b"ok", b"close")
            assert await client.rest() == b""
        for client in (idle, busy, fresh):
            client.writer.close()
        await draining
        assert not bench.gate.connections
