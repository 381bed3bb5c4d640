"""Clients that behave badly: they write nonsense, vanish in the middle of things, or read slowly."""

import asyncio
import contextlib
import re
import socket
from collections.abc import Awaitable, Callable

from tests.integration.framing_requests import ROWS
from tests.integration.framing_rows import Row as Request
from tests.soak.account import Row
from tests.soak.answers import Answer, Asked, World, check, note_unseen
from tests.soak.joins import PATIENCE, draw, paced
from tests.soak.meeting_server import A_MOMENT, FLOOD_FRAMES, Demand, flood_payload, reset
from tests.soak.visits import frames
from tests.ws_client import CLOSE, TEXT, build_frame

EVERY = 0.5  # seconds between two nuisances
SLOW_EVERY = 6.0  # seconds between two slow readers
NAP = (1.0, 4.0)  # seconds for which a slow reader reads nothing
_SMALL_BUFFER, _LARGE_BUFFER = 16_384, 1 << 20  # of the kernel's, while a slow reader sleeps and when it reads

NO_MISTAKE = (408, 451)  # a body that never comes, and a join of somebody whom an order of those tests means

REFUSED: tuple[Request, ...] = tuple(
    row
    for row in ROWS.values()
    if len(row.answers) == 1 and row.answers[0] >= 400 and row.answers[0] not in NO_MISTAKE and not row.forwarded
)
"""Of the framing tests' requests, those that the gate refuses, whoever sends them, and passes on to nobody."""

_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) ")


async def be_a_nuisance(world: World) -> None:
    """Do one bad thing after the other."""
    kinds: tuple[Callable[[World], Awaitable[None]], ...] = (send_nonsense, vanish_in_head, vanish_while_waiting)
    async for _ in paced(world, EVERY, 0.0):
        await world.drawn.choice(kinds)(world)


async def send_nonsense(world: World) -> None:
    """Send a request that has to be refused."""
    row = world.drawn.choice(REFUSED)
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    received = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE):
            writer.write(row.payload)
            writer.write_eof()
            while data := await reader.read(65_536):
                received += data
    writer.close()
    world.account.note_tried(Row.MALFORMED)
    if tuple(int(status) for status in _STATUS.findall(received)) != row.answers:
        why = f"{row.payload[:60]!r} was answered {received[:60]!r}, not {row.answers}"
        world.account.note_lost(Row.MALFORMED, why)


async def vanish_in_head(world: World) -> None:
    """Send half of a join's head, and reset."""
    _, request = draw(world, Row.NEW)
    _, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(request[: world.drawn.randrange(len(request) - 1)])
    await asyncio.sleep(A_MOMENT)
    reset(writer.transport)
    world.account.note_tried(Row.VANISHED, kind="vanished in a head")


async def vanish_while_waiting(world: World) -> None:
    """Send a join, and do not wait for the answer."""
    asked, request = draw(world, Row.NEW)
    local = None if asked.visitor.source is None else (asked.visitor.source, 0)
    _, writer = await asyncio.open_connection("127.0.0.1", world.port, local_addr=local)
    writer.write(request)
    await asyncio.sleep(A_MOMENT * world.drawn.random())
    note_unseen(world, asked, is_at_the_door=True)
    reset(writer.transport)
    world.account.note_tried(Row.VANISHED, kind="vanished while waiting")


async def read_slowly(world: World, place: int) -> None:
    """Ask for 4 MiB, read nothing for a while, and then all of it."""
    async for _ in paced(world, SLOW_EVERY, place):
        await _read_slowly(world)


async def _read_slowly(world: World) -> None:
    number, visitor = next(world.numbers), world.population.draw(behind_proxy=True)
    asked = Asked(Row.WEBSOCKET, visitor, f"slow-{number % 8}", number, world.now())
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
    one.setblocking(False)
    await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", world.port))
    reader, writer = await asyncio.open_connection(sock=one)
    writer.write(
        f"GET /meetings/{asked.meeting}/join?user=u{number}&n={number} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"X-Forwarded-For: {visitor.header}\r\n\r\n".encode()
    )
    try:
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            if status != 101:
                check(world, asked, await _rest(reader, head, status))
                return
        check(world, asked, Answer(101))
        world.account.note_tried(Row.SLOW_READERS)
        writer.write(build_frame(TEXT, Demand.FLOOD.encode()))
        await asyncio.sleep(world.drawn.uniform(*NAP))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LARGE_BUFFER)
        await _read_flood(world, number, reader)
        writer.write(build_frame(CLOSE, (1000).to_bytes(2, "big")))
        async with asyncio.timeout(PATIENCE):
            await reader.read()
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
        world.account.note_lost(Row.SLOW_READERS, f"participant {number}: {error!r}")
    finally:
        writer.close()


async def _rest(reader: asyncio.StreamReader, head: bytes, status: int) -> Answer:
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return Answer(status, await reader.readexactly(int(length[1]) if length else 0))


async def _read_flood(world: World, number: int, reader: asyncio.StreamReader) -> None:
    unread, came = b"", 0
    while came < FLOOD_FRAMES:
        async with asyncio.timeout(PATIENCE):
            data = await reader.read(65_536)
        if not data:
            world.account.note_lost(Row.SLOW_READERS, f"participant {number}: ended after {came} frames")
            return
        unread += data
        taken = 0
        for _, payload, end in frames(unread):
            if payload != flood_payload(came):
                world.account.note_lost(Row.SLOW_READERS, f"participant {number}: frame {came} is not what was sent")
                return
            came, taken = came + 1, end
        unread = unread[taken:]
