"""Connections go when they end, not when the garbage collector next comes by.

So memory falls with the number of people, and rules can be frozen out of the collector's sight at any time: nothing
that is frozen with them waits for a collection.
"""

import contextlib
import gc
from collections.abc import Iterator

import pytest

from joingate.core.rule_set import RuleSet
from joingate.gate.downstream import Downstream
from joingate.gate.exchange import Exchange
from joingate.gate.polling import Session
from joingate.gate.seats import Seats
from joingate.gate.tunnel import Side, Tunnel
from joingate.gate.upstream import UpstreamConnection
from tests.core.made import order
from tests.edges.gate_fixture import CN, HK, JOIN, Wire, answer_all, eventually, gate_bench, on_both_loops
from tests.edges.plain_dialect import PlainDialect
from tests.edges.websocket_fixture import accept_and_hold, close_frame, handshake, join, of_user, read_close
from tests.ws_client import CLOSE, TEXT, build_frame

OF_CONNECTIONS = (Downstream, Exchange, Seats, Session, Side, Tunnel, UpstreamConnection)


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """Hold the collector back, and look for what would have waited for it."""
    gc.collect()
    gc.disable()
    try:
        yield
        left = [type(each).__name__ for each in gc.get_objects() if isinstance(each, OF_CONNECTIONS)]
        assert not left
    finally:
        gc.enable()


def request(path: str = JOIN, extra: str = "") -> bytes:
    return f"GET {path}?user=u HTTP/1.1\r\nHost: a\r\n{extra}\r\n".encode()


async def hang_up(wire: Wire) -> None:
    await wire.head()
    wire.abort()


@on_both_loops
async def test_requests_leave_nothing_behind() -> None:
    with nothing_left():
        async with gate_bench(answer_all, rules=(order(),)) as bench:
            kept = await bench.open()
            for _ in range(3):
                kept.send(request() + request("/other"))
                assert [(await kept.response()).status for _ in range(2)] == [200, 200]
            assert (await bench.ask(request(), CN)).status == 451
            assert (await bench.ask(request(extra="Content-Length: x\r\n"))).status == 400
            assert (
                await bench.ask(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            ).status == 200


@on_both_loops
async def test_a_meeting_server_that_hangs_up_leaves_nothing_behind() -> None:
    with nothing_left():
        async with gate_bench(hang_up) as bench:
            assert (await bench.ask(request())).status == 502
            assert (await bench.ask(handshake())).status == 502


@on_both_loops
@pytest.mark.parametrize("who", ["client", "server", "lost", "gate"])
async def test_websockets_leave_nothing_behind(who: str) -> None:
    with nothing_left():
        async with gate_bench(accept_and_hold) as bench:
            client = await join(bench, local=CN if who == "gate" else HK)
            client.send(build_frame(TEXT, b"hello"))
            server = of_user(bench, "u")
            await eventually(lambda: server.received.endswith(b"\x92") or len(server.received) > 200)
            if who == "client":
                client.send(build_frame(CLOSE, b"\x03\xe8"))
                client.abort()
            elif who == "server":
                server.send(close_frame(1000))
                await read_close(client)
                server.abort()
            elif who == "lost":
                server.abort()
            else:
                await bench.gate.swap_rules(RuleSet([order()]))
                await read_close(client)
                client.send(build_frame(CLOSE, b"\x11\x63"))
            await client.rest()


@on_both_loops
async def test_websockets_that_are_read_leave_nothing_behind() -> None:
    with nothing_left():
        async with gate_bench(accept_and_hold, dialect=PlainDialect()) as bench:
            client = await bench.open()
            client.send(handshake().replace(b"/meetings/m/join?user=u", b"/socket"))
            await client.head()
            client.send(build_frame(TEXT, b"enter m u"))
            await eventually(lambda: len(bench.gate.roster))


@on_both_loops
async def test_sessions_of_many_requests_leave_nothing_behind() -> None:
    with nothing_left():
        async with gate_bench(answer_all, dialect=PlainDialect()) as bench:
            said = b"enter m u"
            head = b"POST /poll/token HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(said)
            assert (await bench.ask(head + said)).status == 200
            assert len(bench.gate.roster) == 1
