"""A plain join goes from socket to socket, and whatever happens to it meanwhile happens as to any other join."""

import asyncio

import pytest

from joingate.core.record import Told
from joingate.core.rule_set import RuleSet
from joingate.gate.gate import Gate
from joingate.gate.options import GateOptions
from tests.core.made import order
from tests.edges.gate_fixture import CN, HK, JOIN, Bench, Wire, answer_all, eventually, gate_bench, on_both_loops

pytest.importorskip("joingate.gate._engine", reason="the engine is not compiled: make native")

from joingate.gate import fast_path
from joingate.gate.fast_path import FastDownstream

PLAIN = f"GET {JOIN}?user=u HTTP/1.1\r\nHost: a\r\n\r\n".encode()
OTHER = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Counted(FastDownstream):
    """Counts what takes the fast path, and what leaves it."""

    taken = answered = looked_into = 0

    def admit_plain(self, *request: object) -> object:  # type: ignore[override]
        admitted = super().admit_plain(*request)  # type: ignore[arg-type]
        Counted.taken += admitted is not None
        return admitted

    def answered_plain(self, is_last: bool) -> None:
        Counted.answered += 1
        super().answered_plain(is_last)

    def look_into(self, request: bytes) -> None:
        Counted.looked_into += 1
        super().look_into(request)


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have connections counted; where the gate is compiled, a class cannot be replaced."""
    monkeypatch.setattr(fast_path, "FastDownstream", Counted)
    Counted.taken = Counted.answered = Counted.looked_into = 0


def counts() -> tuple[int, int, int]:
    return Counted.taken, Counted.answered, Counted.looked_into


class Held:
    """A meeting server that answers when it is told to."""

    def __init__(self, answer: bytes = ANSWER) -> None:
        self.go = asyncio.Event()
        self.go.set()
        self.answer = answer

    async def __call__(self, wire: Wire) -> None:
        while True:
            await wire.head()
            await self.go.wait()
            wire.send(self.answer)


async def warm(client: Wire) -> None:
    """Have a connection to the meeting server wait: one that has to be opened is not for the fast path."""
    client.send(PLAIN)
    assert (await client.response()).status == 200


async def under_way(bench: Bench, server: Held, local: str = HK) -> Wire:
    """Return a client whose plain request waits for the meeting server."""
    client = await bench.open(local)
    await warm(client)
    server.go.clear()
    client.send(PLAIN)
    await eventually(lambda: Counted.taken)
    return client


@pytest.mark.interpreted
@on_both_loops
async def test_a_plain_join_is_judged_counted_and_answered() -> None:
    async with gate_bench(answer_all, rules=(order(),)) as bench:
        client = await bench.open()
        await warm(client)
        assert counts() == (0, 0, 0)
        for at in range(3):
            client.send(PLAIN)
            response = await client.response()
            assert (response.status, response.body) == (200, f"GET {JOIN}?user=u|".encode())
            assert counts() == (at + 1, at + 1, 0)
        assert (len(bench.gate.roster), bench.gate.tally.left, len(bench.pool)) == (0, 4, 1)
        assert sum(bench.gate.tally.decisions.values()) == 4
        told = bytes(bench.upstream.received).split(b"\r\n\r\n")[-2]
        assert f"X-Forwarded-For: {HK}\r\n".encode() in told
        client.send(OTHER)
        assert (await client.response()).status == 200
        assert counts() == (4, 4, 0)
        rejected = await bench.ask(PLAIN, CN)
        assert (rejected.status, counts()) == (451, (4, 4, 0))


@pytest.mark.interpreted
@on_both_loops
async def test_a_plain_join_that_closes_its_connection() -> None:
    last = PLAIN[:-2] + b"Connection: close\r\n\r\n"
    async with gate_bench(answer_all) as bench:
        await warm(await bench.open())
        client = await bench.open()
        client.send(last)
        told, _, body = (await client.rest()).partition(b"\r\n\r\n")
        assert told.endswith(b"\r\nConnection: close")
        assert body == f"GET {JOIN}?user=u|".encode()
        assert (counts(), len(bench.gate.roster), len(bench.pool)) == ((1, 1, 0), 0, 1)
        await eventually(lambda: len(bench.gate.connections) == 1)
        client = await bench.open()
        client.send(last + OTHER)  # which is too late
        assert (await client.rest()).count(b"HTTP/1.1 ") == 1
        assert counts() == (1, 1, 0)


@pytest.mark.interpreted
@on_both_loops
async def test_what_comes_behind_the_last_request_is_not_answered() -> None:
    server = Held()
    async with gate_bench(server) as bench:
        await warm(await bench.open())
        server.go.clear()
        client = await bench.open()
        client.send(PLAIN[:-2] + b"Connection: close\r\n\r\n")
        await eventually(lambda: Counted.taken)
        client.send(OTHER)
        await eventually(lambda: Counted.looked_into)
        server.go.set()
        assert (await client.rest()).count(b"HTTP/1.1 200 OK") == 1
        assert (counts(), len(bench.gate.roster)) == ((1, 0, 1), 0)


@pytest.mark.interpreted
@on_both_loops
async def test_whoever_is_ejected_while_the_meeting_server_thinks_is_told_why() -> None:
    server = Held()
    async with gate_bench(server) as bench:
        client, other = await under_way(bench, server, CN), await bench.open()
        other.send(PLAIN)
        await eventually(lambda: len(bench.gate.roster) == 2)
        assert {participant.carrier.telling for participant in bench.gate.roster} == {Told.HTTP}
        effect = await bench.gate.swap_rules(RuleSet([order()]))
        assert (effect.ejected, (await client.response()).status) == (1, 451)
        server.go.set()
        assert (await other.response()).status == 200
        assert Counted.looked_into == 1
        await eventually(lambda: not len(bench.gate.roster))
        client.send(OTHER)  # which goes on, over the same connection
        assert (await client.response()).status == 200


@pytest.mark.interpreted
@on_both_loops
async def test_an_ejection_of_somebody_whose_connection_is_ending_does_nothing_more() -> None:
    server = Held()
    async with gate_bench(server) as bench:
        client = await under_way(bench, server, CN)
        (connection,) = bench.gate.connections
        connection.abort()
        effect = await bench.gate.swap_rules(RuleSet([order()]))
        assert (effect.ejected, await client.rest(), len(bench.gate.roster)) == (1, b"", 0)
        server.go.set()


@pytest.mark.interpreted
@on_both_loops
async def test_a_rejection_leaves_the_waiting_connection_as_it_is() -> None:
    async with gate_bench(answer_all, rules=(order(),)) as bench:
        await warm(await bench.open())
        (waiting,) = bench.pool._idle
        waiting.idle_since -= 5
        before = waiting.idle_since
        assert (await bench.ask(PLAIN, CN)).status == 451
        assert (bench.pool._idle, waiting.idle_since) == ([waiting], before)


ODD = [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + ANSWER,
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: \r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"o" * 300_000,
]


@pytest.mark.interpreted
@pytest.mark.parametrize("answer", ODD, ids=["chunked", "interim", "empty field", "large"])
@on_both_loops
async def test_an_answer_that_is_not_plain_comes_through_all_the_same(answer: bytes) -> None:
    server = Held()
    async with gate_bench(server) as bench:
        client = await bench.open()
        await warm(client)
        server.answer = answer
        for at in range(3):
            client.send(PLAIN)
            response = await client.response()
            assert (response.status, response.body) == (200, b"ok" if b"ok" in answer else b"o" * 300_000)
            assert counts() == (at + 1, 0, at + 1)
        server.answer = ANSWER
        client.send(PLAIN)
        assert (await client.response()).body == b"ok"
        assert counts() == (4, 1, 3)
        assert len(bench.upstream.wires) == 1


@pytest.mark.interpreted
@on_both_loops
async def test_requests_that_come_meanwhile_are_answered_in_their_order() -> None:
    server = Held()
    async with gate_bench(server) as bench:
        client = await under_way(bench, server)
        client.send(OTHER + PLAIN)
        await eventually(lambda: Counted.looked_into)
        server.go.set()
        assert [(await client.response()).status for _ in range(3)] == [200] * 3
        client.send(PLAIN)
        assert (await client.response()).status == 200
        assert counts() == (2, 1, 1)


@pytest.mark.interpreted
@on_both_loops
async def test_a_meeting_server_that_is_silent_is_a_504() -> None:
    server = Held()
    async with gate_bench(server, options=GateOptions(response_timeout=0.3)) as bench:
        client = await under_way(bench, server)
        assert (await client.response()).status == 504
        assert (counts(), len(bench.gate.roster), bench.gate.tally.left) == ((1, 0, 1), 0, 2)
        server.go.set()


@pytest.mark.interpreted
@on_both_loops
async def test_a_meeting_server_that_hangs_up_is_asked_again() -> None:
    async def once(wire: Wire) -> None:
        for _ in range(2):
            await wire.head()
            if len(wires) == 1 and wires[0].received.count(b"\r\n\r\n") == 2:
                wire.abort()
                return
            wire.send(ANSWER)
        await wire.rest()

    async with gate_bench(once) as bench:
        wires = bench.upstream.wires
        client = await bench.open()
        await warm(client)
        client.send(PLAIN)
        assert (await client.response()).status == 200
        assert (counts(), len(wires)) == ((1, 0, 1), 2)


@pytest.mark.interpreted
@on_both_loops
async def test_a_client_that_goes_away_takes_its_participant_along() -> None:
    server = Held()
    async with gate_bench(server) as bench:
        client = await under_way(bench, server)
        client.abort()
        await eventually(lambda: not len(bench.gate.roster) and not bench.gate.connections)
        server.go.set()
        await eventually(lambda: not bench.upstream.open)
        assert (bench.gate.tally.left, len(bench.pool)) == (2, 0)


@pytest.mark.interpreted
@on_both_loops
async def test_a_gate_that_goes_away_answers_what_is_under_way() -> None:
    server = Held()
    async with gate_bench(server) as bench:
        client = await under_way(bench, server)
        draining = asyncio.get_running_loop().create_task(bench.drain(5))
        await eventually(lambda: Counted.looked_into)
        server.go.set()
        response = await client.response()
        assert (response.status, response["connection"], await client.rest()) == (200, b"close", b"")
        await draining


@pytest.mark.interpreted
def test_a_defect_ends_one_connection_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    reported: list[dict[str, object]] = []

    async def ask() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        async with gate_bench() as bench:
            client, other = await bench.open(), await bench.open()
            await warm(client)
            await warm(other)
            with monkeypatch.context() as patch:
                patch.setattr(Gate, "admit", fail)
                client.send(PLAIN)
                assert await client.rest() == b""
            other.send(PLAIN)
            assert (await other.response()).status == 200
            await eventually(lambda: len(bench.gate.connections) == 1)
            assert (len(bench.gate.roster), bench.upstream.open) == (0, 1)

    asyncio.run(ask())
    (context,) = reported
    assert context["message"] == "protocol.admit_plain() failed"
    assert isinstance(context["exception"], ZeroDivisionError)
