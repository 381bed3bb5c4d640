"""When the meeting server fails: 502, 504 or a cut, never a shortened body that looks complete, never a POST twice."""

import asyncio
import contextlib
import socket

import pytest

from joingate.codecs.endpoint import TcpEndpoint
from joingate.gate.options import GateOptions
from tests.core.made import order
from tests.edges.gate_fixture import CN, HK, JOIN, Script, Wire, eventually, gate_bench, on_both_loops

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def sends(raw: bytes, *, reset: bool = False) -> Script:
    """Make a meeting server that reads a head, sends `raw`, and closes or resets."""

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(raw)
        await asyncio.sleep(0.02)
        if reset:
            with contextlib.suppress(OSError, AttributeError):  # the gate has closed it already
                held = wire.writer.get_extra_info("socket")
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            wire.abort()

    return script


GARBAGE = {
    "nothing": b"",
    "part of a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "garbage": b"hello\r\n\r\n",
    "a bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
    "an absurd length": b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999\r\n\r\nok",
    "a folded line": b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
    "a 101 nobody asked for": b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "a large head": b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * 600_000,
    "an interim response": b"HTTP/1.1 103 E\r\n\r\n",
}


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("name", GARBAGE)
@on_both_loops
async def test_what_is_no_response_is_a_502_and_the_client_may_go_on(name: str, reset: bool) -> None:
    async with gate_bench(sends(GARBAGE[name], reset=reset)) as bench:
        client = await bench.open()
        for request in (GET, POST, GET):
            client.send(request)
            response = await client.response()
            assert (response.status, response["connection"]) == (502, None)
        assert len(bench.pool) == 0


SHORTENED = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\npart",
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n",
    "no last line": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0\r\n",
}


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("name", SHORTENED)
@on_both_loops
async def test_a_body_that_is_cut_short_is_seen_to_be(name: str, reset: bool) -> None:
    async with gate_bench(sends(SHORTENED[name], reset=reset)) as bench:
        client = await bench.open()
        client.send(GET)
        with contextlib.suppress(asyncio.IncompleteReadError):  # a head that had not been sent yet is not sent any more
            assert not (await client.response()).is_complete
        assert await client.rest() == b""


@on_both_loops
async def test_a_reset_does_not_end_a_body_that_ends_with_the_connection() -> None:
    async with gate_bench(sends(b"HTTP/1.1 200 OK\r\n\r\npart", reset=True)) as bench:
        client = await bench.open()
        client.send(GET)
        assert not (await client.response()).is_complete


def closes_when_idle(*, begins_to_answer: bool = False) -> Script:
    """Make a meeting server that answers once on a connection and closes when the second request comes, unanswered."""

    async def script(wire: Wire) -> None:
        first, headers = await wire.head()
        await wire.body(headers)
        wire.send(OK.removesuffix(b"ok") if first.startswith(b"HEAD ") else OK)
        _, headers = await wire.head()
        await wire.body(headers)
        if begins_to_answer:
            wire.send(b"HTTP/1.1 2")

    return script


@on_both_loops
async def test_a_request_that_can_be_repeated_is_once_when_the_waiting_connection_was_stale() -> None:
    async with gate_bench(closes_when_idle()) as bench:
        client = await bench.open()
        for method in (b"GET", b"HEAD", b"OPTIONS", b"DELETE"):
            client.send(GET.replace(b"GET", method))
            response = await client.response(to_head=method == b"HEAD")
            assert response.status == 200
        assert bench.upstream.received.count(b"HTTP/1.1\r\n") == 4 + 3
        assert len(bench.upstream.wires) == 4


@on_both_loops
async def test_a_post_is_not_repeated_and_neither_is_what_was_answered_in_part() -> None:
    async with gate_bench(closes_when_idle()) as bench:
        client = await bench.open()
        client.send(GET + POST)
        assert [(await client.response()).status for _ in range(2)] == [200, 502]
        assert bench.upstream.received.count(b"POST") == 1
    async with gate_bench(closes_when_idle(begins_to_answer=True)) as bench:
        client = await bench.open()
        client.send(GET + GET)
        assert [(await client.response()).status for _ in range(2)] == [200, 502]
        assert len(bench.upstream.wires) == 1


