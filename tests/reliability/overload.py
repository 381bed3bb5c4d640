"""More than the gate takes: whoever is too many learns so at once, and whoever is inside notices nothing."""

from typing import Final

from tests.reliability.clients import HANDSHAKE, HEAD, connect, crowd, each_of
from tests.reliability.scenario import Scenario
from tests.reliability.stage import BYSTANDERS, Stage

ROOM: Final = 100
"""Connections that a gate of this file takes."""


async def too_many(stage: Stage, times: int) -> None:
    """Fill the gate, and have more come: each sends a request at once, as clients do, every other one a handshake."""
    async with crowd(stage, ROOM - BYSTANDERS + 2):

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
