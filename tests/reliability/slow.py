"""Clients that take their time: nobody waits without end, and nobody holds much."""

import asyncio
import contextlib
from itertools import cycle
from typing import Final

from tests.reliability.clients import HANDSHAKE, HEAD, connect, crowd, each_of, statuses
from tests.reliability.meeting_server import LARGE
from tests.reliability.scenario import Scenario
from tests.reliability.stage import Stage

EACH: Final = 64 << 10
"""Bytes that the gate may hold for a connection on which little has come: the longest head, and its parts."""


async def slow_heads(stage: Stage, times: int) -> None:
    """Send a head line by line, and never its end."""
    async with crowd(stage, times, lambda client: client.send(HEAD)) as clients:
        answers = asyncio.ensure_future(statuses(stage, clients))
        while not answers.done():
            for client in clients:
                client.send(b"X-A: b\r\n")
            await asyncio.sleep(0.1)
        stage.grew_at_most(EACH, times)
        await answers
    stage.only("408")


async def slow_bodies(stage: Stage, times: int) -> None:
    """Begin a body, and send no more of it."""
    post = b"POST /silent HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx"
    async with crowd(stage, times, lambda client: client.send(post)) as clients:
        await statuses(stage, clients)
        stage.grew_at_most(EACH, times)
    stage.only("408")


async def idle(stage: Stage, times: int) -> None:
    """Connect and send nothing."""
    async with crowd(stage, times) as clients:
        stage.grew_at_most(EACH, times)
        await statuses(stage, clients)
    stage.only("closed")


async def slow_readers(stage: Stage, times: int) -> None:
    """Ask for much and read nothing of it."""
    async with crowd(stage, times, lambda client: client.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")) as clients:
        for client in clients:
            client.stop_reading()
        await asyncio.sleep(0.5)
        stage.grew_at_most(1 << 20, times)
        await stage.alone()
        for client in clients:
            client.go_on_reading()
            with contextlib.suppress(OSError):
                stage.saw("cut" if len(await client.rest()) < LARGE else "served")
    stage.only("cut")


async def half_open(stage: Stage, times: int) -> None:
    """Become a WebSocket, and never be heard again: no message, no answer to the gate's Close, no end."""
    async with crowd(stage, times, lambda client: client.send(HANDSHAKE % b"/quiet")) as clients:
        for client in clients:
            stage.expect(await client.status() == "101", "a handshake was not answered")
        stage.grew_at_most(EACH, times)
        for client in clients:
            frame = await client.rest()
            stage.saw(f"Close {int.from_bytes(frame[2:4], 'big')}" if frame[:1] == b"\x88" else "cut")
    stage.only("Close 1001")


async def unanswered_handshakes(stage: Stage, times: int) -> None:
    """Ask for a WebSocket that the meeting server never answers."""
    async with crowd(stage, times, lambda client: client.send(HANDSHAKE % b"/silent")) as clients:
        await statuses(stage, clients)
        stage.grew_at_most(EACH, times)
    stage.only("504")


async def vanishing(stage: Stage, times: int) -> None:
    """Connect and reset at once, or after half a head."""
    heads = cycle((b"", HEAD))

    async def vanish() -> None:
        client = await connect(stage)
        client.send(next(heads))
        client.writer.transport.abort()

    await each_of(times, vanish)
    await stage.alone()
    stage.grew_at_most(0, times)
    stage.saw("nothing", times)


SLOW: Final = (
    Scenario(
        "request heads that never end, a line at a time",
        "408 and the end after `gate.head_timeout`, however much comes; at most 64 KiB each",
        slow_heads,
        50,
        2000,
        gate="head_timeout = 1.0",
    ),
    Scenario(
        "request bodies that stop",
        "408 and the end after `gate.body_timeout` without a byte; the meeting server is let go; at most 64 KiB each",
        slow_bodies,
        50,
        2000,
        gate="body_timeout = 1.0",
    ),
    Scenario(
        "connections on which nothing comes",
        "closed without a word after `gate.head_timeout`; at most 64 KiB each",
        idle,
        50,
        4000,
        gate="head_timeout = 1.0",
    ),
    Scenario(
        "responses of 32 MiB that nobody reads",
        "the meeting server is stopped, and the client is cut after `upstream.response_timeout`; at most 1 MiB each",
        slow_readers,
        10,
        100,
        upstream="response_timeout = 2.0\n",
    ),
    Scenario(
        "WebSockets whose client is never heard again",
        "Close 1001 after `gate.websocket_idle_timeout`, cut `gate.close_timeout` later; at most 64 KiB each",
        half_open,
        50,
        2000,
        gate="websocket_idle_timeout = 2.0\nclose_timeout = 1.0",
    ),
    Scenario(
        "WebSocket handshakes that the meeting server never answers",
        "504 after `upstream.response_timeout`; at most 64 KiB each",
        unanswered_handshakes,
        50,
        2000,
        upstream="response_timeout = 1.0\n",
    ),
    Scenario(
        "connections reset at once or in a head",
        "forgotten at once, and nothing of them stays",
        vanishing,
        100,
        10_000,
    ),
)