@on_both_loops
async def test_a_repeated_request_is_not_repeated_again() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        if len(bench.upstream.wires) == 1:
            wire.send(OK)
            await wire.head()

    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(GET + GET)
        assert [(await client.response()).status for _ in range(2)] == [200, 502]
        assert bench.upstream.received.count(b"GET") == 3


@on_both_loops
async def test_a_post_takes_no_connection_that_has_waited_long() -> None:
    async with gate_bench() as bench:
        assert (await bench.ask(POST)).status == 200
        assert (await bench.ask(POST)).status == 200
        assert len(bench.upstream.wires) == 1
        for connection in bench.pool._idle:
            connection.idle_since -= 10
        assert (await bench.ask(POST)).status == 200
        assert len(bench.upstream.wires) == 2


@on_both_loops
async def test_a_meeting_server_that_is_not_there_is_a_502_and_the_next_request_is_served() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen: connections are refused
        away = TcpEndpoint("127.0.0.1", taken.getsockname()[1])
        async with gate_bench(upstream_options={"endpoint": away}) as bench:
            client = await bench.open()
            for request in (GET, POST, POST, GET):  # a POST's body is held back until there is a connection
                client.send(request)
                response = await client.response()
                assert (response.status, response["connection"]) == (502, None)


@on_both_loops
async def test_a_meeting_server_that_accepts_nobody_is_a_504() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        endpoint = TcpEndpoint("127.0.0.1", full.getsockname()[1])
        async with gate_bench(upstream_options={"endpoint": endpoint, "connect_timeout": 0.02}) as bench:
            client = await bench.open()
            client.send(POST + GET)
            assert [(await client.response()).status for _ in range(2)] == [504, 504]


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 103 E\r\n\r\n"])
@on_both_loops
async def test_a_meeting_server_that_does_not_answer_in_time_is_a_504(raw: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(raw)
        await wire.rest()

    async with gate_bench(script, options=GateOptions(response_timeout=0.05)) as bench:
        client = await bench.open()
        for _ in range(2):
            client.send(f"GET {JOIN} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert (await client.response()).status == 504
            assert len(bench.gate.roster) == 0
        await eventually(lambda: not bench.upstream.open)


@on_both_loops
async def test_a_meeting_server_that_stops_in_the_middle_is_cut() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
        await wire.rest()

    async with gate_bench(script, options=GateOptions(response_timeout=0.05)) as bench:
        assert not (await bench.ask(GET)).is_complete


@pytest.mark.parametrize("stage", ["connecting", "waiting", "body", "response"])
@on_both_loops
async def test_a_client_that_goes_away_takes_its_upstream_connection_and_its_place_along(stage: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        if stage == "response":
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\npart")
        await wire.rest()

    async with gate_bench(script, rules=(order(),)) as bench:
        client = await bench.open()
        if stage == "body":
            client.send(f"POST {JOIN} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc".encode())
        else:
            client.send(f"GET {JOIN} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        await eventually(lambda: len(bench.gate.roster))
        if stage != "connecting":
            await eventually(lambda: bench.upstream.received)
        if stage == "response":
            await client.until(b"part")
        client.abort()
        await eventually(lambda: not len(bench.gate.roster) and not bench.gate.connections)
        await eventually(lambda: not bench.upstream.open)
        assert len(bench.pool) == 0
        assert (bench.gate.tally.left, (await bench.ask(GET.replace(b"/a", JOIN.encode()), CN)).status) == (1, 451)


@on_both_loops
async def test_waiting_connections_are_kept_up_to_a_number_and_a_time() -> None:
    arrived = asyncio.Event()

    async def script(wire: Wire) -> None:
        while True:
            await wire.head()
            if len(bench.upstream.wires) == 3:
                arrived.set()
            await arrived.wait()
            wire.send(OK)

    async with gate_bench(script, upstream_options={"max_idle_connections": 2, "idle_timeout": 0.3}) as bench:
        clients = [await bench.open(HK) for _ in range(3)]
        for client in clients:
            client.send(GET)
        for client in clients:
            assert (await client.response()).body == b"ok"
        assert len(bench.pool) == 2
        await eventually(lambda: not len(bench.pool) and not bench.upstream.open)
