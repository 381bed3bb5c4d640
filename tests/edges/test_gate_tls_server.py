"""TLS handshakes that never begin or never end: counted, bounded in time, and turned away like anybody else."""

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

import pytest

from joingate.gate import accepting
from joingate.gate.listener import tls_client_context, tls_server_context
from joingate.gate.options import GateOptions
from tests.edges.gate_fixture import Bench, Wire, eventually, gate_bench, on_both_loops

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
HALVES = (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00")


@pytest.fixture
def contexts(certificate: tuple[Path, Path]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The gate's side and the client's."""
    return tls_server_context(*certificate), tls_client_context(certificate[0])


async def half_open(bench: Bench, count: int) -> list[Wire]:
    wires = [await bench.open() for _ in range(count)]
    for number, wire in enumerate(wires):
        wire.send(HALVES[number % len(HALVES)])
    return wires


@on_both_loops
async def test_a_handshake_counts_as_a_connection_and_ends_in_time(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, client_side = contexts
    async with gate_bench(tls=server, options=GateOptions(head_timeout=0.2, max_connections=8)) as bench:
        wires = await half_open(bench, 8)
        await eventually(lambda: len(bench.gate.connections) == 8)
        for wire in wires:
            assert await wire.rest() == b""
        await eventually(lambda: not bench.gate.connections)
        client = await bench.open(tls=client_side)
        client.send(GET)
        assert (await client.response()).status == 200
        assert len(bench.gate.connections) == 1


@on_both_loops
async def test_whoever_is_too_many_is_told_over_tls_and_others_are_cut(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, client_side = contexts
    async with gate_bench(tls=server, options=GateOptions(max_connections=8)) as bench:
        inside = await bench.open(tls=client_side)
        await half_open(bench, 7)
        await eventually(lambda: len(bench.gate.connections) == 8)
        told = await bench.open(tls=client_side)
        told.send(GET)
        response = await told.response()
        assert (response.status, response["retry-after"]) == (503, b"5")
        told.abort()
        await eventually(lambda: not bench.gate.turned_away)
        lingering = await half_open(bench, 2)
        await eventually(lambda: not bench.gate.can_turn_away)
        with contextlib.suppress(ConnectionError):
            assert await (await bench.open()).rest() == b""
        assert (len(bench.gate.connections), len(bench.gate.turned_away)) == (8, 2)
        inside.send(GET)
        assert (await inside.response()).status == 200
        for wire in lingering:
            wire.abort()
        await eventually(lambda: not bench.gate.turned_away)


@on_both_loops
async def test_what_is_no_handshake_ends_at_once_and_a_drain_waits_for_none(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with gate_bench(tls=contexts[0]) as bench:
        plain = await bench.open()
        plain.send(GET)
        assert b"HTTP" not in await plain.rest()
        await eventually(lambda: not bench.gate.connections)
        wires = await half_open(bench, 3)
        await eventually(lambda: len(bench.gate.connections) == 3)
        await bench.drain(5)
        for wire in wires:
            assert await wire.rest() == b""
        with pytest.raises(ConnectionError):
            await bench.open()


@on_both_loops
async def test_without_a_descriptor_it_goes_on_when_there_is_one(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client_side = contexts
    monkeypatch.setattr(accepting, "PAUSE", 0.05)
    accept = socket.socket.accept
    failures = iter((OSError(24, "Too many open files"), OSError(23, "Too many open files in system")))

    def fails(listening: socket.socket) -> object:
        for failure in failures:
            raise failure
        return accept(listening)

    async with gate_bench(tls=server) as bench:
        monkeypatch.setattr(socket.socket, "accept", fails)
        client = await bench.open(tls=client_side)
        monkeypatch.undo()
        client.send(GET)
        assert (await client.response()).status == 200
        assert next(failures, None) is None
        await asyncio.sleep(0)
