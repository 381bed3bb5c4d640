"""A stand-in for a meeting server on loopback, and a gate, as an operator runs it, in front of it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.edges.served import Folder, Served, order


@contextlib.asynccontextmanager
async def serving(application: web.Application) -> AsyncIterator[int]:
    """Serve on a port that the system chooses."""
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def gate_before(path: Path, database: Path, port: int, server: str, secret: str = "") -> AsyncIterator[Served]:
    """Serve in front of the meeting server at a port, which `server` describes: lines of [upstream]."""
    (path / "secret").write_text(secret or "none")
    (path / "secret").chmod(0o600)
    async with Served(Folder(path, database, upstream_port=port, server=server)) as gate:
        yield gate


@contextlib.asynccontextmanager
async def coming_from(address: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Be a client whose address is `address`."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(address, 0))) as session:
        yield session


async def order_against(gate: Served, meeting: str) -> None:
    """Load an order of China's for one meeting, by SIGHUP."""
    gate.folder.write("order.toml", order("cac-1", [meeting]))
    await gate.reloaded()


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Hear everything up to the end, and return how it ended."""
    while (await socket.receive(timeout=30)).type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
        pass
    return socket.close_code
