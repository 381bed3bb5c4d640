"""Doors for a browser: local ports that reach the gate from an address in one territory each.

A browser cannot choose the address it comes from. A door takes its connection, makes one to the gate from the door's
own address, and copies bytes both ways. The page is served through the door too, so that its requests stay with it.
"""

import asyncio
import contextlib
from functools import partial
from types import TracebackType
from typing import Self

from joingate.demo.cast import Person

_CHUNK = 65536
_GOODBYE = 1.0  # seconds for what is still to be written


class Doors:
    """One listening port of 127.0.0.1 for each place, as an async context manager.

    Attributes:
        ports: for each place, where to knock, once entered.
    """

    def __init__(self, places: tuple[Person, ...], gate_port: int) -> None:
        self.ports: dict[Person, int] = {}
        self._places = places
        self._gate_port = gate_port
        self._servers: list[asyncio.Server] = []
        self._passing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        for place in self._places:
            server = await asyncio.start_server(partial(self._enter, place.address), "127.0.0.1", 0)
            self._servers.append(server)
            self.ports[place] = server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def _enter(self, source: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own, because the one that start_server makes of a coroutine cannot be waited for.
        task = asyncio.get_running_loop().create_task(self._carry(source, reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _carry(self, source: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            gate_reader, gate_writer = await asyncio.open_connection(
                "127.0.0.1", self._gate_port, local_addr=(source, 0)
            )
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_copy(reader, gate_writer), _copy(gate_reader, writer))
        finally:
            await asyncio.gather(_end(writer), _end(gate_writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end, and pass the end on: each direction closes by itself."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _end(writer: asyncio.StreamWriter) -> None:
    """Close what has been written, or abort where nobody reads it."""
    writer.close()
    try:
        async with asyncio.timeout(_GOODBYE):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()
