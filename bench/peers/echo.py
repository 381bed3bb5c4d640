"""The meeting server of the WebSocket benchmarks: accepts every handshake and says every message back.

    python echo.py PORT

It answers each handshake with the same Accept, so it takes one key only: the example of RFC 6455, which
`bench.sockets` sends. A request that is no handshake gets a short answer, so that a load may consist of both.
"""

import asyncio
import sys
from typing import cast

import uvloop

ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
CLOSE = 8


class Echo(asyncio.Protocol):
    """One participant's connection."""

    __slots__ = ("is_open", "transport", "unread")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.unread = b""
        self.is_open = False

    def data_received(self, data: bytes) -> None:
        self.unread += data
        if not self.is_open:
            _, end, rest = self.unread.partition(b"\r\n\r\n")
            if not end:
                return
            self.is_open = True
            self.unread = rest
            self.transport.write(ACCEPTED)
        self.answer_frames()

    def answer_frames(self) -> None:
        """Send back each whole frame without its mask, which `bench.sockets` leaves at nought."""
        answers, at, unread = [], 0, self.unread
        while len(unread) - at >= 2:
            short = unread[at + 1] & 127
            head = 2 if short < 126 else 4 if short == 126 else 10
            if len(unread) - at < head:
                break
            size = short if short < 126 else int.from_bytes(unread[at + 2 : at + head], "big")
            end = at + head + 4 + size
            if end > len(unread):
                break
            answers += [unread[at : at + 1], bytes((short,)), unread[at + 2 : at + head], unread[at + head + 4 : end]]
            is_close = unread[at] & 15 == CLOSE
            at = end
            if is_close:
                self.transport.write(b"".join(answers))
                self.transport.close()
                return
        self.unread = unread[at:]
        if answers:
            self.transport.write(b"".join(answers))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
