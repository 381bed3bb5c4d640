"""The demo's doors: a browser's bytes reach the gate from the door's own address, and both directions end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from joingate.demo.cast import Person
from joingate.demo.doors import Doors

HONG_KONG = Person("Hong Kong", "HK", "127.85.2.31")
CHINA = Person("China", "CN", "127.86.0.31")


async def _tell_where_from(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every line with the peer's address, and say goodbye at the end."""
    while line := await reader.readline():
        writer.write(writer.get_extra_info("peername")[0].encode() + b" " + line)
    writer.write(b"goodbye\n")
    await _hang_up(writer)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@pytest.fixture
async def gate_port() -> AsyncIterator[int]:
    server = await asyncio.start_server(_tell_where_from, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_each_door_comes_from_its_own_address(gate_port: int) -> None:
    async with Doors((CHINA, HONG_KONG), gate_port) as doors:
        for place in (CHINA, HONG_KONG):
            reader, writer = await asyncio.open_connection("127.0.0.1", doors.ports[place])
            writer.write(b"hello\n")
            assert await reader.readline() == f"{place.address} hello\n".encode()
            writer.write_eof()
            assert await reader.read() == b"goodbye\n"
            await _hang_up(writer)


async def test_without_a_gate_behind_it_a_door_hangs_up() -> None:
    async with Doors((CHINA,), 1) as doors:  # nobody listens on port 1
        reader, writer = await asyncio.open_connection("127.0.0.1", doors.ports[CHINA])
        assert await reader.read() == b""
        await _hang_up(writer)


async def test_closing_the_doors_ends_what_passes_through(gate_port: int) -> None:
    async with Doors((CHINA,), gate_port) as doors:
        reader, writer = await asyncio.open_connection("127.0.0.1", doors.ports[CHINA])
        writer.write(b"hello\n")
        await reader.readline()
    assert await reader.read() == b""
    await _hang_up(writer)
