"""The engine's transports do what asyncio's do: flow control, and every end that a connection can have."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

pytest.importorskip("joingate.gate._engine", reason="the engine is not compiled: make native")

from joingate.gate._engine import Engine, Transport
from joingate.gate.sockets import begin_engine, end_engine, send_at_once
from tests.edges.gate_fixture import eventually, on_both_loops

RESET = struct.pack("ii", 1, 0)


class Told(asyncio.Protocol):
    """Keeps what it is told, in order."""

    transport: Transport

    def __init__(self, *, stays: bool = False, at_the_end: Callable[[], None] = lambda: None) -> None:
        self.said: list[object] = []
        self.received = bytearray()
        self.stays = stays
        self.at_the_end = at_the_end

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data

    def eof_received(self) -> bool:
        self.said.append("end")
        return self.stays

    def pause_writing(self) -> None:
        self.said.append("pause")

    def resume_writing(self) -> None:
        self.said.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.said.append(exc if exc is None else type(exc))
        self.at_the_end()


@contextlib.asynccontextmanager
async def pair(*protocols: Told) -> AsyncIterator[tuple[Engine, list[socket.socket]]]:
    """Have the engine carry one end of a TCP connection for each protocol; yield the other ends."""
    engine = begin_engine()
    assert engine is not None
    with contextlib.ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as listening:
        peers = []
        for protocol in protocols:
            peer = stack.enter_context(socket.create_connection(listening.getsockname()))
            accepted, name = listening.accept()
            accepted.setblocking(False)
            peer.setblocking(False)
            engine.adopt(accepted.detach(), protocol, name)
            assert protocol.transport.get_extra_info("peername") == peer.getsockname()
            peers.append(peer)
        try:
            yield engine, peers
        finally:
            end_engine(engine)


async def read(peer: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (more := await asyncio.get_running_loop().sock_recv(peer, 1 << 16)):
        data += more
    return bytes(data)


@on_both_loops
async def test_what_is_written_arrives_in_order_and_a_slow_peer_pauses_the_protocol() -> None:
    protocol, data = Told(), bytes(range(256)) * 40_000
    async with pair(protocol) as (_, (peer,)):
        for at in range(0, len(data), 100_000):
            protocol.transport.write(data[at : at + 100_000])
        assert protocol.said == ["pause"]
        assert protocol.transport.get_write_buffer_size() > 65_536
        protocol.transport.write_eof()
        with pytest.raises(RuntimeError):
            protocol.transport.write(b"more")
        assert await read(peer, len(data) + 1) == data
        assert protocol.said == ["pause", "resume"]
        assert not protocol.transport.is_closing()


@on_both_loops
async def test_closing_sends_what_is_left_and_aborting_does_not() -> None:
    closing, aborting, data = Told(), Told(), bytes(8_000_000)
    async with pair(closing, aborting) as (_, (first, second)):
        closing.transport.write(data)
        closing.transport.close()
        aborting.transport.write(data)
        aborting.transport.abort()
        assert closing.transport.is_closing()
        assert aborting.transport.is_closing()
        assert await read(first, len(data) + 1) == data
        assert len(await read(second, len(data))) < len(data)
        await eventually(lambda: closing.said[-1:] == [None] and aborting.said[-1:] == [None])


@on_both_loops
async def test_a_protocol_that_pauses_gets_nothing_and_afterwards_everything() -> None:
    protocol = Told()
    async with pair(protocol) as (_, (peer,)):
        protocol.transport.pause_reading()
        peer.sendall(b"a" * 100_000)
        peer.shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.02)
        assert (bytes(protocol.received), protocol.transport.is_reading()) == (b"", False)
        protocol.transport.resume_reading()
        await eventually(lambda: protocol.said)
        assert (len(protocol.received), protocol.said[0]) == (100_000, "end")
        await eventually(lambda: protocol.said == ["end", None])


@on_both_loops
async def test_the_end_is_said_once_whatever_is_written_afterwards() -> None:
    protocol, data = Told(stays=True), bytes(8_000_000)
    async with pair(protocol) as (_, (peer,)):
        peer.shutdown(socket.SHUT_WR)
        await eventually(lambda: protocol.said)
        protocol.transport.write(data)
        assert await read(peer, len(data)) == data
        assert protocol.said == ["end", "pause", "resume"]


@on_both_loops
async def test_what_stands_before_a_reset_is_read() -> None:
    protocol = Told()
    async with pair(protocol) as (_, (peer,)):
        protocol.transport.pause_reading()
        protocol.transport.write(bytes(8_000_000))
        protocol.transport.resume_reading()
        peer.sendall(b"413")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        peer.close()
        await eventually(lambda: protocol.said and protocol.said[-1] not in {"pause", "end"})
        assert (bytes(protocol.received), protocol.said[-1]) == (b"413", ConnectionResetError)


@on_both_loops
async def test_an_engine_may_be_closed_from_inside_of_what_it_calls() -> None:
    def close() -> None:
        engine.close()

    ending, reading = Told(at_the_end=close), Told(at_the_end=close)
    async with pair(ending, reading, Told()) as (engine, (first, second, _)):
        second.sendall(b"x")
        first.close()
        await eventually(lambda: ending.said == ["end", None] and reading.said == [None])
        here, there = socket.socketpair()
        with there, pytest.raises(OSError, match="shutdown"):
            engine.adopt(here.detach(), Told(), None)


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_UNIX, "")]
)
async def test_a_connection_is_accepted_as_a_socket_would(
    family: socket.AddressFamily, address: str, tmp_path: Path
) -> None:
    engine = begin_engine()
    assert engine is not None
    with socket.socket(family) as listening, socket.socket(family) as client:
        listening.bind((address, 0) if address else str(tmp_path / "socket"))
        send_at_once(listening)
        listening.setblocking(False)
        listening.listen()
        assert engine.accept(listening.fileno()) is None
        client.connect(listening.getsockname())
        taken = engine.accept(listening.fileno())
        assert taken is not None
        fd, peername = taken
        with socket.socket(fileno=fd) as accepted:
            assert peername == (client.getsockname()[:2] if address else "")
            assert (os.get_blocking(fd), accepted.get_inheritable()) == (False, False)
            assert not address or accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert engine.accept(listening.fileno()) is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        engine.accept(fd)
    end_engine(engine)


async def test_a_few_are_served_in_between_and_the_others_afterwards() -> None:
    protocols = [Told() for _ in range(20)]
    async with pair(*protocols) as (engine, peers):
        for peer in peers:
            peer.sendall(b"x")
        for served in (8, 16, 20, 20):
            engine.serve()
            assert sum(protocol.received == b"x" for protocol in protocols) == served
        for peer in peers:
            peer.close()
        engine.serve()
        await eventually(lambda: all(protocol.said[-1:] == [None] for protocol in protocols))
        engine.serve()


async def test_serving_in_between_does_nothing_inside_of_the_engine() -> None:
    class Inside(Told):
        def data_received(self, data: bytes) -> None:
            engine.serve()
            super().data_received(data)

    protocol, other = Inside(), Told()
    async with pair(protocol, other) as (engine, peers):
        for peer in peers:
            peer.sendall(b"x")
        await eventually(lambda: protocol.received == other.received == b"x")
