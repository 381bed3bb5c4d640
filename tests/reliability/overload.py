"""More than the gate takes: whoever is too many learns so at once, and whoever is inside notices nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from tests.edges.served import until_true
from tests.reliability.bystanders import MEETINGS
from tests.reliability.clients import HANDSHAKE, HEAD, Client, connect, each_of
from tests.reliability.scenario import Scenario
from tests.reliability.stage import Stage

ROOM: Final = 100
"""Connections that a gate of this file takes."""


@contextlib.asynccontextmanager
async def filled(stage: Stage) -> AsyncIterator[None]:
    """Take every place that the bystanders leave, until the block ends."""
    inside: list[Client] = []

    async def get_in() -> bool:
        client = await connect(stage)
        client.send(HANDSHAKE % b"/quiet")
        if await client.status() == "101":
            inside.append(client)
            return True
        client.writer.transport.abort()  # somebody who knocks had the last place, and will leave it
        return False

    try:
        await asyncio.gather(*(until_true(get_in) for _ in range(ROOM - 2 * MEETINGS)))
        yield
    finally:
        for client in inside:
            client.writer.transport.abort()


async def too_many(stage: Stage, times: int) -> None:
    """Fill the gate, and have more come: each sends a request at once, as clients do, every other one a handshake."""
    async with filled(stage):
        stage.weigh()

        async def ask() -> None:
            client = await connect(stage)
            try:
                client.send(
                    HEAD + b"X-A: " + b"b" * 8000 + b"\r\n\r\n"
                    if stage.result.seen["503"] % 2
                    else HANDSHAKE % b"/quiet"
                )
                status, head = await client.answer()
                stage.saw(status)
                stage.expect(b"\r\nRetry-After: 5\r\n" in head, "no Retry-After")
                stage.expect((await client.rest()).endswith(b"}"), "an answer was cut short")
            finally:
                client.writer.transport.abort()

        await each_of(times, ask)
        stage.grew_at_most(64 << 10, 1)
    await stage.alone()
    stage.only("503")


OVERLOAD: Final = (
    Scenario(
        "connections beyond `gate.max_connections`, each with a request or a WebSocket handshake",
        "a whole 503 with Retry-After, at once; nothing stays",
        too_many,
        200,
        5000,
        gate=f"max_connections = {ROOM}",
    ),
)
