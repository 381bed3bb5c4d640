"""Bodies that come fast, or in the smallest chunks: others have their turn, and every byte arrives."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from joingate.gate.downstream import SLICE, Downstream
from joingate.gate.upstream import LARGE_READ, UpstreamConnection
from tests.edges.gate_fixture import Wire, eventually, gate_bench, on_both_loops

CHUNK = b"1\r\na\r\n"
MANY = 40_000
OWN_PAGE = b"GET /.well-known/joingate HTTP/1.1\r\nHost: a\r\n\r\n"


async def take(wire: Wire) -> None:
    """Read one request, and answer with the size of its body."""
    _, headers = await wire.head()
    body, _ = await wire.body(headers)
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%d" % (len(b"%d" % len(body)), len(body)))
    await wire.rest()


@contextmanager
def turns_of(owner: type, method: str) -> Iterator[list[int]]:
    """List the bytes with which a method is called, and a 0 for every turn that others have had meanwhile."""
    turns: list[int] = []
    original = getattr(owner, method)

    def counted(self: object, data: bytes) -> None:
        turns.append(len(data))
        asyncio.get_running_loop().call_soon(turns.append, 0)
        original(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, method, counted)
        yield turns


def longest_stretch(turns: list[int]) -> int:
    """Return how many calls came at most without anybody's turn between."""
    longest = at = 0
    for size in turns:
        at = at + 1 if size else 0
        longest = max(longest, at)
    return longest


@pytest.mark.interpreted
@on_both_loops
async def test_the_smallest_chunks_are_read_while_others_are_answered() -> None:
    with turns_of(Downstream, "on_body") as turns:
        async with gate_bench(take) as bench:
            greedy, other = await bench.open(), await bench.open()
            greedy.send(b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK * MANY)
            await eventually(lambda: turns)
            other.send(OWN_PAGE)
            assert (await other.response()).status == 200
            assert sum(turns) < MANY
            greedy.send(b"0\r\n\r\n")
            assert (await greedy.response()).body == b"%d" % MANY
    assert sum(turns) == MANY
    # the last of what was read, and the first of the next read, one of which the end of the former may have cut
    assert longest_stretch(turns) <= 2 * SLICE // len(CHUNK) + 1
    assert 2 * SLICE // len(CHUNK) < 1500


@on_both_loops
async def test_requests_behind_such_a_body_are_answered_in_their_order() -> None:
    async def script(wire: Wire) -> None:
        for _ in range(3):
            _, headers = await wire.head()
            body, _ = await wire.body(headers)
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + (body[-1:] or b"-"))
        await wire.rest()

    request = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK * 5000
    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(
            request + b"1\r\nb\r\n0\r\n\r\n"
            b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n" + request + b"1\r\nc\r\n0\r\n\r\n" + OWN_PAGE
        )
        assert [(await client.response()).body for _ in range(3)] == [b"b", b"-", b"c"]
        assert (await client.response()).status == 200


@on_both_loops
async def test_what_is_malformed_in_the_midst_of_such_a_body_ends_it() -> None:
    async with gate_bench(take) as bench:
        client = await bench.open()
        head = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send(head + CHUNK * MANY + b"nonsense\r\n" + OWN_PAGE)
        assert await client.rest() == b""
        await eventually(lambda: not bench.gate.connections)


@pytest.mark.interpreted
@on_both_loops
async def test_large_reads_of_a_request_leave_others_their_turn() -> None:
    size = 5_000_000
    with turns_of(Downstream, "data_received") as turns:
        async with gate_bench(take) as bench:
            client = await bench.open()
            client.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
            assert (await client.response()).body == b"%d" % size
    assert max(turns) >= LARGE_READ
    assert not any(first >= LARGE_READ <= second for first, second in pairwise(turns))


@pytest.mark.interpreted
@on_both_loops
async def test_large_reads_of_a_response_leave_others_their_turn() -> None:
    body = bytes(5_000_000)

    async def large(wire: Wire) -> None:
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await wire.rest()

    with turns_of(UpstreamConnection, "data_received") as turns:
        async with gate_bench(large) as bench:
            client = await bench.open()
            client.send(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await client.response()).body == body
    assert max(turns) >= LARGE_READ
    assert not any(first >= LARGE_READ <= second for first, second in pairwise(turns))


@on_both_loops
async def test_a_response_waits_for_a_client_that_takes_nothing_of_it() -> None:
    """Having had its turn, the gate does not read on for a client that is full."""
    sent = 0

    async def endless(wire: Wire) -> None:
        nonlocal sent
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        while sent < 200_000_000:
            wire.send(bytes(100_000))
            sent += 100_000
            await wire.writer.drain()

    async with gate_bench(endless) as bench:
        client = await bench.open()
        client.stop_reading()
        client.send(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.2)
        assert 0 < sent < 50_000_000
        client.abort()
