"""Clients that send much: what is too large is refused, and what is relayed is held no longer than it takes."""

import asyncio
import re
from typing import Final

from tests.edges.served import CN
from tests.reliability.clients import AT_ONCE, HANDSHAKE, Client, connect, crowd, each_of
from tests.reliability.scenario import Scenario
from tests.reliability.stage import Stage
from tests.ws_client import BINARY, PING, build_frame

MIB: Final = 1 << 20
FEW: Final = 4
READ: Final = 256 << 10
"""Bytes that one read brings at most (libuv); asyncio's is the same."""


async def header_flood(stage: Stage, times: int) -> None:
    """Send a megabyte of header lines, and others one line of a megabyte."""
    many, long = b"X-A: b\r\n" * 130_000, b"X-A: " + b"b" * MIB + b"\r\n"

    async def send() -> None:
        client = await connect(stage)
        try:
            sending = asyncio.ensure_future(
                client.pour(b"GET /hello HTTP/1.1\r\nHost: a\r\n" + (many if len(stage.result.seen) % 2 else long), 1)
            )
            stage.saw(await client.status())
            await sending
        finally:
            client.writer.transport.abort()

    await each_of(times, send)
    stage.grew_at_most(READ, AT_ONCE)
    stage.only("431")


async def _pour_into(stage: Stage, times: int, path: bytes, piece: bytes, pieces: int) -> list[bool]:
    """Have so many WebSockets send pieces for a second; whether each could send them all."""

    async def pour(client: Client) -> bool:
        try:
            async with asyncio.timeout(1.0):
                return await client.pour(piece, pieces)
        except TimeoutError:
            return False

    async with crowd(stage, times, lambda client: client.send(HANDSHAKE % path)) as clients:
        for client in clients:
            stage.expect(await client.status() == "101", "a handshake was not answered")
            client.stop_reading()
        sent = await asyncio.gather(*map(pour, clients))
        stage.grew_at_most(MIB, times)
    await stage.alone()
    return sent


async def huge_frames(stage: Stage, times: int) -> None:
    """Announce a frame of 2^62 bytes and send as much of it as is taken, to a meeting server that reads nothing."""
    frame = bytes((128 | BINARY, 255)) + (1 << 62).to_bytes(8, "big") + b"mask" + bytes(MIB)
    for could in await _pour_into(stage, times, b"/deaf", frame, 64):
        stage.saw("taken" if could else "held back")
    stage.only("held back")


async def ping_flood(stage: Stage, times: int) -> None:
    """Send pings as fast as they are taken, and read no answer."""
    for could in await _pour_into(stage, times, b"/echo", build_frame(PING, b"ok") * 8192, 2000):
        stage.saw("taken" if could else "held back")
    stage.only("held back")


async def chatter(stage: Stage, times: int) -> None:
    """Read nothing of what the meeting server sends without end."""
    async with crowd(stage, times, lambda client: client.send(HANDSHAKE % b"/chatter")) as clients:
        for client in clients:
            stage.expect(await client.status() == "101", "a handshake was not answered")
            client.stop_reading()
        await asyncio.sleep(1.0)
        stage.grew_at_most(MIB, times)
    await stage.alone()
    stage.saw("the meeting server was stopped", times)


async def pipelines(stage: Stage, times: int) -> None:
    """Send requests one behind the other as fast as they are taken, and read no answer."""
    piece = b"GET /.well-known/joingate HTTP/1.1\r\nHost: a\r\n\r\n" * 100

    async def pour(client: Client) -> None:
        client.stop_reading()
        try:
            async with asyncio.timeout(1.0):
                stage.saw("taken" if await client.pour(piece, 10_000) else "cut")
        except TimeoutError:
            stage.saw("held back")

    async with crowd(stage, times) as clients:
        await asyncio.gather(*map(pour, clients))
        stage.grew_at_most(MIB, times)
    await stage.alone()
    stage.only("held back")


async def rejections(stage: Stage, times: int) -> None:
    """Ask for joins that are rejected, all at once on a few connections, and read the answers."""
    ask = b"GET /meetings/ordered/join?user=u HTTP/1.1\r\nHost: a\r\n%b\r\n"
    each = times // FEW

    async def pour(client: Client) -> None:
        client.send(ask % b"" * (each - 1) + ask % b"Connection: close\r\n")
        answers = await client.rest()
        for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers):
            stage.saw(status.decode())

    async with crowd(stage, FEW, source=CN) as clients:
        await asyncio.gather(*map(pour, clients))
    stage.grew_at_most(MIB, FEW)
    stage.expect(stage.result.seen["451"] == FEW * each, "some were not answered")
    stage.only("451")


GREEDY: Final = (
    Scenario(
        "heads of a megabyte, as many lines or as one",
        "431 whatever is still being sent; nothing reaches the meeting server; at most a read each of those at once",
        header_flood,
        20,
        500,
    ),
    Scenario(
        "WebSocket frames of 2^62 bytes, to a meeting server that does not read",
        "the sender is held back, and the WebSocket cut after `gate.send_timeout`; at most 1 MiB each",
        huge_frames,
        10,
        100,
        gate="send_timeout = 2.0\nclose_timeout = 1.0",
    ),
    Scenario(
        "pings without end, whose answers nobody reads",
        "the sender is held back; at most 1 MiB each",
        ping_flood,
        5,
        50,
    ),
    Scenario(
        "messages of the meeting server without end, which nobody reads",
        "the meeting server is stopped, and the WebSocket cut after `gate.send_timeout`; at most 1 MiB each",
        chatter,
        5,
        50,
        gate="send_timeout = 2.0\nclose_timeout = 1.0",
    ),
    Scenario(
        "requests without end, whose answers nobody reads",
        "the sender is held back; at most 1 MiB each",
        pipelines,
        10,
        100,
    ),
    Scenario(
        "joins that are rejected, thousands at once on four connections",
        "each is answered, one of a connection in a turn, and then everybody else; at most 1 MiB each",
        rejections,
        400,
        10_000,
    ),
)
