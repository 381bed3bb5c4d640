"""Ends that do not take what they are sent, clients that are too many, and peers that have vanished."""

import asyncio
import socket

import pytest

from joingate.gate.downstream import Downstream
from joingate.gate.options import GateOptions, turned_away_at_most
from joingate.gate.sockets import HAS_ENGINE
from joingate.gate.tunnel import Tunnel
from tests.edges.gate_fixture import HK, Bench, Script, Wire, answer_all, eventually, gate_bench, on_both_loops
from tests.edges.websocket_fixture import SWITCHING, join, read_close, server_frame
from tests.ws_client import BINARY, PING, build_frame

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
STALLS = GateOptions(send_timeout=0.2, close_timeout=0.2)
PIECE = bytes(100_000)


def deaf(over: asyncio.Event) -> Script:
    """Make a meeting server that accepts and reads nothing, until the test is over."""

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING)
        wire.stop_reading()
        await over.wait()

    return script


async def chatty(wire: Wire) -> None:
    """A meeting server that sends without end."""
    await wire.head()
    wire.send(SWITCHING)
    while True:
        wire.send(server_frame(BINARY, PIECE))
        await wire.writer.drain()


def the_tunnel(bench: Bench) -> Tunnel:
    (found,) = (each for each in bench.gate.connections if isinstance(each, Tunnel))
    return found


async def stuff(client: Wire, bench: Bench) -> None:
    """Send until the gate takes no more."""
    while not the_tunnel(bench).up.held:
        client.send(build_frame(BINARY, PIECE))
        await asyncio.sleep(0)


@on_both_loops
async def test_a_meeting_server_that_takes_nothing_is_left_and_the_participant_is_told() -> None:
    over = asyncio.Event()
    async with gate_bench(deaf(over), options=STALLS) as bench:
        client = await join(bench)
        await stuff(client, bench)
        assert (await read_close(client)) == (1001, b"The meeting server took nothing for too long.")
        await eventually(lambda: not bench.gate.connections and not len(bench.gate.roster))
        over.set()


@on_both_loops
async def test_so_it_is_when_the_client_has_gone_unheard_behind_what_it_sent() -> None:
    over = asyncio.Event()
    async with gate_bench(deaf(over), options=STALLS) as bench:
        client = await join(bench)
        await stuff(client, bench)
        client.abort()  # which nobody sees who does not read
        await eventually(lambda: not bench.gate.connections and not len(bench.gate.roster))
        over.set()


@on_both_loops
async def test_a_participant_who_takes_nothing_is_cut_though_they_send() -> None:
    options = GateOptions(send_timeout=0.2, close_timeout=0.2, websocket_idle_timeout=60)
    async with gate_bench(chatty, options=options) as bench:
        client = await join(bench)
        client.stop_reading()
        await eventually(lambda: the_tunnel(bench).down.held)
        while bench.gate.connections:
            client.send(build_frame(PING, b""))
            await asyncio.sleep(0.01)
        assert not len(bench.gate.roster)


@on_both_loops
async def test_one_who_is_slow_but_not_still_stays() -> None:
    async with gate_bench(chatty, options=GateOptions(send_timeout=0.3)) as bench:
        client = await join(bench)
        client.stop_reading()
        await eventually(lambda: the_tunnel(bench).down.held)
        looks = 0

        def taken(tunnel: Tunnel) -> bool:
            nonlocal looks
            tunnel.down.held += 1  # as if a byte had gone since: what the kernel takes, and when, is its own affair
            is_taken = Tunnel._is_taken(tunnel)
            looks += is_taken
            return is_taken

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Tunnel, "on_deadline", lambda self: None if not taken(self) else self.await_taking())
            await eventually(lambda: looks == 3)
        assert the_tunnel(bench).down.held
        await eventually(lambda: not bench.gate.connections)  # and now it does stand still


@on_both_loops
async def test_requests_beyond_a_slice_wait_unparsed_for_those_before_them() -> None:
    go_on = asyncio.Event()

    async def script(wire: Wire) -> None:
        await go_on.wait()
        await answer_all(wire)

    many = 4000
    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(many)))
        await eventually(lambda: bench.gate.connections)
        (connection,) = bench.gate.connections
        assert isinstance(connection, Downstream)
        await eventually(lambda: connection._queue)
        assert len(connection._queue) <= 2 * 16_384 // len(b"GET /0 HTTP/1.1\r\nHost: a\r\n\r\n")
        go_on.set()
        for number in range(many):
            assert (await client.response()).body == b"GET /%d|" % number


@on_both_loops
async def test_whoever_is_too_many_can_read_why_though_they_send_on() -> None:
    async with gate_bench(options=GateOptions(max_connections=16, close_timeout=30)) as bench:
        for _ in range(16):
            await bench.open()
        await eventually(lambda: len(bench.gate.connections) == 16)
        told = []
        for _ in range(turned_away_at_most(16)):
            client = await bench.open()
            client.send(GET + bytes(1_000_000))
            told.append(client)
        await eventually(lambda: not bench.gate.can_turn_away)
        beyond = await bench.open()  # one more than linger: answered as well, and closed at once
        assert (await beyond.response()).status == 503
        for client in told:
            response = await client.response()
            assert (response.status, response["retry-after"]) == (503, b"5")
            assert await client.rest() == b""
            assert not client.writer.transport.is_closing()  # no reset, as long as it sends
            client.abort()
        await eventually(lambda: not bench.gate.turned_away)


@pytest.mark.skipif(HAS_ENGINE, reason="the engine shows nobody its sockets; they inherit as the event loop's do")
@on_both_loops
async def test_the_kernel_asks_silent_peers_whether_they_are_there() -> None:
    async with gate_bench() as bench:
        client = await bench.open(HK)
        client.send(GET)
        await client.response()
        (connection,) = bench.gate.connections
        assert isinstance(connection, Downstream)
        held = connection.transport.get_extra_info("socket")
        assert held.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        assert [held.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [60, 15, 4]
