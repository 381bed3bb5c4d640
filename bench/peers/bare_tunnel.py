"""The floor of an ejection: a pair of uvloop protocols that passes bytes on, and on SIGHUP closes every WebSocket.

python bare_tunnel.py PORT UPSTREAM_PORT

It knows no meeting, no place and no ledger: each client gets a Close frame as long as the gate's, and the server one.
"""

import asyncio
import os
import signal
import sys
from typing import cast

import uvloop

PORT, UPSTREAM = int(sys.argv[1]), int(sys.argv[2])
DOWN: set["Down"] = set()
TO_CLIENT = bytes((136, 86)) + (4451).to_bytes(2, "big") + b"x" * 84
GOING_AWAY = (1001).to_bytes(2, "big")
AT_ONCE = 64


class Up(asyncio.Protocol):
    """The meeting server's side."""

    down: "Down"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.down.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.down.is_closing:
            self.down.transport.close()


class Down(asyncio.Protocol):
    """The participant's side."""

    up: Up | None = None
    is_closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        DOWN.add(self)

    def data_received(self, data: bytes) -> None:
        if self.is_closing:
            self.transport.close()
        elif self.up is not None:
            self.up.transport.write(data)
        else:
            self.connecting = asyncio.create_task(self.connect(data))

    async def connect(self, data: bytes) -> None:
        _, up = await asyncio.get_running_loop().create_connection(Up, "127.0.0.1", UPSTREAM)
        up.down, self.up = self, up
        up.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        DOWN.discard(self)
        if self.up is not None:
            self.up.transport.close()

    def close(self) -> None:
        """Say so on both sides, and end the server's."""
        if self.up is None:
            return
        self.is_closing = True
        self.transport.write(TO_CLIENT)
        mask = os.urandom(4)
        self.up.transport.write(bytes((136, 130)) + mask + bytes((GOING_AWAY[0] ^ mask[0], GOING_AWAY[1] ^ mask[1])))
        self.up.transport.close()


async def close_all() -> None:
    """Close everybody, and let others' messages through in between, as the gate does."""
    everybody = list(DOWN)
    for at in range(0, len(everybody), AT_ONCE):
        for down in everybody[at : at + AT_ONCE]:
            down.close()
        await asyncio.sleep(0)


async def main() -> None:
    loop = asyncio.get_running_loop()
    closing: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGHUP, lambda: closing.add(loop.create_task(close_all())))
    server = await loop.create_server(Down, "127.0.0.1", PORT, backlog=4096)
    await server.serve_forever()


uvloop.run(main())
