"""Joins over HTTP at a constant rate: on connections kept open, and on a new one each."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.soak.account import Row
from tests.soak.answers import Answer, Asked, World, check
from tests.soak.meeting_server import Fault
from tests.soak.rulebook import MEETINGS, QUIET

KEPT_RATE, KEPT_CONNECTIONS = 120.0, 16
NEW_RATE, NEW_AT_ONCE = 30.0, 10
"""Joins a second. With the WebSockets they take half of a core, gate, meeting server and clients together."""

PATIENCE = 60.0
"""Seconds after which an answer is taken never to come."""


async def keep_joining(world: World, place: int) -> None:
    """Join again and again on one connection, and on another where that has ended."""
    connection: Connection | None = None
    try:
        async for _ in paced(world, KEPT_CONNECTIONS / KEPT_RATE, place / KEPT_RATE):
            if connection is None:
                connection = await Connection.open(world.port)
            asked, request = draw(world, Row.KEPT)
            answer, stays_open = await connection.ask(request)
            check(world, asked, answer, _hello(asked))
            if not stays_open:
                connection.end()
                connection = None
    finally:
        if connection is not None:
            connection.end()


async def join_anew(world: World, place: int) -> None:
    """Join again and again, each time on a new connection."""
    async for _ in paced(world, NEW_AT_ONCE / NEW_RATE, place / NEW_RATE):
        asked, request = draw(world, Row.NEW)
        connection = await Connection.open(world.port, asked.visitor.source)
        answer, _ = await connection.ask(request)
        connection.end()
        check(world, asked, answer, _hello(asked))


async def paced(world: World, seconds: float, offset: float) -> AsyncIterator[None]:
    """Come back every so many seconds until the load is to end; what has been missed is not caught up with."""
    loop = asyncio.get_running_loop()
    due = loop.time() + offset
    while not world.is_over:
        await asyncio.sleep(max(0.0, due - loop.time()))
        if not world.is_over:
            yield
        due = max(due + seconds, loop.time())


def draw(world: World, row: Row) -> tuple[Asked, bytes]:
    """Return a join and its bytes."""
    drawn = world.drawn
    visitor = world.population.draw(behind_proxy=row is Row.KEPT)
    fault = Fault.NONE
    if drawn.random() < world.fault_share:
        fault = drawn.choice([each for each in Fault if each is not Fault.NONE])
    held = fault is Fault.HELD
    meeting, number = drawn.choice((*MEETINGS, *QUIET)), next(world.numbers)
    if fault is not Fault.NONE:
        world.account.note_tried(Row.HELD if held else Row.FAULTS)
    is_cut = fault is Fault.BODY
    asked = Asked(row, visitor, meeting, number, world.now(), fault is not Fault.NONE and not held, is_cut)
    target = f"/meetings/{meeting}/join?user=u{number}&n={number}&fault={fault}"
    return asked, f"GET {target} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {visitor.header}\r\n\r\n".encode()


def _hello(asked: Asked) -> bytes:
    return f"hello {asked.number}\n".encode()


class Connection:
    """A client's connection, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, source: str | None = None) -> "Connection":
        """Connect, from an address of the loopback network."""
        local = None if source is None else (source, 0)
        return cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=local))

    def end(self) -> None:
        """Close."""
        self._writer.close()

    async def ask(self, request: bytes) -> tuple[Answer, bool]:
        """Send a request; return its answer, and whether another can follow."""
        self._writer.write(request)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                head = await self._reader.readuntil(b"\r\n\r\n")
                status_line, *lines = head.decode("latin-1").lower().split("\r\n")
                fields = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = await self._reader.readexactly(int(fields.get("content-length", "0")))
                return Answer(int(status_line.split(" ")[1]), body), fields.get("connection") != "close"
        return Answer(None), False
